"""Totals of numbers: de-normalization keeps the mean of what was normalized.

The generator is no part of this: cells come from real rows, and their places are drawn.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from numpy.random import Generator

from pipeline.columns.base import Encoded
from pipeline.columns.numeric import Numeric
from pipeline.schema import Column

TABLES = 20
MADE: dict[str, Callable[[Generator, int], np.ndarray]] = {
    "lognormal of deviation 1": lambda random, rows: np.round(random.lognormal(3, 1, rows), 2),
    "lognormal of deviation 2": lambda random, rows: np.round(random.lognormal(6, 2, rows), 2),
    "half zeros": lambda random, rows: np.where(
        random.random(rows) < 0.5, 0, np.round(random.lognormal(4, 1.5, rows), 2)
    ),
    "debts": lambda random, rows: -np.round(random.lognormal(4, 1.2, rows), 2),
    "Pareto": lambda random, rows: np.round((random.pareto(1.5, rows) + 1) * 250, 0),
    "normal": lambda random, rows: random.normal(-3, 2, rows).round(3),
    "floats": lambda random, rows: random.lognormal(0, 1.5, rows),
}


def redrawn(values: np.ndarray, seed: int) -> np.ndarray:
    """The values again, from their cells alone."""
    array = pa.array(values)
    codec = Numeric.fit(array, Column(name="x", kind="numeric", nullable=False))
    encoded = codec.encode(array)
    rest = codec.draw(encoded.values, np.random.default_rng(seed), np.arange(len(values)))
    return np.asarray(codec.decode(Encoded(encoded.values, rest)), dtype=float)


@pytest.mark.parametrize("rows", [1_000, 5_000, 50_000])
@pytest.mark.parametrize("name", MADE)
def test_means_and_extremes_are_kept(name: str, rows: int) -> None:
    """The mean is within 1 % in the median of the tables and within its sampling noise in each, and extremes come once.

    Rows of a leaf are spread evenly, so the noise is far smaller than that of a sample: a quarter of the standard error
    of the mean is exceeded with odds below 1 in 10,000 a table.
    """
    means, tops = [], []
    for seed in range(TABLES if rows < 50_000 else 6):  # large tables scatter little
        values = MADE[name](np.random.default_rng(seed + 77), rows)
        drawn = redrawn(values, seed)
        means.append(drawn.mean() / values.mean())
        tops.append(np.sum(drawn == (values.max() if values.mean() > 0 else values.min())))
        assert abs(drawn.mean() - values.mean()) < values.std() / np.sqrt(rows) / 4
        assert values.min() <= drawn.min()
        assert drawn.max() <= values.max()
    assert abs(np.median(means) - 1) < 0.01
    assert np.mean(tops) <= 1.25  # a few tables of rounded numbers have their extreme twice
