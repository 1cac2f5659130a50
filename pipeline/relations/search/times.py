"""Finders of ages, durations and parts of dates."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pyarrow as pa

from pipeline.arrow.arrays import combined, numbers
from pipeline.relations.base import Relation
from pipeline.relations.search.numbers import DISTINCT, LEAST, correlated, in_units
from pipeline.relations.search.sample import Extract
from pipeline.relations.times import CALENDAR, PARTS, SECONDS, DatePart, Elapsed, Rounding, part_of
from pipeline.relations.units import joined


def elapsed(sample: Extract) -> Iterator[Relation]:
    """Propose target = whole units from one time to another."""
    times = [own for own in sample.numbers if _dated(sample.table[own.name].type)]
    counts = [own for own in sample.numbers if not own.scale.tick and not own.scale.places]
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


def parts(sample: Extract) -> Iterator[Relation]:
    """Propose target = year, month, weekday, … of a date or time."""
    table = sample.table
    times = [own for own in sample.numbers if own.scale.tick and not pa.types.is_duration(table[own.name].type)]
    others = [own for own in sample.numbers if not own.scale.tick or pa.types.is_date32(table[own.name].type)]
    for source in times:
        for target in others:
            if target is source or (source.mask != target.mask).any() or target.mask.sum() < LEAST:
                continue
            dated = pa.types.is_date32(table[target.name].type)
            for part in PARTS[:1] if dated else PARTS[1:]:
                if _is_part(combined(table[source.name]), part, combined(table[target.name])):
                    yield DatePart(
                        target=target.name, sources=(source.name,), part=part, support=int(target.mask.sum())
                    )
                    break


def _elapsed(sample: Extract, target: str, sources: tuple[str, str], support: int) -> Iterator[Relation]:
    """The units and roundings that hold in all rows of the sample."""
    ways: list[tuple[str, Rounding]] = [(unit, way) for unit in SECONDS for way in ("down", "near")]
    for unit, way in [*ways, (CALENDAR, "down")]:
        found = Elapsed(target=target, sources=sources, unit=unit, rounding=way, support=support)
        if not found.broken(sample.table).any():
            yield found


def _dated(arrow: pa.DataType) -> bool:
    """Whether values are points in time with a date."""
    return bool(pa.types.is_date(arrow) or pa.types.is_timestamp(arrow))


def _is_part(times: pa.Array, part: str, values: pa.Array) -> bool:
    """Whether the values are this part of the times, in all rows of the sample."""
    try:
        found = numbers(part_of(times, part))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # a date has no hour
        return False
    return bool(np.array_equal(found, numbers(values), equal_nan=True))
