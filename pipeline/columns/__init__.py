"""Kinds of column: how values of one sort become variables of the VAE and come back.

`KINDS` names every kind, the most particular first; `infer` gives each column of a table the first kind that
claims it. To add a modality, write a module with a `Codec` and name it here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.checks import expect
from pipeline.columns.base import (
    Array,
    Codec,
    Discrete,
    Encoded,
    Extension,
    Measure,
    Novel,
    Origin,
    Real,
    Variable,
    combined,
)
from pipeline.columns.categorical import Categorical
from pipeline.columns.datetime import Datetime
from pipeline.columns.domain import ticks
from pipeline.columns.identifier import Identifier
from pipeline.columns.numeric import Numeric
from pipeline.errors import DamagedError, SchemaError, SettingsError
from pipeline.schema import Column, ColumnSettings, Schema

__all__ = [
    "KINDS",
    "Codec",
    "Discrete",
    "Encoded",
    "Extension",
    "Measure",
    "Novel",
    "Origin",
    "Real",
    "Variable",
    "extend",
    "fit",
    "infer",
    "load",
    "measure",
    "numbers",
    "state",
]

KINDS: dict[str, type[Codec]] = {kind.kind: kind for kind in (Identifier, Datetime, Categorical, Numeric)}


def infer(table: pa.Table, overrides: Mapping[str, ColumnSettings] | None = None) -> Schema:
    """The schema of a table.

    Args:
        table: The values, for nulls and for telling identifiers from quantities.
        overrides: Settings by column name.

    Raises:
        SchemaError: A type has no kind, or an override does not fit its column.
        SettingsError: An override names a column or a kind that does not exist.
    """
    overrides = overrides or {}
    unknown = sorted(set(overrides) - set(table.column_names))
    if unknown:
        raise SettingsError(f"settings name column {unknown[0]!r}, expected one of {', '.join(table.column_names)}")
    columns, warnings = [], []
    for field in table.schema:
        array = table.column(field.name)
        column = _column(field, array, overrides.get(field.name, ColumnSettings()))
        columns.append(column)
        warnings += _warnings(column, array)
    return Schema(tuple(columns), table.schema, tuple(warnings))


def fit(table: pa.Table, schema: Schema, taken: pa.Table | None = None) -> dict[str, Codec]:
    """A codec for every column of `schema`, fitted to `table`; identifiers of `taken`, if given, are taken too."""
    return {c.name: KINDS[c.kind].fit(_values(c, table, taken), c) for c in schema}


def extend(
    codecs: Mapping[str, Codec], table: pa.Table, schema: Schema, novel: Novel, taken: pa.Table | None = None
) -> dict[str, Extension]:
    """Codecs fitted to an earlier table of these columns, extended to the values of this one; see `Codec.extend`."""
    return {c.name: codecs[c.name].extend(_values(c, table, taken), c, novel) for c in schema}


def state(codecs: Mapping[str, Codec]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """What `load` needs: JSON values of every codec in order, and the arrays of all."""
    states = [codec.state() for codec in codecs.values()]
    arrays = {f"{i}.{key}": value for i, (_, own) in enumerate(states) for key, value in own.items()}
    return [json for json, _ in states], arrays


def load(schema: Schema, states: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Codec]:
    """The inverse of `state`.

    Raises:
        DamagedError: A column has no such kind, or its kind no such state.
    """
    parts: dict[str, dict[str, NDArray[Any]]] = {str(i): {} for i in range(len(schema.columns))}
    for key, array in arrays.items():
        owner, _, name = key.partition(".")
        expect(owner in parts, "arrays of the columns only")
        parts[owner][name] = array
    expect(len(states) == len(parts), f"the states of {len(parts)} columns, got {len(states)}")
    codecs = {}
    for column, json, own in zip(schema, states, parts.values(), strict=True):
        arrow, kind = schema.arrow.field(column.name).type, KINDS.get(column.kind)
        try:
            expect(kind is not None and kind.supports(arrow), f"a kind for type {arrow}")
            codecs[column.name] = KINDS[column.kind].load(json, own, arrow)
        except DamagedError as error:
            raise DamagedError(f"column {column.name!r}: {error}") from None
    return codecs


def _values(column: Column, table: pa.Table, taken: pa.Table | None) -> pa.ChunkedArray:
    """What a column is fitted to; fresh identifiers must keep clear of all that exist."""
    source = table if taken is None or column.kind != Identifier.kind else taken
    return source.column(column.name)


def measure(column: Column) -> Measure:
    """How metrics see a column: "ordered", "nominal", or "none" for identifiers."""
    return KINDS[column.kind].measure


def numbers(array: Array) -> NDArray[np.float64]:
    """An ordered column as float64, [rows]; nulls are NaN, points in time are ticks of their unit."""
    array = combined(array)
    if pa.types.is_temporal(array.type):
        array = ticks(array)
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _column(field: pa.Field, array: Array, settings: ColumnSettings) -> Column:
    kind = settings.kind or next((name for name, kind in KINDS.items() if kind.claims(array, field.name)), None)
    if kind is None:
        names = "integers, floats, decimals, strings, booleans, dictionaries, dates and timestamps"
        raise SchemaError(f"column {field.name!r} has type {field.type}, expected {names}")
    if kind not in KINDS:
        raise SettingsError(f"column {field.name!r}: expected a kind of {', '.join(KINDS)}, got {kind!r}")
    if not KINDS[kind].supports(field.type):
        raise SchemaError(f"column {field.name!r} of type {field.type} cannot be of kind {kind!r}")
    forms = KINDS[kind].forms
    if settings.normalization is not None and settings.normalization not in forms:
        offered = ", ".join(forms) or "none"
        raise SettingsError(
            f"column {field.name!r} of kind {kind!r}: expected a normalization of {offered},"
            f" got {settings.normalization!r}"
        )
    nulls = _null_count(array) > 0
    if nulls and settings.nullable is False:
        raise SchemaError(f"column {field.name!r} is set to nullable = false but holds {_null_count(array)} nulls")
    return Column(name=field.name, kind=kind, nullable=nulls, normalization=settings.normalization)


def _null_count(array: Array) -> int:
    nans = pc.sum(pc.is_nan(array)).as_py() if pa.types.is_floating(array.type) else 0
    return int(array.null_count + (nans or 0))


def _warnings(column: Column, array: Array) -> list[str]:
    if _null_count(array) == len(array):
        return [f"column {column.name!r} is all null: it is written as it is and says nothing"]
    if column.kind == "identifier":
        return [f"column {column.name!r} is taken for an identifier: generated rows get fresh values"]
    present = combined(array).drop_null()
    if pa.types.is_float16(present.type):  # Arrow does not compare it
        present = present.cast(pa.float32())
    if len(present) and bool(pc.all(pc.equal(present, present[0])).as_py()):
        return [f"column {column.name!r} is constant: it is written as it is and says nothing"]
    return []
