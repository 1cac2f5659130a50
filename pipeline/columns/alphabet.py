"""Short alphabets for long lists of values.

A softmax over every distinct value costs memory and data in proportion to the cardinality. An `Alphabet`
bounds both. It takes the distinct values in a meaningful order (numbers by size, categories by frequency) with
their counts, and cuts the sequence into at most `width` *cells* of about equal mass, a heavy value standing
alone. A cell that still holds many values is cut the same way again, into at most `width` *leaves*. A value is then

    (cell, leaf within the cell, place within the leaf)

The cell is a variable of the VAE. For categories the leaf is another; for numbers, whose neighbours are alike, it is
drawn at its training rate. The place is drawn from the leaf when data are generated. Few distinct values need the
cell only, and it is exact; a million categories need two variables of at most `width` symbols.
Symbol 0 is reserved in both: the null in the first, "this cell has one leaf" in the second.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
RESOLUTION = 3
"""Runs of values with distances are this many times the cube root of the rows, as a histogram's (Scott 1979)."""
SPREAD = 0.15
"""Share of the cells that go by the length of the range instead of by mass."""
_FEW = 16
"""Values so few that each keeps a cell of its own."""


@dataclass(frozen=True)
class Alphabet:
    """A two-level partition of `n` ordered distinct values.

    Attributes:
        starts: First value of each leaf, [leaves], ascending; leaf i holds values starts[i] to starts[i + 1] - 1.
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
            width: Most cells.
            leaves: Most leaves in a cell; as many as cells where not given.
            leaf_rows: A leaf of several values holds at least this many rows: no single record stands out.
            cell_rows: A cell of several values holds at least this many rows: enough to learn when it comes up.
            alone_rows: A value of fewer rows shares its leaf with neighbours.
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
        """First and second symbol of each leaf index; −1 (null or unknown) gives (0, 0)."""
        if not len(self.cells):
            return np.zeros_like(leaf), np.zeros_like(leaf)
        safe = np.maximum(leaf, 0)
        cell = self.cells[safe]
        second = np.where(self.leaves[cell] > 1, safe - self.first_leaf[cell] + 1, 0)
        return np.where(leaf < 0, 0, cell + 1), np.where(leaf < 0, 0, second)

    def leaf(self, first: Ints, second: Ints) -> Ints:
        """The inverse of `symbols`; a second symbol that its cell does not have is clipped."""
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

    A value that alone holds at least half an equal share of the mass stands alone. The other values are cut into
    runs of equal measure; the measure is their mass, or mostly their mass and for a small part (`SPREAD`) the
    length of the range that they stand for, so that long tails are resolved too. A run of several values holds
    at least `least` rows where the sequence allows it.

    Args:
        counts: Occurrences of each value, [n], in order.
        width: Most runs.
        least: Fewest rows of a run of several values.
        alone_rows: Fewest rows of a value that stands alone.
        extents: Length that each value stands for, [n]; None where values have no distance.
        apart: Values that stand alone however few rows they have, [n].

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
    # a run also ends before and after every heavy value: leave room for those ends
    runs = max(1, width - 2 * int(heavy.sum()) - 1)
    run = np.floor((np.cumsum(measure) - measure / 2) * runs)
    alone = heavy.copy()
    alone[1:] |= heavy[:-1]
    begins = alone | (np.diff(run, prepend=-1) > 0)
    return _without_thin(np.flatnonzero(begins), counts, alone, least)


def _runs(counts: Ints, alone_rows: int, apart: Mask) -> Ints:
    """Every value of at least `alone_rows` rows, or set apart, a run of its own; the others in runs of so many rows."""
    alone = (counts >= alone_rows) | apart
    begins = alone.copy()
    begins[1:] |= alone[:-1]
    begins[:1] = True
    return _without_thin(np.arange(len(counts)), counts, begins, alone_rows) if len(counts) else np.arange(0)


def _without_thin_ends(counts: Ints, least: int) -> Ints:
    """Every value a run of its own, save for rare ones at either end, which share one of `least` rows.

    A network that has seen the greatest value once would seldom say it; of a run it learns the rate. Only where that
    concerns few values and a small part of the rows.
    """
    starts = np.arange(len(counts))
    least = min(least, int(counts.sum()) // 500)
    if len(starts) <= _FEW or least <= 1:
        return starts
    first = int(np.searchsorted(np.cumsum(counts), least))
    last = len(counts) - 1 - int(np.searchsorted(np.cumsum(counts[::-1]), least))
    return starts if first >= last else np.concatenate([[0], np.arange(first + 1, last + 1)])


def _without_thin(starts: Ints, counts: Ints, alone: Mask, least: int) -> Ints:
    """Runs of fewer than `least` rows joined to a neighbour, except where a heavy value begins or ends."""
    kept: list[int] = []
    held = least
    for start, rows in zip(starts.tolist(), np.add.reduceat(counts, starts).tolist(), strict=True):
        if held >= least or alone[start]:
            if held < least and len(kept) > 1 and not alone[kept[-1]]:
                kept.pop()  # what was left before a heavy value is too thin for a run of its own
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
