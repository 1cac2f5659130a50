"""Finders of ages, durations, parts of dates and what follows from them."""

from collections.abc import Iterator
from datetime import date
from itertools import permutations

import numpy as np
import pyarrow as pa

from pipeline.arrow.arrays import combined, is_text, numbers
from pipeline.relations.base import Following
from pipeline.relations.search.labels import following, log_chance
from pipeline.relations.search.numbers import DISTINCT, LEAST, correlated, in_units
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.seasons import RECURRING, Season
from pipeline.relations.times import (
    CALENDAR,
    DAY,
    FORMATS,
    NIGHT,
    PARTS,
    SECONDS,
    TIME,
    WHOLE,
    DatePart,
    Elapsed,
    Rounding,
    Since,
    part_of,
)
from pipeline.relations.units import Ints, joined
from pipeline.schema import value_type

MOST_LABELS = 31
"""Labels that follow from a part of a date. There are no more days in a month."""
PLACES = 4
"""Most decimal places of a number of hours or other units."""
FIRST = 50
"""Rows that rule out most forms of a date."""
YEAR = "year"
"""Beginning of the names of units in which ages are counted."""


def elapsed(sample: Extract) -> Iterator[Following]:
    """Propose target = whole units from one time to another, or to a day that is the same in every row."""
    times = [own for own in sample.numbers if _dated(sample.table[own.name].type)]
    counts = [
        own for own in sample.numbers if not own.scale.tick and own.scale.places <= PLACES and not own.scale.loose
    ]
    for start, end in permutations(times, 2):
        mask = start.mask & end.mask
        scale = joined([start.scale, end.scale])
        if scale is None or mask.sum() < LEAST:
            continue
        span = in_units(end, scale) - in_units(start, scale)
        for count in counts:
            value = count.units[mask]
            if (count.mask != mask).any() or len(np.unique(value)) < DISTINCT or not correlated(span[mask], value):
                continue
            yield from _elapsed(sample, count.name, (start.name, end.name), int(mask.sum()))
    for start in times:
        for count in counts:
            alike = np.array_equal(start.mask, count.mask) and start.mask.sum() >= LEAST
            if alike and not count.scale.places and correlated(-start.units[start.mask], count.units[count.mask]):
                yield from _since(sample, count, start)


def parts(sample: Extract) -> Iterator[Following]:
    """Propose target = year, month, weekday, … of a date or time, or the whole in another form."""
    table = sample.table
    times = [own for own in sample.numbers if own.scale.tick and not pa.types.is_duration(table[own.name].type)]
    others = [own for own in sample.numbers if not own.scale.tick or _whole(table[own.name].type)]
    for source in times:
        for target in others:
            if target is source or (source.mask != target.mask).any() or target.mask.sum() < LEAST:
                continue
            arrow = table[target.name].type
            alike = {DAY: pa.types.is_date32(arrow), TIME: pa.types.is_time(arrow)}
            some = [part for part in PARTS if alike.get(part, not target.scale.tick)]
            for part in some:
                if _is_part(combined(table[source.name]), part, combined(table[target.name])):
                    yield DatePart(
                        target=target.name, sources=(source.name,), part=part, support=int(target.mask.sum())
                    )
                    break
        yield from _written(sample, source)


def seasons(sample: Extract) -> Iterator[Following]:
    """Propose labels that follow from a part of a date that comes again."""
    targets = [name for name, size in sample.sizes.items() if sample.labels(name) and 1 < size <= MOST_LABELS]
    times = [own for own in sample.numbers if _dated(sample.table[own.name].type)]
    if not targets or not times:
        return
    everywhere = np.zeros(sample.rows, dtype=np.int64)
    tries = len(targets) * len(times) * len(RECURRING)
    values = np.stack([sample.codes[name] for name in targets])
    for source in times:
        for part in RECURRING:
            own = _recurring(combined(sample.table[source.name]), part)
            if own is None:
                continue
            for target in following(own, values, targets):
                varies = np.ptp(sample.codes[target][source.mask]) > 0  # else it says where there is no date
                if varies and sample.certain(log_chance(own, sample.codes[target], everywhere), tries):
                    yield Season.of(sample.whole, target, source.name, part, sample.schema[target].least_rows)


