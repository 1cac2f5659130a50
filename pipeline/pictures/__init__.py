"""Pictures of a run: how the training went, and how the synthetic rows look beside real ones.

The functions return `matplotlib.figure.Figure`s that belong to no window and no global state; `png` renders one.
Whatever people wrote, names of columns and labels, goes through `written` before it is drawn.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import labels
from pipeline.columns import measure
from pipeline.decisions.drift import DriftReport, Finding
from pipeline.evaluation import ColumnError, Evaluation
from pipeline.evaluation.views import View, views
from pipeline.profiles.profile import ColumnProfile, Profile
from pipeline.replay.story import Story, Strategy
from pipeline.schema import Schema
from pipeline.statistics.sketches import Quantiles
from pipeline.training.history import Epoch

REAL, SYNTHETIC = "#b8bec7", "#c8443a"
PANELS_PER_ROW = 4
MOST_PANELS = 12
MOST_BARS = 8
MOST_ASSOCIATED = 25
SENTENCE = 120  # letters
NAME_LENGTH = 18
BINS = 40
STRATEGY_STYLES: Mapping[Strategy, Mapping[str, Any]] = {
    "loop": {"color": SYNTHETIC, "linewidth": 2.2, "zorder": 3},
    "always": {"color": "#7a828e", "linewidth": 2.2},
    "never": {"color": "#3a6ea5", "linewidth": 1.5, "linestyle": "--", "zorder": 4},
}
CEILING: Mapping[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": ":"}
SHOWN_SCORES = {
    "shape_error": "Shape (1 − error)",
    "trend_error": "Trend (1 − error)",
    "coverage": "Coverage",
    "c2st": "C2ST",
    "utility": "Utility",
}
"""The scores whose best value is 1, errors being turned round."""


def png(figure: Figure) -> bytes:
    """The figure as PNG at 120 dots per inch."""
    content = BytesIO()
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a letter that the font lacks is drawn as a box
        figure.savefig(content, dpi=120, format="png")
    return content.getvalue()


def written(text: str, length: int = NAME_LENGTH) -> str:
    """Any text as matplotlib draws it letter by letter, cut to `length`.

    Letters between two `$` would be read as TeX, and line breaks and control characters would move what is beside them.
    """
    short = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(letter if letter.isprintable() else " " for letter in short).replace("$", r"\$")


def loss_curves(history: Sequence[Epoch]) -> Figure:
    """ELBO, its two parts and the learning rate by epoch; a line marks the best epoch, whose weights were kept."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    panels = figure.subplots(2, 2, sharex=True)
    for axes, name, title in zip(
        panels.flat, ("elbo", "reconstruction", "kl"), ("ELBO", "Reconstruction", "KL"), strict=False
    ):
        axes.plot(epochs, [getattr(epoch, name) for epoch in history], color="#7a828e", label="train")
        axes.plot(
            epochs, [getattr(epoch, f"validation_{name}") for epoch in history], color=SYNTHETIC, label="held out"
        )
        axes.set_title(f"{title} (nats per row)", loc="left", fontsize=10)
    panels[1, 1].plot(epochs, [epoch.learning_rate for epoch in history], color="#7a828e")
    panels[1, 1].set_title("Learning rate", loc="left", fontsize=10)
    best = max(history, key=lambda epoch: epoch.validation_elbo, default=None)
    for axes in panels.flat:
        _plain(axes)
        if best is not None:
            axes.axvline(best.epoch, color="black", linewidth=0.8, linestyle=":")
    if best is not None:
        panels[0, 0].legend(frameon=False, fontsize=9, title=f"best epoch: {best.epoch}", title_fontsize=9)
    for axes in panels[1]:
        axes.set_xlabel("epoch")
    return figure


def quality(real: pa.Table, synthetic: pa.Table, schema: Schema, evaluation: Evaluation) -> Figure:
    """Distributions of the columns with the largest error, associations of pairs, and scores beside ceilings.

    Args:
        real: Held-out real rows.
        synthetic: Generated rows.
        schema: The schema of both.
        evaluation: The evaluation of `synthetic` against `real`; chooses the columns.
    """
    shown = evaluation.columns[:MOST_PANELS]
    rows = _panel_rows(len(shown))
    figure = Figure(figsize=(14, 2.5 * rows + 4.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.5 * rows, 4.2], hspace=0.03, squeeze=False)[:, 0]
    _marginals(top, (real, synthetic), schema, shown)
    left, middle, right = bottom.subplots(1, 3, width_ratios=[1.15, 1, 1])
    _scores(left, evaluation)
    _associations((middle, right), *views((real, synthetic), schema))
    return figure


