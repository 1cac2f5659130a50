"""The token form: the distinct values are cut into an alphabet (`pipeline.columns.alphabet`).

It is exact if few values are distinct, and for values that repeat. Otherwise a cell holds neighbours. A leaf of the
cell is drawn at its training rate, and the place in the leaf from a density that keeps the mean
(`pipeline.columns.forms.places`). The likelihood is discretised: a softmax over cells.

The ends of the range are drawn too, each once in as many rows as the training table has. The density of a leaf that
holds an end has the mean of its other rows.
"""

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain
from pipeline.checks import exactly, expect, rising, vector
from pipeline.columns.alphabet import Alphabet
from pipeline.columns.base import Encoded, Origin
from pipeline.columns.checked import cells as check_cells
from pipeline.columns.forms.alone import isolated, without_lone
from pipeline.columns.forms.base import Arrays, Floats, Form, Ints
from pipeline.columns.forms.growth import grow_tokens
from pipeline.columns.forms.places import mean_places, places, rates
from pipeline.columns.forms.symbols import alphabet_variables
from pipeline.columns.variables import Discrete, Variable
from pipeline.randomness import Apart, spread

WIDTH = 128
"""Largest number of cells."""
LEAVES = 16
"""Largest number of leaves in a cell."""
LEAF_ROWS = 10
"""A leaf of several values holds at least about this many training rows."""
CELL_ROWS = 20
"""A cell of several values holds at least about this many training rows, so that the network can learn its rate."""
Mask = NDArray[np.bool_]
_TINY = float(np.finfo(np.float64).tiny)


