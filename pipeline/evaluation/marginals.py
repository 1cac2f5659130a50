"""Shape: is each column by itself distributed as in the real table?

The measure of a column says how far two distributions are apart: 0 is the same, 1 disjoint. For numbers it is the
two-sample Kolmogorov–Smirnov statistic, for labels the total variation distance. These are the definitions of
SDMetrics 0.24 (`KSComplement`, `TVComplement`) and of the published protocols, with one difference: those ignore
nulls. Here null is a label, and the error of numbers is at least the difference of their null rates.
"""

from pipeline.evaluation.views import View


def shape_errors(real: View, other: View) -> dict[str, float]:
    """The error of every column, by name."""
    return {name: real.measures[name].error(values, other[name]) for name, values in real.values.items()}
