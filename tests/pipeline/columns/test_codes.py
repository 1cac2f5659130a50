"""Codes in integers: recognised by how they sit, never invented, and quantities are left alone."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from numpy.random import Generator

from pipeline.columns import infer
from pipeline.columns.codes import NumberCode, recognised
from pipeline.privacy.disclosure import Disclosure
from pipeline.schema import ColumnSettings

ROWS = 6_000


def chosen(random: Generator, codes: np.ndarray, skew: float = 3.0) -> np.ndarray:
    """Codes drawn with different frequencies."""
    return codes[(random.beta(1, skew, ROWS) * len(codes)).astype(int)]


def some(random: Generator, low: int, high: int, size: int) -> np.ndarray:
    """Different codes in a range."""
    return np.sort(random.choice(np.arange(low, high), size, replace=False))


CODES: dict[str, Callable[[Generator], np.ndarray]] = {
    "five digits, 2,000 codes": lambda random: chosen(random, some(random, 10_000, 99_999, 2_000)),
    "leading zeros lost": lambda random: chosen(random, some(random, 1_001, 99_950, 500)),
    "three digits": lambda random: chosen(random, some(random, 100, 999, 60), 1.0),
    "phone areas in clusters": lambda random: chosen(
        random, np.unique(random.integers(0, 9, 200) ** 3 * 900 + 10_000 + some(random, 0, 3_000, 200))
    ),
    "eight digits": lambda random: chosen(random, some(random, 10**7, 10**8, 900), 2.0),
}
QUANTITIES: dict[str, Callable[[Generator], np.ndarray]] = {
    "ages": lambda random: random.integers(18, 95, ROWS),
    "salaries": lambda random: (random.lognormal(10.5, 0.4, ROWS) / 500).astype(int) * 500,
    "salaries, some of them exact": lambda random: np.where(
        random.random(ROWS) < 0.3,
        random.lognormal(10.5, 0.4, ROWS),
        (random.lognormal(10.5, 0.4, ROWS) / 1000).astype(int) * 1000,
    ).astype(int),
    "prices in cents": lambda random: random.integers(5, 400, ROWS) * 100 - 1,
    "counts": lambda random: random.negative_binomial(1, 0.001, ROWS),
    "amounts": lambda random: random.lognormal(8, 1, ROWS).astype(int),
    "gains, mostly none": lambda random: np.where(
        random.random(ROWS) < 0.92, 0, chosen(random, some(random, 100, 99_999, 110))
    ),
    "inches in millimetres": lambda random: np.round(random.integers(8, 90, ROWS) * 25.4).astype(int),
    "sensor steps": lambda random: np.round(random.normal(200, 30, ROWS).astype(int) * 4.88).astype(int),
    "years": lambda random: random.integers(1950, 2024, ROWS),
    "weights of a survey": lambda random: random.gamma(3, 60_000, ROWS).astype(int),
    "numbers of orders": lambda random: np.repeat(np.arange(ROWS // 3) + 200_000, 3),
    "normal, wide": lambda random: random.normal(50_000, 300, ROWS).astype(int),
}


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("seed", range(5))
def test_codes_are_recognised(name: str, seed: int) -> None:
    """Integers that name things are labels, and people are told why."""
    values = CODES[name](np.random.default_rng(seed + 40))
    assert recognised(pa.array(values), "x") is not None
    column = infer(pa.table({"x": values}))["x"]
    assert column.kind == "code"
    assert infer(pa.table({"x": values}), {"x": ColumnSettings(kind="numeric")})["x"].kind == "numeric"


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("seed", range(5))
def test_quantities_are_not(name: str, seed: int) -> None:
    """Numbers that measure or count something stay numbers."""
    assert recognised(pa.array(QUANTITIES[name](np.random.default_rng(seed + 80))), "x") is None


def test_a_name_is_evidence_too() -> None:
    """Branches that end with 0 or 5 look like round numbers, and are codes if the name says so."""
    random = np.random.default_rng(3)
    values = pa.array(chosen(random, some(random, 200, 1_800, 80) * 5))
    assert recognised(values, "size") is None
    assert recognised(values, "branch_no") is not None


@pytest.mark.parametrize(("name", "kind"), [("zip", "code"), ("statusCode", "code"), ("unicode", "numeric")])
def test_a_sure_name_is_enough(name: str, kind: str) -> None:
    """Codes without a gap are codes if their name means nothing else."""
    codes = np.random.default_rng(2).integers(10_000, 10_300, ROWS)
    assert infer(pa.table({name: codes}))[name].kind == kind


def test_codes_are_never_invented_and_rare_ones_become_codes_near_them() -> None:
    """Withheld codes become codes with about the same leading digits, and draws are codes of the table."""
    random = np.random.default_rng(5)
    values = chosen(random, some(random, 10_000, 99_999, 2_000))
    table = pa.table({"zip": values})
    schema = infer(table)
    shown = Disclosure.of(table, schema).apply(table, seed=0)["zip"].to_numpy()
    assert set(shown) <= set(values)
    assert np.unique(shown, return_counts=True)[1].min() >= 5
    assert np.mean(shown // 1_000 == values // 1_000) > 0.8
    codec = NumberCode.fit(pa.chunked_array([shown]), schema["zip"])
    encoded = codec.encode(pa.array(shown))
    again = codec.decode(encoded._replace(rest=codec.draw(encoded.values, random, np.arange(ROWS))))
    assert set(again.to_pylist()) <= set(shown.tolist())
    ranked = np.sort(codec.encode(pa.array(np.unique(shown))).values[0])
    np.testing.assert_array_equal(codec.encode(pa.array(np.unique(shown))).values[0], ranked)
