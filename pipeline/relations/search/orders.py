"""A finder of orders between columns."""

from collections.abc import Iterator
from itertools import combinations
from math import log1p

import numpy as np

from pipeline.relations.base import Relation
from pipeline.relations.orders import Later, Least
from pipeline.relations.search.numbers import DISTINCT, LEAST, in_units
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.units import Floats, joined

SIMPLER = 0.5
"""A difference takes the place of a value if it has at most this share of its different values."""

MOST_EQUAL = 0.5
"""Most rows with equal values. With more, a model that draws both columns would hardly ever keep the order."""


def orders(sample: Extract) -> Iterator[Relation]:
    """Propose target ≥ source for columns whose ranges overlap, neighbours in a chain first."""
    found: list[tuple[float, Later | Least]] = []
    tries = max(len(sample.numbers) ** 2, 1)
    for one, other in combinations(sample.numbers, 2):
        for source, target in ((one, other), (other, one)):
            if (order := _order(sample, source, target, tries)) is not None:
                found.append(order)
    after: dict[str, set[str]] = {}
    for _, relation in found:
        after.setdefault(relation.sources[0], set()).add(relation.target)
    for _, relation in sorted(found, key=lambda pair: pair[0]):
        later = after[relation.sources[0]]
        if not any(relation.target in after.get(name, ()) for name in later):  # else it follows from its neighbours
            yield relation


def _order(sample: Extract, source: Numbers, target: Numbers, tries: int) -> tuple[float, Later | Least] | None:
    """An order that chance does not explain, and the size of its differences."""
    scale = joined([source.scale, target.scale])
    mask = source.mask & target.mask
    if scale is None or mask.sum() < LEAST:
        return None
    first, second = in_units(source, scale)[mask], in_units(target, scale)[mask]
    if (first > second).any() or first.max() <= second.min():
        return None
    if min(len(np.unique(first)), len(np.unique(second))) < DISTINCT:
        return None
    if not sample.certain(len(first) * log1p(-min(_inverted(first, second), 1 - 1e-12)), tries):
        return None
    difference = second - first
    if (difference == 0).mean() > MOST_EQUAL:
        return None
    both = {"scale": target.scale, "origin": source.scale}
    made: Later | Least = Least(target=target.name, sources=(source.name,), support=len(first), **both)
    fine = scale == target.scale and not (target.mask & ~source.mask).any()
    if fine and len(np.unique(difference)) <= SIMPLER * len(np.unique(second)):
        made = Later(target=target.name, sources=(source.name,), support=len(first), **both)
    return float(difference.mean()), made


def _inverted(first: Floats, second: Floats) -> float:
    """Probability that a first value is greater than a second one from another row."""
    return float(np.searchsorted(np.sort(second), first, side="left").mean() / len(second))