class Tokens(Form):
    """Cells of neighbouring values.

    `low`, `high`, `cells`, `rows` and `means` are arrays of the leaves. A mean is a share of the leaf's width.
    """

    name: ClassVar[str] = "tokens"
    placed: ClassVar[tuple[str, ...]] = ("ends", "low", "high")

    def __init__(self, domain: Domain, *, nulls: bool, arrays: Arrays) -> None:
        super().__init__(domain, nulls=nulls, arrays=arrays)
        self.alphabet = Alphabet(np.arange(len(arrays["cells"])), arrays["cells"].astype(np.int64))
        self._base = arrays["low"][self.alphabet.first_leaf] if len(arrays["low"]) else arrays["low"]
        # a float less another, plus the other, may be a third: on a line the rest is the position itself
        self._origin = self._base if self._grid else np.zeros_like(self._base)

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        rows = self.arrays["rows"]
        return 1.0 if self.nulls or not len(rows) else float(rows.max() / rows.sum())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One `Discrete`. Empty if nothing varies."""
        if not alphabet_variables(self.alphabet, nulls=self.nulls):
            return ()
        return (Discrete(self.alphabet.size + 1, missing=self.nulls, ordered=True),)

    def encode(self, positions: NDArray[Any], mask: NDArray[np.bool_]) -> Encoded:
        """The cell, and the place inside it."""
        low = self.arrays["low"]
        cell = np.full(len(mask), -1, dtype=np.int64)
        rest = np.zeros(len(mask), dtype=low.dtype)
        if len(low):
            # clipping keeps values beyond the training range in the outer bins; the rest may then wrap around, and
            # decode undoes this exactly (uint64 arithmetic is modular)
            cell[mask] = np.clip(np.searchsorted(self._base, positions, side="right") - 1, 0, len(self._base) - 1)
            rest[mask] = positions - self._origin[cell[mask]]
        return Encoded((cell + 1,)[: len(self.variables)], rest)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: Ints) -> NDArray[Any]:
        """A place inside the cell."""
        if not len(self.arrays["low"]) or not len(index):
            return np.zeros(len(index), dtype=self.arrays["low"].dtype)
        cell = self._cell(values, len(index))
        present, cell = cell >= 0, np.maximum(cell, 0)
        leaf = self._leaf(cell, present, random)
        lowest, highest = self._at_ends(cell, leaf, present, random, index)
        place = spread(random, np.where(present & (self._width[leaf] > 0), leaf, -1))
        positions = self._positions(leaf, place, lowest[leaf], highest[leaf])
        return np.asarray(positions - self._origin[cell])

    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Position of every row, and which rows hold a value."""
        rows = len(encoded.rest)
        if not len(self.arrays["low"]):
            return np.zeros(rows), np.zeros(rows, dtype=bool)
        cell = self._cell(encoded.values, rows)
        return self._origin[cell] + encoded.rest, cell >= 0

    @classmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """See `Form.check`."""
        exactly(arrays, ("ends", "low", "high", "cells", "rows", "means"))
        low = vector(arrays, "low", positions)
        high = vector(arrays, "high", positions, length=len(low))
        rising("low", low, strictly=True)
        expect(bool((low <= high).all() and (high[:-1] < low[1:]).all()), "leaves that do not overlap")
        vector(arrays, "rows", np.int64, length=len(low), least=1, below=2**53)
        means = vector(arrays, "means", np.float64, length=len(low))
        expect(bool(((means >= 0) & (means <= 1)).all()), "means inside the leaves")
        check_cells(arrays, len(low))
        return ("ends", "low", "high")

    @classmethod
    def _fitted(cls, positions: NDArray[Any], distinct: NDArray[Any], counts: Ints, least_rows: int) -> Arrays:
        del positions
        distinct, counts = without_lone(distinct, counts, least_rows)
        ends = distinct[[0, -1]] if len(distinct) else distinct
        return {"ends": ends} | _leaves(distinct, counts, least_rows=least_rows)

    def _grown(
        self, known: Arrays, domain: Domain, distinct: NDArray[Any], counts: Ints, least_rows: int
    ) -> tuple[Arrays, Ints]:
        del domain
        fit = partial(_leaves, least_rows=least_rows)
        arrays, cells = grow_tokens(known, distinct, counts, width=WIDTH, few=CELL_ROWS, least_rows=least_rows, fit=fit)
        return {**arrays, "ends": np.append(arrays["low"][:1], arrays["high"][-1:])}, cells

    def _origins(self, grown: Self, cells: Ints) -> tuple[Origin, ...]:
        null = 0 if self.nulls or not grown.nulls else -1
        return (Origin(0, np.concatenate([[null], np.where(cells < 0, -1, cells + 1)])),)

    def _unchanged(self) -> Ints:
        return np.arange(len(self.arrays["low"]))

    def _cell(self, values: tuple[NDArray[Any], ...], rows: int) -> NDArray[np.int64]:
        """Cell of every row, −1 for null."""
        if values:
            return np.asarray(values[0], dtype=np.int64) - 1
        return np.full(rows, self.alphabet.size - 1, dtype=np.int64)

    def _leaf(self, cell: Ints, present: Mask, random: np.random.Generator) -> Ints:
        """Draw a leaf of each cell at its training rate."""
        if len(self.alphabet.cells) == self.alphabet.size:
            return cell.copy()
        first, leaves, rows = self.alphabet.first_leaf, self.alphabet.leaves, self.arrays["rows"]
        mass = np.concatenate([[0], np.cumsum(rows)])
        low, high = mass[first[cell]], mass[(first + leaves)[cell]]
        place = low + spread(random, np.where((leaves[cell] > 1) & present, cell, -1)) * (high - low)
        found = np.searchsorted(mass, place, side="right") - 1
        return np.asarray(np.clip(found, first[cell], (first + leaves)[cell] - 1))

    def _at_ends(
        self, cell: Ints, leaf: Ints, present: Mask, random: np.random.Generator, index: Ints
    ) -> tuple[Floats, Floats]:
        """The share of each leaf's rows that lie at the lower, and at the upper end of the range, [leaves] each.

        In as many rows as the training table has, one row lies at each end. Which block of rows holds it follows from
        the number of the rows (systematic sampling), so that an end is not left out by chance. If no row of the block
        is in its leaf, a row of its cell is moved there.
        """
        rows, last = self.arrays["rows"], len(self.arrays["rows"]) - 1
        low, high = np.zeros(last + 1), np.zeros(last + 1)
        noise = random.random(len(index))
        if isinstance(random, Apart):
            low[0], high[last] = 1 / rows[0], 1 / rows[last]
            return low, high
        per_row = present.mean() / rows.sum()
        wanted = int(np.floor(0.5 + (index[-1] + 1) * per_row) - np.floor(0.5 + index[0] * per_row))
        for end, shares in ((0, low), (last, high)):
            if wanted and self._width[end] and not (present & (leaf == end)).any():
                some = np.flatnonzero(present & (cell == self.alphabet.cells[end]))
                leaf[some[np.argsort(noise[some])[:1]]] = end
            shares[end] = min(wanted / max((present & (leaf == end)).sum(), 1), 1.0)
        return low, high

    def _positions(self, leaf: Ints, uniform: Floats, lowest: Floats, highest: Floats) -> NDArray[Any]:
        """The position of each row in its leaf, for a uniform number and the shares of its leaf's rows at the ends."""
        low, high, width = (values[leaf] for values in (self.arrays["low"], self.arrays["high"], self._width))
        if not self._width.any():
            return np.asarray(low)
        inner = np.clip((uniform - lowest) / np.maximum(1 - lowest - highest, _TINY), 0.0, 1.0)
        place = places(self._rates[leaf], inner)
        place = np.where(uniform < lowest, 0.0, np.where(uniform >= 1 - highest, 1.0, place))
        if self._grid:
            return np.asarray(low + np.minimum((place * (width + 1.0)).astype(np.uint64), width))
        return np.clip(low * (1 - place) + high * place, low, high)

    @cached_property
    def _width(self) -> NDArray[Any]:
        return np.asarray(self.arrays["high"] - self.arrays["low"])

    @cached_property
    def _rates(self) -> Floats:
        """The density inside each leaf, for the rows that do not lie at an end of the range."""
        rows = self.arrays["rows"]
        others, total = rows.astype(np.float64), self.arrays["means"] * rows
        others[0] -= 1
        others[-1] -= 1
        total[-1] -= 1  # the place of the upper end is 1, that of the lower end is 0
        means = np.clip(total / np.maximum(others, _TINY), 0.0, 1.0)
        return rates(means, self._width.astype(np.float64) if self._grid else np.full(len(rows), np.inf))


