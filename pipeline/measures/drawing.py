"""Drawings of two columns in one panel: real rows in grey, other rows in red.

The functions draw on the `matplotlib` axes that they are given, and do not import `matplotlib`. Names and labels that
people wrote go through `written` before they are drawn. A label is named only if enough real rows share it; all others
are one bar. A column of many labels is drawn as frequencies without names.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.measures import shares
from pipeline.measures.rulers import ENDS, Ruler, ruler, ticked
from pipeline.measures.shares import MANY_LABELS, MOST_BARS, Histogram, LabelBars, NoPicture, RankShares, Shares
from pipeline.statistics.frequencies import Frequencies
from pipeline.statistics.quantiles import Quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Sizes = Sequence[float] | Floats

REAL, SYNTHETIC, MUTED = "#b8bec7", "#c8443a", "#7a828e"
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


def histograms(axes: "Axes", found: Histogram) -> None:
    """Both distributions over the range of the real values. The outermost bins also count values beyond the range."""
    axes.set_yticks([])
    axes.stairs(found.real, found.edges, fill=True, color=REAL)
    axes.stairs(found.other, found.edges, color=SYNTHETIC, linewidth=1.3)
    _ticked(axes, found.ruler, found.notes)


def bars(axes: "Axes", found: LabelBars) -> None:
    """A bar of each side for every label, and for all other labels together."""
    names = ["null" if name is None else name for name in found.names] + ["all others"] * found.rest
    _side_by_side(axes, names, found.real, found.other)


def ranked(axes: "Axes", found: RankShares) -> None:
    """The share of the most frequent label, of the second, and so on, of either side. No label is named."""
    for heights, color, width in ((found.real, REAL, 4.0), (found.other, SYNTHETIC, 1.3)):
        axes.plot(np.arange(1, len(heights) + 1), heights, color=color, linewidth=width, solid_capstyle="butt")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticked(axes)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    axes.set_xlabel(f"rank of the label: {len(found.real):,} labels ({len(found.other):,} in red)", fontsize=SMALL)
    axes.set_ylabel("share of rows", fontsize=SMALL)


def painted(axes: "Axes", found: Shares) -> None:
    """A column of two tables."""
    match found:
        case Histogram():
            histograms(axes, found)
        case LabelBars():
            bars(axes, found)
        case RankShares():
            ranked(axes, found)
        case NoPicture():
            axes.set_yticks([])
            nothing(axes, found.why)


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
        bars(axes, shares.bars(sorted(known, key=change, reverse=True)[:MOST_BARS], before, after, rows))
    else:
        ranked(axes, shares.ranked(before, after))


def null_bars(axes: "Axes", mine: float, theirs: float) -> None:
    """The shares of rows without a value, where values themselves are not compared."""
    _side_by_side(axes, [None], [mine], [theirs])


def _with_nulls(frequencies: Frequencies, nulls: int) -> dict[str | None, int]:
    """The same of a summary."""
    counts: dict[str | None, int] = {label: count for label, count in frequencies.counts.items()}  # noqa: C416 - its type
    return counts | ({None: nulls} if nulls else {})


def _side_by_side(axes: "Axes", names: Sequence[str | None], real: Sizes, other: Sizes) -> None:
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


def _weights(side: Quantiles) -> NDArray[np.int64]:
    """How often each point of a distribution counts, in at most about a thousand values."""
    return np.maximum(1, side.weights * 1000 // max(1, side.rows))
