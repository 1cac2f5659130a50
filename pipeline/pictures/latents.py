"""Figures of the latent space: its density beside the prior, what each dimension says, and a map of given rows."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import counted, labels
from pipeline.measures.rulers import ENDS, ruler
from pipeline.pictures.style import CLASSES, MUTED, REAL, SYNTHETIC, Picture, plain, written
from pipeline.queries.latent import LatentSummary
from pipeline.schema import Column

Floats = NDArray[np.float64]

NULL = "#d5d9df"
LONG = 24
"""Letters of a label in a legend."""
MOST_DIMENSIONS = 64
"""Most dimensions that have a bar of their own."""


class Colours(NamedTuple):
    """The values of a column, by which points are coloured.

    Attributes:
        column: The column. Its kind chooses class colours or a scale.
        values: Its values, [rows].
    """

    column: Column
    values: pa.ChunkedArray


def latent_density(found: LatentSummary) -> Picture:
    """Draw the aggregate posterior beside the prior, as densities on one plane. No row is drawn."""
    figure = Picture(figsize=(9.6, 4.9), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    most = max(max(map(max, side)) for side in (found.posterior, found.prior))
    extent = (*found.edges[0], *found.edges[1])
    titles = (f"Aggregate posterior of {found.rows:,} rows", "Prior, from which rows are generated")
    for axes, side, title in zip(panels, (found.posterior, found.prior), titles, strict=True):
        image = axes.imshow(
            np.array(side).T, origin="lower", extent=extent, aspect="auto", cmap="Greys", vmin=0, vmax=most
        )
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel(found.labels[0], fontsize=8)
        plain(axes)
    panels[0].set_ylabel(found.labels[1], fontsize=8)
    bar = figure.colorbar(image, ax=list(panels), shrink=0.8, pad=0.01)
    bar.set_ticks([0, most], labels=["0", f"{most / found.draws:.2%}"])
    bar.ax.tick_params(labelsize=8)
    bar.set_label("share of the draws in a cell", fontsize=8)
    figure.suptitle(f"The two densities overlap by {found.overlap:.0%} on this plane", fontsize=11)
    return figure


def latent_rates(found: LatentSummary) -> Picture:
    """Draw the rate of each dimension, the largest first, and which dimensions are active units."""
    order = sorted(range(len(found.rates)), key=lambda j: -found.rates[j])[:MOST_DIMENSIONS]
    figure = Picture(figsize=(max(5.5, 1.6 + 0.36 * len(order)), 3.8), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(order))
    for active, color, text in ((True, SYNTHETIC, "active unit"), (False, REAL, "not active")):
        own = [place for place, j in enumerate(order) if found.active[j] is active]
        if own:
            axes.bar(places[own], [found.rates[order[place]] for place in own], width=0.75, color=color, label=text)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xticks(places, [f"z{j}" for j in order], rotation=90 if len(order) > MOST_DIMENSIONS // 2 else 0)
    axes.set_ylabel("rate: KL from the prior, nats per row", fontsize=8)
    told = f"{sum(found.active)} of {len(found.active)} dimensions are active units"
    axes.set_title(f"{told}; rates add up to {sum(found.rates):.1f} nats", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


def latent_map(
    points: Floats, names: tuple[str, str], colours: Colours | None = None, *, title: str = "Posterior means"
) -> Picture:
    """Draw given rows as points of a plane.

    Args:
        points: The coordinates of each row, [rows, 2].
        names: Names of the axes.
        colours: A column that colours the points: a colour for each of the most frequent labels, or a scale for
            numbers and times. Null is grey.
        title: What the points are.
    """
    figure = Picture(figsize=(7.2, 5.6), layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(20_000 / max(len(points), 1), 5, 24))
    if colours is None:
        _dots(axes, points, s=size, color=CLASSES[0], alpha=0.5)
    elif ordered(colours.column) and colours.values.null_count < len(colours.values):
        _scaled(axes, points, colours, size)
    else:
        _classes(axes, points, colours, size)
    axes.set_xlabel(names[0], fontsize=9)
    axes.set_ylabel(names[1], fontsize=9)
    by = f", coloured by {written(colours.column.name, 40)}" if colours is not None else ""
    axes.set_title(f"{title}{by}", loc="left", fontsize=10)
    plain(axes)
    return figure


def ordered(column: Column) -> bool:
    """Whether the values of a column are numbers or times, and not labels."""
    measure = columns.measure(column.kind)
    return measure is not None and measure.orders


def _scaled(axes: Axes, points: Floats, colours: Colours, size: float) -> None:
    """Points on a scale of colours, with the ticks of the column's ruler below."""
    values = numbers(colours.values)
    known = ~np.isnan(values)
    found = ruler(str(colours.values.type), values[known])
    shown = values * found.factor
    low, high = np.quantile(shown[known & (shown > 0)] if found.log else shown[known], ENDS)
    norm: Any = LogNorm(low, high) if found.log and high > low else Normalize(low, high)
    _dots(axes, points[~known], s=size, color=NULL, label="null")
    drawn = _dots(axes, points[known], s=size, c=np.clip(shown[known], low, high), norm=norm, cmap="viridis", alpha=0.7)
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.7, pad=0.02, aspect=40)
    if high > low:
        found.ticks(bar.ax)
    bar.ax.tick_params(labelsize=8)
    bar.ax.minorticks_off()
    if found.log:
        bar.set_label("logarithmic; values below the scale, such as 0, have its first colour", fontsize=8)
    if not known.all():
        axes.legend(frameon=False, fontsize=8, markerscale=2)


def _classes(axes: Axes, points: Floats, colours: Colours, size: float) -> None:
    """Points in the colour of their label. Rarer labels are drawn above more frequent ones."""
    texts, counts = counted(colours.values)
    usual = [texts[int(i)].as_py() for i in np.argsort(-counts, kind="stable")[: len(CLASSES)]]
    rows = labels(colours.values).dictionary_decode().to_pylist()
    tone = dict(zip(usual, CLASSES, strict=False)) | {None: NULL}
    rank = {text: place for place, text in enumerate(usual, start=2)} | {None: 0}
    order = np.argsort([rank.get(row, 1) for row in rows], kind="stable")
    tones = [tone.get(rows[int(i)], REAL) for i in order]
    _dots(axes, points[order], s=size, c=tones, alpha=0.6)
    shown = [(written(text, LONG), tone[text]) for text in usual]
    shown += [("all others", REAL)] * (len(texts) > len(usual)) + [("null", NULL)] * (colours.values.null_count > 0)
    for text, color in shown:
        axes.scatter([], [], s=30, color=color, label=text)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _dots(axes: Axes, points: Floats, **how: Any) -> PathCollection:  # noqa: ANN401 - Matplotlib's own options
    """Points [rows, 2] without outlines."""
    return axes.scatter(points[:, 0], points[:, 1], linewidths=0, **how)