def _extents(distinct: NDArray[Any], apart: NDArray[np.bool_]) -> Floats:
    """Length of the range that each value stands for: half of both gaps to its neighbours. 0 for values set apart."""
    extents = np.zeros(len(distinct))
    near = distinct[~apart].astype(np.float64)
    gaps = np.diff(near, prepend=near[:1], append=near[-1:])
    extents[~apart] = (gaps[1:] + gaps[:-1]) / 2
    return extents


def _leaves(distinct: NDArray[Any], counts: NDArray[np.int64], width: int = WIDTH, *, least_rows: int = 1) -> Arrays:
    """The leaves of an alphabet of values."""
    apart = isolated(distinct)
    if len(distinct):
        apart[[0, -1]] |= (counts[[0, -1]] >= least_rows) & (
            least_rows > 1
        )  # a value that many share is an end by rule
    alphabet = Alphabet.fit(
        counts,
        width=width,
        leaves=LEAVES,
        leaf_rows=max(LEAF_ROWS, least_rows),
        cell_rows=CELL_ROWS,
        alone_rows=least_rows,
        extents=_extents(distinct, apart),
        apart=apart,
    )
    starts = alphabet.starts
    if not len(starts):
        return {"low": distinct, "high": distinct, "cells": alphabet.cells, "rows": counts, "means": np.zeros(0)}
    ends = np.append(starts[1:], len(distinct)) - 1
    rows, means = np.add.reduceat(counts, starts), mean_places(distinct, counts, starts)
    return {"low": distinct[starts], "high": distinct[ends], "cells": alphabet.cells, "rows": rows, "means": means}
