"""Shape: is each column by itself distributed as in the real table?

The `Measure` of a column computes the distance of two distributions: 0 means equal, 1 disjoint. For numbers it is the
two-sample Kolmogorov–Smirnov statistic, for labels the total variation distance. These are the definitions of SDMetrics
0.24 (`KSComplement`, `TVComplement`) and of the published protocols, with one difference: those ignore nulls. Here null
is a label, and the error of numbers is at least the difference of their null rates.
"""

from typing import ClassVar

import numpy as np

from pipeline.evaluation.areas.base import Area, Found, mean, replicated
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import ColumnError, Incomputable, Metric
from pipeline.evaluation.views import Floats, View

MOST_COLUMNS = 200  # of columns with an order, and of others, whose errors are replicated


class Marginals(Area):
    """The mean error of the columns, and the error of each, worst first."""

    name = "marginals"
    metrics: ClassVar = {
        "shape_error": Metric("min", "mean distance of the columns' distributions (KS or total variation)", 1.0)
    }
    details: ClassVar = {"columns": ColumnError}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.views
        values, ceilings = shape_errors(holdout, synthetic), shape_errors(holdout, train)
        if not values:
            raise Incomputable("the table has no column that can be compared")
        replicates = shape_replicates(holdout, synthetic, samples.weights())
        score = replicated("shape_error", mean(values.values()), mean(ceilings.values()), replicates)
        worst = sorted(values, key=lambda name: -values[name])
        errors = (ColumnError(name=name, error=values[name], ceiling=ceilings[name]) for name in worst)
        return Found((score,), {"columns": tuple(errors)})


def shape_errors(real: View, other: View) -> dict[str, float]:
    """The error of every column, by name."""
    return {name: real.measures[name].error(values, other[name]) for name, values in real.values.items()}


def shape_replicates(real: View, other: View, w: Floats) -> Floats:
    """Replicates of the columns' mean error, [resamples], from at most 200 columns with an order and 200 others."""
    split = [
        [name for name in real.names if real.measures[name].orders == orders][:MOST_COLUMNS] for orders in (True, False)
    ]
    errors = [real.measures[name].errors(real[name], other[name], w) for names in split for name in names]
    return np.asarray(np.mean(errors, axis=0))
