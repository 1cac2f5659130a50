"""Density and coverage of samples of points (Naeem et al. 2020, arXiv 2002.09797).

Density falls if rows lack realism, and coverage if they lack variety. Both depend on the sample size: compare only
values at the same sizes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Points = NDArray[np.floating]

NEIGHBOURS = 5


class Manifold(NamedTuple):
    """Density (1 for alike samples, unbounded above) and coverage (from 0 to 1)."""

    density: float
    coverage: float


def squared_distances(x: Points, y: Points) -> Floats:
    """Squared Euclidean distances [len(x), len(y)] in float64."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(np.maximum(squares, 0, out=squares), np.float64)


def manifold(real: Points, other: Points, *, k: int = NEIGHBOURS) -> Manifold:
    """Density and coverage of `other` over balls around real rows. Each ball reaches its row's k-th neighbour."""
    radii = np.partition(squared_distances(real, real), k, axis=1)[:, k]  # position 0 is the row itself
    # the ball of a row that repeats more than k times has radius 0; equal rows must still count despite rounding
    inside = squared_distances(real, other) <= radii[:, None] + 1e-9
    return Manifold(float(inside.sum() / (k * other.shape[0])), float(inside.any(axis=1).mean()))
