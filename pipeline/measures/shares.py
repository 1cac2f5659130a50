"""A column of two tables as shares of rows: the numbers behind a picture, whoever draws it.

Matplotlib draws them as PNG (`pipeline.measures.drawing`), and the report of a version as SVG (`pipeline.page.svg`).
The real rows come first. A label is named only if enough real rows share it; all others are one bar. A column of many
labels is shown by the frequencies of its labels, without names.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, numbers
from pipeline.arrow.labels import counted
from pipeline.measures.rulers import Ruler, ruler

Floats = NDArray[np.float64]
Counts = Mapping[str | None, int]

MOST_BARS = 8
MANY_LABELS = 100
ROUNDING = 1e-9


class Histogram(NamedTuple):
    """Shares of numbers in bins.

    Attributes:
        edges: The edges of the bins in units of the axis, ascending, [bins + 1].
        real: Share of the real values in each bin, [bins]. The outermost bins also count values beyond the edges.
        other: The same of the other rows.
        ruler: How the values lie on the axis.
        notes: What the picture does not show.
    """

    edges: Floats
    real: Floats
    other: Floats
    ruler: Ruler
    notes: tuple[str, ...]


class LabelBars(NamedTuple):
    """Shares of labels.

    Attributes:
        names: The labels; None is null.
        real: Share of the real rows that have each label, [names], and of all other labels, if there are any.
        other: The same of the other rows.
    """

    names: tuple[str | None, ...]
    real: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def rest(self) -> bool:
        """Whether the last share is that of all other labels."""
        return len(self.real) > len(self.names)


class RankShares(NamedTuple):
    """Shares of the most frequent label, of the second, and so on, in each side's own order. No label is named."""

    real: Floats
    other: Floats


class NoPicture(NamedTuple):
    """Why there is nothing to draw."""

    why: str


Shares = Histogram | LabelBars | RankShares | NoPicture


def binned(real: Array, other: Array) -> Histogram | NoPicture:
    """Both distributions over the range of the real values.

    If most values are zero, or the axis is logarithmic, the others are binned, and a note says how many are left out.
    """
    sides = [numbers(array) for array in (real, other)]
    x, y = (values[~np.isnan(values)] for values in sides)
    if not len(x):
        return NoPicture("all null")
    found = ruler(str(real.type), x)
    with np.errstate(over="ignore"):
        x, y = x * found.factor, y * found.factor
        edges = found.edges(x[x > 0] if found.positive else x)
    if not np.isfinite(edges).all():
        return NoPicture("too wide to draw")
    notes = [both("null", *(float(np.isnan(values).mean()) if len(values) else 0.0 for values in sides))]
    if found.positive:
        notes = [both("not shown: 0 in", *_zeros(x, y)), *notes]
        x, y = x[x > 0], y[y > 0]
    return Histogram(edges, _shares(x, edges), _shares(y, edges), found, tuple(note for note in notes if note))


def labelled(real: Array, other: Array, least_rows: int) -> LabelBars | RankShares:
    """Shares of the labels that are most frequent in the real rows, or frequencies if there are many labels.

    Args:
        real: The real rows.
        other: The other rows.
        least_rows: A label that fewer real rows share is not named.
    """
    mine, theirs = (_counts(array) for array in (real, other))
    common = [name for name, count in sorted(mine.items(), key=lambda item: -item[1]) if count >= least_rows]
    usual = common[:MOST_BARS]
    return ranked(mine, theirs) if _is_wide(mine, usual) else bars(usual, mine, theirs)


def bars(names: Sequence[str | None], mine: Counts, theirs: Counts, rows: Sequence[int] | None = None) -> LabelBars:
    """Shares of some labels, and of all others if there are any. `rows` are all rows of either side."""
    totals = rows or [max(1, sum(side.values())) for side in (mine, theirs)]
    shares = []
    for side, total in zip((mine, theirs), totals, strict=True):
        own = [side.get(name, 0) / total for name in names]
        shares.append([*own, max(0.0, 1 - sum(own)) if side else 0.0])
    shown = len(names) + (max(share[-1] for share in shares) > ROUNDING)
    return LabelBars(tuple(names), tuple(shares[0][:shown]), tuple(shares[1][:shown]))


def ranked(mine: Counts, theirs: Counts) -> RankShares:
    """Shares by rank."""
    found = [
        np.sort(np.array(list(counts.values()), np.float64))[::-1] / max(1, sum(counts.values()))
        for counts in (mine, theirs)
    ]
    return RankShares(found[0], found[1])


def both(what: str, mine: float, theirs: float) -> str:
    """The share of a value in both sides as a note. Empty if neither has it."""
    return f"{what} {mine:.1%} ({theirs:.1%} in red)" if mine or theirs else ""


def _is_wide(counts: Counts, usual: Sequence[str | None]) -> bool:
    """Whether a column has so many labels that those with a bar say little of it."""
    return len(counts) > MANY_LABELS or 2 * sum(counts[name] for name in usual) < sum(counts.values())


def _counts(array: Array) -> dict[str | None, int]:
    """Rows by label; null counts as a label."""
    texts, counts = counted(array)
    found: dict[str | None, int] = dict(zip(texts.to_pylist(), counts.tolist(), strict=True))
    nulls = len(array) - sum(found.values())
    return found | ({None: nulls} if nulls else {})


def _zeros(x: Floats, y: Floats) -> list[float]:
    """Share of either side's values that are not positive."""
    return [float((values <= 0).mean()) if len(values) else 0.0 for values in (x, y)]


def _shares(values: Floats, edges: Floats) -> Floats:
    """Share of the values in each bin. Values beyond the edges count in the outermost bins."""
    return np.asarray(np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values)))
