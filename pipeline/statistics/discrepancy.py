"""Maximum mean discrepancy (MMD) of two samples of points (Gretton et al. 2012, "A kernel two-sample test").

There are two unbiased forms. One uses all pairs of rows and has a permutation test. The other uses mean random Fourier
features, which add up over shards.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.neighbours import Pooled

Floats = NDArray[np.float64]

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the median distance, each twice the last. The kernel is the mean of Gaussian kernels of these widths."""


class Discrepancy(NamedTuple):
    """Unbiased MMD², and the permutation p-value: the share of random relabellings with at least as large an MMD²."""

    mmd2: float
    p: float


def discrepancy(pooled: Pooled, *, permutations: int, rng: np.random.Generator) -> Discrepancy:
    """MMD² of two samples and its permutation p-value.

    The kernel is the mean of Gaussian kernels exp(−d²/2σ²), where σ is the median distance of the pooled sample times
    ¼, ½, 1, 2 and 4. It is computed once. A permutation only relabels its rows.

    Args:
        pooled: The two samples.
        permutations: Number of random relabellings.
        rng: The random stream of the relabellings.
    """
    kernel = _kernel(pooled.squares)
    m, n = pooled.n, len(kernel) - pooled.n
    first = np.zeros((len(kernel), permutations + 1))
    first[:m, 0] = 1
    for column in range(1, permutations + 1):
        first[rng.permutation(len(kernel))[:m], column] = 1
    images = kernel @ first
    within_x = (first * images).sum(0)
    across = images.sum(0) - within_x
    within_y = kernel.sum() - within_x - 2 * across
    mmd2 = within_x / (m * (m - 1)) + within_y / (n * (n - 1)) - 2 * across / (m * n)
    # the diagonal is zero, so sums over i ≠ j are plain sums; equal rows are ties up to the tolerance
    p = (1 + np.sum(mmd2[1:] >= mmd2[0] - 1e-12)) / (1 + permutations)
    return Discrepancy(float(mmd2[0]), float(p))


def _kernel(squares: Floats) -> Floats:
    """Mixture kernel matrix [n, n] of squared distances, with a zero diagonal."""
    apart = np.sqrt(squares[np.triu(np.ones(squares.shape, dtype=bool), 1)])
    # if over half of the rows coincide, the median is 0, but the mean still gives a scale
    median = float(np.median(apart)) or float(apart.mean()) or 1.0
    # the widest Gaussian first: half the width is the fourth power, which costs less than another exponential
    gaussian = squares * (-0.5 / (median * SCALES[-1]) ** 2)
    np.exp(gaussian, out=gaussian)
    kernel = gaussian.copy()
    for _ in SCALES[1:]:
        np.square(np.square(gaussian, out=gaussian), out=gaussian)
        kernel += gaussian
    kernel /= len(SCALES)
    np.fill_diagonal(kernel, 0)
    return kernel


def unbiased(a: Floats, b: Floats, n: float, m: float) -> Floats:
    """Unbiased MMD² of samples of n and m rows, given their mean features [..., waves].

    The features of each row have length 1. The mean of k(x, x') over different rows is (n·‖a‖² − 1) / (n − 1), Gretton
    et al. 2012, lemma 6.
    """
    own = (1 - (a**2).sum(-1)) / (n - 1) + (1 - (b**2).sum(-1)) / (m - 1)
    return np.asarray(((a - b) ** 2).sum(-1) - own)
