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

from pipeline.evaluation.pairs import PairTrend, pair_codes
from pipeline.evaluation.scores import NORMAL_95
from pipeline.evaluation.views import Codes, Floats, View

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
    """Replicates of the mean error of the columns, [resamples]; of at most 200 of them."""
    errors = [ordered_errors(x, other.ordered[name], w) for name, x in list(real.ordered.items())[:MOST_COLUMNS]]
    errors += [
        nominal_errors(codes, other.nominal[name], w) for name, codes in list(real.nominal.items())[:MOST_COLUMNS]
    ]
    return np.asarray(np.mean(errors, axis=0))


def trend_replicates(real: View, other: View, pairs: Sequence[PairTrend], w: Floats) -> Floats:
    """Replicates of the mean error of pairs, [resamples]; of at most 100 evenly spread among `pairs`."""
    spread = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(int))]
    errors = []
    for pair in spread:
        if pair.first in real.ordered and pair.second in real.ordered:
            sides = [(view.ordered[pair.first], view.ordered[pair.second]) for view in (real, other)]
            errors.append(correlation_errors(*sides[0], *sides[1], w))
        else:
            errors.append(nominal_errors(*pair_codes(real, other, pair.first, pair.second), w))
    return np.asarray(np.mean(errors, axis=0))


def ordered_errors(x: Floats, y: Floats, w: Floats) -> Floats:
    """`marginals.ordered_error` of each resample of x."""
    null_x, null_y = np.isnan(x), np.isnan(y)
    nulls: Floats = np.abs(_mean(null_x.astype(np.float64), w) - null_y.mean())
    if null_x.all() or null_y.all():
        return nulls
    present = np.flatnonzero(~null_x)
    order = present[np.argsort(x[present], kind="stable")]
    y = np.sort(y[~null_y])
    last = np.flatnonzero(np.append(np.diff(x[order]) != 0, True))
    below = np.cumsum(w[:, order], axis=1)[:, last]
    below = below / np.maximum(below[:, -1:], 1)
    points = x[order][last]
    at, before = (np.searchsorted(y, points, side=side) / len(y) for side in ("right", "left"))
    steps = np.concatenate([np.zeros((len(w), 1)), below[:, :-1]], axis=1)
    distance = np.maximum(np.abs(below - at), np.abs(steps - before)).max(axis=1)
    return np.asarray(np.maximum(nulls, distance))


def nominal_errors(a: Codes, b: Codes, w: Floats) -> Floats:
    """Total variation of the codes b and of each resample of the codes a."""
    order = np.argsort(a, kind="stable")
    first = np.flatnonzero(np.diff(a[order], prepend=-1))
    counts = np.add.reduceat(w[:, order], first, axis=1)
    size = int(max(a.max(), b.max())) + 1
    other = np.bincount(b, minlength=size) / len(b)
    known = other[a[order][first]]
    shares = counts / np.maximum(w.sum(axis=1, keepdims=True), 1)
    return np.asarray((np.abs(shares - known).sum(axis=1) + 1 - known.sum()) / 2)


def correlation_errors(x: Floats, y: Floats, u: Floats, v: Floats, w: Floats) -> Floats:
    """|ρ(x, y) − ρ(u, v)| / 2 of each resample of the rows of x and y; a correlation that is undefined counts as 0."""
    both = ~np.isnan(u) & ~np.isnan(v)
    other = _correlations(u[both], v[both], np.ones((1, int(both.sum()))))
    both = ~np.isnan(x) & ~np.isnan(y)
    return np.abs(_correlations(x[both], y[both], w[:, both]) - other) / 2


def _correlations(x: Floats, y: Floats, w: Floats) -> Floats:
    if not len(x):
        return np.zeros(len(w))
    x, y = ((side - side.mean()) / (side.std() or 1.0) for side in (x, y))
    total = np.maximum(w.sum(axis=1), 1)
    a, b, aa, bb, ab = (w @ np.column_stack([x, y, x * x, y * y, x * y]) / total[:, None]).T
    spread = (aa - a**2) * (bb - b**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (ab - a * b) / np.sqrt(spread), 0.0)


def aucs(positive: Floats, truth: Codes, w: Floats) -> Floats:
    """Area under the ROC curve of each resample; `positive` are scores, `truth` is 1 or 0."""
    order = np.argsort(positive, kind="stable")
    first = np.flatnonzero(np.diff(positive[order], prepend=-np.inf))
    hits = w[:, order] * truth[order]
    won = np.add.reduceat(hits, first, axis=1)
    lost = np.add.reduceat(w[:, order] - hits, first, axis=1)
    below = np.cumsum(lost, axis=1) - lost / 2  # a tie is half won
    pairs = won.sum(axis=1) * lost.sum(axis=1)
    return np.where(pairs > 0, (won * below).sum(axis=1) / np.maximum(pairs, 1), 0.5)


def r2s(truth: Floats, squared: Floats, w: Floats) -> Floats:
    """R² of each resample, given the squared errors of its rows."""
    mean = _mean(truth, w)
    variance = _mean(truth**2, w) - mean**2
    return np.asarray(1 - _mean(squared, w) / np.where(variance > 0, variance, 1.0))


def _mean(values: Floats, w: Floats) -> Floats:
    """Weighted mean of each resample."""
    return np.asarray(w @ values / np.maximum(w.sum(axis=1), 1))
