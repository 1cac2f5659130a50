"""The area under the ROC curve (AUC): how well a score separates two samples. 0.5 is chance, 1 is perfect."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Auc(NamedTuple):
    """An area under the ROC curve and the variance of its estimate."""

    value: float
    variance: float


def auc(positive: Floats, negative: Floats) -> Auc:
    """AUC and its variance (DeLong et al. 1988, through ranks: Sun & Xu 2014)."""
    from scipy.stats import rankdata  # noqa: PLC0415 - a third of the start of a command

    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    return Auc(float(above.mean()), float(above.var(ddof=1) / m + below.var(ddof=1) / n))


def by_chance(m: int, n: int) -> float:
    """Standard error of the AUC of a random score, with `m` and `n` rows per side (Hanley & McNeil 1982)."""
    return sqrt((m + n + 1) / (12 * m * n))
