"""Categories: strings, dictionaries, booleans, and values of any other type on request.

Values are equal if their labels are equal (`pipeline.arrow.labels`). The distinct labels, most frequent first, are cut
into an alphabet (`pipeline.columns.alphabet`). A category that is not rare has a symbol of its own. Rare categories
share leaves and are drawn at their training rates. So memory does not grow with the cardinality, and no rare value is
lost. No category is ever invented.
"""

from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.arrow.arrays import Array, combined, is_text, masked
from pipeline.arrow.labels import counted
from pipeline.checks import exactly, expect, record, vector
from pipeline.columns import checked
from pipeline.columns.alphabet import Alphabet, partition
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel, Origin, unrelated
from pipeline.columns.forms.symbols import alphabet_variables, leaf_of
from pipeline.columns.variables import Variable
from pipeline.errors import DamagedError, SchemaError, TableError
from pipeline.measures import NOMINAL, Nominal
from pipeline.records import Record
from pipeline.schema import Column, value_type

WIDTH = 256
"""Symbols per variable. There are more than for numbers, because categories have no neighbours to share a bin with."""


class Categorical(Codec):
    """The kind of columns whose values are only equal or different.

    Args:
        values: Labels of the distinct training values, in dictionary order.
        order: Indices into `values`, most frequent label first.
        counts: Training rows of each label, in that order.
        alphabet: Partition of that order.
        nulls: Whether nulls were seen in training.
        arrow: The column's type.
    """

    kind: ClassVar[str] = "categorical"
    measure: ClassVar[Nominal] = NOMINAL

    def __init__(
        self,
        values: pa.Array,
        order: NDArray[np.int64],
        counts: NDArray[np.int64],
        alphabet: Alphabet,
        *,
        nulls: bool,
        arrow: pa.DataType,
    ) -> None:
        self.values, self.order, self.counts = values, order, counts
        self.alphabet, self.nulls, self.arrow = alphabet, nulls, arrow
        self._rank = np.empty_like(order)
        self._rank[order] = np.arange(len(order))
        self._mass = np.concatenate([[0], np.cumsum(counts)])
        self._typed = labels.values(values, value_type(arrow))

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Every type that Parquet can hold."""
        return labels.can_label(arrow)

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Every column of strings, booleans or nulls, and every dictionary."""
        inner = value_type(array.type)
        natural = pa.types.is_null(inner) or pa.types.is_boolean(inner) or is_text(inner)
        if not natural and not pa.types.is_dictionary(array.type):
            return None
        return f"{len(counted(array)[0])} labels" if cls.supports(array.type) else None

    @classmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:  # noqa: ARG003
        """See `Codec.fit`."""
        values, counts = counted(array)
        order = cls._ordered(values, counts, value_type(array.type))
        alphabet = Alphabet.fit(counts[order], width=WIDTH, leaf_rows=1)
        nulls = bool(counts.sum() < len(array))
        return cls(values, order, counts[order], alphabet, nulls=nulls, arrow=array.type)

    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:  # noqa: ARG002
        """See `Codec.extend`. New values come after the known ones, rarest last."""
        values, counts = counted(array)
        if not len(self.order):
            fresh = self.fit(array, column)
            return Extension(fresh, unrelated(fresh.variables))
        new = self._new(values)
        if new.any() and novel == "refuse":
            raise SchemaError(f"column {column.name!r}: expected known labels only, got {int(new.sum())} new ones")
        added, counts, nulls = values.filter(pa.array(new)), counts[new], bool(counts.sum() < len(array))
        order, size, n = np.argsort(-counts, kind="stable"), self.alphabet.size, len(self.order)
        room = 1 if novel == "bucket" else max(1, 2 * WIDTH - size)
        starts = partition(counts[order], room, 1) if len(order) else order
        grown = type(self)(
            pa.concat_arrays([self.values, added]),
            np.append(self.order, n + order),
            np.append(self.counts, counts[order]),
            Alphabet(
                np.append(self.alphabet.starts, n + starts),
                np.append(self.alphabet.cells, size + np.arange(len(starts))),
            ),
            nulls=nulls or self.nulls,
            arrow=array.type,
        )
        return Extension(grown, self._origins(grown))

    @property
    def labels(self) -> pa.Array:
        """See `Codec.labels`."""
        return self.values

    def strange(self, array: Array) -> bool:
        """See `Codec.strange`."""
        return bool(self._new(counted(array)[0]).any())

    @classmethod
    def _ordered(cls, values: pa.Array, counts: NDArray[np.int64], arrow: pa.DataType) -> NDArray[np.int64]:
        """The order of labels: the most frequent first."""
        del values, arrow
        return np.argsort(-counts, kind="stable")

    def _new(self, values: pa.Array) -> NDArray[np.bool_]:
        """Which of these distinct labels are unknown."""
        return np.asarray(pc.index_in(values, value_set=self.values).is_null().to_numpy(zero_copy_only=False))

    def _origins(self, grown: "Categorical") -> tuple[Origin, ...]:
        if not self.variables:
            return unrelated(grown.variables)
        cells = np.arange(1, grown.alphabet.size + 1)
        null = 0 if self.nulls or not grown.nulls else -1
        first = Origin(0, np.append(null, np.where(cells > self.alphabet.size, -1, cells)))
        # new cells have one leaf each, so the second variable is as it was
        return first, *(Origin(1, np.arange(int(self.alphabet.leaves.max()) + 1)) for _ in self.variables[1:])

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        return 1.0 if self.nulls or not self._mass[-1] else float(self.counts.max() / self._mass[-1])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """One `Discrete`, two if values outnumber symbols, none if nothing varies."""
        return alphabet_variables(self.alphabet, nulls=self.nulls)

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`. A category that training lacked becomes null."""
        inner = value_type(self.arrow)
        if value_type(array.type) != inner:
            array = combined(array).cast(inner)
        index = labels.places(array, self.values)
        seen = (index >= 0) & (index < len(self.values))
        rank = self._rank[np.where(seen, index, 0)] if len(self._rank) else np.zeros_like(index)
        leaf = np.where(seen, np.searchsorted(self.alphabet.starts, rank, side="right") - 1, -1)
        rest = np.where(seen, rank - self.alphabet.starts[np.maximum(leaf, 0)] if len(self._rank) else 0, 0)
        return Encoded(self.alphabet.symbols(leaf)[: len(self.variables)] if len(self._rank) else (), rest)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`. A value of the leaf is drawn at its training rate."""
        if not len(self.order):
            return np.zeros(len(index), dtype=np.int64)
        leaf = np.maximum(leaf_of(self.alphabet, values, len(index)), 0)
        starts = self.alphabet.starts
        ends = np.append(starts[1:], len(self.order))
        low, high = self._mass[starts[leaf]], self._mass[ends[leaf]]
        place = low + random.random(len(index)) * (high - low)
        rank = np.searchsorted(self._mass, place, side="right") - 1
        return np.asarray(np.clip(rank, starts[leaf], ends[leaf] - 1) - starts[leaf])

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        rows = len(encoded.rest)
        if not len(self.order):
            return self._taken(pa.nulls(rows, pa.int64()))
        leaf = leaf_of(self.alphabet, encoded.values, rows)
        rank = self.alphabet.starts[np.maximum(leaf, 0)] + encoded.rest
        return self._taken(masked(pa.array(self.order[rank]), leaf >= 0))

    def _taken(self, index: pa.Array) -> pa.Array:
        """The values at `index`, dictionary encoded if the column is."""
        if not pa.types.is_dictionary(self.arrow):
            return self._typed.take(index)
        index = index.cast(self.arrow.index_type)
        return pa.DictionaryArray.from_arrays(index, self._typed, ordered=self.arrow.ordered)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        json = {"values": self.values.to_pylist(), "nulls": self.nulls}
        arrays = {"order": self.order, "counts": self.counts}
        return json, {**arrays, "starts": self.alphabet.starts, "cells": self.alphabet.cells}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        state = record(_State, json)
        exactly(arrays, ("order", "counts", "starts", "cells"))
        values = pa.array(state.values, pa.string())
        order = vector(arrays, "order", np.int64, length=len(values), least=0, below=max(len(values), 1))
        expect(len(np.unique(order)) == len(order), "an order in which every value occurs once")
        counts = vector(arrays, "counts", np.int64, length=len(values), least=0, below=2**40)
        checked.alphabet(arrays, len(values))
        if pa.types.is_dictionary(arrow):
            expect(
                len(values) <= checked.limits(arrow.index_type)[1] + 1, f"values that fit {arrow.index_type} indices"
            )
        alphabet = Alphabet(arrays["starts"], arrays["cells"])
        try:
            loaded = cls(values, order, counts, alphabet, nulls=state.nulls, arrow=arrow)
        except TableError as error:
            raise DamagedError(str(error)) from None
        again = labels.labels(loaded._typed)
        expect(len(again.dictionary) == len(values) and again.dictionary.equals(values), "each label once, as written")
        return loaded


class _State(Record):
    """The JSON part of a codec's state."""

    values: tuple[str, ...]
    nulls: bool
