"""Short alphabets for long lists of values.

A softmax over every distinct value needs memory and data in proportion to the cardinality. An `Alphabet` bounds both.
It takes the distinct values in a meaningful order (numbers by size, categories by frequency) with their counts. It cuts
the sequence into at most `width` *cells* of about equal mass; a heavy value stands alone. A cell that still holds many
values is cut again in the same way, into at most `width` *leaves*. A value is then

    (cell, leaf within the cell, place within the leaf)

The cell is a variable of the VAE. For categories, the leaf is a second variable. For numbers, whose neighbours are
alike, the leaf is drawn at its training rate. The place within the leaf is drawn when rows are generated. Few distinct
values need the cell only, and it is exact. A million categories need two variables of at most `width` symbols. Symbol 0
is reserved in both variables: it is null in the first, and "this cell has one leaf" in the second.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
RESOLUTION = 3
"""Factor of the cube root of the rows. It bounds the number of runs of values with distances, as in a histogram (Scott
1979)."""
SPREAD = 0.15
"""Share of the cells that follow the length of the range and not the mass."""
_FEW = 16
"""With at most this many values, each keeps a cell of its own."""


@dataclass(frozen=True)
class Alphabet:
    """A two-level partition of `n` ordered distinct values.

    Attributes:
        starts: First value of each leaf, [leaves], ascending. Leaf i holds values starts[i] to starts[i + 1] - 1.
        cells: Cell of each leaf, [leaves], ascending from 0.
    """

    starts: Ints
    cells: Ints

    @classmethod
    def fit(
        cls,
        counts: Ints,
        *,
        width: int,
        leaf_rows: int,
        leaves: int | None = None,
        cell_rows: int = 1,
        alone_rows: int = 1,
        extents: Floats | None = None,
        apart: Mask | None = None,
    ) -> "Alphabet":
        """Partition the values that occur `counts` times, in their order.

        Args:
            counts: Occurrences of each distinct value, [n], in the order of the values.
            width: Largest number of cells.
            leaves: Largest number of leaves in a cell. `width` by default.
            leaf_rows: Least rows of a leaf of several values, so that no single record stands out.
            cell_rows: Least rows of a cell of several values, so that the network can learn its rate.
            alone_rows: Least rows of a value with its own leaf. Rarer values share a leaf with neighbours.
            extents: See `partition`.
            apart: See `partition`.
        """
        apart = np.zeros(len(counts), dtype=bool) if apart is None else apart
        if len(counts) <= width:
            runs = _runs(counts, alone_rows, apart)
            outer = _without_thin_ends(np.add.reduceat(counts, runs) if len(runs) else counts, cell_rows)
            return cls(runs, np.searchsorted(outer, np.arange(len(runs)), side="right") - 1)
        outer = partition(counts, width, cell_rows, alone_rows=alone_rows, extents=extents, apart=apart)
        starts, cells = [], []
        for cell, (first, last) in enumerate(pairwise(np.append(outer, len(counts)))):
            own, alone = counts[first:last], apart[first:last]
            inner = first + partition(own, leaves or width, leaf_rows, alone_rows=alone_rows, apart=alone)
            starts.append(inner)
            cells.append(np.full(len(inner), cell, dtype=np.int64))
        return cls(np.concatenate(starts), np.concatenate(cells))

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(self.cells[-1]) + 1 if len(self.cells) else 0

    @property
    def first_leaf(self) -> Ints:
        """First leaf of each cell, [cells]."""
        return np.searchsorted(self.cells, np.arange(self.size))

    @property
    def leaves(self) -> Ints:
        """Number of leaves of each cell, [cells]."""
        return np.bincount(self.cells, minlength=self.size)

    def symbols(self, leaf: Ints) -> tuple[Ints, Ints]:
        """First and second symbol of each leaf index. −1 (null or unknown) gives (0, 0)."""
        if not len(self.cells):
            return np.zeros_like(leaf), np.zeros_like(leaf)
        safe = np.maximum(leaf, 0)
        cell = self.cells[safe]
        second = np.where(self.leaves[cell] > 1, safe - self.first_leaf[cell] + 1, 0)
        return np.where(leaf < 0, 0, cell + 1), np.where(leaf < 0, 0, second)

    def leaf(self, first: Ints, second: Ints) -> Ints:
        """The inverse of `symbols`. A second symbol that its cell does not have is clipped."""
        if not len(self.cells):
            return np.full_like(first, -1)
        cell = np.maximum(first - 1, 0)
        within = np.clip(second - 1, 0, self.leaves[cell] - 1)
        return np.where(first == 0, -1, self.first_leaf[cell] + within)


def partition(
    counts: Ints,
    width: int,
    least: int,
    *,
    alone_rows: int = 1,
    extents: Floats | None = None,
    apart: Mask | None = None,
) -> Ints:
    """Cut an ordered sequence into at most `width` runs.

    A value that alone holds at least half an equal share of the mass stands alone. The other values are cut into runs
    of equal weight. The weight of a value is its mass. If `extents` is given, a small part of the weight (`SPREAD`) is
    the length of the range that the value stands for, so that long tails are resolved too. A run of several values
    holds at least `least` rows if the sequence allows it.

    Args:
        counts: Occurrences of each value, [n], in order.
        width: Largest number of runs.
        least: Least rows of a run of several values.
        alone_rows: Least rows of a value that stands alone.
        extents: Length of the range that each value stands for, [n]. None if values have no distances.
        apart: Values that stand alone even with few rows, [n].

    Returns:
        The first index of each run, ascending, starting with 0.
    """
    if len(counts) <= width and counts.min(initial=least) >= least:
        return np.arange(len(counts))
    heavy = _heavy(counts, width, alone_rows)
    if apart is not None:
        heavy |= apart
    mass = np.where(heavy, 0, counts)
    measure = mass / max(mass.sum(), 1)
    if extents is not None:
        length = np.where(heavy, 0.0, extents)
        measure = (1 - SPREAD) * measure + SPREAD * length / max(length.sum(), np.finfo(float).tiny)
        width = min(width, 2 * int(heavy.sum()) + 1 + round(RESOLUTION * mass.sum() ** (1 / 3)))
    # a run also ends before and after every heavy value, so these ends need room
    runs = max(1, width - 2 * int(heavy.sum()) - 1)
    run = np.floor((np.cumsum(measure) - measure / 2) * runs)
    alone = heavy.copy()
    alone[1:] |= heavy[:-1]
    begins = alone | (np.diff(run, prepend=-1) > 0)
    return _without_thin(np.flatnonzero(begins), counts, alone, least)


def _runs(counts: Ints, alone_rows: int, apart: Mask) -> Ints:
    """Runs of one value each if the value has `alone_rows` rows or is set apart; rarer values share runs."""
    alone = (counts >= alone_rows) | apart
    begins = alone.copy()
    begins[1:] |= alone[:-1]
    begins[:1] = True
    return _without_thin(np.arange(len(counts)), counts, begins, alone_rows) if len(counts) else np.arange(0)


def _without_thin_ends(counts: Ints, least: int) -> Ints:
    """Give every value a run of its own, but let rare values at either end share one of `least` rows.

    A network that has seen the greatest value once would seldom generate it, but it learns the rate of a run. Values
    share a run only if they are few and have a small part of the rows.
    """
    starts = np.arange(len(counts))
    least = min(least, int(counts.sum()) // 500)
    if len(starts) <= _FEW or least <= 1:
        return starts
    first = int(np.searchsorted(np.cumsum(counts), least))
    last = len(counts) - 1 - int(np.searchsorted(np.cumsum(counts[::-1]), least))
    return starts if first >= last else np.concatenate([[0], np.arange(first + 1, last + 1)])


def _without_thin(starts: Ints, counts: Ints, alone: Mask, least: int) -> Ints:
    """Join runs of fewer than `least` rows to a neighbour, except at the borders of a heavy value."""
    kept: list[int] = []
    held = least
    for start, rows in zip(starts.tolist(), np.add.reduceat(counts, starts).tolist(), strict=True):
        if held >= least or alone[start]:
            if held < least and len(kept) > 1 and not alone[kept[-1]]:
                kept.pop()  # the rest before a heavy value is too thin for a run of its own
            kept.append(start)
            held = 0
        held += rows
    if held < least and len(kept) > 1 and not alone[kept[-1]]:
        kept.pop()
    return np.asarray(kept, dtype=np.int64)


def _heavy(counts: Ints, width: int, alone_rows: int) -> Mask:
    """Which values stand alone: those above half an equal share of the mass, at most a third of the runs."""
    heavy = np.zeros(len(counts), dtype=bool)
    order = np.argsort(-counts, kind="stable")[: width // 3]
    heavy[order[counts[order] > max(counts.sum() / width / 2, 1, alone_rows - 1)]] = True
    return heavy
