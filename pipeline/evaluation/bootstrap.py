"""How sure are the scores, and the difference of two generators on the same held-out rows?

The held-out rows are resampled, a hundred times, by giving each a Poisson weight of mean 1 (the Poisson bootstrap,
Chamandy et al. 2012): the weights are a function of the seed alone, so every generator is judged on the same
resamples. A score's *replicates* are its values on these. Their standard deviation gives the score's interval; that of
the differences of two generators' replicates gives the interval of the difference, in which all that the two share
(which rows happen to be held out) cancels.

Replicates scatter as the score does but are not centred on it: a resample repeats rows, and distances of distributions
grow by that. Only their spread is used.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.evaluation.pairs import PairTrend, trend_resampled
from pipeline.evaluation.scores import NORMAL_95
from pipeline.evaluation.views import Floats, View

RESAMPLES = 100
MOST_COLUMNS = 200  # of which errors are replicated
MOST_PAIRS = 100


def weights(rows: int, rng: np.random.Generator) -> Floats:
    """The weight of each held-out row in each resample, [resamples, rows]."""
    return rng.poisson(1.0, (RESAMPLES, rows)).astype(np.float64)


def interval(value: float, replicates: Floats) -> tuple[float, float]:
    """95 % confidence interval of a score."""
    margin = NORMAL_95 * float(np.std(replicates))
    return value - margin, value + margin


def shape_replicates(real: View, other: View, w: Floats) -> Floats:
    """Replicates of the mean error of the columns, [resamples]; of at most 200 with an order and 200 others."""
    split = [
        [name for name in real.names if real.measures[name].orders == orders][:MOST_COLUMNS] for orders in (True, False)
    ]
    errors = [real.measures[name].errors(real[name], other[name], w) for names in split for name in names]
    return np.asarray(np.mean(errors, axis=0))


def trend_replicates(real: View, other: View, pairs: Sequence[PairTrend], w: Floats) -> Floats:
    """Replicates of the mean error of pairs, [resamples]; of at most 100 evenly spread among `pairs`."""
    spread = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(int))]
    return np.asarray(np.mean([trend_resampled(real, other, pair, w) for pair in spread], axis=0))