def drift(reference: Profile, incoming: Profile, found: DriftReport) -> Figure:
    """Distributions of the columns that drifted, the worst first; drawn from profiles, no rows are needed.

    Where no column drifted by itself those with the largest changes are shown, and the title says so.

    Args:
        reference: What is remembered of the table that the model was trained on.
        incoming: The profile of the other table.
        found: Their comparison; chooses the columns.
    """
    names = {column.name for column in incoming.columns} & {column.name for column in reference.columns}
    worst: dict[str, Finding] = {}
    for finding in found.findings:  # those that drifted come first
        if finding.column in names:
            worst.setdefault(finding.column, finding)
    shown = [finding for finding in worst.values() if finding.drifted][:MOST_PANELS]
    title = "What drifted"
    if not shown:
        shown = list(worst.values())[:PANELS_PER_ROW]
        title = (
            f"No column drifted by itself, but: {written(found.findings[0].text, SENTENCE)}"
            if found.drifted
            else "Nothing drifted"
        )
        title = f"{title}\nLargest changes of columns" if shown else f"{title}\nNo column can be compared"
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    figure = Figure(figsize=(3.5 * across, 0.6 + 2.5 * _panel_rows(len(shown))), layout="constrained")
    panels = list(figure.subplots(_panel_rows(len(shown)), across, squeeze=False).flat)
    for axes, finding in zip(panels, shown, strict=False):
        _column_drift(axes, reference[finding.column], incoming[finding.column])
        axes.set_title(f"{written(finding.column)}   {finding.what} {finding.size:.3f}", loc="left", fontsize=9)
        _plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle(f"{title}: reference (grey) and incoming rows (red)" if shown else title, fontsize=11)
    return figure


def story(told: Story) -> Figure:
    """A replay: quality over time, of the rows at hand and of those still to come, drift, and who trained when."""
    figure = Figure(figsize=(12, 9.5), layout="constrained")
    quality, ahead, checks, trainings = figure.subplots(4, 1, sharex=True, height_ratios=[3, 2.2, 1.3, 1.1])
    quality.set_title("Quality after each turn, on held-out rows of the table as it stands", loc="left", fontsize=10)
    ahead.set_title("Quality of the champion on rows that are still to come", loc="left", fontsize=10)
    for axes, name in ((quality, "quality"), (ahead, "ahead")):
        for strategy, style in STRATEGY_STYLES.items():
            found = [(step.end, getattr(step, name)) for step in told.of(strategy) if getattr(step, name) is not None]
            axes.plot([end for end, _ in found], [each.overall for _, each in found], label=strategy, **style)
            if strategy == "always":
                axes.plot(
                    *zip(*((end, each.ceiling) for end, each in found), strict=True), label="real rows", **CEILING
                )
    quality.legend(frameon=False, fontsize=9, ncols=4, loc="lower left")
    _drift_over_time(checks, told)
    _trainings_over_time(trainings, told)
    for axes in (quality, ahead, checks, trainings):
        _plain(axes)
    return figure


def _drift_over_time(axes: Axes, told: Story) -> None:
    """The largest effect of every check of the loop, in units of its threshold."""
    checks = [(step.end, step.drift) for step in told.of("loop") if step.drift is not None]
    colors = [SYNTHETIC if look.drifted else REAL for _, look in checks]
    axes.vlines(_moments(end for end, _ in checks), 0, [look.excess for _, look in checks], colors=colors, linewidth=4)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_title("Drift found by the loop: largest effect in units of its threshold", loc="left", fontsize=10)


def _trainings_over_time(axes: Axes, told: Story) -> None:
    """A line per strategy: afresh is a full dot, a warm start an empty one, what the gate refused a cross."""
    for height, (strategy, style) in enumerate(STRATEGY_STYLES.items()):
        for step in told.of(strategy):
            if step.trained is None:
                continue
            marker = "o" if step.decision == "promoted" else "x"
            face = "white" if step.plan == "warm-start" else style["color"]
            axes.plot(_moments([step.end]), [height], marker, color=style["color"], markerfacecolor=face, markersize=7)
    names = [(told.summary(strategy), strategy) for strategy in STRATEGY_STYLES]
    texts = [f"{strategy}: {found.trainings}, {found.seconds:,.0f} s" for found, strategy in names]
    axes.set_yticks(range(len(texts)), texts, fontsize=9)
    axes.set_ylim(len(texts) - 0.5, -0.5)
    axes.set_title(
        "Trainings and their CPU seconds: afresh (full), warm (empty), refused by the gate (cross)",
        loc="left",
        fontsize=10,
    )