def _written(sample: Extract, source: Numbers) -> Iterator[DatePart]:
    """Texts and whole numbers that are dates or times in another form."""
    times = combined(sample.table[source.name])
    few = sample.places[: len(times)][:FIRST]
    for name, arrow in zip(sample.whole.column_names, sample.whole.schema.types, strict=True):
        inner = value_type(arrow)
        if not (is_text(arrow) or pa.types.is_integer(inner)) or name in sample.keys:
            continue
        head = combined(sample.whole[name].take(pa.array(few)))
        for form in FORMATS if is_text(arrow) else WHOLE:
            if len(head.unique()) > 1 and _is_part(times.slice(0, len(few)), form, head):
                yield DatePart(target=name, sources=(source.name,), part=form, support=int(source.mask.sum()))
                break


def _since(sample: Extract, count: Numbers, start: Numbers) -> Iterator[Since]:
    """Ages on one day: the days on which every row has its age, if there are any."""
    born = combined(sample.whole[start.name])
    age, mask = count.scale.units(sample.whole[count.name])
    known = np.flatnonzero(mask & np.asarray(born.is_valid()))
    born, age = born.take(pa.array(known)), age[known]
    year, month, day = (numbers(part_of(born, part)).astype(np.int64) for part in ("year", "month", "day"))
    whole = 372 * year + 31 * (month - 1) + day - 1  # days of a calendar in which every month has 31
    ways = [(CALENDAR, (whole + 372 * age).max(), (whole + 372 * (age + 1)).min() - 1)]
    days = numbers(part_of(born, "date").cast(pa.int32())).astype(np.int64)
    for unit, seconds in SECONDS.items():
        if unit.startswith(YEAR):
            size = seconds / SECONDS["day"]
            ways.append(
                (unit, int(np.ceil((days + age * size).max())), int(np.floor((days + (age + 1) * size).min() - 1e-6)))
            )
    for unit, first, last in ways:
        if first <= last:
            end = _ordinal(int(first)) if unit == CALENDAR else date(1970, 1, 1).toordinal() + int(first)
            found = Since(
                target=count.name, sources=(start.name,), unit=unit, day=date.fromordinal(end), support=len(known)
            )
            if not found.broken(sample.whole).any():
                yield found
                return


def _ordinal(whole: int) -> int:
    """The day of a calendar in which every month has 31, or the next one that there is."""
    for later in range(whole, whole + 4):
        try:
            return date(later // 372, later % 372 // 31 + 1, later % 31 + 1).toordinal()
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def _elapsed(sample: Extract, target: str, sources: tuple[str, str], support: int) -> Iterator[Following]:
    """The units and roundings that hold in all rows of the sample."""
    ways: list[tuple[str, Rounding]] = [(unit, way) for unit in SECONDS for way in ("down", "near")]
    scale = sample.scales[target]
    places = scale.places if scale is not None else 0
    whole: list[tuple[str, Rounding]] = [(CALENDAR, "down"), (NIGHT, "down")]
    for unit, way in [*ways, *(whole if not places else [])]:
        found = Elapsed(target=target, sources=sources, unit=unit, rounding=way, places=places, support=support)
        if not found.broken(sample.table).any():
            yield found


def _dated(arrow: pa.DataType) -> bool:
    """Whether values are points in time with a date."""
    return bool(pa.types.is_date(arrow) or pa.types.is_timestamp(arrow))


def _whole(arrow: pa.DataType) -> bool:
    """Whether values may be the date or the time of day of a point in time."""
    return bool(pa.types.is_date32(arrow) or pa.types.is_time(arrow))


def _recurring(times: pa.Array, part: str) -> Ints | None:
    """A code for the part of each date. None if there is no such part."""
    try:
        found = part_of(times, part)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # a date has no hour
        return None
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64) + 1


def _is_part(times: pa.Array, part: str, values: pa.Array) -> bool:
    """Whether the values are this part of the times, in all these rows."""
    try:
        found = part_of(times, part).cast(value_type(values.type), safe=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # a date has no hour, and a name is no number
        return False
    return bool(found.equals(combined(values).cast(found.type)))
