"""The distribution of numbers as a few weighted points."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.sketches import Sketch

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

POINTS = 512
MANY = 20_000  # values from which on counting is faster than sorting
CELLS = 2**14


class Quantiles(Sketch):
    """An empirical distribution as at most 512 weighted points.

    Up to 512 distinct values are exact. Beyond, neighbours of 1/512 of the mass are gathered at their weighted
    median, which moves the distribution function by at most that much. Every merge that has to gather anew adds
    its own move to `error`, so merge many shards pairwise rather than one after the other.

    Attributes:
        points: Float64, ascending.
        counts: Int64, rows at each point.
        error: Largest possible error of `below`, in rows.
    """

    points: bytes
    counts: bytes
    error: int = 0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """The sketch of finite values."""
        return cls.gathered(*_counted(values))

    @classmethod
    def gathered(cls, points: Floats, weights: Integers, error: int = 0) -> Self:
        """The sketch of distinct ascending `points`, each with its rows."""
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
        """The sketch of both."""
        both = np.frombuffer(self.points + other.points, "<f8")
        points, which = np.unique(both, return_inverse=True)
        weights = np.bincount(which, weights=np.concatenate([self.weights, other.weights]), minlength=len(points))
        return self.gathered(points, weights.astype(np.int64), self.error + other.error)

    @property
    def values(self) -> Floats:
        """Points, ascending."""
        return np.frombuffer(self.points, "<f8")

    @property
    def weights(self) -> Integers:
        """Rows at each point."""
        return np.frombuffer(self.counts, "<i8")

    @property
    def rows(self) -> int:
        """Rows summarised."""
        return int(self.weights.sum())

    def below(self, x: Floats) -> Floats:
        """Share of rows with a value of at most `x`; 0 where there are no rows."""
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
        """Number of the first point that is not below each value, the last point's for values beyond it."""
        return np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)


def _counted(values: Floats) -> tuple[Floats, Integers, int]:
    """Points, ascending, the values at or next to each, and by how many rows that may move the distribution function.

    Many values are counted in equal cells, three times as fast as they are sorted, where no cell then holds more than
    1/1024 of them and different ones. Most columns allow it; those with long tails are sorted.
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
