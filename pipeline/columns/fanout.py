"""Fan-out: how many rows share an identifier, such as the lines of an order.

Usually a run of rows has one identifier, and the length of the run is drawn from the numbers of rows that real
identifiers have. Rows are dealt window by window, and a block is a whole number of windows, so any range of rows is the
same.

Some identifiers name a row together with other columns, as an order and a line do. Then rows of a window with the same
values in these columns are dealt to different identifiers, and identifiers that still lack most rows come first. This
is the construction of Gale and Ryser (1957) for a matrix of zeros and ones with given sums of rows and columns. So the
pairs are unique in any number of rows, and the values of the other columns stay what the network made of them.

Lines are *numbered*: an identifier has the first lines, up to its number of rows. The k-th row of a block with any line
is then dealt to the k-th identifier. So as many orders have two lines as there are second lines.
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from pipeline.arrow.arrays import Array
from pipeline.arrow.domain import valid
from pipeline.arrow.labels import coded
from pipeline.columns.moulds.leaf import lengths_of
from pipeline.personal.mixing import Ints
from pipeline.randomness import BLOCK, stream
from pipeline.records import Record

NUMBERED = 0.75
"""Least number of rows of numbered identifiers, as a share of the lines up to the last one of each."""
_LARGEST = 2**31
_RUNS, _NARROWEST = 64, 256


class FanOut(Record):
    """The numbers of rows of identifiers.

    Attributes:
        sizes: Possible numbers of rows.
        weights: The weight of each number.
        numbered: Whether the columns beside it number the rows of an identifier.
    """

    sizes: tuple[int, ...] = Field(min_length=1)
    weights: tuple[int, ...]
    numbered: bool

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        possible = all(0 < size < _LARGEST for size in self.sizes) and all(0 < w < _LARGEST for w in self.weights)
        if len(self.sizes) != len(self.weights) or not possible:
            raise ValueError("impossible numbers of rows")
        return self

    @classmethod
    def fit(cls, values: pa.Array, partners: Sequence[Array], least_rows: int) -> Self | None:
        """Count the rows of each value. A number that fewer than `least_rows` values have is not kept.

        None if no two rows share a value, or too few do.

        Args:
            values: Real identifiers.
            partners: The columns that name a row together with them; none if there are no such columns.
            least_rows: How many values must have a number of rows.
        """
        rows = np.flatnonzero(valid(values))
        codes = joined([values])[rows]
        counts = np.bincount(codes)
        sizes = lengths_of(counts[counts > 0], least_rows)
        if not len(rows) or [size for size, _ in sizes] == [1]:
            return None
        beside = numbered(codes, joined(partners)[rows]) if partners else False
        return cls(sizes=tuple(s for s, _ in sizes), weights=tuple(w for _, w in sizes), numbered=beside)

    def runs(self, index: Ints) -> Ints:
        """The number of the identifier of each row, a function of the row's number alone, [rows]."""
        window, place = np.divmod(index, self._window)
        numbers = np.empty_like(index)
        for each in np.unique(window).tolist():
            rows = np.flatnonzero(window == each)
            ends = np.cumsum(self._lengths(each))
            numbers[rows] = each * self._window + np.searchsorted(ends, place[rows], side="right")
        return numbers

    def dealt(self, index: Ints, beside: Ints, random: np.random.Generator) -> Ints:
        """The number of the identifier of each row of a block. No two rows share it and the values beside it.

        Args:
            index: The numbers of the rows, the first rows of a block, [rows].
            beside: Codes of the values in the columns beside the identifier, [rows].
            random: Decides between identifiers that lack as many rows.
        """
        if self.numbered:
            return np.asarray(index[:1] + _ranks(beside))
        runs = self.runs(index)
        for start in range(0, len(index), self._window):
            rows = slice(start, start + self._window)
            first = int(index[start])
            runs[rows] = first + _parted(np.bincount(runs[rows] - first), beside[rows], random)
        return runs

    @cached_property
    def _window(self) -> int:
        """Rows of a window, so many that few runs are cut at its end. It divides a block."""
        mean = np.average(self.sizes, weights=self.weights)
        return int(min(max(2 ** math.ceil(math.log2(_RUNS * mean)), _NARROWEST), BLOCK))

    def _lengths(self, window: int) -> Ints:
        """The lengths of the runs of a window. There are enough for all its rows."""
        shares = np.array(self.weights) / sum(self.weights)
        return stream(0, "fan-out", window).choice(np.array(self.sizes, dtype=np.int64), self._window, p=shares)


def _ranks(codes: Ints) -> Ints:
    """The number of earlier rows with the same code, [rows]."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _parted(sizes: Ints, codes: Ints, random: np.random.Generator) -> Ints:
    """Deal rows to groups of about these sizes, so that rows with one code are in different groups, [rows]."""
    counts = np.bincount(codes)
    lacking = np.zeros(max(len(sizes), int(counts.max())))
    lacking[: len(sizes)] = sizes
    places, ends, groups = np.argsort(codes, kind="stable"), np.cumsum(counts), np.empty_like(codes)
    for code in np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].tolist():
        rows = places[ends[code] - counts[code] : ends[code]]
        most = np.argpartition(random.random(len(lacking)) - lacking, len(rows) - 1)[: len(rows)]
        groups[rows] = random.permutation(most)
        lacking[most] -= 1
    return groups


def joined(columns: Sequence[Array]) -> Ints:
    """Codes of the values of several columns together, from 0, [rows]. Null counts as a value."""
    return together([coded([column])[0] for column in columns])


def together(columns: Sequence[Ints]) -> Ints:
    """Codes of several columns of codes together, from 0, [rows]."""
    whole = columns[0]
    for codes in columns[1:]:
        _, whole = np.unique(whole * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    return whole


def numbered(codes: Ints, beside: Ints) -> bool:
    """Whether nearly every identifier has the commonest values beside it, up to one of them.

    Args:
        codes: Codes of identifiers, [rows].
        beside: Codes of the values beside them, [rows].
    """
    rank = np.empty(int(beside.max()) + 1, dtype=np.int64)
    rank[np.argsort(-np.bincount(beside), kind="stable")] = np.arange(1, len(rank) + 1)
    last = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    np.maximum.at(last, codes, rank[beside])
    return bool(len(codes) >= NUMBERED * last.sum())
