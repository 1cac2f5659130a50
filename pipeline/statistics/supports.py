"""α-precision and β-recall of a sample (Alaa et al. 2022, "How faithful is your synthetic data?", arXiv 2102.08921).

The α-support of a sample is the smallest ball around its mean that holds a share α of its points: its most typical
points. P(α) is the share of synthetic points in the α-support of the real ones. R(β) is the share of real points that
have a synthetic point at least as near as the nearest other real point, where that synthetic point lies in the
β-support. The supports of like samples hold the same shares, so P(α) = α, and each curve becomes one number by its
distance from the diagonal, 1 − 2·∫|P(α) − α| dα. The number is 1 for a curve on the diagonal, and 0 for one that is
constantly 0 or 1.

Like samples reach 1 in α-precision but about ½ in β-recall, for the nearest of 2n like points is synthetic in one of
two cases. So compare β-recall with its ceiling. α-precision looks at distances from the mean alone, so it misses lost
dependence.

We compute what the authors' code and synthcity's "naive" numbers compute. They depart from the paper: the supports of β
are quantiles over the synthetic points that are nearest to some real point, not over all of them, and the integral is a
mean over thirty levels. The paper's own supports are worse in many dimensions: few central points then are near to many
real ones, so like samples reach any value from 0.5 to 0.65, and scattered points reach more than like ones. But the
curve also depends on which real points are missed, so β-recall may rise a little while more of them are missed. Unlike
the authors, we train no network that maps points into a ball first: that network is different after each training, and
the features of an evaluation are fixed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.neighbours import TIE, Pooled, reach

Floats = NDArray[np.float64]

LEVELS = np.linspace(0, 1, 30)


class Faithfulness(NamedTuple):
    """Integrated α-precision and β-recall, each from 0 to 1."""

    alpha_precision: float
    beta_recall: float


def faithfulness(pooled: Pooled) -> Faithfulness:
    """Integrated α-precision and β-recall of the other points, as measured against the real ones."""
    real, other = pooled.points[: pooled.n], pooled.points[pooled.n :]
    typical = np.quantile(_from_mean(real, real), LEVELS)
    precision = (_from_mean(other, real) <= typical[:, None]).mean(axis=1)
    nearest = pooled.across.argmin(axis=1)
    found = pooled.across.min(axis=1) <= reach(pooled.within_real, 1) + TIE
    distance = _from_mean(other, other)[nearest]
    recall = (found & (distance <= np.quantile(distance, LEVELS)[:, None])).mean(axis=1)
    return Faithfulness(_integrated(precision), _integrated(recall))


def _from_mean(points: Floats, centred: Floats) -> Floats:
    """Distance of each point to the mean of the points `centred`, [points]."""
    return np.asarray(np.sqrt(((points - centred.mean(0)) ** 2).sum(1)))


def _integrated(curve: Floats) -> float:
    """1 − 2·∫|curve − level| d level as a mean over `LEVELS`, scaled so that a curve of zeros has 0."""
    return float(1 - np.abs(curve - LEVELS).sum() / LEVELS.sum())
