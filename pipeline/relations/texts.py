"""Texts that are written together from others: a full name, initials, an e-mail address, a reference with a prefix.

The parts may be made up. Then the whole is made up too, and the columns of a row agree.
"""

from typing import ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from pipeline.arrow.arrays import combined, is_text
from pipeline.records import Record
from pipeline.relations.base import Following
from pipeline.schema import value_type

Way = Literal["as it is", "lower", "upper", "first letter", "lower first letter"]
WAYS: tuple[Way, ...] = ("as it is", "lower", "upper", "first letter", "lower first letter")
"""Ways in which a text is written again."""


class Fragment(Record):
    """A piece of a text.

    Attributes:
        text: What is the same in every row.
        source: The index of the column that follows it. None at the end of the whole.
        way: How the value of this column is written.
    """

    text: str = ""
    source: int | None = None
    way: Way = "as it is"


class Composed(Following):
    """A text that consists of other columns and what stands between them. It is null where a part is.

    Attributes:
        pieces: The pieces, in order.
    """

    number: ClassVar[int | None] = None
    kind: Literal["composed"] = "composed"
    pieces: tuple[Fragment, ...]

    @model_validator(mode="after")
    def _named(self) -> Self:
        if {piece.source for piece in self.pieces if piece.source is not None} != set(range(len(self.sources))):
            raise ValueError("expected pieces of the sources")
        return self

    @property
    def text(self) -> str:
        """See `Relation.text`. What stands between the columns may be a value of the table, so it is not told."""
        return f"{self.target} is written from {' and '.join(self.sources)}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        parts: list[pa.Array | pa.Scalar] = []
        for piece in self.pieces:
            parts.append(pa.scalar(piece.text))
            if piece.source is not None:
                parts.append(written(combined(table[self.sources[piece.source]]), piece.way))
        return pc.binary_join_element_wise(*parts, "").cast(value_type(arrow))


def written(array: pa.Array, way: Way) -> pa.Array:
    """Each text or whole number, written in a way."""
    texts = array.cast(pa.string()) if is_text(array.type) else array.cast(pa.int64()).cast(pa.string())
    if "first letter" in way:
        texts = pc.utf8_slice_codeunits(texts, 0, 1)
    return pc.utf8_lower(texts) if "lower" in way else pc.utf8_upper(texts) if way == "upper" else texts
