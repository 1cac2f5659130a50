"""Labels that follow from labels: city → country, code → name, (product, size) → price.

A functional dependence is kept as a table of what follows from what. A generated row whose sources are no combination
of enough real rows is drawn again.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa

from pipeline.arrow import labels
from pipeline.relations.base import Following, Mask, Relation
from pipeline.relations.units import Ints
from pipeline.schema import value_type

Label = str | None


class Lookup(Following):
    """A column whose value follows from the labels of one or two others.

    Attributes:
        keys: The labels of each source, [sources][entries]. None is null.
        entries: The label of the target for each combination, [entries].
        least_rows: A combination of fewer rows has no entry.
    """

    binds: ClassVar[bool] = False
    number: ClassVar[int | None] = None
    kind: Literal["lookup"] = "lookup"
    keys: tuple[tuple[Label, ...], ...]
    entries: tuple[Label, ...]
    least_rows: int = 1

    def _sized(self) -> bool:
        return 0 < len(self.sources) == len(self.keys) and all(len(own) == len(self.entries) for own in self.keys)

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} follows from {' and '.join(self.sources)}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`. An unknown combination counts as a known one near it."""
        if not self.entries:
            return pa.nulls(table.num_rows, arrow)
        entries = pa.array(self.entries, pa.string()).dictionary_encode()
        values = labels.values(entries.dictionary, value_type(arrow))
        index = entries.indices.take(pa.array(self._index(table)[0]))
        if not pa.types.is_dictionary(arrow):
            return values.take(index)
        return pa.DictionaryArray.from_arrays(index.cast(arrow.index_type), values, ordered=arrow.ordered)

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. An unknown combination breaks nothing."""
        return self._index(table)[1] & super().broken(table)

    def lost(self, table: pa.Table) -> Mask:
        """See `Relation.lost`. An unknown combination is no real one."""
        return ~self._index(table)[1]

    @classmethod
    def of(cls, table: pa.Table, target: str, sources: tuple[str, ...], least_rows: int) -> Self:
        """The lookup of a table.

        Args:
            table: The rows. The first one of each combination decides.
            target: The column that follows.
            sources: The columns that it follows from.
            least_rows: A combination of fewer rows gets no entry: it would tell the value of a few people.
        """
        arrays = [labels.labels(table[name]).cast(pa.string()) for name in (*sources, target)]
        codes = labels.coded(arrays[:-1])
        joint = codes[0] if len(codes) == 1 else codes[0] * (int(codes[1].max(initial=0)) + 1) + codes[1]
        _, first, counts = np.unique(joint, return_index=True, return_counts=True)
        first, counts = first[counts >= least_rows], counts[counts >= least_rows]
        *keys, entries = (tuple(array.take(pa.array(first)).to_pylist()) for array in arrays)
        support = int(counts.sum()) - len(first)
        return cls(
            target=target, sources=sources, support=support, keys=tuple(keys), entries=entries, least_rows=least_rows
        )

    def strange(self, table: pa.Table) -> int:
        """Number of labels of the target in a table that no entry has."""
        known = pa.array(sorted({label for label in self.entries if label is not None}), pa.string())
        found, _ = labels.counted(table[self.target])
        return int((labels.places(found, known) == len(known)).sum())

    def extended(self, table: pa.Table) -> Self:
        """See `Relation.extended`. Combinations that are new get an entry."""
        new = ~self._index(table)[1]
        if not new.any():
            return self
        more = self.of(table.filter(pa.array(new)), self.target, self.sources, self.least_rows)
        keys = tuple(mine + theirs for mine, theirs in zip(self.keys, more.keys, strict=True))
        return self._with(keys, self.entries + more.entries)

    def _with(self, keys: tuple[tuple[Label, ...], ...], entries: tuple[Label, ...]) -> Self:
        """Other entries. A copy would keep what is cached of these."""
        return type(self)(
            target=self.target,
            sources=self.sources,
            support=self.support,
            keys=keys,
            entries=entries,
            least_rows=self.least_rows,
        )

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`. Only entries that occur are kept."""
        index, known = self._index(table)
        kept = np.unique(index[known])
        keys = tuple(tuple(own[i] for i in kept) for own in self.keys)
        return self._with(keys, tuple(self.entries[i] for i in kept))

    @cached_property
    def _known(self) -> tuple[list[pa.Array], Ints, Ints]:
        """The labels of each source, and the sorted codes of the entries with their order."""
        known = [pa.array(sorted({label for label in own if label is not None}), pa.string()) for own in self.keys]
        codes = self._codes([pa.array(own, pa.string()) for own in self.keys], known)
        order = np.argsort(codes, kind="stable")
        return known, codes[order], order

    def _index(self, table: pa.Table) -> tuple[Ints, Mask]:
        """The entry of each row, or a near one, and whether it is the row's own, [rows]."""
        known, codes, order = self._known
        found = self._codes([table[name] for name in self.sources], known)
        if not len(codes):
            return np.zeros(len(found), dtype=np.int64), np.zeros(len(found), dtype=bool)
        place = np.searchsorted(codes, found).clip(max=len(codes) - 1)
        return order[place], codes[place] == found

    @staticmethod
    def _codes(arrays: Sequence[pa.Array | pa.ChunkedArray], known: list[pa.Array]) -> Ints:
        """One code per combination of labels; negative if a label is unknown, [rows]."""
        code, strange = np.zeros(len(arrays[0]), dtype=np.int64), np.zeros(len(arrays[0]), dtype=bool)
        for array, own in zip(arrays, known, strict=True):
            place = labels.places(array, own)
            strange |= place == len(own)
            code = code * (len(own) + 1) + place + 1
        return np.where(strange, -1, code)


class Agreement(Relation):
    """A label that follows from one column although another one computes it. Rows that disagree are drawn again.

    Attributes:
        lookup: What follows from what.
    """

    number: ClassVar[int | None] = None
    kind: Literal["agreement"] = "agreement"
    lookup: Lookup

    @classmethod
    def of(cls, lookup: Lookup) -> Self:
        """The agreement of a column with a lookup."""
        return cls(target=lookup.target, sources=lookup.sources, support=lookup.support, lookup=lookup)

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return self.lookup.text

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        return self.lookup.broken(table)

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`."""
        return self.of(self.lookup.shown(table))

    def extended(self, table: pa.Table) -> Self:
        """See `Relation.extended`."""
        return self.of(self.lookup.extended(table))
