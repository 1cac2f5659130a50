"""Axes on which a person can read values: numbers with units, dates, times of day, durations, and heavy tails.

Values of a column are numbers in the unit of its type (`pipeline.arrow.arrays.numbers`). A `Ruler` says how they lie
on an axis: in which unit of the axis, linear or logarithmic, and with which ticks. Nothing imports `matplotlib` before
a picture is drawn.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

TICKS = 4
"""Most intervals between ticks."""
ENDS = (0.005, 0.995)
"""The part of the values that an axis shows. Values beyond are counted at its ends."""
BINS = 40
HEAVY = 0.15
"""If three quarters of the positive values lie in this part of the axis, its first, the tail is heavy."""
TEMPORAL = re.compile(r"(timestamp|date|time|duration)\d*\[(\w+)")
SECONDS = {"day": 86_400.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DAY = 86_400.0
LENGTHS = ((DAY, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
STEPS = (1 / 60, 1 / 12, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0)
"""Hours between ticks of times of day."""
DAYS = (-719_162.0, 2_932_896.0)
"""The days of the years 1 to 9999 since 1970. Matplotlib knows no others."""
SIZES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Ruler:
    """How the values of a column lie on an axis.

    Attributes:
        factor: An axis shows values times this.
        ticks: Gives an axis its ticks.
        log: Whether the axis is logarithmic.
        positive: Whether the axis shows positive values only.
    """

    factor: float
    ticks: Callable[["Axes"], None]
    log: bool = False
    positive: bool = False

    def edges(self, values: Floats) -> Floats:
        """Edges of at most about 40 bins for values in units of the axis. Not finite if their range is not."""
        return _equal_ratios(values) if self.log else _equal_widths(values)

    def marks(self, axes: "Axes", low: float, high: float) -> list[tuple[float, str]]:
        """The ticks between two ends of an axis, as places and texts, for pictures that Matplotlib does not draw.

        Args:
            axes: Axes to compute ticks with, which are not drawn. Making them takes longer than the ticks.
            low: One end.
            high: The other end.
        """
        axes.set_xscale("linear")
        axes.set_xlim(low, high)
        axes.set_xscale("log" if self.log else "linear")
        self.ticks(axes)
        places = [float(place) for place in axes.xaxis.get_majorticklocs() if low <= place <= high]
        texts = axes.xaxis.get_major_formatter().format_ticks(places)
        return list(zip(places, texts, strict=True))


def ruler(kind: str, values: Floats) -> Ruler:
    """The ruler for the values of a column.

    Args:
        kind: The type of the column, as Arrow writes it.
        values: Its values. At least one, none of them NaN.
    """
    found = TEMPORAL.match(kind)
    if found is not None and found[2] in SECONDS:
        unit = SECONDS[found[2]]
        low, high = (unit * float(end) for end in np.quantile(values, (0, 1)))
        if found[1] == "time":
            return Ruler(unit / 3600, _hours)
        if found[1] == "duration":
            length, name = next((each for each in LENGTHS if high - low > 2 * each[0]), LENGTHS[-1])
            return Ruler(unit / length, lambda axes: ticked(axes, f" {name}"))
        if DAYS[0] <= low / DAY <= high / DAY <= DAYS[1]:
            return Ruler(unit / DAY, _dates)
        return Ruler(unit / DAY / 365.2425, lambda axes: ticked(axes, " y"))  # from 1970
    log = heavy(values)
    positive = values > 0
    mostly_zero = bool(values.min() >= 0 and 0 < positive.mean() < 0.5)  # noqa: PLR2004 - most rows
    whole = bool((values == np.round(values)).all())
    return Ruler(1.0, lambda axes: ticked(axes, whole=whole), log=log, positive=log or mostly_zero)


def heavy(values: Floats) -> bool:
    """Whether most values would lie in a corner of a linear axis. No value is negative then."""
    positive = values[values > 0]
    if not len(positive) or values.min() < 0:
        return False
    most, end = np.quantile(positive, (0.75, ENDS[1]))
    return bool(most < HEAVY * end)


def number(value: float, size: float | None = None) -> str:
    """A number as people write it: from ten thousand on with a unit, k for a thousand and M for a million.

    Args:
        value: The number.
        size: The largest number on the same axis, which chooses the unit. By default the number itself.
    """
    size = abs(value) if size is None else size
    if 1e4 <= size < 1e15:  # noqa: PLR2004 - from ten thousand to a thousand billion
        divisor, unit = next(each for each in SIZES if size >= each[0])
        return f"{value / divisor:.10g}{unit}" if value else "0"
    if value and not 1e-4 <= abs(value) < 1e15:  # noqa: PLR2004 - what is short without an exponent
        return f"{value:.3g}"
    return f"{value:.10g}"


def ticked(axes: "Axes", unit: str = "", *, whole: bool = False) -> None:
    """Give an axis ticks with numbers, each followed by `unit`. If values are `whole` numbers, ticks are too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter  # noqa: PLC0415

    low, high = axes.get_xlim()
    if axes.get_xscale() == "log":
        decades = np.log10(high / low)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,), numticks=TICKS + 1))  # noqa: PLR2004
        axes.xaxis.set_minor_formatter(NullFormatter())
        size = None
    else:
        axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=whole))
        size = max(abs(low), abs(high))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, size) + unit))


def _hours(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator  # noqa: PLC0415

    def clock(hours: float, _: object) -> str:
        return "{:02d}:{:02d}".format(*divmod(round(hours * 60), 60))

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(MultipleLocator(next(step for step in STEPS if high - low <= (TICKS + 0.5) * step)))
    axes.xaxis.set_major_formatter(FuncFormatter(clock))


def _dates(axes: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    locator = AutoDateLocator(minticks=2, maxticks=TICKS + 1)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(7)


def _equal_widths(x: Floats) -> Floats:
    """Bins of equal width, a whole number of the values' steps wide, so that integers do not alias."""
    low, high = np.quantile(x, ENDS, method="nearest")
    distinct = np.unique(x[(x >= low) & (x <= high)])
    step = float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0
    with np.errstate(over="ignore"):
        span = high - low + step
        steps = np.ceil(span / step / BINS)
    if not np.isfinite(span):
        return np.array([low, np.inf])
    width = step * steps if np.isfinite(steps) else span / BINS
    return np.asarray(low - step / 2 + width * np.arange(np.ceil(span / width) + 1))


def _equal_ratios(x: Floats) -> Floats:
    """Bins of equal width on a logarithmic axis."""
    low, high = np.quantile(x, ENDS, method="nearest")
    return np.asarray(np.geomspace(low, high, BINS + 1))
