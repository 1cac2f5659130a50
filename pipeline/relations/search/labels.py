"""Finders of equal columns, of labels that follow from labels, and of groups of flags."""

from collections.abc import Iterator
from itertools import combinations
from math import log

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.labels import coded
from pipeline.relations.base import Following, Relation
from pipeline.relations.groups import Exclusive
from pipeline.relations.lookups import Lookup
from pipeline.relations.search.sample import CHANCE, Extract, grouped, log_agreement, shares
from pipeline.relations.sums import Same
from pipeline.relations.units import Floats, Ints
from pipeline.schema import value_type

MOST_LABELS = 5_000
"""Most entries of a lookup."""
EXACT = 100
"""Most different numbers or times that count as labels: the model repeats them exactly."""
MOST_PAIRED = 60
"""Most columns whose pairs are looked at as sources."""
COMMON = 0.9
"""Least share of rows whose combination enough rows share."""
PAIR = 2
"""Two flags are no group: of a pair, nothing is gained."""


def duplicates(sample: Extract) -> Iterator[Following]:
    """Propose target = source, for columns of any type."""
    if not sample.codes:
        return
    seen: dict[bytes, str] = {}
    shared = dict(zip(sample.codes, coded([sample.table[name] for name in sample.codes]), strict=True))
    for name, codes in shared.items():
        own = sample.codes[name]
        if sample.sizes[name] < 2 or not sample.certain(log_agreement(own, len(own)), len(shared) ** 2):  # noqa: PLR2004
            continue
        first = seen.setdefault(codes.tobytes(), name)
        kinds = [pa.types.is_dictionary(sample.table[column].type) for column in (name, first)]
        if first != name and kinds[0] == kinds[1]:
            yield Same(target=name, sources=(first,), support=len(codes))


def lookups(sample: Extract) -> Iterator[Following]:
    """Propose labels that follow from the labels of one column, the coarsest source first."""
    sources = _sources(sample)
    targets = [name for name, size in sample.sizes.items() if size > 1]
    if not sources or not targets:
        return
    values = np.stack([sample.codes[name] for name in targets])
    certain: dict[str, list[str]] = {}
    for source in sources:
        for target in following(sample.codes[source], values, targets):
            if (
                target != source
                and _varies(sample, source, target)
                and _significant(sample, sample.codes[source], target, len(sources) * len(targets))
            ):
                certain.setdefault(target, []).append(source)
    for target in sorted(certain, key=lambda name: (sample.sizes[name], not sample.labels(name))):
        for source in certain[target]:
            if sample.sizes[source] > sample.sizes[target] or _preferred(sample, source, target):
                yield from _proposed(sample, target, (source,))


