"""Pairs of labels that never occur although both labels are frequent: a pregnant man, a bachelor with a wedding day.

If two labels had nothing to do with each other, so many rows would have both that their absence is no chance. Rows with
such a pair are drawn again.
"""

from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.relations.base import Mask, Relation
from pipeline.relations.units import Ints

Label = str | None
Pair = tuple[int, int, int, int]
"""Index of a column and of its label, and of another column and of its label."""


class Never(Relation):
    """Pairs of labels of some columns, the target and the sources, that no row has.

    Attributes:
        known: The labels of each column that are part of a pair. None is null.
        never: The pairs.
    """

    number: ClassVar[int | None] = None
    kind: Literal["never"] = "never"
    known: tuple[tuple[Label, ...], ...]
    never: tuple[Pair, ...]

    def _sized(self) -> bool:
        sizes = [len(own) for own in self.known]
        columns = len(self.sources) + 1 == len(sizes) > 1
        return columns and all(
            0 <= one < len(sizes) and 0 <= other < len(sizes) and 0 <= i < sizes[one] and 0 <= j < sizes[other]
            for one, i, other, j in self.never
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns."""
        return (self.target, *self.sources)

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{len(self.never)} pairs of labels that no row has, in {len(self.names)} columns"

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        lost = np.zeros(table.num_rows, dtype=bool)
        codes = [_codes(table[name], own) for name, own in zip(self.names, self.known, strict=True)]
        for (one, other), barred in self._barred.items():
            lost |= barred[codes[one], codes[other]]
        return lost

    def shown(self, table: pa.Table) -> "Never":
        """See `Relation.shown`. Labels that do not occur bar nothing."""
        used = [
            np.unique(_codes(table[name], own)[_codes(table[name], own) < len(own)]).tolist()
            for name, own in zip(self.names, self.known, strict=True)
        ]
        place = [{old: new for new, old in enumerate(own)} for own in used]
        kept = tuple(
            (one, place[one][first], other, place[other][second])
            for one, first, other, second in self.never
            if first in place[one] and second in place[other]
        )
        known = tuple(tuple(own[i] for i in some) for own, some in zip(self.known, used, strict=True))
        return type(self)(target=self.target, sources=self.sources, support=self.support, known=known, never=kept)

    @cached_property
    def _barred(self) -> dict[tuple[int, int], NDArray[np.bool_]]:
        """For each pair of columns, the pairs of codes that are barred. The last code stands for other labels."""
        found: dict[tuple[int, int], NDArray[np.bool_]] = {}
        for one, label, other, second in self.never:
            shape = len(self.known[one]) + 1, len(self.known[other]) + 1
            found.setdefault((one, other), np.zeros(shape, dtype=bool))[label, second] = True
        return found


def _codes(array: pa.ChunkedArray, known: tuple[Label, ...]) -> Ints:
    """The index of each value's label, or the number of labels for others, [rows]."""
    present = [label for label in known if label is not None]
    place = labels.places(array, pa.array(present, pa.string()))
    index = np.array([i for i, label in enumerate(known) if label is not None] + [len(known)], dtype=np.int64)
    null = known.index(None) if None in known else len(known)
    return np.asarray(np.where(place < 0, null, index[place]))
