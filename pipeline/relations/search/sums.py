"""Finders of sums."""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Following
from pipeline.relations.search.numbers import DISTINCT, LEAST, TELLING, blocks, in_units, sum_of
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.sums import Sum
from pipeline.relations.units import Floats, Ints, Unit, joined

LONGEST = 60
"""Most terms of a sum: a year has 53 weeks."""
MOST_BLANK = 12
"""Most columns with nulls that may count as 0."""
MOST_LOOSE = 60
"""Most columns among which there are floats of any size, for sums of these to be looked for."""
LOOSE = Unit(loose=1.0)
"""The scale of numbers beside floats of any size: their values."""


def sums(sample: Extract) -> Iterator[Following]:
    """Propose target = Σ ± sources, and times that are another one plus a number of units.

    Large targets come first: a grand total follows from totals, which then follow from their parts.
    """
    numbers = [own for own in sample.numbers if not own.scale.tick]
    whole = [own for own in numbers if not own.scale.loose]
    yield from _totals(blocks(whole))
    yield from _spans(sample)
    filled = {own.name: own._replace(mask=np.ones_like(own.mask)) for own in whole if not own.mask.all()}
    if 0 < len(filled) <= MOST_BLANK:
        for found in _totals(blocks([filled.get(own.name, own) for own in whole])):
            blank = tuple(name for name in found.sources if name in filled)
            if blank and found.target not in filled:
                yield found.model_copy(update={"blank": blank})
    if len(whole) < len(numbers) <= MOST_LOOSE:
        for some, rows in blocks(numbers):
            units = np.stack([in_units(own, LOOSE) for own in some])[:, rows]
            yield from sorted(_long(some, units, 2), key=_meant(some))


def means(sample: Extract) -> Iterator[Following]:
    """Propose target = the mean of other columns, rounded."""
    numbers = [own for own in sample.numbers if not (own.scale.tick or own.scale.loose)]
    for some, rows in blocks(numbers) if len(numbers) <= MOST_LOOSE else ():
        units = np.stack([in_units(own, LOOSE) for own in some])[:, rows]
        for k, target in enumerate(some):
            others = np.array([i for i in range(len(some)) if i != k])
            rates, *_ = np.linalg.lstsq(units[others].T, units[k], rcond=1e-9)
            used = others[rates > rates.max() / 2]
            if not 1 < len(used) <= LONGEST or len({some[i].scale for i in used}) > 1:
                continue
            unit = 10.0 ** (target.scale.places - some[used[0]].scale.places)
            mean = unit * units[used].mean(axis=0) * 10.0 ** some[used[0]].scale.places
            if target.scale.near(target.units[rows], mean).all():
                rate = (unit / len(used),) * len(used)
                found = sum_of(target, tuple(some[i] for i in used), rate, 0.0, len(rows))
                yield found.model_copy(update={"scale": target.scale, "scales": (some[used[0]].scale,) * len(used)})


def counts(sample: Extract) -> Iterator[Following]:
    """Propose target = the number of flags that are set."""
    flags = sample.flags
    values = np.stack([own.units for own in flags]) if flags else np.zeros((0, sample.rows))
    for target in sample.numbers:
        y = target.units
        if target.scale != Unit() or not target.mask.all() or y.min() < 0 or not 1 < y.max() <= len(flags):
            continue
        rates, *_ = np.linalg.lstsq(values.T, y, rcond=1e-9)
        used = np.flatnonzero(np.rint(rates))
        if len(used) > 1 and np.array_equal(values[used].sum(axis=0), y):
            yield sum_of(target, tuple(flags[i] for i in used), (1.0,) * len(used), 0.0, sample.rows)


def _totals(found: Iterable[tuple[list[Numbers], Ints]]) -> Iterator[Sum]:
    """Sums of numbers that are present together."""
    for some, rows in found:
        scale = joined([own.scale for own in some])
        if scale is not None:
            units = np.stack([in_units(own, scale) for own in some])[:, rows]
            totals = sorted(_pairs(some, units), key=_meant(some))
            yield from totals
            left, every = _without(range(len(some)), some, totals), list(totals)
            while len(left) > 1 and (totals := list(_long([some[i] for i in left], units[left], 3))):
                yield from sorted(totals, key=_meant(some))
                left, every = _without(left, some, totals), [*every, *totals]
            if len(some) <= MOST_LOOSE:
                yield from sorted(_weighted(some, units, every), key=_meant(some))


def _weighted(some: list[Numbers], units: Floats, known: list[Sum]) -> Iterator[Sum]:
    """Sums with other whole coefficients, such as twelve months and a bonus.

    Where parts are a known sum, least squares would mix them with it. So each of these is left out once, and the
    shortest sum is meant.
    """
    tied = {name for found in known for name in (found.target, *found.sources)}
    spare = [None, *(i for i, own in enumerate(some) if own.name in tied)]
    for k, target in enumerate(some):
        if target.name not in tied:
            others = [np.array([i for i in range(len(some)) if i not in {k, drop}]) for drop in spare]
            found = [each for each in (_solved(some, units, k, own) for own in others) if each is not None]
            if found:
                yield min(found, key=lambda own: len(own.sources))