def _moments(ends: Iterable[datetime]) -> NDArray[np.datetime64]:
    return np.array([end.replace(tzinfo=None) for end in ends], "datetime64[us]")


def _column_drift(axes: Axes, mine: ColumnProfile, theirs: ColumnProfile) -> None:
    """Distribution functions of numbers, which end at the share of rows that are not null, or shares of labels."""
    if mine.ordered and theirs.ordered:
        for side, color in ((mine, REAL), (theirs, SYNTHETIC)):
            if side.ordered:
                _steps(axes, side.ordered.quantiles, side.nulls, color)
    elif mine.nominal and theirs.nominal:
        _shares_of_labels(axes, mine, theirs)
    else:
        axes.text(0.5, 0.5, "nothing to draw", ha="center", va="center", transform=axes.transAxes, color="#7a828e")


def _steps(axes: Axes, quantiles: Quantiles, nulls: int, color: str) -> None:
    present = quantiles.rows / (quantiles.rows + nulls)
    axes.step(quantiles.values, present * quantiles.below(quantiles.values), where="post", color=color, linewidth=1.6)
    axes.locator_params(axis="x", nbins=5)


def _shares_of_labels(axes: Axes, mine: ColumnProfile, theirs: ColumnProfile) -> None:
    """The labels whose shares changed most, null being one."""
    sides = [_label_shares(column) for column in (mine, theirs)]
    labels = sorted(sides[0] | sides[1], key=lambda k: -abs(sides[0].get(k, 0) - sides[1].get(k, 0)))[:MOST_BARS]
    heights = np.arange(len(labels))
    axes.barh(heights, [sides[0].get(label, 0) for label in labels], height=0.8, color=REAL)
    axes.barh(heights, [sides[1].get(label, 0) for label in labels], height=0.35, color=SYNTHETIC)
    axes.set_yticks(heights, [written(label) if label is not None else "null" for label in labels], fontsize=7)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")


def _label_shares(column: ColumnProfile) -> dict[str | None, float]:
    frequencies = column.nominal
    assert frequencies is not None
    rows = max(1, frequencies.rows + column.nulls)
    shares: dict[str | None, float] = {label: count / rows for label, count in frequencies.counts.items()}
    return shares | ({None: column.nulls / rows} if column.nulls else {})