def pair_lookups(sample: Extract) -> Iterator[Following]:
    """Propose labels that follow from two columns together and from neither of them alone."""
    sources = _sources(sample)[:MOST_PAIRED]
    targets = [name for name, size in sample.sizes.items() if size > 1]
    if len(sources) < 2 or len(targets) < 3:  # noqa: PLR2004
        return
    values = np.stack([sample.codes[name] for name in targets])
    tries = len(sources) ** 2 * len(targets)
    for one, other in combinations(sources, 2):
        joint = sample.codes[one] * sample.sizes[other] + sample.codes[other]
        if len(np.unique(joint)) > min(MOST_LABELS, sample.rows // 2):
            continue
        for target in following(joint, values, targets):
            alone = (log_chance(joint, sample.codes[target], sample.codes[name]) for name in (one, other))
            if target not in {one, other} and sample.certain(max(alone), tries):
                yield from _proposed(sample, target, (one, other))


def exclusives(sample: Extract) -> Iterator[Relation]:
    """Propose groups of flags of which at most one is set, the largest first."""
    flags = [name for name in sample.table.column_names if _is_flag(sample, name)]
    if len(flags) <= PAIR:
        return
    values = np.stack([_flag(sample.table[name]) for name in flags])
    rates = values.mean(axis=1)
    together = (values.astype(np.float64) @ values.T) > 0
    apart = ~together & (len(values[0]) * np.log1p(-np.outer(rates, rates)) < log(CHANCE) - 2 * log(len(flags)))
    left = [i for i in range(len(flags)) if 0 < rates[i] < 1]
    while left:
        group = [left[0]]
        for i in left[1:]:
            if all(apart[i, j] for j in group):
                group.append(i)
        left = [i for i in left if i not in group]
        if len(group) > PAIR:
            names = [flags[i] for i in group]
            always = bool((values[group].sum(axis=0) == 1).all())
            if always:
                yield Exclusive(target=names[0], sources=tuple(names[1:]), support=sample.rows, always=True)
            yield Exclusive(target=names[0], sources=tuple(names[1:]), support=sample.rows, always=False)


def _proposed(sample: Extract, target: str, sources: tuple[str, ...]) -> Iterator[Lookup]:
    """The lookup of a target, if few rows have a combination of too few rows."""
    found = Lookup.of(sample.whole, target, sources, sample.schema[target].least_rows)
    if found.support + len(found.entries) >= COMMON * sample.whole.num_rows:
        yield found


def _sources(sample: Extract) -> list[str]:
    """Columns whose values the model repeats exactly, those with the fewest values first."""
    names = [
        name
        for name, size in sample.sizes.items()
        if 1 < size <= (min(MOST_LABELS, sample.rows // 2) if sample.labels(name) else EXACT)
    ]
    return sorted(names, key=lambda name: sample.sizes[name])


def following(source: Ints, values: NDArray[np.int64], targets: list[str]) -> list[str]:
    """The targets that are constant within each group of the source."""
    order, begins = grouped(source)
    inside = np.ones(len(source), dtype=bool)
    inside[begins] = False
    sorted_values = values[:, order]
    broken = ((sorted_values[:, 1:] != sorted_values[:, :-1]) & inside[1:]).any(axis=1)
    return [name for name, lost in zip(targets, broken, strict=True) if not lost]


def _varies(sample: Extract, source: str, target: str) -> bool:
    """Whether a target says more than where the source has no value."""
    held = np.asarray(sample.table[source].is_valid())
    return bool(held.any()) and bool(np.ptp(sample.codes[target][held]) > 0)


def _significant(sample: Extract, source: Ints, target: str, tries: int) -> bool:
    """Whether chance does not explain that a target is constant within groups."""
    return sample.certain(log_chance(source, sample.codes[target], np.zeros(len(source), np.int64)), tries)


def log_chance(source: Ints, target: Ints, given: Ints) -> float:
    """Log-probability that values dealt out within each group of `given` are constant within groups of the source."""
    total = 0.0
    for group in np.unique(given):
        rows = given == group
        rate: Floats = shares(target[rows])
        for size, times in zip(*np.unique(np.bincount(source[rows]), return_counts=True), strict=True):
            if size > 1:
                total += times * log(max(float((rate**size).sum()), 1e-300))
    return total


def _preferred(sample: Extract, source: str, target: str) -> bool:
    """Which of two columns that follow from each other is kept: a label, then the earlier one."""
    names = sample.table.column_names
    mine, theirs = ((not sample.labels(name), names.index(name)) for name in (source, target))
    return sample.sizes[source] == sample.sizes[target] and mine < theirs


def _is_flag(sample: Extract, name: str) -> bool:
    """Whether a column holds booleans, or zeros and ones."""
    array = sample.whole[name]
    inner = value_type(array.type)
    if array.null_count or not (pa.types.is_boolean(inner) or pa.types.is_integer(inner)):
        return False
    return pa.types.is_boolean(inner) or set(array.unique().to_pylist()) <= {0, 1}


def _flag(array: pa.ChunkedArray) -> Ints:
    """A flag as 0 or 1."""
    return np.asarray(array.cast(pa.int64()).to_numpy(), dtype=np.int64)
