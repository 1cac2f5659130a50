"""Short alphabets for long lists of values.

A softmax over every distinct value costs memory and data in proportion to the cardinality. An `Alphabet`
bounds both. It takes the distinct values in a meaningful order (numbers by size, categories by frequency) with
their counts, and cuts the sequence into at most `width` *cells* of about equal mass, a heavy value standing
alone. A cell that still holds many values is cut the same way again, into at most `width` *leaves*. A value is then

    (cell, leaf within the cell, place within the leaf)

The first two are variables of the VAE; the place is drawn from the leaf when data are generated. Few distinct
values need the cell only, and it is exact; a million categories need two variables of at most `width` symbols.
Symbol 0 is reserved in both: the null in the first, "this cell has one leaf" in the second.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


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
    def fit(cls, counts: Ints, *, width: int, leaf_rows: int) -> "Alphabet":
        """Partition the values that occur `counts` times, in their order.

        Args:
            counts: Occurrences of each distinct value, [n], in the order of the values.
            width: Most cells, and most leaves in a cell.
            leaf_rows: A leaf of several values holds at least this many rows: no single record stands out.
        """
        outer = partition(counts, width, 1)
        bounds = np.append(outer, len(counts))
        starts, cells = [], []
        for cell, (first, last) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            inner = first + partition(counts[first:last], width, leaf_rows)
            starts.append(inner)
            cells.append(np.full(len(inner), cell, dtype=np.int64))
        return cls(
            np.concatenate(starts) if starts else np.zeros(0, np.int64),
            np.concatenate(cells) if cells else np.zeros(0, np.int64),
        )

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


def partition(counts: Ints, width: int, least: int) -> Ints:
    """Cut an ordered sequence into at most `width` runs of about equal mass.

    A value that alone holds at least an equal share of what is left stands alone, and the remaining mass is
    shared among the remaining runs, so that heavy values cost one run each. A run of several values holds
    at least `least` rows where the sequence allows it.

    Returns:
        The first index of each run, ascending, starting with 0.
    """
    n = len(counts)
    if n <= width and (least <= 1 or counts.min(initial=least) >= least):
        return np.arange(n)
    heavy = _heavy(counts, width)
    light = np.where(heavy, 0, counts)
    # a run also ends before and after every heavy value: leave room for those ends
    runs = max(1, width - 2 * int(heavy.sum()) - 1)
    share = max(light.sum() / runs, least, 1)
    run = np.floor((np.cumsum(light) - light / 2) / share)
    begins = np.ones(n, dtype=bool)
    begins[1:] = (run[1:] != run[:-1]) | heavy[1:] | heavy[:-1]
    return np.flatnonzero(begins)


def _heavy(counts: Ints, width: int) -> NDArray[np.bool_]:
    """Which values stand alone: those above half an equal share of the mass, at most a third of the runs."""
    heavy = np.zeros(len(counts), dtype=bool)
    order = np.argsort(-counts, kind="stable")[: width // 3]
    heavy[order[counts[order] > max(counts.sum() / width / 2, 1)]] = True
    return heavy
