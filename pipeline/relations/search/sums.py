"""Finders of sums."""

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from pipeline.relations.base import Following
from pipeline.relations.search.numbers import DISTINCT, LEAST, TELLING, blocks, in_units, sum_of
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.sums import Sum
from pipeline.relations.units import Floats, Ints, joined

LONGEST = 12
"""Most terms of a sum."""
MOST_BLANK = 12
"""Most columns with nulls that may count as 0."""


def sums(sample: Extract) -> Iterator[Following]:
    """Propose target = Σ ± sources, and times that are another one plus a number of units.

    Large targets come first: a grand total follows from totals, which then follow from their parts.
    """
    numbers = [own for own in sample.numbers if not own.scale.tick]
    yield from _totals(blocks(numbers))
    yield from _spans(sample.numbers)
    filled = {own.name: own._replace(mask=np.ones_like(own.mask)) for own in numbers if not own.mask.all()}
    if 0 < len(filled) <= MOST_BLANK:
        for found in _totals(blocks([filled.get(own.name, own) for own in numbers])):
            blank = tuple(name for name in found.sources if name in filled)
            if blank and found.target not in filled:
                yield found.model_copy(update={"blank": blank})


def _totals(found: Iterable[tuple[list[Numbers], Ints]]) -> Iterator[Sum]:
    """Sums of numbers that are present together."""
    for some, rows in found:
        scale = joined([own.scale for own in some])
        if scale is not None:
            units = np.stack([in_units(own, scale) for own in some])[:, rows]
            size = {own.name: float(np.abs(own.units).mean()) for own in some}
            yield from sorted(_pairs(some, units), key=lambda found: -size[found.target])
            # a total is the sum of its parts, and no part is the total less the others
            yield from sorted(_long(some, units), key=lambda found: (min(found.coefficients) < 0, -size[found.target]))


def _pairs(some: list[Numbers], units: Floats) -> Iterator[Sum]:
    """Sums of two columns. The bytes of a few rows of the sum lead to the third column."""
    few = units[:, np.argsort(-(units != 0).sum(axis=0), kind="stable")[:TELLING]]
    columns = {few[i].tobytes(): i for i in range(len(some))}
    for i in range(len(some)):
        for j, total in enumerate(few[i] + few[: i + 1]):
            k = columns.get(np.ascontiguousarray(total).tobytes())
            if k is not None and k not in {i, j} and i != j and np.array_equal(units[i] + units[j], units[k]):
                yield sum_of(some[k], (some[j], some[i]), (1.0, 1.0), 0.0, units.shape[1])


def _long(some: list[Numbers], units: Floats) -> Iterator[Sum]:
    """Longer sums, by least squares: coefficients of 1 and −1 that leave nothing over."""
    size = np.abs(units).max(axis=1).clip(min=1.0)
    for k in range(len(some)):
        others = np.array([i for i in range(len(some)) if i != k])
        found, *_ = np.linalg.lstsq((units[others] / size[others, None]).T, units[k], rcond=1e-12)
        whole = np.rint(found / size[others])
        used = np.flatnonzero(whole)
        if not 2 < len(used) <= LONGEST or (np.abs(whole[used]) != 1).any():  # noqa: PLR2004
            continue
        if np.array_equal(whole[used] @ units[others[used]], units[k]):
            coefficients = tuple(whole[used].tolist())
            yield sum_of(some[k], tuple(some[i] for i in others[used]), coefficients, 0.0, units.shape[1])


def _spans(numbers: list[Numbers]) -> Iterator[Following]:
    """Propose a time that is another one plus or minus a number of days, hours or other units."""
    counts = [own for own in numbers if not own.scale.tick]
    for one, other in combinations([own for own in numbers if own.scale.tick], 2):
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
                yield sum_of(target, (source, count), coefficients, 0.0, int(mask.sum()))
