"""Tables that differ harmlessly are cast to one schema.

This serves the files of one table, a synthetic table beside a real one, and a new file beside earlier ones. Columns of
one name are cast to one type: the first of `widening.candidates` that holds every value of all tables exactly. A column
without any value takes the type of the others. Columns have the order of the first table, or of the earlier schema. A
column may hold nulls if it may in any table.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from pipeline.arrow.texts import COMMA, Guess
from pipeline.arrow.widening import candidates, exact, lossless, related, value_type
from pipeline.errors import SchemaError

GUESSED = b"resynth.guessed"
"""Mark in the metadata of a field of a schema: its type was guessed, because the files tell none."""
WIDE_ENOUGH = 32  # bits of a dictionary index that is never too narrow


class Named(NamedTuple):
    """A table and its name in messages."""

    name: str
    table: pa.Table


class Unified(NamedTuple):
    """Tables of one schema, in order, and notes: one line for every column that was cast."""

    tables: tuple[pa.Table, ...]
    notes: tuple[str, ...]


class Joined(NamedTuple):
    """The result of adding a table to a schema.

    Attributes:
        schema: A schema that holds both; the old one if there is none.
        reasons: Why there is none, one phrase each; empty if there is one.
    """

    schema: pa.Schema
    reasons: tuple[str, ...]


def unify(parts: Sequence[Named], like: pa.Schema | None = None) -> Unified:
    """Cast the columns of tables to one schema.

    Args:
        parts: The tables.
        like: The earlier schema of the table. Its order is used, and its types where they hold every value.

    Raises:
        SchemaError: A column is missing in a table, or no type holds all values of a column.
    """
    names = parts[0].table.column_names
    for part in parts[1:]:
        if gone := [name for name in names if name not in part.table.column_names]:
            raise SchemaError(f"column {gone[0]!r} is missing in {part.name}, expected it as in {parts[0].name}")
        if new := [name for name in part.table.column_names if name not in names]:
            raise SchemaError(f"column {new[0]!r} of {part.name} is missing in {parts[0].name}, expected it in both")
    if like is not None and set(like.names) == set(names):
        names = like.names
    columns, fields, notes = [], [], []
    for name in names:
        before = like.field(name).type if like is not None and name in like.names else None
        field, column, came = _column(name, parts, before)
        fields.append(field)
        columns.append(column)
        if came:
            notes.append(f"column {name!r} comes as {' and '.join(came)}: read as {field.type}")
    schema = pa.schema(fields, metadata=parts[0].table.schema.metadata)
    tables = (pa.Table.from_arrays(list(arrays), schema=schema) for arrays in zip(*columns, strict=True))
    return Unified(tuple(tables), tuple(notes))


def founded(table: pa.Table, guessed: Mapping[str, Guess] | None = None) -> pa.Schema:
    """The schema that a table founds, for others to join. A column without any value has type null.

    Args:
        table: The table.
        guessed: What was guessed about the types of columns. These are marked.
    """
    opinions = [_opinion(field, table.column(field.name)) for field in table.schema]
    marked = guessed or {}
    return pa.schema([field.with_metadata({GUESSED: b""}) if field.name in marked else field for field in opinions])


def joined(schema: pa.Schema, table: pa.Table, guessed: Mapping[str, Guess] | None = None) -> Joined:
    """Add a table to a schema whose other tables are not at hand.

    A type of the schema is widened only to a type that holds all values of the old one. A guessed type is widened
    further, because texts are read again: from integers to doubles, and from numbers to texts of numbers such as `007`.

    Args:
        schema: The schema.
        table: The table.
        guessed: What was guessed about the types of the table's columns.
    """
    codes = {name for name, each in (guessed or {}).items() if each.why not in {"", COMMA}}
    reasons = [f"column {name!r} is missing" for name in schema.names if name not in table.column_names]
    reasons += [f"column {name!r} is new" for name in table.column_names if name not in schema.names]
    fields = []
    for field in schema:
        if field.name not in table.column_names:
            continue
        column, came = table.column(field.name), table.schema.field(field.name)
        marked = GUESSED in (field.metadata or {})
        wider = came.type if marked and field.name in codes and _is_number(field.type) else None
        wider = wider or _wider(field.type, column, guessed=marked)
        if wider is None:
            reasons.append(f"column {field.name!r} has type {came.type}, expected {field.type}")
        else:
            fields.append(field.with_type(wider).with_nullable(field.nullable or came.nullable))
    return Joined(schema if reasons else pa.schema(fields), tuple(reasons))


def _opinion(field: pa.Field, column: pa.ChunkedArray) -> pa.Field:
    return field.with_type(pa.null()).with_nullable(True) if _empty(column) else field  # noqa: FBT003


def _wider(kind: pa.DataType, column: pa.ChunkedArray, *, guessed: bool) -> pa.DataType | None:
    """The narrowest type that holds every value of type `kind` and the values of a column; None if there is none."""
    if column.type == kind or _empty(column):
        return kind
    if pa.types.is_null(kind):
        return column.type
    if not related(kind, column.type):
        return None
    wider = (other for other in candidates([kind, column.type]) if guessed or lossless(kind, other))
    return next((other for other in (kind, *wider) if exact(column, other) is not None), None)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _empty(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def _column(
    name: str, parts: Sequence[Named], before: pa.DataType | None
) -> tuple[pa.Field, list[pa.ChunkedArray], list[str]]:
    """One column of all tables in one type, and the types that it came in if it was cast."""
    fields = [part.table.schema.field(name) for part in parts]
    columns = [part.table.column(name) for part in parts]
    kinds = {field.type for field in fields}
    for kind in _wanted(columns, kinds, before):
        cast = [exact(column, kind) for column in columns]
        done = [column for column in cast if column is not None]
        if len(done) == len(columns):
            field = next((f for f in fields if f.type == kind), fields[0].with_type(kind))
            nullable = any(f.nullable for f in fields) or any(column.null_count for column in done)
            came = sorted(map(str, kinds)) if kinds != {kind} else []
            return field.with_nullable(nullable), done, came
    raise SchemaError(_disagreement(name, parts))


def _wanted(
    columns: Sequence[pa.ChunkedArray], kinds: set[pa.DataType], before: pa.DataType | None
) -> list[pa.DataType]:
    """The types to try, the best first."""
    told = {column.type for column in columns if not _empty(column)}
    found = candidates(told or kinds) or sorted(set() if told else kinds, key=str)
    if found and pa.types.is_dictionary(found[0]) and len(columns) > 1 and not _fit_together(columns):
        found = [pa.dictionary(pa.int32(), kind.value_type, kind.ordered) for kind in found]
    if before is None or pa.types.is_null(before) or {value_type(kind) for kind in kinds} == {value_type(before)}:
        return found
    return [before, *found] if all(related(before, kind) for kind in told) else found


def _fit_together(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether dictionary indices are wide enough for the labels of all tables together."""
    dictionaries = [column for column in columns if pa.types.is_dictionary(column.type)]
    if any(column.type.index_type.bit_width >= WIDE_ENOUGH for column in dictionaries):
        return True
    if len({column.type for column in dictionaries}) > 1:
        return False
    try:
        pa.chunked_array([chunk for column in dictionaries for chunk in column.chunks]).unify_dictionaries()
    except pa.ArrowInvalid:
        return False
    return True


def _disagreement(name: str, parts: Sequence[Named]) -> str:
    """The message about the first two tables that disagree on a column, with both types."""
    told = [part for part in parts if not _empty(part.table.column(name))] or list(parts)
    kinds = [part.table.schema.field(name).type for part in told]
    other = next((i for i, kind in enumerate(kinds) if not related(kinds[0], kind)), None)
    i = other if other is not None else next(i for i, kind in enumerate(kinds) if kind != kinds[0])
    return (
        f"column {name!r} of {told[i].name} has type {kinds[i]}, expected {kinds[0]} as in {told[0].name}, or types "
        "one of which holds all values exactly"
    )
