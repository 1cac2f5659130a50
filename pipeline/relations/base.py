"""The base of relations.

A `Relation` is something exact that every row of a table fulfils: a column that equals another, a sum, a label that
follows from a label, an order. It rewrites a table into columns that are *free*, which the model learns, and *binds*
them again: what follows from other columns is left out of the free table and computed when rows are generated. So it
holds in every generated row by construction.

`free` and `bind` are inverses on every row that the relation holds in. `bind` never fails: a generated row that no real
row is like is bound all the same, and `broken` finds it.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import model_validator

from pipeline.arrow.arrays import Array, combined
from pipeline.arrow.labels import coded
from pipeline.records import Record
from pipeline.relations.units import Unit
from pipeline.schema import Column, Schema, value_type

Mask = NDArray[np.bool_]


class Relation(Record):
    """Something exact that holds in every row of a table.

    Attributes:
        target: The column that is rewritten.
        sources: The columns that it depends on.
        support: Number of rows that show it: those in which it could have been broken.
    """

    binds: ClassVar[bool] = False
    """Whether binding makes it hold in the rows of a model. If not, rows that break it are drawn again."""
    number: ClassVar[int | None] = 1
    """Number of sources. None for any number of at least one."""
    target: str
    sources: tuple[str, ...]
    support: int = 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.number not in {None, len(self.sources)} or not self._sized():
            raise ValueError("expected as many sources as the relation has")
        return self

    def _sized(self) -> bool:
        """Whether there are sources, and lists that belong to them have as many entries."""
        return len(self.sources) > 0

    @property
    @abstractmethod
    def text(self) -> str:
        """The relation in a line. It names columns and no value."""

    @abstractmethod
    def broken(self, table: pa.Table) -> Mask:
        """Which real rows break the relation, [rows]."""

    def freed(self, schema: Schema) -> Schema:
        """The schema of the free table. By default, columns are free as they are."""
        return schema

    def free(self, table: pa.Table) -> pa.Table:
        """The free table of a table."""
        return table

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """The inverse of `free`. `schema` is that of the bound table."""
        del schema
        return table

    def shown(self, table: pa.Table) -> Self:
        """The relation without values that a bound table does not hold, in which nothing is left to withhold."""
        del table
        return self

    def extended(self, table: pa.Table) -> Self:
        """The relation for further rows, none of which breaks it."""
        del table
        return self

    def lost(self, table: pa.Table) -> Mask:
        """Which generated rows are none that real rows allow, so that they are drawn again, [rows]."""
        return self.broken(table)


class Following(Relation):
    """A column that follows from others: it is left out of the free table, and computed."""

    binds: ClassVar[bool] = True

    @abstractmethod
    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """The values of the target that follow from a table with all sources, as an array of a type."""

    def nearest(self, table: pa.Table) -> Self:
        """The relation in the arithmetic that gives most rows of a table exactly. There is one by default."""
        del table
        return self

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`."""
        return without(schema, self.target)

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        return table.drop_columns([self.target])

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """See `Relation.bind`."""
        return placed(table, schema, self.target, self.follows(table, schema.arrow.field(self.target).type))

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        real = combined(table[self.target])
        expected = combined(self.follows(table, value_type(table.schema.field(self.target).type)))
        return differs(real, expected)


def placed(table: pa.Table, schema: Schema, name: str, array: Array) -> pa.Table:
    """A table with one more column, at its place in the schema."""
    field = schema.arrow.field(name)
    if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(array.type):
        array = combined(array).dictionary_encode()
    kept = table.drop_columns([name]) if name in table.column_names else table
    order = [other for other in schema.names if other == name or other in kept.column_names]
    return kept.add_column(order.index(name), field, array.cast(field.type))


def differs(one: pa.Array, other: pa.Array) -> Mask:
    """Which entries differ; two nulls, or two NaN, are equal, [rows]."""
    try:
        alike = pc.or_kleene(pc.equal(one, other), pc.and_(pc.is_null(one), pc.is_null(other)))
    except pa.ArrowNotImplementedError:  # lists and other types that Arrow does not compare
        first, second = coded([one, other])
        return np.asarray(first != second)
    found = pc.invert(pc.fill_null(alike, False))  # noqa: FBT003
    if pa.types.is_floating(one.type):
        found = pc.and_not(found, pc.fill_null(pc.and_(pc.is_nan(one), pc.is_nan(other)), False))  # noqa: FBT003
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def without(schema: Schema, *names: str) -> Schema:
    """A schema without some columns."""
    kept = tuple(column for column in schema.columns if column.name not in names)
    arrow = pa.schema([schema.arrow.field(column.name) for column in kept], schema.arrow.metadata)
    return replace(schema, columns=kept, arrow=arrow)


def changed(schema: Schema, column: Column, arrow: pa.DataType) -> Schema:
    """A schema with another kind and type of one column."""
    columns = tuple(column if column.name == own.name else own for own in schema.columns)
    fields = [pa.field(f.name, arrow) if f.name == column.name else f for f in schema.arrow]
    return replace(schema, columns=columns, arrow=pa.schema(fields, schema.arrow.metadata))


Arithmetic = Literal["decimal", "floats", "factored"]
ARITHMETICS: tuple[Arithmetic, ...] = ("decimal", "floats", "factored")


class Rounded(Following):
    """A number or time that is computed and rounded. What no real row reaches is drawn again.

    Attributes:
        scale: The scale of the target.
        arithmetic: Whether it was computed in decimal numbers, or in floats, as NumPy and pandas do: "floats", or
            "factored" for coefficient · (source + constant). They differ where a value lies halfway between two.
        least: The least value, in units. None if none was seen. Numbers are rounded outwards, so that it is no value of
            a single row.
        most: The greatest one.
    """

    binds: ClassVar[bool] = False
    scale: Unit
    arithmetic: Arithmetic = "decimal"
    least: float | None = None
    most: float | None = None

    def nearest(self, table: pa.Table) -> Self:
        """See `Following.nearest`."""
        real = combined(table[self.target])
        ways = [self.model_copy(update={"arithmetic": way}) for way in ARITHMETICS]
        wrong = [int(differs(real, combined(way.follows(table, real.type))).sum()) for way in ways]
        return ways[int(np.argmin(wrong))]

    def lost(self, table: pa.Table) -> Mask:
        """See `Relation.lost`. The target holds by construction, but it may lie beyond the values of real rows."""
        if self.least is None or self.most is None:
            return np.zeros(table.num_rows, dtype=bool)
        units, mask = self.scale.units(table[self.target])
        return np.asarray(mask & ((units < self.least) | (units > self.most)))

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`."""
        units, mask = self.scale.units(table[self.target])
        if not mask.any():
            return self
        least, most = float(units[mask].min()), float(units[mask].max())
        size = max(abs(least), abs(most))
        step = 10.0 ** (np.floor(np.log10(size)) - 1) if size and not self.scale.tick else 1.0  # two digits
        ends = {"least": float(np.floor(least / step) * step), "most": float(np.ceil(most / step) * step)}
        return self.model_copy(update=ends)
