"""Kinds of column: how values of one sort become variables of the VAE and come back.

`KINDS` holds every kind, the most particular first. `infer` gives each column of a table the first kind that claims it,
and a fitted kind is a `Codec`. To add a modality, write a module with a `Codec` and list it in `kinds`, or add it from
outside with `register`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from pipeline import personal
from pipeline.checks import expect
from pipeline.columns import fakes
from pipeline.columns.base import Beside, Codec, Encoded, Extension, Novel, Origin
from pipeline.columns.inference import check, infer
from pipeline.columns.kinds import DROP, KINDS, is_modelled, measure, register
from pipeline.columns.text import present
from pipeline.columns.variables import Discrete, Real, Variable
from pipeline.errors import DamagedError
from pipeline.measures import Measure
from pipeline.progress import Progress, silent, ticked
from pipeline.schema import Schema

__all__ = [
    "DROP",
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
    "check",
    "extend",
    "fit",
    "infer",
    "is_modelled",
    "load",
    "measure",
    "register",
    "state",
]


def fit(
    table: pa.Table, schema: Schema, taken: pa.Table | None = None, progress: Progress = silent
) -> dict[str, Codec]:
    """Fit a codec to every column of `table`. Made-up values avoid real values of `taken`, or of `table` if None."""
    beside = _beside(table, schema, taken)
    every = ticked(schema.columns, "columns", progress)
    return {c.name: KINDS[c.kind].fit(table[c.name], c, beside[c.name]) for c in every}


def extend(
    codecs: Mapping[str, Codec], table: pa.Table, schema: Schema, novel: Novel, taken: pa.Table | None = None
) -> dict[str, Extension]:
    """Extend codecs of an earlier table with these columns to the values of this table. See `Codec.extend`."""
    beside = _beside(table, schema, taken)
    return {c.name: codecs[c.name].extend(table[c.name], c, novel, beside[c.name]) for c in schema}


def state(codecs: Mapping[str, Codec]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """What `load` needs: the JSON values of every codec in order, and the arrays of all codecs."""
    states = [codec.state() for codec in codecs.values()]
    arrays = {f"{i}.{key}": value for i, (_, own) in enumerate(states) for key, value in own.items()}
    return [json for json, _ in states], arrays


def load(schema: Schema, states: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Codec]:
    """The inverse of `state`.

    Raises:
        DamagedError: A column's kind is unknown, or is no kind that has this state.
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
            expect(kind is not None, f"kind {column.kind!r} to be registered")
            expect(KINDS[column.kind].supports(arrow), f"a kind for type {arrow}")
            codecs[column.name] = KINDS[column.kind].load(json, own, arrow)
        except DamagedError as error:
            raise DamagedError(f"column {column.name!r}: {error}") from None
    return codecs


def _beside(table: pa.Table, schema: Schema, taken: pa.Table | None) -> dict[str, Beside]:
    """The real values and names that each codec has to avoid."""
    every = table if taken is None else taken
    names = _names(every, schema)
    return {c.name: Beside(every[c.name], names, tuple(every[other] for other in c.unique_with)) for c in schema}


def _names(table: pa.Table, schema: Schema) -> personal.Words:
    """The words of all names of persons in a table. No column gets a made-up value with one of them."""
    found = [pa.array([], pa.string())]
    found += [present(table[c.name]).unique() for c in schema if fakes.holds_names(c, table[c.name])]
    return personal.Words(pa.concat_arrays(found))
