"""Trend: do columns depend on each other as in the real table?

For two ordered columns the error is |ρ_real − ρ_other| / 2 with Pearson's correlation; for a pair with a nominal
column it is the total variation distance of the contingency tables, an ordered side being cut into ten bins of
equal width. Two variants of the bins are computed together:

- of the real table for both (`error`): the same cells are compared with each other;
- of each table by itself (`error_own_bins`): the published protocol (SDMetrics 0.24 `ColumnPairTrends`), in
  which one value out of range moves all bins of a table.

A correlation is undefined where a column is constant. The pair is left out if it is so in the real table; if it
is so in the other table only, its correlation counts as 0, lest a collapsed generator gain from it.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from pipeline.evaluation.marginals import total_variation
from pipeline.evaluation.views import Codes, Floats, View

BINS = 10
CONSTANT = 1e-14  # relative to a column's size: spread below it is rounding


class PairTrend(NamedTuple):
    """The error of one pair of columns, in both variants of the bins."""

    first: str
    second: str
    error: float
    error_own_bins: float


class _Binned(NamedTuple):
    """An ordered column in bins, as `codes` below `size`, of the real and of the other table."""

    real: Codes
    other: Codes
    size: int


def column_pairs(view: View, limit: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """All pairs of columns; a random `limit` of them where there are more."""
    pairs = list(combinations([*view.ordered, *view.nominal], 2))
    if len(pairs) <= limit:
        return pairs
    return [pairs[i] for i in np.sort(rng.choice(len(pairs), size=limit, replace=False))]


def trend_errors(real: View, other: View, pairs: Sequence[tuple[str, str]]) -> list[PairTrend]:
    """The error of each of `pairs` that is defined. An ordered column stands before a nominal one in a pair."""
    numeric = _correlation_errors(real, other)
    position = {name: i for i, name in enumerate(real.ordered)}
    common = {name: _common_bins(real.ordered[name], other.ordered[name]) for name in real.ordered}
    own = {name: _own_bins(real.ordered[name], other.ordered[name]) for name in real.ordered}
    nominal = {name: _Binned(codes, other.nominal[name], real.sizes[name]) for name, codes in real.nominal.items()}
    found = []
    for first, second in pairs:
        if second in position:
            error = own_error = float(numeric[position[first], position[second]])
        else:
            error = _contingency(common.get(first) or nominal[first], nominal[second])
            own_error = _contingency(own[first], nominal[second]) if first in own else error
        if not np.isnan(error):
            found.append(PairTrend(first, second, error, own_error))
    return found


def pair_codes(real: View, other: View, first: str, second: str) -> tuple[Codes, Codes]:
    """Cells of the contingency table of a pair with a nominal column, of both tables, bins being the real table's."""
    sides = []
    for name in (first, second):
        if name in real.ordered:
            sides.append(_common_bins(real.ordered[name], other.ordered[name]))
        else:
            sides.append(_Binned(real.nominal[name], other.nominal[name], real.sizes[name]))
    one, two = sides
    cells = np.concatenate([one.real * two.size + two.real, one.other * two.size + two.other])
    codes = np.unique(cells, return_inverse=True)[1]
    return codes[: len(one.real)], codes[len(one.real) :]


def correlations(columns: Sequence[Floats]) -> Floats:
    """Pearson correlation of every pair over the rows where both are present; NaN where undefined."""
    x = np.column_stack(columns)
    present = ~np.isnan(x)
    centre = np.nansum(x, axis=0) / np.maximum(present.sum(axis=0), 1)
    mask = present.astype(np.float64)
    x = np.where(present, x - centre, 0.0)
    spread = np.sqrt((x**2).mean(axis=0))
    constant = spread <= CONSTANT * np.maximum(np.abs(centre), np.finfo(float).tiny)
    x = x / np.where(spread > 0, spread, 1.0)
    n = np.maximum(mask.T @ mask, 1)
    total, square = x.T @ mask, (x**2).T @ mask
    variance = square - total**2 / n
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = (x.T @ x - total * total.T / n) / np.sqrt(variance * variance.T)
    undefined = (variance <= CONSTANT * n) | constant[:, None]
    return np.where(undefined | undefined.T, np.nan, np.clip(rho, -1, 1))


def _correlation_errors(real: View, other: View) -> Floats:
    """|ρ_real − ρ_other| / 2 of every pair of ordered columns; NaN where the real table has no correlation."""
    if not real.ordered:
        return np.empty((0, 0))
    rho_real = correlations(list(real.ordered.values()))
    rho_other = correlations([other.ordered[name] for name in real.ordered])
    return np.abs(rho_real - np.nan_to_num(rho_other)) / 2


def _edges(x: Floats) -> Floats:
    """Edges of ten bins of equal width from the least to the largest value; of none, where all is null."""
    x = x[~np.isnan(x)]
    if not len(x):
        return np.empty(0)
    low, high = float(x.min()), float(x.max())
    return np.linspace(low, high, BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, BINS + 1)


def _digitize(x: Floats, edges: Floats) -> Codes:
    """Bin of each value, from 1; 0 for null."""
    return np.where(np.isnan(x), 0, np.digitize(x, edges) + 1).astype(np.int64)


def _common_bins(real: Floats, other: Floats) -> _Binned:
    """Both in the bins of `real`, of which the outer two are open."""
    inner = _edges(real)[1:-1]
    return _Binned(_digitize(real, inner), _digitize(other, inner), BINS + 1)


def _own_bins(real: Floats, other: Floats) -> _Binned:
    """Each in its own bins. The maximum has a bin of its own, as `numpy.digitize` gives it in the protocol."""
    return _Binned(_digitize(real, _edges(real)), _digitize(other, _edges(other)), BINS + 3)


def _contingency(first: _Binned, second: _Binned) -> float:
    """Total variation of two contingency tables; memory is bounded by the rows, whatever the number of cells."""
    real = first.real * second.size + second.real
    other = first.other * second.size + second.other
    cells = first.size * second.size
    if cells > 4 * (len(real) + len(other)):
        values, codes = np.unique(np.concatenate([real, other]), return_inverse=True)
        cells, real, other = len(values), codes[: len(real)], codes[len(real) :]
    return total_variation(real, other, cells)
