"""Columns of a sample as counts in cells, for all columns of a measure at once.

A cell is a label, or the values between two points of a distribution. Effects that follow from counts alone can then be
computed for hundreds of splits of the sample in a moment.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.base import Resampled
from pipeline.statistics import chance, distances
from pipeline.statistics.frequencies import LABELS
from pipeline.statistics.quantiles import POINTS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SIZE = max(POINTS, LABELS) + 2
"""Cells of a column: its points, or its labels and one cell for all others. The last cell is null."""
OTHER, NULL = SIZE - 2, SIZE - 1


class Cells(Resampled):
    """Columns as cells.

    Args:
        codes: For each column, the cell of each row; −1 for null.
        judge: Computes levels from two tables of counts, [columns, cells without null].
    """

    def __init__(self, codes: Sequence[Integers], judge: Callable[[Floats, Floats], Mapping[str, float]]) -> None:
        columns = np.column_stack(codes)
        self.nulls = columns < 0
        self._codes = np.where(self.nulls, NULL, columns) + SIZE * np.arange(len(codes))
        self._judge = judge
        self._total = self._counts(np.arange(len(columns)))

    def levels(self, batch: Integers) -> Mapping[str, float]:
        """See `Resampled.levels`."""
        counts = self._counts(batch)
        return self._judge(counts[:, :NULL], (self._total - counts)[:, :NULL])

    def _counts(self, rows: Integers) -> Floats:
        columns = self._codes.shape[1]
        counts = np.bincount(self._codes[rows].ravel(), minlength=SIZE * columns)
        return counts.reshape(columns, SIZE).astype(float)


def largest(levels: Floats) -> float:
    """The largest level of any column; 0 without columns."""
    return float(np.max(levels, initial=0.0))


def kolmogorov(batch: Floats, rest: Floats) -> Floats:
    """Level of the Kolmogorov–Smirnov distance over ordered cells, [columns]."""
    n, m = _rows(batch), _rows(rest)
    distance = distances.kolmogorov(np.cumsum(batch, axis=1) / n[:, None], np.cumsum(rest, axis=1) / m[:, None])
    return chance.kolmogorov(1 / n + 1 / m).level(distance)


def total_variation(batch: Floats, rest: Floats) -> Floats:
    """Level of the total variation distance over cells, [columns]."""
    n, m = _rows(batch), _rows(rest)
    distance = distances.total_variation(batch / n[:, None], rest / m[:, None])
    pooled = (batch + rest) / (n + m)[:, None]
    return chance.total_variation(pooled, 1 / n + 1 / m).level(distance)


def unseen(without: Floats, having: Floats) -> Floats:
    """Level of the share of `having`'s rows in cells that `without` lacks, [columns]."""
    n, m = _rows(without), _rows(having)
    only = np.where(without == 0, having, 0).sum(axis=1) / m
    expected = (without == 1).sum(axis=1) / n
    return chance.unseen(expected, n, m).level(only)


def _rows(counts: Floats) -> Floats:
    return np.asarray(np.maximum(counts.sum(axis=1), 1))
