"""Identifiers: values without meaning that name a record, in one row or in several.

Identifiers are not modelled. Generated rows get fresh values of the same type and pattern. Row i of a dataset always
has the same value, as many rows share one as share a real one (`pipeline.columns.fanout`), and no value is that of a
training row. The last property holds by
construction (`pipeline.columns.moulds`): fresh numbers, dates and times come from a stretch without real ones, texts
are made-up codes, bytes begin as no real ones do, and lists and structures are composed of such values.
"""

import re
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.arrays import Array, combined, is_text
from pipeline.columns.base import Beside
from pipeline.columns.madeup import MadeUp
from pipeline.columns.moulds import Mould
from pipeline.errors import SchemaError, TableError
from pipeline.schema import Column, value_type

_NAMED = re.compile(
    r"(^|[^a-z])(id|ids|key|uuid|guid|no|nr|num|index|idx|sku|serial)($|[^a-z])|[a-z](I[dD]|N[or])$"
    r"|(number|nummer|num[eé]ro|n[uú]mero|matricule|codigo|codice|kennung)($|[^a-z])",
    re.IGNORECASE,
)
_FEW, _MANY = 20, 200


class Identifier(MadeUp):
    """The kind of columns whose values name a record."""

    kind: ClassVar[str] = "identifier"
    fresh: ClassVar[bool] = True

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Claim texts that all differ, integers that are numbered or spaced like identifiers, and both by their name.

        A name is not enough: most rows must share their value with few others.
        """
        values = combined(array).drop_null() if cls.countable(array.type) else ()
        if len(values) < _FEW:
            return None
        counts = pc.value_counts(values).field("counts").to_numpy()
        if is_text(array.type) and len(counts) == len(values):
            return "every value is different"
        rare = int(counts[counts < least_rows].sum()) / len(values)
        if cls.named(array, name) and 2 * rare > 1:
            return f"the name says so, and {rare:.0%} of the rows share their value with few others or none"
        if is_text(array.type):
            return None
        return "the rows are numbered" if len(counts) == len(values) and _numbered(values) else None

    @classmethod
    def named(cls, array: Array, name: str) -> bool:
        """Whether a column of texts or integers has the name of an identifier."""
        return cls.countable(array.type) and _NAMED.search(name) is not None

    @staticmethod
    def countable(arrow: pa.DataType) -> bool:
        """Whether a type holds what identifiers are mostly written in: texts or integers."""
        return is_text(arrow) or bool(pa.types.is_integer(value_type(arrow)))

    @classmethod
    def _fitted(cls, array: Array, column: Column, known: Mould | None, beside: Beside) -> Self:
        """Fit, and raise SchemaError if the type has no room for as many fresh values as there are rows."""
        fitted, taken = super()._fitted(array, column, known, beside), array if beside.taken is None else beside.taken
        rows = len(taken) - taken.null_count
        if fitted.room < rows and known is not None:
            return cls._fitted(array, column, None, beside)
        if fitted.room < rows:
            chosen = f" with fake = {column.fake!r}" if column.fake is not None else ""
            raise SchemaError(
                f"column {column.name!r} of type {array.type}{chosen} cannot be an identifier: expected room for"
                f" {rows:,} fresh values, there is room for {fitted.room:,}"
            )
        return fitted

    def expect_room(self, rows: int) -> None:
        """See `Codec.expect_room`."""
        if rows > self.room:
            raise TableError(
                f"an identifier column of type {self.arrow} has room for {self.room:,} fresh values only,"
                f" expected room for {rows:,}"
            )


def _numbered(values: pa.Array) -> bool:
    """Whether many distinct integers rise or fall from row to row, or lie close together."""
    numbers = values.to_numpy(zero_copy_only=False)
    rising = bool((numbers[1:] > numbers[:-1]).all() or (numbers[1:] < numbers[:-1]).all())
    return len(numbers) >= _MANY and (rising or int(numbers.max()) - int(numbers.min()) < 2 * len(numbers))
