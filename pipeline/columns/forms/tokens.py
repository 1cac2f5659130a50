"""The token form: the distinct values are cut into an alphabet (`pipeline.columns.alphabet`).

It is exact if few values are distinct, and for values that repeat. Otherwise a cell holds neighbours. A leaf of the
cell is drawn at its training rate, and the place in the leaf is uniform. The likelihood is discretised: a softmax over
cells.
"""

from collections.abc import Mapping
from functools import partial
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
from pipeline.columns.forms.symbols import alphabet_variables
from pipeline.columns.variables import Discrete, Variable

WIDTH = 128
"""Largest number of cells."""
LEAVES = 16
"""Largest number of leaves in a cell."""
LEAF_ROWS = 10
"""A leaf of several values holds at least about this many training rows."""
CELL_ROWS = 20
"""A cell of several values holds at least about this many training rows, so that the network can learn its rate."""
REACH = 5
"""Expected number of generated values at either end of the range, in as many rows as the training table has."""


class Tokens(Form):
    """Cells of neighbouring values. `low`, `high`, `cells` and `rows` are arrays of the leaves."""

    name: ClassVar[str] = "tokens"
    placed: ClassVar[tuple[str, ...]] = ("ends", "low", "high")

    def __init__(self, domain: Domain, *, nulls: bool, arrays: Arrays) -> None:
        super().__init__(domain, nulls=nulls, arrays=arrays)
        self.alphabet = Alphabet(np.arange(len(arrays["cells"])), arrays["cells"].astype(np.int64))
        self._base = arrays["low"][self.alphabet.first_leaf] if len(arrays["low"]) else arrays["low"]

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
            rest[mask] = positions - self._base[cell[mask]]
        return Encoded((cell + 1,)[: len(self.variables)], rest)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, rows: int) -> NDArray[Any]:
        """A place inside the cell."""
        if not len(self.arrays["low"]):
            return np.zeros(rows)
        cell = np.maximum(self._cell(values, rows), 0)
        leaf = self._leaf(cell, random.random(rows))
        width = (self.arrays["high"] - self.arrays["low"])[leaf]
        uniform = random.random(rows)
        within = uniform * width
        if self._grid:
            within = np.minimum((uniform * (width.astype(np.float64) + 1)).astype(np.uint64), width)
        positions = self._reach_ends(self.arrays["low"][leaf] + within, cell, random.random(rows))
        rest = np.asarray(positions - self._base[cell])
        if self._grid:
            return rest
        greatest = self.arrays["ends"][-1]  # rounding in `decode` may lead beyond it
        return np.where(self._base[cell] + rest > greatest, rest - np.spacing(np.abs(greatest)), rest)

    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Position of every row, and which rows hold a value."""
        rows = len(encoded.rest)
        if not len(self.arrays["low"]):
            return np.zeros(rows), np.zeros(rows, dtype=bool)
        cell = self._cell(encoded.values, rows)
        return self._base[cell] + encoded.rest, cell >= 0

    @classmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """See `Form.check`."""
        exactly(arrays, ("ends", "low", "high", "cells", "rows"))
        low = vector(arrays, "low", positions)
        high = vector(arrays, "high", positions, length=len(low))
        rising("low", low, strictly=True)
        expect(bool((low <= high).all() and (high[:-1] < low[1:]).all()), "leaves that do not overlap")
        vector(arrays, "rows", np.int64, length=len(low), least=1, below=2**53)
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

    def _leaf(self, cell: NDArray[np.int64], uniform: Floats) -> NDArray[np.int64]:
        """Draw a leaf of each cell at its training rate."""
        mass = np.concatenate([[0], np.cumsum(self.arrays["rows"])])
        first = self.alphabet.first_leaf
        last = first + self.alphabet.leaves - 1
        place = mass[first[cell]] + uniform * (mass[last[cell] + 1] - mass[first[cell]])
        return np.asarray(np.clip(np.searchsorted(mass, place, side="right") - 1, first[cell], last[cell]))

    def _reach_ends(self, positions: NDArray[Any], cell: NDArray[np.int64], uniform: Floats) -> NDArray[Any]:
        """Make the outermost values as frequent as in a resample, and a little more frequent."""
        last = self.alphabet.size - 1
        rows = np.bincount(self.arrays["cells"], self.arrays["rows"])
        lowest = (cell == 0) & (uniform < min(0.5, REACH / rows[0]))
        highest = (cell == last) & (uniform > 1 - min(0.5, REACH / rows[-1]))
        positions = np.where(lowest, self.arrays["low"][0], positions)
        return np.where(highest, self.arrays["high"][-1], positions)


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
    ends = np.append(starts[1:], len(distinct)) - 1 if len(starts) else starts
    rows = np.add.reduceat(counts, starts) if len(starts) else counts
    return {"low": distinct[starts], "high": distinct[ends], "cells": alphabet.cells, "rows": rows}
