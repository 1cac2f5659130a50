"""The distribution of numbers as a few weighted points."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.sketches import Sketch

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

POINTS = 512
MANY = 20_000  # for more values, counting is faster than sorting
CELLS = 2**14


class Quantiles(Sketch):
    """An empirical distribution as at most 512 weighted points.

    Up to 512 distinct values are exact. Of more values, neighbours with 1/512 of the mass are replaced by their
    weighted median. This moves the distribution function by at most that share. Every merge that has to gather points
    again adds to `error`, so merge many shards pairwise and not one after the other.

    Attributes:
        points: Float64, ascending.
        counts: Int64, number of rows at each point.
        error: Largest possible error of `below`, in rows.
    """

    points: bytes
    counts: bytes
    error: int = 0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Summarise finite values."""
        return cls.gathered(*_counted(values))

    @classmethod
    def gathered(cls, points: Floats, weights: Integers, error: int = 0) -> Self:
        """Make the sketch of distinct ascending `points`, each with its number of rows."""
        if len(points) > POINTS:
            cumulated = np.cumsum(weights)
            middle = cumulated - weights / 2
            group = np.minimum(middle * POINTS / cumulated[-1], POINTS - 1).astype(np.int64)
            first = np.flatnonzero(np.diff(group, prepend=-1))
            last = np.append(first[1:], len(points)) - 1
            before, until = cumulated[first] - weights[first], cumulated[last]
            median = np.searchsorted(cumulated, (before + until) / 2)
            moved = np.maximum(cumulated[median] - weights[median] - before, until - cumulated[median])
            points, weights, error = points[median], until - before, error + int(moved.max())
        return cls(points=points.astype("<f8").tobytes(), counts=weights.astype("<i8").tobytes(), error=error)

    def merge(self, other: Self) -> Self:
        """The sketch of both sides together."""
        both = np.frombuffer(self.points + other.points, "<f8")
        points, which = np.unique(both, return_inverse=True)
        weights = np.bincount(which, weights=np.concatenate([self.weights, other.weights]), minlength=len(points))
        return self.gathered(points, weights.astype(np.int64), self.error + other.error)

    @property
    def values(self) -> Floats:
        """The points, ascending."""
        return np.frombuffer(self.points, "<f8")

    @property
    def weights(self) -> Integers:
        """Number of rows at each point."""
        return np.frombuffer(self.counts, "<i8")

    @property
    def rows(self) -> int:
        """Number of rows in all."""
        return int(self.weights.sum())

    def below(self, x: Floats) -> Floats:
        """Share of rows with a value of at most `x`. 0 if there are no rows."""
        cumulated = np.concatenate([[0], np.cumsum(self.weights)])
        return np.asarray(cumulated[np.searchsorted(self.values, x, side="right")] / max(1, self.rows))

    def quantile(self, share: float) -> float:
        """The least point with at least `share` of the rows at or below it.

        Raises:
            ValueError: There are no rows.
        """
        if not len(self.values):
            raise ValueError("a quantile needs at least one row")
        place = int(np.searchsorted(np.cumsum(self.weights), share * self.rows))
        return float(self.values[min(place, len(self.values) - 1)])

    def codes(self, values: Floats) -> Integers:
        """Index of the first point that is not below each value. Values beyond all points get the last index."""
        return np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)


def _counted(values: Floats) -> tuple[Floats, Integers, int]:
    """Ascending points, the number of values at or next to each, and the largest error of the distribution function.

    Counting many values in equal cells is three times as fast as sorting them. It is used only if no cell with
    different values holds more than 1/1024 of all values. Most columns allow this. Columns with long tails are sorted.
    """
    if len(values) >= MANY:
        low, high = float(values.min()), float(values.max())
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scale = (CELLS - 1) / (high - low) if high > low else 0.0
        if np.isfinite(scale) and np.isfinite(high - low):
            cells = ((values - low) * scale).astype(np.intp)
            counts = np.bincount(cells, minlength=CELLS)
            points = np.empty(CELLS)
            points[cells] = values
            mixed = cells[values != points[cells]]
            error = int(counts[mixed].max(initial=0))
            if error <= len(values) // (2 * POINTS):
                filled = np.flatnonzero(counts)
                return points[filled], counts[filled], error
    return *np.unique(values, return_counts=True), 0
