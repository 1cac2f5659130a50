"""Distances between two samples of feature vectors, rows being points of one fixed space.

- Maximum mean discrepancy (Gretton et al. 2012, "A kernel two-sample test"), unbiased, with a permutation test.
- Fréchet distance between Gaussians fitted to the samples (Heusel et al. 2017, arXiv 1706.08500), the "FID"
  when the features are an image network's.
- Density and coverage (Naeem et al. 2020, arXiv 2002.09797), which tell lack of realism from lack of variety.

All depend on the sample size: compare only with values at the same sizes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.views import Floats
from pipeline.profiles.embedding import Gaussian
from pipeline.profiles.embedding import frechet as gaussian_frechet
from pipeline.profiles.features import SCALES

Features = NDArray[np.floating]

NEIGHBOURS = 5


class Discrepancy(NamedTuple):
    """Unbiased MMD², and the share of random relabellings with at least as large a value."""

    mmd2: float
    p: float


class Manifold(NamedTuple):
    """Density (1 for alike samples, unbounded above) and coverage (from 0 to 1)."""

    density: float
    coverage: float


def squared_distances(x: Features, y: Features) -> Floats:
    """Squared Euclidean distances [len(x), len(y)] in float64."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.asarray(np.maximum(squares, 0, out=squares), np.float64)


def discrepancy(x: Features, y: Features, *, permutations: int, rng: np.random.Generator) -> Discrepancy:
    """MMD² of two samples and its permutation p-value.

    The kernel is the mean of Gaussian kernels exp(−d²/2σ²), σ being the median distance of the pooled sample
    times ¼, ½, 1, 2 and 4. It is computed once; a permutation only relabels its rows.
    """
    kernel = _kernel(np.concatenate([x, y]))
    first = np.zeros((len(kernel), permutations + 1))
    first[: len(x), 0] = 1
    for column in range(1, permutations + 1):
        first[rng.permutation(len(kernel))[: len(x)], column] = 1
    m, n = len(x), len(y)
    images = kernel @ first
    within_x = (first * images).sum(0)
    across = images.sum(0) - within_x
    within_y = kernel.sum() - within_x - 2 * across
    mmd2 = within_x / (m * (m - 1)) + within_y / (n * (n - 1)) - 2 * across / (m * n)
    # the diagonal is zero, so sums over i ≠ j are plain sums; the tolerance counts ties of equal rows as ties
    p = (1 + np.sum(mmd2[1:] >= mmd2[0] - 1e-12)) / (1 + permutations)
    return Discrepancy(float(mmd2[0]), float(p))


def _kernel(points: Features) -> Floats:
    """Mixture kernel matrix [n, n] with a zero diagonal."""
    squares = squared_distances(points, points)
    apart = np.sqrt(squares[~np.eye(len(squares), dtype=bool)])
    # where over half of the rows coincide the median is 0: the mean still gives a scale
    median = float(np.median(apart)) or float(apart.mean()) or 1.0
    kernel = np.zeros_like(squares)
    for scale in SCALES:
        kernel += np.exp(squares * (-0.5 / (median * scale) ** 2))
    kernel /= len(SCALES)
    np.fill_diagonal(kernel, 0)
    return kernel


def frechet(x: Features, y: Features) -> float:
    """Fréchet distance of the Gaussians with the means and covariances of two samples."""
    return gaussian_frechet(_gaussian(np.asarray(x, np.float64)), _gaussian(np.asarray(y, np.float64)))


def _gaussian(points: Floats) -> Gaussian:
    return Gaussian(points.mean(0), np.atleast_2d(np.cov(points, rowvar=False)))


def manifold(real: Features, other: Features, *, k: int = NEIGHBOURS) -> Manifold:
    """Density and coverage of `other` over the balls around real rows that reach their k-th neighbour."""
    radii = np.partition(squared_distances(real, real), k, axis=1)[:, k]  # position 0 is the row itself
    # rows that repeat more than k times have radius 0: an equal row must still count, in spite of rounding
    inside = squared_distances(real, other) <= radii[:, None] + 1e-9
    return Manifold(float(inside.sum() / (k * other.shape[0])), float(inside.any(axis=1).mean()))
