"""Distances between the rows of two samples, and what neighbourhoods of rows say of realism and variety.

A ball around each row reaches its k-th nearest row of the same sample. Together, the balls around real rows are an
estimate of where real rows can lie. *Precision* is the share of synthetic rows inside, and *recall* the share of real
rows inside the balls around synthetic rows (Kynkäänniemi et al. 2019, arXiv 1904.06991). One outlier has a large ball,
so *density* counts in how many balls a synthetic row lies, and *coverage* how many of the balls around real rows hold a
synthetic row (Naeem et al. 2020, arXiv 2002.09797).

Precision and density fall if rows lack realism, recall and coverage if they lack variety. All depend on the sample
size: compare only values at the same sizes.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Points = NDArray[np.floating]

NEIGHBOURS = 5
TIE = 1e-9
"""Two squared distances that differ by less are equal: rounding must not tell equal rows apart."""


class Manifold(NamedTuple):
    """Density (1 for alike samples, unbounded above); coverage, precision and recall (from 0 to 1)."""

    density: float
    coverage: float
    precision: float
    recall: float


class Pooled(NamedTuple):
    """Two samples of points and all distances between them, which several measures share.

    Attributes:
        points: The real points, then the others, [n + m, dimensions].
        squares: Squared distances between all of them, [n + m, n + m].
        n: The number of real points.
    """

    points: Floats
    squares: Floats
    n: int

    @classmethod
    def of(cls, real: Points, other: Points) -> Self:
        """Pool `real` [n, dimensions] and `other` [m, dimensions]."""
        points = np.concatenate([real, other]).astype(np.float64)
        return cls(points, squared_distances(points, points), len(real))

    @property
    def within_real(self) -> Floats:
        """Squared distances between real points, [n, n]."""
        return self.squares[: self.n, : self.n]

    @property
    def within_other(self) -> Floats:
        """Squared distances between the other points, [m, m]."""
        return self.squares[self.n :, self.n :]

    @property
    def across(self) -> Floats:
        """Squared distances from real points to the others, [n, m]."""
        return self.squares[: self.n, self.n :]


def squared_distances(x: Points, y: Points) -> Floats:
    """Squared Euclidean distances [len(x), len(y)] in float64."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(np.maximum(squares, 0, out=squares), np.float64)


def reach(within: Floats, k: int) -> Floats:
    """Squared distance from each row of a sample to its k-th nearest other row, [rows]."""
    return np.asarray(np.partition(within, k, axis=1)[:, k])  # position 0 is the row itself


def manifold(pooled: Pooled, *, k: int = NEIGHBOURS) -> Manifold:
    """Density, coverage, precision and recall with balls that reach the k-th neighbour.

    The package prdc, by the authors of density and coverage, leaves out the surface of a ball. It counts here, as in
    Kynkäänniemi's paper: the ball of a row that repeats more than k times has radius 0, and equal rows must count.
    """
    real, other = (reach(within, k) + TIE for within in (pooled.within_real, pooled.within_other))
    in_real = pooled.across <= real[:, None]
    in_other = pooled.across <= other
    return Manifold(
        density=float(in_real.sum() / (k * in_real.shape[1])),
        coverage=float(in_real.any(axis=1).mean()),
        precision=float(in_real.any(axis=0).mean()),
        recall=float(in_other.any(axis=1).mean()),
    )
