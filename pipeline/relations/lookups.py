"""Labels that follow from labels: city → country, code → name, (product, size) → price.

A functional dependence is kept as a table of what follows from what. A generated row whose sources are no real
combination is broken and drawn again.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Self

import numpy as np
import pyarrow as pa

from pipeline.arrow import labels
from pipeline.relations.base import Mask, Relation
from pipeline.schema import value_type

Label = str | None


class Lookup(Relation):
    """A column whose value follows from the labels of one or two others.

    Attributes:
        keys: The labels of each source, [sources][entries]. None is null.
        entries: The label of the target for each combination, [entries].
    """

    kind: Literal["lookup"] = "lookup"
    keys: tuple[tuple[Label, ...], ...]
    entries: tuple[Label, ...]

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} follows from {' and '.join(self.sources)}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`. An unknown combination gives null."""
        index = self._index(table)
        values = labels.values(pa.array([*self.entries, None], pa.string()), value_type(arrow))
        return values.take(pa.array(np.where(index < 0, len(self.entries), index)))

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. Unknown combinations are broken too."""
        return (self._index(table) < 0) | super().broken(table)

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`. Only entries that occur are kept."""
        used = np.unique(self._index(table))
        kept = used[used >= 0]
        keys = tuple(tuple(own[i] for i in kept) for own in self.keys)
        return self.model_copy(update={"keys": keys, "entries": tuple(self.entries[i] for i in kept)})

    @cached_property
    def _known(self) -> tuple[list[pa.Array], np.ndarray, np.ndarray]:
        """The labels of each source, and the sorted codes of the entries with their order."""
        known = [pa.array(sorted({label for label in own if label is not None}), pa.string()) for own in self.keys]
        codes = self._codes([pa.array(own, pa.string()) for own in self.keys], known)
        order = np.argsort(codes, kind="stable")
        return known, codes[order], order

    def _index(self, table: pa.Table) -> np.ndarray:
        """The entry of each row, −1 for none, [rows]."""
        known, codes, order = self._known
        if not len(codes):
            return np.full(table.num_rows, -1)
        found = self._codes([table[name] for name in self.sources], known)
        place = np.searchsorted(codes, found).clip(max=len(codes) - 1)
        return np.where(codes[place] == found, order[place], -1)

    @staticmethod
    def _codes(arrays: Sequence[pa.Array | pa.ChunkedArray], known: list[pa.Array]) -> np.ndarray:
        """One code per combination of labels; negative if a label is unknown, [rows]."""
        code, strange = np.zeros(len(arrays[0]), dtype=np.int64), np.zeros(len(arrays[0]), dtype=bool)
        for array, own in zip(arrays, known, strict=True):
            place = labels.places(array, own)
            strange |= place == len(own)
            code = code * (len(own) + 1) + place + 1
        return np.where(strange, -1, code)
