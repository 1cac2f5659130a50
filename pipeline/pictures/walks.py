"""Figures of walks through the latent space: decoded rows as a table, and columns beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import combined, numbers
from pipeline.arrow.labels import counted, labels
from pipeline.measures.drawing import nothing
from pipeline.measures.rulers import ENDS, ruler
from pipeline.pictures.style import (
    CLASSES,
    MUTED,
    PANELS_PER_ROW,
    REAL,
    SYNTHETIC,
    Picture,
    panel_rows,
    plain,
    written,
)
from pipeline.queries.arithmetic import Arithmetic
from pipeline.queries.walks import Walk
from pipeline.schema import Schema

MOST_COLUMNS = 10
"""Columns of a table picture."""
MOST_PANELS = 8
MOST_LABELS = 5
CELL = 16
"""Letters of a cell, and of a label."""
MARK, GIVEN = "#f5cfcb", "#eef0f3"
WHOLE, DECODED = "given row", "decoded"


def walk_rows(walks: Sequence[Walk], schema: Schema) -> Picture:
    """Draw the rows of walks as tables, one below the other. Cells that differ from the row above are marked.

    Args:
        walks: At least one walk.
        schema: Their columns. Those that respond most are shown.
    """
    names = _responsive(walks, schema)
    heights = [len(walk.places) + walk.ends.num_rows + 2 for walk in walks]
    figure = Picture(figsize=(1.3 + 1.25 * len(names), 0.25 * sum(heights) + 0.3), layout="constrained")
    for axes, walk in zip(
        figure.subplots(len(walks), 1, squeeze=False, height_ratios=heights)[:, 0], walks, strict=True
    ):
        _table(axes, walk, names)
    return figure


def walk_columns(walk: Walk, schema: Schema) -> Picture:
    """Draw how the distributions of the most responsive columns change along a walk, from top to bottom."""
    return _beside(
        [f"{place:.2f}" for place in walk.places],
        walk.drawn,
        walk.responses(schema),
        schema,
        f"{walk.what}\nIn brackets: how far a column's distribution moves, from 0 to 1",
    )


def arithmetic_columns(found: Arithmetic, schema: Schema) -> Picture:
    """Draw the composition of each group, and below them that of the decoded rows."""
    moved = {each.name: each.distance for each in found.compositions(schema)}
    names = [f"{'+' if group.sign > 0 else '−'} group {i + 1}" for i, group in enumerate(found.groups)]
    told = [
        f"{name}: {written(group.text, 110)} ({group.rows:,} rows)"
        for name, group in zip(names, found.groups, strict=True)
    ]
    last = "In brackets: how far decoded rows lie from group 1, from 0 to 1"
    return _beside([*names, DECODED], [*found.members, found.rows], moved, schema, "\n".join([*told, last]))


def _responsive(walks: Sequence[Walk], schema: Schema) -> list[str]:
    """The columns that change most on some walk, in the order of the table."""
    moved = [walk.responses(schema) for walk in walks]
    most = {name: max(each[name] for each in moved) for name in moved[0]}
    shown = sorted(most, key=lambda name: -most[name])[:MOST_COLUMNS]
    return [name for name in schema.names if name in shown] or list(schema.names[:MOST_COLUMNS])


def _table(axes: Axes, walk: Walk, names: Sequence[str]) -> None:
    """The rows of a walk as a table, between the given rows."""
    rows, ends = walk.rows, walk.ends
    places = [rows.column_names.index(name) for name in names]
    body = [
        (f"{place:.2f}", row, mark)
        for place, row, mark in zip(walk.places, _texts(rows, names), walk.changed[:, places], strict=True)
    ]
    quiet = np.zeros(len(names), bool)
    given = [(WHOLE, row, quiet) for row in _texts(ends, names)]
    lines = [*given[:1], *body, *given[1:]]
    for height, (title, row, marks) in enumerate(lines, start=1):
        if title == WHOLE:
            axes.axhspan(height - 0.5, height + 0.5, color=GIVEN, linewidth=0)
        axes.text(-0.08, height, title, ha="right", va="center", fontsize=8, color=MUTED)
        for j, (text, mark) in enumerate(zip(row, marks, strict=True)):
            if mark:
                axes.fill_between([j, j + 0.97], height - 0.46, height + 0.46, color=MARK, linewidth=0)
            axes.text(
                j + 0.04, height, written(text, CELL), va="center", fontsize=8, weight="bold" if mark else "normal"
            )
    for j, name in enumerate(names):
        axes.text(j + 0.04, 0, written(name, CELL), va="center", fontsize=8, color=MUTED)
    axes.set_xlim(-0.75, len(names))
    axes.set_ylim(len(lines) + 0.6, -0.6)
    axes.set_axis_off()
    left = len(rows.column_names) - len(names)
    more = f"; {left} columns that move less are not shown" if left else ""
    axes.set_title(f"{walk.what}. Marked: cells that differ from the row above{more}", loc="left", fontsize=9)


def _texts(table: pa.Table, names: Sequence[str]) -> list[list[str]]:
    """The cells of a table as texts, row by row."""
    found = []
    for name in names:
        values = combined(table[name])
        if pa.types.is_floating(values.type):
            found.append(["null" if value is None else f"{value:.6g}" for value in values.to_pylist()])
        else:
            texts = labels(values).dictionary_decode().to_pylist()
            found.append(["null" if text is None else text for text in texts])
    return [list(row) for row in zip(*found, strict=True)]


def _beside(
    names: Sequence[str], tables: Sequence[pa.Table], moved: Mapping[str, float], schema: Schema, title: str
) -> Picture:
    """A panel for each of the columns that move most, in which every table has a line."""
    shown = list(moved)[:MOST_PANELS]
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    tall = _inches(names)
    figure = Picture(figsize=(3.6 * across, 0.9 + (tall + 0.5) * panel_rows(len(shown))), layout="constrained")
    panels = list(figure.subplots(panel_rows(len(shown)), across, squeeze=False).flat)
    for place, (axes, name) in enumerate(zip(panels, shown, strict=False)):
        sides = [table[name] for table in tables]
        measure = columns.measure(schema[name].kind)
        draw = _spreads if measure is not None and measure.orders else _shares
        draw(axes, sides, names)
        axes.set_yticks(range(len(names)), names if place % across == 0 else [""] * len(names))
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_title(f"{written(name, 24)} ({moved[name]:.2f})", loc="left", fontsize=9)
        plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _inches(names: Sequence[str]) -> float:
    """Height of a panel with a line for each name."""
    return 1.1 + 0.24 * len(names)


def _spreads(axes: Axes, sides: Sequence[pa.ChunkedArray], names: Sequence[str]) -> None:
    """Numbers or times: a dot at the median, a bar over the middle half, a line over nine tenths."""
    values = [found[~np.isnan(found)] for found in map(numbers, sides)]
    every = np.concatenate(values)
    if not len(every):
        nothing(axes, "all null")
        return
    found = ruler(str(sides[0].type), every)
    shown = every[every > 0] if found.log else every
    low, high = (float(end) for end in np.quantile(shown, ENDS) * found.factor)
    for height, own in enumerate(values):
        if not len(own):
            continue
        ends = np.quantile(own, (0.05, 0.25, 0.5, 0.75, 0.95)) * found.factor
        if found.log:
            ends = np.maximum(ends, low)
        color = SYNTHETIC if names[height] == DECODED else CLASSES[0]
        axes.plot(ends[[0, 4]], [height] * 2, color=REAL, linewidth=1.2)
        axes.plot(ends[[1, 3]], [height] * 2, color=color, linewidth=5, alpha=0.45, solid_capstyle="butt")
        axes.plot(ends[2], height, "o", color=color, markersize=4)
    if low < high:
        if found.log:
            axes.set_xscale("log")
            axes.set_xlim(low, high)
        found.ticks(axes)


def _shares(axes: Axes, sides: Sequence[pa.ChunkedArray], names: Sequence[str]) -> None:
    """Labels: the shares of the most frequent ones of all tables as one bar for each table."""
    usual = _usual(sides)
    left: NDArray[np.float64] = np.zeros(len(sides))
    shares = [[_share(side, text) for side in sides] for text in usual]
    rest = 1 - np.array(shares, np.float64).sum(axis=0)
    entries = [
        ("null" if text is None else text, own, tone) for text, own, tone in zip(usual, shares, CLASSES, strict=False)
    ]
    if (rest > 1e-9).any():  # noqa: PLR2004 - rounding
        entries.append(("all others", rest.tolist(), REAL))
    for text, own, tone in entries:
        axes.barh(range(len(sides)), own, left=left, height=0.8, color=tone, label=written(text, CELL))
        left = left + np.array(own)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes.legend(
        frameon=False,
        fontsize=7,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.4 / _inches(names)),
        handlelength=1,
    )


def _usual(sides: Sequence[pa.ChunkedArray]) -> list[str | None]:
    """The labels whose mean share over the tables is largest; null counts as a label."""
    total: dict[str | None, float] = {}
    for side in sides:
        texts, counts = counted(side)
        for text, count in zip(texts.to_pylist(), counts.tolist(), strict=True):
            total[text] = total.get(text, 0.0) + count / len(side)
        if side.null_count:
            total[None] = total.get(None, 0.0) + side.null_count / len(side)
    return sorted(total, key=lambda text: -total[text])[:MOST_LABELS]


def _share(side: pa.ChunkedArray, text: str | None) -> float:
    """The share of the rows that have a label."""
    if text is None:
        return int(side.null_count) / len(side)
    found: int = pc.sum(pc.equal(labels(side).dictionary_decode(), text)).as_py() or 0
    return found / len(side)
