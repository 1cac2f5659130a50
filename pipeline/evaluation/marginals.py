"""Shape: is each column by itself distributed as in the real table?

The error of an ordered column is the two-sample Kolmogorov–Smirnov statistic, of a nominal column the total
variation distance: 0 is the same, 1 disjoint. These are the definitions of SDMetrics 0.24 (`KSComplement`,
`TVComplement`) and of the published protocols, with one difference: those ignore nulls. Here null is a label of
a nominal column, and an ordered column's error is at least the difference of its null rates.
"""

import numpy as np

from pipeline.evaluation.views import Codes, Floats, View


def kolmogorov(x: Floats, y: Floats) -> float:
    """Largest distance of the empirical distribution functions of two non-empty samples without NaN."""
    x, y = np.sort(x), np.sort(y)
    both = np.concatenate([x, y])
    below_x = np.searchsorted(x, both, side="right") / len(x)
    below_y = np.searchsorted(y, both, side="right") / len(y)
    return float(np.abs(below_x - below_y).max())


def ordered_error(x: Floats, y: Floats) -> float:
    """Error of an ordered column: KS of the values present, or the difference of null rates if larger."""
    null_x, null_y = np.isnan(x), np.isnan(y)
    nulls = abs(float(null_x.mean()) - float(null_y.mean()))
    if null_x.all() or null_y.all():
        return nulls
    return max(nulls, kolmogorov(x[~null_x], y[~null_y]))


def total_variation(a: Codes, b: Codes, size: int) -> float:
    """Half the summed difference of the relative frequencies of codes below `size`."""
    frequency_a = np.bincount(a, minlength=size) / len(a)
    frequency_b = np.bincount(b, minlength=size) / len(b)
    return float(np.abs(frequency_a - frequency_b).sum() / 2)


def shape_errors(real: View, other: View) -> dict[str, float]:
    """The error of every column, by name."""
    ordered = {name: ordered_error(values, other.ordered[name]) for name, values in real.ordered.items()}
    nominal = {
        name: total_variation(codes, other.nominal[name], real.sizes[name]) for name, codes in real.nominal.items()
    }
    return ordered | nominal
