"""Made-up texts: names, addresses, telephone numbers, notes, and anything else that may identify a person.

Values of any other type can be made up on request: bytes, numbers, dates, and lists and structures of them.
"""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import personal
from pipeline.arrow.arrays import Array, combined, is_text
from pipeline.columns.identifier import Identifier
from pipeline.columns.madeup import MadeUp
from pipeline.columns.moulds import unrecognised
from pipeline.schema import value_type

PLAIN = ("code", "uuid")
"""Shapes of texts that identify a record and not a person."""


class Text(MadeUp):
    """The kind of columns whose values are made up."""

    kind: ClassVar[str] = "text"
    fresh: ClassVar[bool] = False

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Claim columns of personal data, and strings if few rows share most of them."""
        if not is_text(array.type) and not pa.types.is_integer(value_type(array.type)):
            return None
        values = present(array)
        found = personal.recognise(name, values)
        if found is None and (not is_text(array.type) or not len(values)):
            return None
        shape = (found or unrecognised(values)).shape
        if shape in PLAIN and Identifier.claim(array, name, least_rows):
            return None
        return found.reason if found is not None else _rare(values, least_rows)

    @staticmethod
    def plain(array: Array, name: str) -> bool:
        """Whether texts identify a record and not a person."""
        values = present(array)
        return (personal.recognise(name, values) or unrecognised(values)).shape in PLAIN


def _rare(values: pa.Array, least_rows: int) -> str | None:
    """A reason, if most rows hold a value that fewer than `least_rows` rows share; else None."""
    counts = pc.value_counts(values).field("counts").to_numpy()
    rare = int(counts[counts < least_rows].sum())
    if 2 * rare <= len(values):
        return None
    return f"{rare / len(values):.0%} of the rows hold a value that fewer than {least_rows} rows share"


def present(array: Array) -> pa.Array:
    """The values that are not null, as plain strings or as 64-bit integers."""
    values = combined(array).drop_null()
    return values.cast(pa.string() if is_text(values.type) else pa.int64(), safe=False)
