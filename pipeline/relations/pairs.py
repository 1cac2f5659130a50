"""Labels that never occur together although each is frequent: a pregnant man, a size in which a model is not made.

If they had nothing to do with each other, so many rows would have them all that their absence is no chance. Rows with
such a pair or triple are drawn again.
"""

from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.relations.base import Mask, Relation
from pipeline.relations.units import Ints

Label = str | None
SIZES = (2, 3)
"""How many labels a combination has."""
Cell = tuple[tuple[int, int], ...]
"""Two or three labels of different columns: for each the index of its column and its own."""


class Never(Relation):
    """Pairs and triples of labels of some columns, the target and the sources, that no row has.

    Attributes:
        known: The labels of each column that are part of a pair or triple. None is null.
        never: The pairs and triples, the columns in ascending order.
    """

    number: ClassVar[int | None] = None
    kind: Literal["never"] = "never"
    known: tuple[tuple[Label, ...], ...]
    never: tuple[Cell, ...]

    def _sized(self) -> bool:
        sizes = [len(own) for own in self.known]
        return len(self.sources) + 1 == len(sizes) > 1 and all(
            len(cell) in SIZES
            and all(0 <= column < len(sizes) and 0 <= label < sizes[column] for column, label in cell)
            and all(one < other for (one, _), (other, _) in pairwise(cell))
            for cell in self.never
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns."""
        return (self.target, *self.sources)

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return "labels that never occur together stay apart"

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        lost = np.zeros(table.num_rows, dtype=bool)
        codes = [_codes(table[name], own) for name, own in zip(self.names, self.known, strict=True)]
        for places, barred in self._barred.items():
            lost |= barred[tuple(codes[place] for place in places)]
        return lost

    def without(self, table: pa.Table) -> Self | None:
        """The relation without the combinations that rows of a table have. None if none is left."""
        codes = [_codes(table[name], own) for name, own in zip(self.names, self.known, strict=True)]
        kept = tuple(
            cell
            for cell in self.never
            if not np.logical_and.reduce([codes[column] == label for column, label in cell]).any()
        )
        if len(kept) == len(self.never):
            return self
        fields = self.model_dump(include={"target", "sources", "support", "known"})
        return type(self)(**fields, never=kept) if kept else None

    def shown(self, table: pa.Table) -> "Never":
        """See `Relation.shown`. Labels that do not occur bar nothing."""
        used = [
            np.unique(_codes(table[name], own)[_codes(table[name], own) < len(own)]).tolist()
            for name, own in zip(self.names, self.known, strict=True)
        ]
        place = [{old: new for new, old in enumerate(own)} for own in used]
        kept = tuple(
            tuple((column, place[column][label]) for column, label in cell)
            for cell in self.never
            if all(label in place[column] for column, label in cell)
        )
        known = tuple(tuple(own[i] for i in some) for own, some in zip(self.known, used, strict=True))
        return type(self)(target=self.target, sources=self.sources, support=self.support, known=known, never=kept)

    @cached_property
    def _barred(self) -> dict[tuple[int, ...], NDArray[np.bool_]]:
        """For some columns, the combinations of codes that are barred. The last code stands for other labels."""
        found: dict[tuple[int, ...], NDArray[np.bool_]] = {}
        for cell in self.never:
            columns, labels_of = zip(*cell, strict=True)
            shape = tuple(len(self.known[column]) + 1 for column in columns)
            found.setdefault(columns, np.zeros(shape, dtype=bool))[labels_of] = True
        return found


def _codes(array: pa.ChunkedArray, known: tuple[Label, ...]) -> Ints:
    """The index of each value's label, or the number of labels for others, [rows]."""
    present = [label for label in known if label is not None]
    place = labels.places(array, pa.array(present, pa.string()))
    index = np.array([i for i, label in enumerate(known) if label is not None] + [len(known)], dtype=np.int64)
    null = known.index(None) if None in known else len(known)
    return np.asarray(np.where(place < 0, null, index[place]))
