"""Where a value lies inside its leaf: the density of greatest entropy that has the mean of the training rows.

Nothing is known of a leaf but its ends and the mean of its rows. The density that assumes nothing else is exponential
between the ends, rising or falling (Jaynes 1957, "Information theory and statistical mechanics"). So the mean and the
total of generated numbers are those of the training rows. A uniform density would make skewed numbers too large, most
of all in the last leaf, where one great value is far from all others.

On a grid of w + 1 places the density is geometric: the exponential on [0, w + 1), rounded down. Means are shares of the
leaf's width, so they do not depend on units.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HALVINGS = 80
STEEPEST = 2.0**60
"""Greatest rate that is looked for: beyond it all values lie at an end."""


def mean_places(distinct: NDArray[Any], counts: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    """Mean of each leaf's rows, from 0 for its lower end to 1 for its upper end; 0 for a leaf of one value, [leaves].

    Args:
        distinct: Ascending positions, at least one.
        counts: Their numbers of rows.
        starts: Index of the first position of each leaf, ascending from 0.
    """
    sizes = np.diff(np.append(starts, len(distinct)))
    low, high = distinct[starts], distinct[starts + sizes - 1]
    beyond = (distinct - np.repeat(low, sizes)).astype(np.float64)  # unsigned positions are exact before the cast
    width = np.maximum((high - low).astype(np.float64), np.finfo(np.float64).tiny)
    share = np.add.reduceat(beyond / np.repeat(width, sizes) * counts, starts) / np.add.reduceat(counts, starts)
    return np.asarray(np.clip(share, 0.0, 1.0))


def rates(means: Floats, steps: Floats) -> Floats:
    """The rate of the exponential density of each leaf.

    Args:
        means: Mean of the leaf's rows, from 0 for its lower end to 1 for its upper end, [leaves].
        steps: Steps of the grid between the ends; infinity without a grid, [leaves].

    Returns:
        Rates λ of densities ∝ exp(λ t) for t in [0, 1): 0 is uniform, [leaves].
    """
    far = np.abs(means - 0.5) + 0.5  # a falling density mirrors a rising one
    low, high = np.full(len(means), np.log(1e-9)), np.full(len(means), np.log(STEEPEST))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = _mean(np.exp(middle), steps) < far
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    rate = np.where(_mean(np.exp(low), steps) < far, np.exp((low + high) / 2), 0.0)
    return np.asarray(np.where(means < 0.5, -rate, rate))  # noqa: PLR2004


def places(rate: Floats, uniform: Floats) -> Floats:
    """The quantile function of the density: a place in [0, 1] for each uniform number in [0, 1), [rows]."""
    size = np.maximum(np.abs(rate), 1e-9)
    with np.errstate(divide="ignore"):  # a uniform number of 0 is clipped
        rising = np.clip(1 + np.log1p((1 - uniform) * np.expm1(-size)) / size, 0.0, 1.0)
    return np.asarray(np.where(rate < 0, 1 - rising, rising))


def _mean(rate: Floats, steps: Floats) -> Floats:
    """Mean of the density of a positive rate, as a share of the leaf's width."""
    with np.errstate(invalid="ignore", over="ignore", under="ignore", divide="ignore"):
        smooth = np.where(rate < 1e-4, 0.5 + rate / 12, -1 / np.expm1(-rate) - 1 / rate)  # noqa: PLR2004
        step = rate / (steps + 1)
        whole = -(steps + 1) / np.expm1(-rate) + 1 / np.expm1(-step)
        stepped = np.where(rate < 1e-4, 0.5 + rate / 12 * (steps + 2) / (steps + 1), whole / steps)  # noqa: PLR2004
    return np.where(np.isfinite(steps) & (steps < 1e6), stepped, smooth)  # noqa: PLR2004
