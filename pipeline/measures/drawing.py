"""Drawings of two columns in one panel: real rows in grey, other rows in red.

The functions draw on the `matplotlib` axes that they are given, and do not import `matplotlib`. Names and labels that
people wrote go through `written` before they are drawn. A label is named only if enough real rows share it; all others
are one bar. A column of many labels is drawn as frequencies without names.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, numbers
from pipeline.arrow.labels import counted
from pipeline.measures.rulers import ENDS, Ruler, ruler, ticked
from pipeline.statistics.frequencies import Frequencies
from pipeline.statistics.quantiles import Quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Shares = Sequence[float] | Floats
Counts = Mapping[str | None, int]

REAL, SYNTHETIC, MUTED = "#b8bec7", "#c8443a", "#7a828e"
MOST_BARS = 8
MANY_LABELS = 100
NAME_LENGTH = 18
SMALL = 7
"""Size of small texts, in points."""


def nothing(axes: "Axes", text: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=MUTED)


def written(text: str, length: int = NAME_LENGTH) -> str:
    """Prepare a text so that matplotlib draws it letter by letter, and cut it to `length`.

    Matplotlib would read letters between two `$` as TeX. Line breaks and control characters would move other texts.
    """
    short = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(letter if letter.isprintable() else " " for letter in short).replace("$", r"\$")


def histograms(axes: "Axes", real: Array, other: Array) -> None:
    """Both distributions over the range of the real values. The outermost bins also count values beyond the range.

    If most values are zero, or the axis is logarithmic, the panel shows the others, and a note says how many are left
    out.
    """
    sides = [numbers(array) for array in (real, other)]
    x, y = (values[~np.isnan(values)] for values in sides)
    axes.set_yticks([])
    if not len(x):
        nothing(axes, "all null")
        return
    found = ruler(str(real.type), x)
    with np.errstate(over="ignore"):
        x, y = x * found.factor, y * found.factor
        edges = found.edges(x[x > 0] if found.positive else x)
    if not np.isfinite(edges).all():
        nothing(axes, "too wide to draw")
        return
    notes = [_both("null", *(float(np.isnan(values).mean()) if len(values) else 0.0 for values in sides))]
    if found.positive:
        notes = [_both("not shown: 0 in", *_zeros(x, y)), *notes]
        x, y = x[x > 0], y[y > 0]
    axes.stairs(_shares(x, edges), edges, fill=True, color=REAL)
    axes.stairs(_shares(y, edges), edges, color=SYNTHETIC, linewidth=1.3)
    _ticked(axes, found, notes)


def bars(axes: "Axes", real: Array, other: Array, least_rows: int) -> None:
    """Shares of the labels that are most frequent in the real rows, and of all other labels together.

    Args:
        axes: The panel.
        real: The real rows.
        other: The other rows.
        least_rows: A label that fewer real rows share is not named.
    """
    mine, theirs = (_counts(array) for array in (real, other))
    common = [name for name, count in sorted(mine.items(), key=lambda item: -item[1]) if count >= least_rows]
    usual = common[:MOST_BARS]
    if _is_wide(mine, usual):
        ranked(axes, mine, theirs)
    else:
        _named(axes, usual, mine, theirs)


def ranked(axes: "Axes", mine: Counts, theirs: Counts) -> None:
    """The share of the most frequent label, of the second, and so on, of either side. No label is named."""
    for counts, color, width in ((mine, REAL, 4.0), (theirs, SYNTHETIC, 1.3)):
        shares = np.sort(np.array(list(counts.values()), np.float64))[::-1] / max(1, sum(counts.values()))
        axes.plot(np.arange(1, len(shares) + 1), shares, color=color, linewidth=width, solid_capstyle="butt")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticked(axes)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    axes.set_xlabel(f"rank of the label: {len(mine):,} labels ({len(theirs):,} in red)", fontsize=SMALL)
    axes.set_ylabel("share of rows", fontsize=SMALL)


def steps(axes: "Axes", sides: Sequence[tuple[Quantiles, int]], kind: str) -> None:
    """The distribution functions of numbers of type `kind`. Each ends at the share of rows that are not null.

    A side is its distribution and its number of nulls: first the real rows, then the others.
    """
    values = np.concatenate([np.repeat(side.values, _weights(side)) for side, _ in sides])
    found = ruler(kind, values)
    ends = []
    for (quantiles, nulls), color in zip(sides, (REAL, SYNTHETIC), strict=True):
        present = quantiles.rows / (quantiles.rows + nulls)
        heights = present * quantiles.below(quantiles.values)
        shown = quantiles.values > 0 if found.positive else np.ones(len(heights), bool)
        with np.errstate(over="ignore"):
            places = quantiles.values[shown] * found.factor
        axes.step(places, heights[shown], where="post", color=color, linewidth=1.6)
        ends += [quantiles.quantile(end) * found.factor for end in ENDS]
    low, high = min(ends), max(ends)
    if np.isfinite([low, high]).all() and low < high and (low > 0 or not found.positive):
        axes.set_xlim(low, high)
    _ticked(axes, found, ["0 is not shown"] if found.positive and (values <= 0).any() else [])
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    axes.set_ylabel("rows up to this value", fontsize=SMALL)


def changed_bars(axes: "Axes", mine: tuple[Frequencies, int], theirs: tuple[Frequencies, int], least_rows: int) -> None:
    """The labels whose shares changed most; null counts as a label. A side is its labels and its number of nulls.

    A label is named if enough rows of one side share it. All others are one bar.
    """
    before, after = _with_nulls(*mine), _with_nulls(*theirs)
    rows = [max(1, frequencies.rows + nulls) for frequencies, nulls in (mine, theirs)]
    known = [name for name in before | after if max(before.get(name, 0), after.get(name, 0)) >= least_rows]

    def change(name: str | None) -> float:
        return abs(before.get(name, 0) / rows[0] - after.get(name, 0) / rows[1])

    if len(known) > 1 or len(before | after) <= MANY_LABELS:
        _named(axes, sorted(known, key=change, reverse=True)[:MOST_BARS], before, after, rows)
    else:
        ranked(axes, before, after)


def null_bars(axes: "Axes", mine: float, theirs: float) -> None:
    """The shares of rows without a value, where values themselves are not compared."""
    _side_by_side(axes, [None], [mine], [theirs])


def _is_wide(counts: Counts, usual: Sequence[str | None]) -> bool:
    """Whether a column has so many labels that those with a bar say little of it."""
    return len(counts) > MANY_LABELS or 2 * sum(counts[name] for name in usual) < sum(counts.values())


def _counts(array: Array) -> dict[str | None, int]:
    """Rows by label; null counts as a label."""
    texts, counts = counted(array)
    found: dict[str | None, int] = dict(zip(texts.to_pylist(), counts.tolist(), strict=True))
    nulls = len(array) - sum(found.values())
    return found | ({None: nulls} if nulls else {})


def _with_nulls(frequencies: Frequencies, nulls: int) -> dict[str | None, int]:
    """The same of a summary."""
    counts: dict[str | None, int] = {label: count for label, count in frequencies.counts.items()}  # noqa: C416 - its type
    return counts | ({None: nulls} if nulls else {})


def _named(
    axes: "Axes", names: Sequence[str | None], mine: Counts, theirs: Counts, rows: Sequence[int] | None = None
) -> None:
    """Bars of some labels, and one of all others if there are any. `rows` are all rows of either side."""
    totals = rows or [max(1, sum(side.values())) for side in (mine, theirs)]
    shares = []
    for side, total in zip((mine, theirs), totals, strict=True):
        own = [side.get(name, 0) / total for name in names]
        shares.append([*own, max(0.0, 1 - sum(own)) if side else 0.0])
    texts = [*("null" if name is None else name for name in names), "all others"]
    shown = len(texts) if max(share[-1] for share in shares) > 1e-9 else len(names)  # noqa: PLR2004 - rounding
    _side_by_side(axes, texts[:shown], *(share[:shown] for share in shares))


def _side_by_side(axes: "Axes", names: Sequence[str | None], real: Shares, other: Shares) -> None:
    """Two bars per label. The first label is on top."""
    heights = np.arange(len(names))
    axes.barh(heights, real, height=0.8, color=REAL)
    axes.barh(heights, other, height=0.35, color=SYNTHETIC)
    axes.set_yticks(heights, [written(name) if name is not None else "null" for name in names], fontsize=SMALL)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=3)
    axes.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.3g}%")


def _ticked(axes: "Axes", found: Ruler, notes: Sequence[str]) -> None:
    """Give an axis its ticks, and say below it what the axis does not show."""
    if found.log:
        axes.set_xscale("log")
    found.ticks(axes)
    if told := "; ".join(note for note in ["logarithmic axis" * found.log, *notes] if note):
        axes.set_xlabel(told, fontsize=SMALL)


def _both(what: str, mine: float, theirs: float) -> str:
    """The share of a value in both sides as a note. Empty if neither has it."""
    return f"{what} {mine:.1%} ({theirs:.1%} in red)" if mine or theirs else ""


def _zeros(x: Floats, y: Floats) -> list[float]:
    """Share of either side's values that are not positive."""
    return [float((values <= 0).mean()) if len(values) else 0.0 for values in (x, y)]


def _weights(side: Quantiles) -> NDArray[np.int64]:
    """How often each point of a distribution counts, in at most about a thousand values."""
    return np.maximum(1, side.weights * 1000 // max(1, side.rows))


def _shares(values: Floats, edges: Floats) -> Floats:
    """Share of the values in each bin. Values beyond the edges count in the outermost bins."""
    return np.asarray(np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values)))
