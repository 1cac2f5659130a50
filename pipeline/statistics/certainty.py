"""The Inception Score of classifiers' predictions (Salimans et al. 2016, arXiv 1606.03498, section 4)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def inception(chances: Floats) -> float:
    """exp(E_x KL(p(y|x) ‖ p(y))), where p(y) is the mean over rows: from 1 to the number of classes.

    It is large if each row clearly belongs to a class, and all classes occur.

    Args:
        chances: p(y|x) of each row, [rows, classes].
    """
    return float(np.exp(_entropy(chances.mean(0)) - _entropy(chances).mean()))


def _entropy(chances: Floats) -> Floats:
    """Entropy over the last axis, in nats."""
    return np.asarray(-(chances * np.log(np.maximum(chances, np.finfo(np.float64).tiny))).sum(-1))
