"""Trend: do columns depend on each other as in the real table?

For two columns of numbers, the error is |ρ_real − ρ_other| / 2 with Pearson's correlation. For any other pair, it is
the total variation distance of the contingency tables, with numbers cut into ten bins of equal width. Two variants of
the bins are computed together:

- `error` uses the bins of the real table for both tables, so equal cells are compared.
- `error_own_bins` uses each table's own bins. This is the published protocol (SDMetrics 0.24 `ColumnPairTrends`), in
  which one value out of range moves all bins of a table.

A correlation is undefined if a column is constant. If it is undefined in the real table, the pair is left out. If it is
undefined in the other table only, it counts as 0, so that a collapsed generator gains nothing. A column whose `Measure`
has neither numbers nor bins is in no pair.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar, NamedTuple

import numpy as np

from pipeline.evaluation.areas.base import Area, Found, mean, replicated
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable, Metric, PairError, Score
from pipeline.evaluation.views import Codes, Floats, View
from pipeline.measures import Binned
from pipeline.statistics import resampling
from pipeline.statistics.distances import total_variation_of_codes
from pipeline.statistics.products import correlations

WORST_PAIRS = 20  # listed by name
MOST_PAIRS = 20_000  # that are compared; a table of 200 columns has as many
REPLICATED = 100  # pairs whose errors are replicated


class Pairs(Area):
    """The mean error of the pairs of columns, and the worst pairs."""

    name = "pairs"
    metrics: ClassVar = {
        "trend_error": Metric("min", "mean distance of the pairs' joint behaviour, bins of the real table", 1.0),
        "trend_error_own_bins": Metric("min", "the same with bins fitted on each table, as published results do", 1.0),
    }
    details: ClassVar = {"pairs": PairError}

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        synthetic, train, holdout = samples.views
        pairs = column_pairs(holdout, MOST_PAIRS, samples.random("pairs"))
        values, ceilings = trend_errors(holdout, synthetic, pairs), trend_errors(holdout, train, pairs)
        if not values:
            raise Incomputable("the table has no pair of columns that vary")
        replicates = trend_replicates(holdout, synthetic, values, samples.weights())
        error, ceiling = mean(v.error for v in values), mean(c.error for c in ceilings)
        own, own_ceiling = mean(v.error_own_bins for v in values), mean(c.error_own_bins for c in ceilings)
        scores = (
            replicated("trend_error", error, ceiling, replicates),
            Score.of("trend_error_own_bins", own, own_ceiling),
        )
        beside = sorted(zip(values, ceilings, strict=True), key=lambda both: -both[0].error)[:WORST_PAIRS]
        worst = (PairError(first=v.first, second=v.second, error=v.error, ceiling=c.error) for v, c in beside)
        return Found(scores, {"pairs": tuple(worst)})


class PairTrend(NamedTuple):
    """The error of one pair of columns, in both variants of the bins."""

    first: str
    second: str
    error: float
    error_own_bins: float


def column_pairs(view: View, limit: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """All pairs of columns that have numbers or bins. Of more than `limit` pairs, a random choice."""
    paired = [
        name
        for name, values in view.values.items()
        if view.measures[name].numbers(values) is not None or view.measures[name].bins(values, values) is not None
    ]
    pairs = list(combinations(paired, 2))
    if len(pairs) <= limit:
        return pairs
    return [pairs[i] for i in np.sort(rng.choice(len(pairs), size=limit, replace=False))]


def trend_errors(real: View, other: View, pairs: Sequence[tuple[str, str]]) -> list[PairTrend]:
    """The errors of `pairs`, without pairs whose error is undefined."""
    numbers = [_numbers(view) for view in (real, other)]
    apart = _correlation_errors(*numbers)
    place = {name: i for i, name in enumerate(numbers[0])}
    common, own = _bins(real, other, own=False), _bins(real, other, own=True)
    found = []
    for first, second in pairs:
        if first in place and second in place:
            error = own_error = float(apart[place[first], place[second]])
        elif first in common and second in common:
            error = own_error = _contingency(common[first], common[second])
            if own[first] is not common[first] or own[second] is not common[second]:
                own_error = _contingency(own[first], own[second])
        else:
            continue
        if not np.isnan(error):
            found.append(PairTrend(first, second, error, own_error))
    return found


def trend_replicates(real: View, other: View, pairs: Sequence[PairTrend], w: Floats) -> Floats:
    """Replicates of the mean error of pairs, [resamples], from at most 100 pairs evenly spread among `pairs`."""
    spread = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, REPLICATED).astype(int))]
    return np.asarray(np.mean([trend_resampled(real, other, pair, w) for pair in spread], axis=0))


def trend_resampled(real: View, other: View, pair: PairTrend, w: Floats) -> Floats:
    """The error of a pair in each resample of the real rows, [resamples]. `w` holds row weights, [resamples, rows]."""
    names = pair.first, pair.second
    numbers = [view.measures[name].numbers(view[name]) for view in (real, other) for name in names]
    x, y, u, v = numbers
    if x is not None and y is not None and u is not None and v is not None:
        there, here = ~np.isnan(u) & ~np.isnan(v), ~np.isnan(x) & ~np.isnan(y)
        expected = resampling.correlations(u[there], v[there], np.ones((1, int(there.sum()))))
        return np.asarray(np.abs(resampling.correlations(x[here], y[here], w[:, here]) - expected) / 2)
    one, two = (real.measures[name].bins(real[name], other[name]) for name in names)
    assert one is not None and two is not None, "a pair has numbers or bins"  # noqa: PT018 - one fact
    return resampling.total_variation(*_dense(*_cells(one, two)), w)


def _numbers(view: View) -> dict[str, Floats]:
    """The columns that have numbers."""
    found = {name: view.measures[name].numbers(values) for name, values in view.values.items()}
    return {name: numbers for name, numbers in found.items() if numbers is not None}


def _bins(real: View, other: View, *, own: bool) -> dict[str, Binned]:
    """The columns that have bins: bins of the real table, or of each table by itself if `own` is true."""
    found = {}
    for name, values in real.values.items():
        measure = real.measures[name]
        found[name] = measure.own_bins(values, other[name]) if own else measure.bins(values, other[name])
    return {name: binned for name, binned in found.items() if binned is not None}


def _correlation_errors(real: dict[str, Floats], other: dict[str, Floats]) -> Floats:
    """|ρ_real − ρ_other| / 2 of every pair of columns. NaN if the real table has no correlation."""
    if not real:
        return np.empty((0, 0))
    rho = [correlations(np.column_stack(list(side.values()))) for side in (real, other)]
    return np.asarray(np.abs(rho[0] - np.nan_to_num(rho[1])) / 2)


def _cells(first: Binned, second: Binned) -> tuple[Codes, Codes]:
    """The cell of each row in the contingency table of a pair, for both tables."""
    return first.real * second.size + second.real, first.other * second.size + second.other


def _dense(real: Codes, other: Codes) -> tuple[Codes, Codes]:
    """The same codes, renumbered without gaps."""
    codes = np.unique(np.concatenate([real, other]), return_inverse=True)[1].astype(np.int64)
    return codes[: len(real)], codes[len(real) :]


def _contingency(first: Binned, second: Binned) -> float:
    """Total variation of two contingency tables. The rows bound the memory, whatever the number of cells."""
    real, other = _cells(first, second)
    cells = first.size * second.size
    if cells > 4 * (len(real) + len(other)):
        real, other = _dense(real, other)
        cells = int(max(real.max(), other.max())) + 1
    return total_variation_of_codes(real, other, cells)
