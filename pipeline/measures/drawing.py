"""Drawings of two columns in one panel: real rows in grey, other rows in red.

The functions draw on the `matplotlib` axes that they are given, and do not import `matplotlib`. Names and labels that
people wrote go through `written` before they are drawn.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, numbers
from pipeline.arrow.labels import labels
from pipeline.statistics.frequencies import Frequencies
from pipeline.statistics.quantiles import Quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shares = Sequence[float] | NDArray[np.float64]

REAL, SYNTHETIC, MUTED = "#b8bec7", "#c8443a", "#7a828e"
MOST_BARS = 8
NAME_LENGTH = 18
BINS = 40


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
    """Both distributions over the range of the real values. The outermost bins also count values beyond the range."""
    x, y = (values[~np.isnan(values)] for values in (numbers(real), numbers(other)))
    axes.set_yticks([])
    if not len(x):
        nothing(axes, "all null")
        return
    edges = _edges(x)
    if not np.isfinite(edges).all():
        nothing(axes, "too wide to draw")
        return
    axes.stairs(_shares(x, edges), edges, fill=True, color=REAL)
    axes.stairs(_shares(y, edges), edges, color=SYNTHETIC, linewidth=1.3)
    axes.locator_params(axis="x", nbins=5)
    formatter = _time_formatter(real.type)
    if formatter is not None:
        axes.xaxis.set_major_formatter(formatter)


def bars(axes: "Axes", real: Array, other: Array) -> None:
    """Shares of the labels that are most frequent in the real rows, and of all other labels together."""
    texts = [labels(array).dictionary_decode() for array in (real, other)]
    counted = pc.value_counts(texts[0])
    order = np.argsort(-counted.field("counts").to_numpy(zero_copy_only=False), kind="stable")[:MOST_BARS]
    usual = counted.field("values").take(pa.array(order))
    shares = []
    for own in texts:
        place = pc.fill_null(pc.index_in(own, value_set=usual), len(usual)).to_numpy(zero_copy_only=False)
        shares.append(np.bincount(place, minlength=len(usual) + 1) / max(1, len(own)))
    names = [*usual.to_pylist(), "all others"]
    shown = len(names) if max(share[-1] for share in shares) > 0 else len(usual)
    _side_by_side(axes, names[:shown], *(share[:shown] for share in shares))


def steps(axes: "Axes", quantiles: Quantiles, nulls: int, color: str) -> None:
    """The distribution function of numbers. It ends at the share of rows that are not null."""
    present = quantiles.rows / (quantiles.rows + nulls)
    axes.step(quantiles.values, present * quantiles.below(quantiles.values), where="post", color=color, linewidth=1.6)
    axes.locator_params(axis="x", nbins=5)


def changed_bars(axes: "Axes", mine: tuple[Frequencies, int], theirs: tuple[Frequencies, int]) -> None:
    """The labels whose shares changed most; null counts as a label. A side is its labels and its number of nulls."""
    sides = [_label_shares(*side) for side in (mine, theirs)]
    names = sorted(sides[0] | sides[1], key=lambda k: -abs(sides[0].get(k, 0) - sides[1].get(k, 0)))[:MOST_BARS]
    _side_by_side(axes, names, *([side.get(name, 0) for name in names] for side in sides))


def _label_shares(frequencies: Frequencies, nulls: int) -> dict[str | None, float]:
    rows = max(1, frequencies.rows + nulls)
    shares: dict[str | None, float] = {label: count / rows for label, count in frequencies.counts.items()}
    return shares | ({None: nulls / rows} if nulls else {})


def _side_by_side(axes: "Axes", names: Sequence[str | None], real: Shares, other: Shares) -> None:
    """Two bars per label. The first label is on top."""
    heights = np.arange(len(names))
    axes.barh(heights, real, height=0.8, color=REAL)
    axes.barh(heights, other, height=0.35, color=SYNTHETIC)
    axes.set_yticks(heights, [written(name) if name is not None else "null" for name in names], fontsize=7)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")


def _edges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of at most about 40 equal bins. They are not finite if the range of the values is not.

    The width is a whole number of the values' steps, so that integers do not alias.
    """
    low, high = np.quantile(x, [0.005, 0.995], method="nearest")
    distinct = np.unique(x[(x >= low) & (x <= high)])
    step = float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0
    with np.errstate(over="ignore"):
        span = high - low + step
        steps = np.ceil(span / step / BINS)
    if not np.isfinite(span):
        return np.array([low, np.inf])
    width = step * steps if np.isfinite(steps) else span / BINS
    return np.asarray(low - step / 2 + width * np.arange(np.ceil(span / width) + 1))


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the values in each bin. Values beyond the edges count in the outermost bins."""
    return np.asarray(np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values)))


def _time_formatter(kind: pa.DataType) -> Callable[[float, object], str] | None:
    """The format of axis ticks for dates and timestamps. None for other types."""
    if pa.types.is_timestamp(kind):
        unit = kind.unit
    elif pa.types.is_date(kind):
        unit = "D" if pa.types.is_date32(kind) else "ms"
    else:
        return None
    # ticks may be too large for 64 bits
    return lambda x, _: str(np.datetime64(min(max(round(x), 1 - 2**63), 2**63 - 1), unit).astype("datetime64[D]"))
