"""A finder of orders between columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from math import log1p

import numpy as np

from pipeline.relations.bands import Band
from pipeline.relations.base import Relation
from pipeline.relations.lookups import Lookup
from pipeline.relations.orders import Later, Least, Positive
from pipeline.relations.search.chain import Chain
from pipeline.relations.search.numbers import DISTINCT, LEAST, in_units
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.seasons import Season
from pipeline.relations.sums import Sum
from pipeline.relations.units import Floats, joined

SIMPLER = 0.5
"""A difference takes the place of a value if it has at most this share of its different values."""

TINY = 1e-9
"""Coefficients below this are 0."""
MOST_EQUAL = 0.5
"""Most rows with equal values, where no difference is modelled. With more, a model that draws both columns would hardly
ever keep the order."""


def orders(sample: Extract) -> Iterator[Relation]:
    """Propose target ≥ source for columns whose ranges overlap, neighbours in a chain first."""
    yield from _neighbours(sample, combinations(sample.numbers, 2), lambda *_: True)


def checks(sample: Extract, chain: Chain) -> Iterator[Relation]:
    """Propose target ≥ source where one of them is computed, and sums ≥ 0, unless that follows from their parts.

    What is computed may come out of order, so such rows are drawn again. A column that nothing follows from may take
    the difference from a computed one.
    """
    least = {own.name: float(own.units[own.mask].min()) for own in (*sample.numbers, *sample.flags)}
    linear = {name: own for name, own in chain.bound.items() if isinstance(own, Sum) and not own.bent}
    sums = {name: own for name, own in linear.items() if name in least}
    told = {name for name, own in chain.bound.items() if name in sums or isinstance(own, Lookup | Season | Band)}
    plain = [own for own in sample.numbers if own.name in told or own.name not in chain.bound or own.scale.tick]
    used = {*chain.bound, *(name for own in chain.bound.values() for name in own.sources)}
    pairs = [pair for pair in combinations(plain, 2) if any(own.name in chain.bound for own in pair)]
    pairs = [(one, other) for one, other in pairs if not _follows(chain, one.name, other.name)]
    for relation in _neighbours(sample, pairs, lambda source, target: source in chain.bound and target not in used):
        terms = _terms(sums, relation.target)
        for name, c in _terms(sums, relation.sources[0]).items():
            terms[name] = terms.get(name, 0.0) - c
        if not _never_negative(terms, least):
            yield relation
    for name, own in sums.items():
        if not own.scale.tick and least[name] >= 0 and not _never_negative(_terms(sums, name), least):
            yield Positive(target=name, sources=own.sources, support=own.support)


def _follows(chain: Chain, one: str, other: str) -> bool:
    """Whether one of two columns follows from the other, but as no sum: then no difference is left open."""
    ways = ((chain.bound.get(one), other), (chain.bound.get(other), one))
    return any(own is not None and source in own.sources and not isinstance(own, Sum) for own, source in ways)


def _neighbours(
    sample: Extract, pairs: Iterable[tuple[Numbers, Numbers]], rewrites: Callable[[str, str], bool]
) -> Iterator[Later | Least]:
    """The orders of pairs of columns that do not follow from other orders, the end of a chain first.

    So each column of a chain can take the difference from the one before it. Nothing follows from the orders of a
    column that is null where the others are not.

    Args:
        sample: The rows.
        pairs: The columns.
        rewrites: Whether the second of two columns may take the difference from the first.
    """
    found: list[tuple[float, Later | Least]] = []
    tries = max(len(sample.numbers) ** 2, 1)
    for one, other in pairs:
        for source, target in ((one, other), (other, one)):
            order = _order(sample, source, target, tries, rewrites=rewrites(source.name, target.name))
            if order is not None:
                found.append(order)
    after: dict[str, set[str]] = {}
    for _, relation in found:
        after.setdefault(relation.sources[0], set()).add(relation.target)
    depth = {own.target: sum(own.target in after[name] for name in after) for _, own in found}
    null = {name: np.asarray(sample.whole[name].is_null().to_numpy()) for name in {*after, *depth}}
    for _, relation in sorted(found, key=lambda pair: (-depth[pair[1].target], pair[0])):
        start, end = relation.sources[0], relation.target
        between = [name for name in after[start] if end in after.get(name, ())]
        if not any((null[name] <= (null[start] | null[end])).all() for name in between):
            yield relation


def _terms(sums: Mapping[str, Sum], name: str) -> dict[str, float]:
    """A column as a sum of columns that are no sums, with the coefficients of values. The constant has no name."""
    own = sums.get(name)
    if own is None:
        return {name: 1.0}
    found = {"": own.constant / 10.0**own.scale.places}
    for c, source, scale in zip(own.coefficients, own.sources, own.scales, strict=True):
        size = c * (own.scale.tick / scale.tick if scale.tick else 10.0 ** (scale.places - own.scale.places))
        for part, inner in _terms(sums, source).items():
            found[part] = found.get(part, 0.0) + size * inner
    return found


def _never_negative(terms: Mapping[str, float], least: Mapping[str, float]) -> bool:
    """Whether a sum is at least 0 because all its parts are."""
    return all(c > -TINY and (abs(c) < TINY or not name or least.get(name, -1.0) >= 0) for name, c in terms.items())


def _order(
    sample: Extract, source: Numbers, target: Numbers, tries: int, *, rewrites: bool
) -> tuple[float, Later | Least] | None:
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
    fine = rewrites and not scale.loose and scale == target.scale and not (target.mask & ~source.mask).any()
    later = fine and len(np.unique(difference)) <= SIMPLER * len(np.unique(second))
    if not later and (difference == 0).mean() > MOST_EQUAL:
        return None
    made = (Later if later else Least)(
        target=target.name, sources=(source.name,), support=len(first), scale=target.scale, origin=source.scale
    )
    return float(difference.mean()), made


def _inverted(first: Floats, second: Floats) -> float:
    """Probability that a first value is greater than a second one from another row."""
    return float(np.searchsorted(np.sort(second), first, side="left").mean() / len(second))
