"""A finder of pairs of labels that never occur although both are frequent."""

from collections.abc import Iterator
from itertools import combinations
from math import log

import numpy as np
import pyarrow as pa

from pipeline.arrow import labels
from pipeline.relations.base import Relation
from pipeline.relations.pairs import Never, Pair
from pipeline.relations.search.sample import CHANCE, Extract
from pipeline.relations.units import Ints

MOST_LABELS = 200
"""Columns with more labels are not looked at."""
MOST_PAIRS = 20_000


def zeros(sample: Extract) -> Iterator[Relation]:
    """Propose one relation: all pairs of labels that chance would have produced, and that no row of the table has.

    If two labels are independent, the number of rows with both is about Poisson with mean n · p · q. None has the
    probability exp(−n · p · q), which must be below `CHANCE` divided by the number of pairs.
    """
    names = [name for name, size in sample.sizes.items() if sample.labels(name) and 1 < size <= MOST_LABELS]
    coded = {name: _coded(sample.whole[name]) for name in names}
    coded = {name: own for name, own in coded.items() if 1 < len(own[1]) <= MOST_LABELS}
    names = list(coded)
    tries = sum(len(coded[one][1]) * len(coded[other][1]) for one, other in combinations(names, 2))
    rows = sample.whole.num_rows
    never: list[Pair] = []
    for one, other in combinations(range(len(names)), 2):
        (first, known), (second, others) = coded[names[one]], coded[names[other]]
        joint = np.bincount(first * len(others) + second, minlength=len(known) * len(others))
        counts = joint.reshape(len(known), len(others))
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(rows, 1)
        barred = (counts == 0) & (expected > log(max(tries, 1) / CHANCE))
        never += [(one, int(i), other, int(j)) for i, j in zip(*np.nonzero(barred), strict=True)]
    if 0 < len(never) <= MOST_PAIRS:
        every = tuple(coded[name][1] for name in names)
        yield Never(target=names[0], sources=tuple(names[1:]), support=rows, known=every, never=tuple(never))


def _coded(array: pa.ChunkedArray) -> tuple[Ints, tuple[str | None, ...]]:
    """A code for the label of each row, and the labels. Null is a label."""
    found, _ = labels.counted(array)
    place = labels.places(array, found)
    known: tuple[str | None, ...] = tuple(found.to_pylist())
    if not (place < 0).any():
        return place, known
    return np.where(place < 0, len(known), place), (*known, None)
