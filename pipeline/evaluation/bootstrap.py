"""How sure are the scores, and the difference of two generators on the same held-out rows?

The held-out rows are resampled, a hundred times, by giving each a Poisson weight of mean 1 (the Poisson bootstrap,
Chamandy et al. 2012): the weights are a function of the seed alone, so every generator is judged on the same
resamples. A score's *replicates* are its values on these. Their standard deviation gives the score's interval; that of
the differences of two generators' replicates gives the interval of the difference, in which all that the two share
(which rows happen to be held out) cancels.

Replicates scatter as the score does but are not centred on it: a resample repeats rows, and distances of distributions
grow by that. Only their spread is used.
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