def _panel_rows(panels: int) -> int:
    return max(1, -(-panels // PANELS_PER_ROW))


def _marginals(
    figure: SubFigure, tables: tuple[pa.Table, pa.Table], schema: Schema, shown: Sequence[ColumnError]
) -> None:
    """A panel per column, the largest error first; `tables` are the real and the synthetic rows."""
    across = min(PANELS_PER_ROW, max(1, len(shown)))
    panels = list(figure.subplots(_panel_rows(len(shown)), across, squeeze=False).flat)
    for axes, column in zip(panels, shown, strict=False):
        draw = _histogram if measure(schema[column.name]) == "ordered" else _bars
        draw(axes, *(table[column.name] for table in tables))
        title = f"{written(column.name)}   {column.error:.1%} (real {column.ceiling:.1%})"
        axes.set_title(title, loc="left", fontsize=9)
        _plain(axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    figure.suptitle("Largest Shape errors first: held-out real rows (grey) and synthetic rows (red)", fontsize=11)


def _histogram(axes: Axes, real: pa.ChunkedArray, synthetic: pa.ChunkedArray) -> None:
    """Both distributions over the range of the real values, the outermost bins taking what lies beyond."""
    x, y = (values[~np.isnan(values)] for values in (numbers(real), numbers(synthetic)))
    axes.set_yticks([])
    if not len(x):
        axes.text(0.5, 0.5, "all null", ha="center", va="center", transform=axes.transAxes, color="#7a828e")
        return
    edges = _edges(x)
    if not np.isfinite(edges).all():
        axes.text(0.5, 0.5, "too wide to draw", ha="center", va="center", transform=axes.transAxes, color="#7a828e")
        return
    axes.stairs(_shares(x, edges), edges, fill=True, color=REAL)
    axes.stairs(_shares(y, edges), edges, color=SYNTHETIC, linewidth=1.3)
    axes.locator_params(axis="x", nbins=5)
    formatter = _time_formatter(real.type)
    if formatter is not None:
        axes.xaxis.set_major_formatter(formatter)


def _edges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of at most about 40 equal bins, each a whole number of the values' steps wide, lest integers alias.

    They are not finite where the range of the values is not.
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
    """Share of the values in each bin; what lies beyond the edges is in the outermost ones."""
    return np.asarray(np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values)))


def _bars(axes: Axes, real: pa.ChunkedArray, synthetic: pa.ChunkedArray) -> None:
    """Shares of the labels that are most frequent in the real rows, and of all others."""
    texts = [labels(array).dictionary_decode() for array in (real, synthetic)]
    counted = pc.value_counts(texts[0])
    order = np.argsort(-counted.field("counts").to_numpy(zero_copy_only=False), kind="stable")[:MOST_BARS]
    usual = counted.field("values").take(pa.array(order))
    shares = []
    for own in texts:
        place = pc.fill_null(pc.index_in(own, value_set=usual), len(usual)).to_numpy(zero_copy_only=False)
        shares.append(np.bincount(place, minlength=len(usual) + 1) / max(1, len(own)))
    names = [written(label) if label is not None else "null" for label in usual.to_pylist()] + ["all others"]
    shown = len(names) if max(share[-1] for share in shares) > 0 else len(usual)
    heights = np.arange(shown)
    axes.barh(heights, shares[0][:shown], height=0.8, color=REAL)
    axes.barh(heights, shares[1][:shown], height=0.35, color=SYNTHETIC)
    axes.set_yticks(heights, names[:shown], fontsize=7)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")


def _scores(axes: Axes, evaluation: Evaluation) -> None:
    """Each score from 0 to 1 as a dot, its ceiling as a bar across."""
    shown = [(text, evaluation[name]) for name, text in SHOWN_SCORES.items() if name in evaluation]
    for height, (_, score) in enumerate(shown):
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
    _plain(axes)


def _associations(panels: Sequence[Axes], real: View, synthetic: View) -> None:
    """Cramér's V of all pairs, of the real and of the synthetic rows."""
    names = [*real.ordered, *real.nominal][:MOST_ASSOCIATED]
    if not names:
        for axes in panels:
            axes.set_axis_off()
        return
    cuts = {
        name: np.unique(np.nanquantile(x, np.linspace(0, 1, 9)[1:-1]))
        for name, x in real.ordered.items()
        if len(x[~np.isnan(x)])
    }
    for axes, view, title in zip(panels, (real, synthetic), ("real", "synthetic"), strict=True):
        matrix = np.eye(len(names))
        codes = [_coded(view, name, cuts) for name in names]
        for i, j in combinations(range(len(names)), 2):
            matrix[i, j] = matrix[j, i] = cramers_v(codes[i], codes[j])
        image = axes.imshow(matrix, vmin=0, vmax=1, cmap="Greys", interpolation="nearest")
        size = 8 if len(names) <= MOST_PANELS else 6
        axes.set_xticks(range(len(names)), [written(name) for name in names], rotation=90, fontsize=size)
        axes.set_yticks(
            range(len(names)), [written(name) for name in names] if view is real else [""] * len(names), fontsize=size
        )
        axes.set_title(f"Association (Cramér's V), {title}", loc="left", fontsize=10)
    panels[-1].figure.colorbar(image, ax=list(panels), shrink=0.7, pad=0.01)


def cramers_v(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Association of two columns of codes from 0 (independent) to 1; 0 where one is constant."""
    table = np.zeros((a.max(initial=0) + 1, b.max(initial=0) + 1))
    np.add.at(table, (a, b), 1)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    freedom = min(table.shape) - 1
    if freedom < 1:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(np.sqrt((((table - expected) ** 2) / expected).sum() / table.sum() / freedom))


def _coded(view: View, name: str, cuts: dict[str, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Codes of a column: labels beyond the twentieth as one, numbers by the eighths of the real table."""
    if name in view.nominal:
        return np.minimum(view.nominal[name], 20)
    x = view.ordered[name]
    return np.where(np.isnan(x), 0, 1 + np.digitize(x, cuts.get(name, np.empty(0)), right=True)).astype(np.int64)


def _time_formatter(kind: pa.DataType) -> Callable[[float, object], str] | None:
    """How ticks on an axis are written for dates and timestamps; None for other types."""
    if pa.types.is_timestamp(kind):
        unit = kind.unit
    elif pa.types.is_date(kind):
        unit = "D" if pa.types.is_date32(kind) else "ms"
    else:
        return None
    # ticks may lie beyond what 64 bits hold
    return lambda x, _: str(np.datetime64(min(max(round(x), 1 - 2**63), 2**63 - 1), unit).astype("datetime64[D]"))


def _plain(axes: Axes) -> None:
    """No frame but the axes themselves, small ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
