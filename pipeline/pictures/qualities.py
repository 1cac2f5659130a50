"""A figure of how near synthetic rows are to real ones: columns, pairs of columns, scores."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from pipeline import columns
from pipeline.evaluation import ColumnError, Evaluation
from pipeline.evaluation.views import View, views
from pipeline.pictures.style import MOST_PANELS, PANELS_PER_ROW, SYNTHETIC, Picture, panel_rows, plain, written
from pipeline.schema import Schema
from pipeline.statistics.association import association

MOST_ASSOCIATED = 25
TITLE = "Columns farthest off first: held-out real rows (grey) and synthetic rows (red)"
BELOW = "In brackets: how far off other real rows are. The outermost bars hold all values beyond them."
SHOWN_SCORES = {
    "shape_error": "Shape (1 − error)",
    "trend_error": "Trend (1 − error)",
    "coverage": "Coverage",
    "c2st": "C2ST",
    "utility": "Utility",
}
"""Scores whose best value is 1. Errors are shown as 1 − error."""


def quality(real: pa.Table, synthetic: pa.Table, schema: Schema, evaluation: Evaluation) -> Picture:
    """Draw distributions of the columns with the largest error, associations of pairs, and scores beside ceilings.

    Args:
        real: Held-out real rows.
        synthetic: Generated rows.
        schema: The schema of both tables.
        evaluation: The evaluation of `synthetic` against `real`, which chooses the columns.
    """
    shown = evaluation.columns[:MOST_PANELS]
    rows = panel_rows(len(shown))
    figure = Picture(figsize=(14, 2.5 * rows + 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.5 * rows, 4.2], hspace=0.03, squeeze=False)[:, 0]
    _marginals(top, (real, synthetic), schema, shown)
    left, middle, right = bottom.subplots(1, 3, width_ratios=[1.15, 1, 1])
    _scores(left, evaluation)
    _associations((middle, right), *views((real, synthetic), schema))
    return figure


def _marginals(
    figure: SubFigure, tables: tuple[pa.Table, pa.Table], schema: Schema, shown: Sequence[ColumnError]
) -> None:
    """A panel per column, the largest error first. `tables` are the real and the synthetic rows."""
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    panels = list(figure.subplots(panel_rows(len(shown)), across, squeeze=False).flat)
    for axes, column in zip(panels, shown, strict=False):
        measure = columns.measure(schema[column.name].kind)
        if measure is not None:
            real, synthetic = (table[column.name] for table in tables)
            measure.draw(axes, real, synthetic, schema[column.name].least_rows)
        title = f"{written(column.name)}   off {column.error:.1%} (real {column.ceiling:.1%})"
        axes.set_title(title, loc="left", fontsize=8)
        plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle(f"{TITLE}\n{BELOW}", fontsize=10)


def _scores(axes: Axes, evaluation: Evaluation) -> None:
    """Each score from 0 to 1 as a dot, and its ceiling as a bar across."""
    shown = [(text, evaluation[name]) for name, text in SHOWN_SCORES.items() if name in evaluation]
    for height, (_, score) in enumerate(shown):
        assert score.ceiling is not None, "the scores that are shown have ceilings"
        value, ceiling = (1 - v if score.goal == "min" else v for v in (score.value, score.ceiling))
        axes.plot([0, 1], [height, height], color="#e5e7eb", linewidth=6, solid_capstyle="round", zorder=1)
        axes.plot([ceiling] * 2, [height - 0.28, height + 0.28], color="#4b5563", linewidth=2.5, zorder=2)
        axes.plot([value], [height], "o", color=SYNTHETIC, markersize=9, zorder=3)
        axes.annotate(f"{value:.3f} of {ceiling:.3f}", (1.04, height), va="center", fontsize=9)
    axes.set_yticks(range(len(shown)), [text for text, _ in shown], fontsize=9)
    axes.set_xlim(-0.02, 1.36)
    axes.set_xticks([0, 0.5, 1])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_title("Scores (dot) and what real rows reach (bar)", loc="left", fontsize=10)
    plain(axes)


def _associations(panels: Sequence[Axes], real: View, synthetic: View) -> None:
    """Cramér's V of all pairs, for the real and for the synthetic rows."""
    found = {name: real.measures[name].strata(own, synthetic[name]) for name, own in real.values.items()}
    strata = dict([(name, own) for name, own in found.items() if own is not None][:MOST_ASSOCIATED])
    names = list(strata)
    if not names:
        for axes in panels:
            axes.set_axis_off()
        return
    for axes, side in zip(panels, ("real", "synthetic"), strict=True):
        codes = [own.real if side == "real" else own.other for own in strata.values()]
        matrix = association([np.unique(own, return_inverse=True)[1] for own in codes]).v
        np.fill_diagonal(matrix, 1.0)
        image = axes.imshow(matrix, vmin=0, vmax=1, cmap="Greys", interpolation="nearest")
        size = 8 if len(names) <= MOST_PANELS else 6
        axes.set_xticks(range(len(names)), [written(name) for name in names], rotation=90, fontsize=size)
        beside = [written(name) for name in names] if side == "real" else [""] * len(names)
        axes.set_yticks(range(len(names)), beside, fontsize=size)
        axes.set_title(f"Association (Cramér's V), {side}", loc="left", fontsize=10)
    panels[-1].figure.colorbar(image, ax=list(panels), shrink=0.7, pad=0.01)
