"""A finder of labels that never occur together although each is frequent."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import log

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.relations.base import Relation
from pipeline.relations.pairs import Cell, Never
from pipeline.relations.search.sample import CHANCE, Extract
from pipeline.relations.units import Ints

MOST_LABELS = 200
"""Columns with more labels are not looked at."""
FEW_LABELS, MOST_TRIPLED = 30, 12
"""Labels of columns of which triples are looked at, and the number of such columns, those with the fewest labels."""
MOST_CELLS = 20_000
LEAST = log(1 / CHANCE)
"""Expected number of rows below which chance may always have left a combination out."""

Groups = Sequence[tuple[int, ...]]
Coded = tuple[Ints, tuple[str | None, ...]]


def zeros(sample: Extract) -> Iterator[Relation]:
    """Propose one relation: all pairs and triples that chance would have produced, and that no row of the table has.

    If two labels are independent, the number of rows with both is about Poisson with mean n · p · q. If two of three
    are independent given the third, the mean is n_ab · n_bc / n_b; the least of the three such means counts. No such
    row has the probability exp(−mean). Of the pairs and triples that are proposed, the expected share that chance left
    out is at most `CHANCE`, half of it for each (Benjamini and Hochberg 1995).
    """
    names = [name for name, size in sample.sizes.items() if sample.labels(name) and 1 < size <= MOST_LABELS]
    coded = {name: _coded(sample.whole[name]) for name in names}
    coded = {name: own for name, own in coded.items() if 1 < len(own[1]) <= MOST_LABELS}
    names, known = list(coded), [own[1] for own in coded.values()]
    codes = [own[0] for own in coded.values()]
    few = sorted((i for i in range(len(names)) if len(known[i]) <= FEW_LABELS), key=lambda i: len(known[i]))
    tripled = sorted(few[:MOST_TRIPLED])
    groups: list[Groups] = [list(combinations(some, size)) for some, size in ((range(len(names)), 2), (tripled, 3))]
    sizes = [len(own) for own in known]
    never = [cell for own in groups for cell in _missing(own, codes, sizes)]
    if 0 < len(never) <= MOST_CELLS:
        rows = sample.whole.num_rows
        yield Never(target=names[0], sources=tuple(names[1:]), support=rows, known=tuple(known), never=tuple(never))


def _missing(groups: Groups, codes: list[Ints], sizes: list[int]) -> list[Cell]:
    """Combinations of labels of these columns that no row has, of more than chance."""
    tries = sum(int(np.prod([sizes[i] for i in group])) for group in groups)
    found: list[tuple[float, Cell]] = []
    for group in groups:
        counts = _counts([codes[i] for i in group], [sizes[i] for i in group])
        expected = _independent(counts) if len(group) == 2 else _conditional(counts)  # noqa: PLR2004
        barred = np.argwhere((counts == 0) & (expected > LEAST))
        cells = (tuple(zip(group, cell, strict=True)) for cell in barred.tolist())
        found += zip(expected[tuple(barred.T)].tolist(), cells, strict=True)
    found.sort(key=lambda pair: -pair[0])
    told = [i for i, (mean, _) in enumerate(found, 1) if mean > log(tries / (CHANCE / 2 * i))]
    return [cell for _, cell in found[: max(told, default=0)]]


def _counts(codes: list[Ints], sizes: list[int]) -> NDArray[np.float64]:
    """The number of rows of each combination of codes."""
    whole = np.ravel_multi_index(codes, sizes)
    return np.bincount(whole, minlength=int(np.prod(sizes))).reshape(sizes).astype(np.float64)


def _independent(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected numbers of rows of two independent labels."""
    return np.asarray(np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1.0))


def _conditional(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected numbers of rows if two labels are independent given the third, the least of the three."""
    found = []
    for given in range(3):
        own = np.moveaxis(counts, given, 0)
        one, other, whole = own.sum(axis=2), own.sum(axis=1), own.sum(axis=(1, 2))
        expected = one[:, :, None] * other[:, None, :] / np.maximum(whole, 1.0)[:, None, None]
        found.append(np.moveaxis(expected, 0, given))
    return np.asarray(np.min(found, axis=0))


def _coded(array: pa.ChunkedArray) -> Coded:
    """A code for the label of each row, and the labels. Null is a label."""
    found, _ = labels.counted(array)
    place = labels.places(array, found)
    known: tuple[str | None, ...] = tuple(found.to_pylist())
    if not (place < 0).any():
        return place, known
    return np.where(place < 0, len(known), place), (*known, None)
