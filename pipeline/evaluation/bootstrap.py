"""Uncertainty of scores, and of the difference of two generators on the same held-out rows.

The held-out rows are resampled a hundred times by giving each row a Poisson weight of mean 1 (the Poisson bootstrap,
Chamandy et al. 2012). The weights depend on the seed alone, so every generator is scored on the same resamples. The
*replicates* of a score are its values on these resamples. Their standard deviation gives the interval of the score. The
standard deviation of the differences of two generators' replicates gives the interval of the difference, in which the
choice of held-out rows, which both generators share, cancels.

Replicates scatter as the score does, but they are not centred on it: a resample repeats rows, and this increases
distances between distributions. So only the spread of the replicates is used.
"""

import numpy as np

from pipeline.evaluation.scores import NORMAL_95
from pipeline.evaluation.views import Floats

RESAMPLES = 100


def weights(rows: int, rng: np.random.Generator) -> Floats:
    """The weight of each held-out row in each resample, [resamples, rows]."""
    return rng.poisson(1.0, (RESAMPLES, rows)).astype(np.float64)


def interval(value: float, replicates: Floats) -> tuple[float, float]:
    """95 % confidence interval of a score."""
    margin = NORMAL_95 * float(np.std(replicates))
    return value - margin, value + margin
