"""Columns that follow from times: ages and durations in whole units, parts of a date, and dates in another form."""

from datetime import date
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, Field

from pipeline.arrow.arrays import combined, masked
from pipeline.arrow.domain import valid
from pipeline.relations.base import Following
from pipeline.relations.units import Floats, Ints, Unit, joined, scale_of
from pipeline.schema import value_type

SECONDS = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 604_800.0,
    "month of 30.4375 days": 2_629_800.0,
    "year of 365 days": 31_536_000.0,
    "year of 365.25 days": 31_557_600.0,
    "year of 365.2425 days": 31_556_952.0,
}
"""Seconds of units of elapsed time."""
CALENDAR = "calendar year"
"""The unit of ages that grow on birthdays."""
NIGHT = "calendar day"
"""The unit of nights, which are as many as midnights."""
DAY, TIME = "date", "time"
"""Parts that are dates and times of day. All others are numbers."""
PARTS = (
    DAY,
    TIME,
    "year",
    "quarter",
    "month",
    "day",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "iso_week",
    "iso_year",
)
"""Parts of a date: names of functions of Arrow."""
FORMATS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%d %B %Y", "%B %d, %Y"),
    *("%Y-%m", "%Y/%m", "%Y%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%Y", "%y", "%m", "%d", "%j"),
    *("%B", "%b", "%A", "%a", "%G-W%V", "%Y-W%V", "%H:%M", "%H:%M:%S", "%H", "%I %p", "%I:%M %p"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"),
)
"""Forms in which dates and times are written, as in strftime. Names are English."""
WHOLE = ("%Y%m%d", "%Y%m")
"""Forms that are written as whole numbers too."""
Rounding = Literal["down", "near"]


def _unit(name: str) -> str:
    if name not in SECONDS and name not in {CALENDAR, NIGHT}:
        raise ValueError("expected a unit of time")
    return name


def _part(name: str) -> str:
    if name not in PARTS + FORMATS:
        raise ValueError("expected a part of a date")
    return name


class Elapsed(Following):
    """The time from the first to the second source, in whole units: an age, a length of stay.

    Attributes:
        unit: A key of `SECONDS`, `CALENDAR` or `NIGHT`.
        rounding: Down to whole units, or to the nearest.
        places: Decimal places of the number of units.
    """

    number: ClassVar[int | None] = 2
    kind: Literal["elapsed"] = "elapsed"
    unit: Annotated[str, AfterValidator(_unit)]
    rounding: Rounding = "down"
    places: Annotated[int, Field(ge=0, le=9)] = 0

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        start, end = self.sources
        return f"{self.target} = time from {start} to {end}, each {self.unit}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        start, end = (combined(table[name]) for name in self.sources)
        mask = np.asarray(pc.and_(start.is_valid(), end.is_valid()).to_numpy(zero_copy_only=False))
        found = _between(start, end, self.unit)
        fine = found * 10.0**self.places
        whole = np.floor(fine + 1e-9) if self.rounding == "down" else np.floor(fine + 0.5 + 1e-9)
        return masked(pa.array(np.where(mask, whole, 0.0) / 10.0**self.places).cast(arrow, safe=False), mask)


class Since(Following):
    """Whole units of time from the source to a day that is the same in every row: an age today.

    Attributes:
        unit: As in `Elapsed`.
        day: The day.
    """

    kind: Literal["since"] = "since"
    unit: Annotated[str, AfterValidator(_unit)]
    day: date

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} = time from {self.sources[0]} to a day in {self.day:%Y-%m}, each {self.unit}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        start = combined(table[self.sources[0]])
        end = pa.repeat(pa.scalar(self.day, pa.date32()), len(start))
        mask = valid(start)
        found = _between(start, end, self.unit)
        return masked(pa.array(np.where(mask, np.floor(found + 1e-9), 0.0)).cast(arrow, safe=False), mask)


class DatePart(Following):
    """A part of a date or a time of the source, or the whole of it in another form.

    Attributes:
        part: One of `PARTS` or `FORMATS`.
    """

    kind: Literal["part"] = "part"
    part: Annotated[str, AfterValidator(_part)]

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} = {self.part.replace('_', ' ')} of {self.sources[0]}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        return part_of(combined(table[self.sources[0]]), self.part).cast(value_type(arrow), safe=False)


def part_of(array: pa.Array, part: str) -> pa.Array:
    """A part of each date or time. An hour counts from 0, a weekday from 0 on Mondays."""
    local = pc.local_timestamp(array) if getattr(array.type, "tz", None) else array
    if part in FORMATS:
        return pc.strftime(local.cast(pa.timestamp("s"), safe=False), format=part)
    if part == "date":
        return local.cast(pa.date32())
    return local.cast(pa.time64("ns")) if part == "time" else getattr(pc, part)(array)


def _between(start: pa.Array, end: pa.Array, unit: str) -> Floats | Ints:
    """Time from start to end in units of a name, [rows]. Anything where a value is missing."""
    if unit == CALENDAR:
        return birthdays(start, end)
    if unit == NIGHT:
        start, end, unit = part_of(start, "date"), part_of(end, "date"), "day"
    return elapsed(start, end, SECONDS[unit])


def elapsed(start: pa.Array, end: pa.Array, seconds: float) -> Floats:
    """Time from start to end in units of so many seconds, [rows]. Anything where a value is missing."""
    scale = joined([_scale(start), _scale(end)])
    assert scale is not None, "both are times"
    first, second = (scale.units(array)[0] for array in (start, end))
    return np.asarray((second - first) / (seconds * 1e9 / scale.tick))


def birthdays(start: pa.Array, end: pa.Array) -> Ints:
    """Whole years from start to end by the calendar, [rows]."""
    year, month, day = (_filled(start, part) for part in ("year", "month", "day"))
    later, in_month, on_day = (_filled(end, part) for part in ("year", "month", "day"))
    return np.asarray(later - year - ((in_month < month) | ((in_month == month) & (on_day < day))))


def _filled(array: pa.Array, part: str) -> Ints:
    """A part of each date, 1 where there is none."""
    return np.asarray(part_of(array, part).fill_null(1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _scale(array: pa.Array) -> Unit:
    found = scale_of(array)
    return found if found is not None else Unit(tick=1)
