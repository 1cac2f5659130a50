"""A figure of a replay: quality over time, drift, and which strategy trained when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from numpy.typing import NDArray

from pipeline.pictures.style import MUTED, REAL, SYNTHETIC, Picture, plain
from pipeline.replay.story import Story, Strategy

STRATEGY_STYLES: Mapping[Strategy, Mapping[str, Any]] = {
    "loop": {"color": SYNTHETIC, "linewidth": 2.2, "zorder": 3},
    "always": {"color": MUTED, "linewidth": 2.2},
    "never": {"color": "#3a6ea5", "linewidth": 1.5, "linestyle": "--", "zorder": 4},
}
CEILING: Mapping[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": ":"}


def story(told: Story) -> Picture:
    """Draw a replay: quality on held-out rows and on rows still to come, drift, and which strategy trained when."""
    figure = Picture(figsize=(12, 9.5), layout="constrained")
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
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    trainings.xaxis.set_major_locator(locator)
    trainings.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    for axes in (quality, ahead, checks, trainings):
        plain(axes)
    return figure


def _drift_over_time(axes: Axes, told: Story) -> None:
    """The largest effect of every drift check of the loop, in units of its threshold."""
    checks = [(step.end, step.drift) for step in told.of("loop") if step.drift is not None]
    colors = [SYNTHETIC if look.drifted else REAL for _, look in checks]
    axes.vlines(_moments(end for end, _ in checks), 0, [look.excess for _, look in checks], colors=colors, linewidth=4)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_title("Drift found by the loop: largest effect in units of its threshold", loc="left", fontsize=10)


def _trainings_over_time(axes: Axes, told: Story) -> None:
    """A line per strategy: a full dot for training afresh, an empty one for a warm start, a cross if refused."""
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
