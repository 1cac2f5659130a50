"""Drawings of a report as SVG. They follow the colours of the page, in light, in dark and on paper.

Every drawing has a title and a description for those who do not see it. Coordinates are whole numbers in the units of
the view box, so that a drawing takes about a kilobyte. A heat map is one path per shade (`_shades`).
"""

from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.assumptions import line, named
from pipeline.measures import Histogram, LabelBars, NoPicture, RankShares, Shares
from pipeline.measures.rulers import number

Floats = NDArray[np.float64]

WIDTH, HEIGHT, FLOOR = 320, 112, 92
LABEL, NUMBERS = 112, 232
BAR = 16
LETTERS = 17
SHADES = 12
RANKS = 40


class Pen:
    """Draws the pictures of one page. Their ids are unique on it."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._axes = Figure().subplots()

    def shares(self, found: Shares, title: str, told: str) -> Markup:
        """A column of two tables: real rows filled, synthetic rows as a line or a thin bar."""
        match found:
            case Histogram():
                return self._histogram(found, title, told)
            case LabelBars():
                return self._bars(found, title, told)
            case RankShares():
                return self._ranks(found, title, told)
            case NoPicture():
                return Markup('<p class="empty">{}</p>').format(found.why)

    def gauge(self, value: float, real: float | None, least: float | None) -> Markup:
        """A score from 0 to 100 as a dot, what real rows reach as a bar, and what the gate asks for as a line."""
        marks = [Markup('<path class="rail" d="M4 8h152"/>')]
        marks += [Markup('<path class="least" d="M{} 2v12"/>').format(_tenth(least))] * (least is not None)
        marks += [Markup('<path class="ceiling" d="M{} 1v14"/>').format(_tenth(real))] * (real is not None)
        marks.append(Markup('<circle class="dot" cx="{}" cy="8" r="4.5"/>').format(_tenth(value)))
        return Markup('<svg class="gauge" viewBox="0 0 160 16" aria-hidden="true">{}</svg>').format(
            Markup().join(marks)
        )

    def twin(self, real: float, synthetic: float) -> Markup:
        """Two shares of rows as bars. The numbers stand beside it."""
        widths = [round(156 * min(1.0, max(0.0, share))) for share in (real, synthetic)]
        return Markup(
            '<svg class="gauge" viewBox="0 0 160 16" aria-hidden="true">'
            '<path class="real" d="M2 1h{}v14H2z"/><path class="made" d="M2 5h{}v6H2z"/></svg>'
        ).format(*widths)

    def grids(
        self, pair: tuple[Floats, Floats], title: str, told: str, names: tuple[str, str] = ("real", "synthetic")
    ) -> Markup:
        """Shares in the cells of two tables, such as real and synthetic rows, and their difference. [across, up]."""
        real, synthetic = (side.T[::-1] for side in pair)
        top = max(float(real.max(initial=0)), float(synthetic.max(initial=0)), 1e-9)
        apart = synthetic - real
        parts = [
            self._panel(0, names[0], _shades("seen", np.sqrt(real / top))),
            self._panel(1, names[1], _shades("made", np.sqrt(synthetic / top))),
            self._panel(2, "difference", _both_ways(np.sign(apart) * np.sqrt(np.abs(apart) / top))),
        ]
        rows, columns = real.shape
        body = Markup().join(part.format(x=100 / columns, y=100 / rows) for part in parts)
        return self._figure(330, 118, title, told, body)

    def matrix(self, values: Floats, names: Sequence[str], title: str, told: str, *, signed: bool = False) -> Markup:
        """A square heat map of values from 0 to 1, or from −1 to 1. Columns are numbered if names have no room."""
        n = len(names)
        legible = n <= 25  # noqa: PLR2004 - what is legible
        left = 90 if legible else 14
        cells = _both_ways(values) if signed else _shades("seen", values)
        body = Markup('<g transform="translate({} 0) scale({} {})">{}</g>').format(
            left, round(300 / n, 3), round(300 / n, 3), cells
        )
        step = 1 if legible else max(1, n // 12)
        texts = [named(name, 14) if legible else str(i + 1) for i, name in enumerate(names)]
        labels = Markup().join(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                left - 3, round(300 / n * (i + 0.5) + 4), texts[i]
            )
            for i in range(0, n, step)
        )
        frame = Markup('<path class="frame" d="M{} 0h300v300h-300z"/>').format(left)
        return self._figure(left + 302, 302, title, told, body + labels + frame)

    def curves(self, found: Sequence[tuple[str, Sequence[float]]], best: int | None, title: str, told: str) -> Markup:
        """Numbers per epoch as lines: the first for training rows, the second for held-out rows."""
        values = np.concatenate([np.asarray(own, np.float64) for _, own in found])
        low, high = float(np.quantile(values, 0.02)), float(values.max())
        span = (high - low) or 1.0
        n = max(1, max(len(own) for _, own in found) - 1)
        parts = []
        for cls, own in found:
            heights = np.clip(FLOOR - 8 - (np.asarray(own) - low) / span * (FLOOR - 16), 2, FLOOR)
            parts.append(_polyline(cls, 40 + np.arange(len(own)) / n * (WIDTH - 44), heights))
        if best is not None:
            parts.append(Markup('<path class="best" d="M{} 0V{}"/>').format(round(40 + best / n * (WIDTH - 44)), FLOOR))
        parts.append(Markup('<text x="36" y="12" text-anchor="end">{}</text>').format(number(round(high, 2))))
        parts.append(Markup('<text x="36" y="{}" text-anchor="end">{}</text>').format(FLOOR - 6, number(round(low, 2))))
        parts += [_axis(40), _text(40, "start", "epoch 1"), _text(WIDTH - 2, "end", f"epoch {n + 1}")]
        return self._figure(WIDTH, HEIGHT, title, told, Markup().join(parts))

    def columns(self, values: Sequence[float], title: str, told: str) -> Markup:
        """Numbers from 0 as bars that stand side by side, numbered from 0."""
        top, n = max([*values, 1e-9]), max(1, len(values))
        width = (WIDTH - 40) / n
        heights = [max(0.0, value) / top * (FLOOR - 8) for value in values]
        bars = "".join(
            f"M{40 + i * width:.1f} {FLOOR}h{width * 0.8:.1f}v-{height:.1f}h-{width * 0.8:.1f}z"
            for i, height in enumerate(heights)
        )
        step = max(1, n // 8)
        parts = [Markup('<path class="made" d="{}"/>').format(bars), _axis(40)]
        parts += [_text(round(40 + (i + 0.4) * width), "middle", str(i)) for i in range(0, n, step)]
        parts.append(Markup('<text x="36" y="14" text-anchor="end">{}</text>').format(f"{top:.3g}"))
        return self._figure(WIDTH, HEIGHT, title, told, Markup().join(parts))

    def _histogram(self, found: Histogram, title: str, told: str) -> Markup:
        edges = np.log(found.edges) if found.ruler.log else found.edges
        low, span = float(edges[0]), float(edges[-1] - edges[0]) or 1.0
        x = np.round((edges - low) / span * (WIDTH - 4) + 2).astype(int)
        top = max(float(found.real.max(initial=0)), float(found.other.max(initial=0)), 1e-12)
        heights = [np.round(side / top * (FLOOR - 6)).astype(int) for side in (found.real, found.other)]
        parts = [
            Markup('<path class="real" d="{}z"/>').format(_stairs(x, heights[0])),
            Markup('<path class="line" d="{}"/>').format(_stairs(x, heights[1])),
            _axis(0),
        ]
        for place, text in _apart(found.ruler.marks(self._axes, float(found.edges[0]), float(found.edges[-1]))):
            at = round(((np.log(place) if found.ruler.log else place) - low) / span * (WIDTH - 4) + 2)
            anchor = "start" if at < 24 else "end" if at > WIDTH - 24 else "middle"  # noqa: PLR2004 - half a text
            parts.append(_text(at, anchor, text))
        return self._figure(WIDTH, HEIGHT, title, told, Markup().join(parts))

    def _bars(self, found: LabelBars, title: str, told: str) -> Markup:
        top = max([*found.real, *found.other, 1e-9])
        names = ["null" if name is None else name for name in found.names] + ["all others"] * found.rest
        parts = []
        for i, (name, mine, theirs) in enumerate(zip(names, found.real, found.other, strict=True)):
            y, room = i * BAR, NUMBERS - LABEL
            parts.append(
                Markup(
                    '<text x="{}" y="{}" text-anchor="end">{}</text>'
                    '<path class="real" d="M{} {}h{}v12H{}z"/><path class="made" d="M{} {}h{}v5H{}z"/>'
                    '<text class="n" x="{}" y="{}">{} / {} %</text>'
                ).format(
                    *(LABEL - 6, y + 12, line(name, LETTERS)),
                    *(LABEL, y + 2, round(mine / top * room), LABEL),
                    *(LABEL, y + 6, round(theirs / top * room), LABEL),
                    *(NUMBERS + 6, y + 12, _percent(mine), _percent(theirs)),
                )
            )
        return self._figure(WIDTH, BAR * len(names) + 4, title, told, Markup().join(parts))

    def _ranks(self, found: RankShares, title: str, told: str) -> Markup:
        sides = [(cls, own) for cls, own in (("real", found.real), ("line", found.other)) if len(own)]
        most = np.log(max([2, *(len(own) for _, own in sides)]))
        shares = np.concatenate([own for _, own in sides] or [np.ones(1)])
        low, high = np.log(float(shares.min())), np.log(float(shares.max()))
        span = (high - low) or 1.0
        parts = [_axis(0)]
        for cls, own in sides:
            ranks = np.unique(np.geomspace(1, len(own), RANKS).astype(int))
            heights = FLOOR - (np.log(own[ranks - 1]) - low) / span * (FLOOR - 8)
            parts.append(
                _polyline(f"{cls} thick" if cls == "real" else cls, np.log(ranks) / most * (WIDTH - 4) + 2, heights)
            )
        told_ranks = f"{len(found.real):,} labels ({len(found.other):,} synthetic) by rank, both axes logarithmic"
        parts.append(_text(2, "start", told_ranks))
        return self._figure(WIDTH, HEIGHT, title, told, Markup().join(parts))

    def _panel(self, place: int, caption: str, cells: Markup) -> Markup:
        """A panel of three. Its scale is filled in later."""
        return Markup(
            '<g transform="translate({} 16)"><g transform="scale({{x:.4f}} {{y:.4f}})">{}</g>'
            '<path class="frame" d="M0 0h100v100H0z"/><text x="0" y="-4">{}</text></g>'
        ).format(place * 113 + 1, cells, caption)

    def _figure(self, width: int, height: int, title: str, told: str, body: Markup) -> Markup:
        i = next(self._ids)
        return Markup(
            '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="t{} d{}"><title id="t{}">{}</title>'
            '<desc id="d{}">{}</desc>{}</svg>'
        ).format(width, height, i, i, i, line(title, None), i, line(told, None), body)


def _stairs(x: NDArray[np.int64], heights: NDArray[np.int64]) -> str:
    """Bins as a path that starts and ends on the floor."""
    path, before = [f"M{x[0]} {FLOOR}"], 0
    for left, right, height in zip(x[:-1], x[1:], heights, strict=True):
        path.append(f"v{before - height}" * bool(before - height) + f"h{right - left}")
        before = height
    return "".join([*path, f"v{before}"])


def _polyline(cls: str, x: Floats, y: Floats) -> Markup:
    points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, y, strict=True))
    return Markup('<polyline class="{}" points="{}"/>').format(cls, points)


def _shades(cls: str, values: Floats) -> Markup:
    """Cells as one path for each of at most `SHADES` shades. Values are from 0 to 1."""
    levels = np.round(np.clip(values, 0, 1) * SHADES).astype(int)
    return Markup().join(
        Markup('<path class="{}" stroke-opacity="{}" d="{}"/>').format(
            cls, round(level / SHADES, 2), _cells(levels == level)
        )
        for level in range(1, SHADES + 1)
        if (levels == level).any()
    )


def _both_ways(values: Floats) -> Markup:
    """Cells from −1 to 1: more in the synthetic rows, or less."""
    return _shades("made", np.maximum(values, 0)) + _shades("seen", np.maximum(-values, 0))


def _cells(where: NDArray[np.bool_]) -> str:
    """Runs of cells as strokes of width 1."""
    path = []
    for y, row in enumerate(where):
        ends = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        path += [f"M{start} {y}.5h{end - start}" for start, end in zip(ends[::2], ends[1::2], strict=True)]
    return "".join(path)


def _apart(marks: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    """At most six ticks, so that texts do not overlap."""
    found = list(marks)
    return found[:: max(1, -(-len(found) // 6))]


def _axis(left: int) -> Markup:
    return Markup('<path class="axis" d="M{} {}H{}"/>').format(left, FLOOR, WIDTH)


def _text(x: int, anchor: str, text: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, HEIGHT - 6, anchor, escape(text))


def _tenth(value: float | None) -> float:
    """The place of a percentage on a gauge."""
    return round(4 + 1.52 * min(100.0, max(0.0, value or 0.0)), 1)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