def _without(left: Iterable[int], some: list[Numbers], totals: list[Sum]) -> list[int]:
    """Columns that are no totals. Least squares would mix what depends on each other."""
    gone = {found.target for found in totals if min(found.coefficients) > 0} or {found.target for found in totals}
    return [i for i in left if some[i].name not in gone]


def _meant(some: list[Numbers]) -> Callable[[Sum], tuple[bool, float]]:
    """A key that sorts sums of numbers: a total is the sum of its parts, and no part is the total less the others."""
    size = {own.name: float(np.abs(own.units).mean()) / 10.0**own.scale.places for own in some}
    return lambda found: (min(found.coefficients) < 0, -size[found.target])


def _pairs(some: list[Numbers], units: Floats) -> Iterator[Sum]:
    """Sums of two columns. The bytes of a few rows of the sum lead to the third column."""
    few = units[:, np.argsort(-(units != 0).sum(axis=0), kind="stable")[:TELLING]]
    columns = {few[i].tobytes(): i for i in range(len(some))}
    for i in range(len(some)):
        for j, total in enumerate(few[i] + few[: i + 1]):
            k = columns.get(np.ascontiguousarray(total).tobytes())
            if k is not None and k not in {i, j} and i != j and np.array_equal(units[i] + units[j], units[k]):
                both = [place for place in (i, j) if units[place].min() < 0]
                found = sum_of(some[k], (some[j], some[i]), (1.0, 1.0), 0.0, units.shape[1])
                signed = len(both) == 1 and units[k].min() >= 0  # what is of either sign is a difference
                yield found.turns[0 if both == [i] else 1] if signed and found.turns else found


def _long(some: list[Numbers], units: Floats, least: int) -> Iterator[Sum]:
    """Sums of at least so many columns with coefficients of 1 and −1.

    Among floats of any size, only these are targets: what is left over is the error of floats.
    """
    loose = [k for k, own in enumerate(some) if own.scale.loose]
    for k in loose or range(len(some)):
        found = _solved(some, units, k, np.array([i for i in range(len(some)) if i != k]))
        if found is not None and len(found.sources) >= least and {abs(c) for c in found.coefficients} == {1.0}:
            yield found


def _solved(some: list[Numbers], units: Floats, k: int, others: Ints) -> Sum | None:
    """A column as a sum of others with whole coefficients, by least squares, if nothing is left over."""
    size = np.abs(units).max(axis=1)
    size = np.where(size > 0, size, 1.0)
    rates, *_ = np.linalg.lstsq((units[others] / size[others, None]).T, units[k], rcond=1e-12)
    whole = np.rint(rates / size[others])
    used = np.flatnonzero(np.abs(whole) * size[others] > some[k].scale.loose * size[k])  # less is lost in its error
    if not 1 < len(used) <= LONGEST:
        return None
    error = np.abs(whole[used] @ units[others[used]] - units[k])
    most = some[k].scale.loose * (np.abs(whole[used]) @ np.abs(units[others[used]]))
    if (error > most).any():
        return None
    return sum_of(some[k], tuple(some[i] for i in others[used]), tuple(whole[used].tolist()), 0.0, units.shape[1])


def _spans(sample: Extract) -> Iterator[Following]:
    """Propose a time that is another one plus or minus a duration, or a number of days, hours or other units."""
    durations = {own.name for own in sample.numbers if pa.types.is_duration(sample.table[own.name].type)}
    counts = [own for own in sample.numbers if own.name in durations or not (own.scale.tick or own.scale.loose)]
    times = [own for own in sample.numbers if own.scale.tick and own.name not in durations]
    for one, other in combinations(times, 2):
        source, target = (one, other) if one.scale.tick >= other.scale.tick else (other, one)
        mask = one.mask & other.mask
        if mask.sum() < LEAST:
            continue
        span = (target.units - in_units(source, target.scale))[mask]
        for count in counts:
            value = count.units[mask]
            if (count.mask != mask).any() or len(np.unique(value)) < DISTINCT:
                continue
            ratio = float(np.median(span[value != 0] / value[value != 0]))
            if ratio and ratio.is_integer() and np.array_equal(span, ratio * value):
                coefficients = (source.scale.tick / target.scale.tick, ratio)
                if count.scale.tick:  # all three are counted in the finest of their ticks
                    coefficients = (1.0, float(np.sign(ratio)))
                yield sum_of(target, (source, count), coefficients, 0.0, int(mask.sum()))
