"""The verb `score`: how strange is each row of a table to a version? It starts no server and leaves one file."""

import os
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pyarrow as pa

from flows.settings import Settings
from pipeline import files
from pipeline.arrow.labels import labels
from pipeline.data import tables
from pipeline.data.formats import WRITERS, Written, check
from pipeline.data.storage import Place
from pipeline.errors import InputError, SchemaError
from pipeline.progress import Progress, part, silent
from pipeline.queries.anomaly import SCORES, ScoreReport
from pipeline.randomness import BLOCK

REASON = "reasons"


def form_of(out: Path, given: Written | None) -> Written:
    """The format of a file: the given one, or what its suffix says; Parquet by default."""
    forms: tuple[Written, ...] = get_args(Written)
    said = (form for form in forms if form == out.suffix.lower().removeprefix("."))
    return given if given is not None else next(said, forms[0])


def score(
    reference: str, data: Place, out: Path, settings: Settings, form: Written, progress: Progress | None = None
) -> ScoreReport:
    """Score the rows of a table, and write them with their scores into a new file.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        data: The table. It has the columns of the version; further columns are kept.
        out: The file.
        settings: How to read, and which rows count as anomalies.
        form: The format of the file.
        progress: Called now and then, if given.

    Raises:
        NotFoundError: There is no such version.
        TableError: The table cannot be used.
        SchemaError: A column is missing, or one has the name of a score.
        InputError: The file cannot be made, or the format cannot hold a column.
    """
    from flows.tracking import registry  # noqa: PLC0415 - a mistake in the table waits for no network

    listener = progress or silent
    version = registry.resolve(reference)
    synthesizer = registry.load(version)
    known = synthesizer.schema.arrow
    table, _ = tables.load(data, settings.read, settings.columns)
    _check_names(table, known, version.uri)
    table = _typed(table, known, version.uri)
    kinds = pa.schema([*table.schema, *_written(SCORES, form)], table.schema.metadata)
    check(form, kinds)
    found = synthesizer.scored(table.select(known.names), settings.score, part(listener, 0, 0.95, "score"))
    write(table, found.table, out, kinds, form, version.name)
    return ScoreReport.of(found, version.uri)


def write(table: pa.Table, scores: pa.Table, out: Path, kinds: pa.Schema, form: Written, title: str) -> None:
    """Write rows and their scores into a new file. It is whole or absent.

    Raises:
        InputError: Meanwhile there is such a file, or it cannot be written.
    """
    fresh = out.with_name(f".{out.name}.{os.getpid()}.new")
    if REASON in kinds.names and pa.types.is_string(kinds.field(REASON).type):
        place = scores.column_names.index(REASON)
        scores = scores.set_column(place, REASON, labels(scores[REASON]).dictionary_decode())
    try:
        with WRITERS[form].writing(fresh, kinds, title) as add:
            for start in range(0, max(table.num_rows, 1), BLOCK):
                some = [*table.slice(start, BLOCK).columns, *scores.slice(start, BLOCK).columns]
                add(pa.Table.from_arrays(some, schema=kinds))
        files.sync(fresh)
        os.link(fresh, out)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise InputError(f"--out: expected a file that does not exist yet, got {out}; it was left alone") from None
    except PermissionError as error:
        raise InputError(f"--out: expected a file that can be written, got {out} ({error.strerror})") from None
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def _written(scores: pa.Schema, form: Written) -> pa.Schema:
    """The columns of scores as a format holds them: reasons are a JSON text where it has no place for lists."""
    refused = WRITERS[form].refused(scores)
    return pa.schema([field.with_type(pa.string()) if field.name in refused else field for field in scores])


def _check_names(table: pa.Table, known: pa.Schema, model: str) -> None:
    """Check that a table has the columns of a model and none of a score.

    Raises:
        SchemaError: It does not.
    """
    missing = [name for name in known.names if name not in table.column_names]
    if missing:
        named = ", ".join(map(repr, missing[:5])) + (", …" if len(missing) > 5 else "")  # noqa: PLR2004
        raise SchemaError(f"table: expected the columns of {model}, found no {named}")
    if twice := [name for name in SCORES.names if name in table.column_names]:
        raise SchemaError(f"table: expected no column with the name of a score, got {twice[0]!r}; rename it")


def _typed(table: pa.Table, known: pa.Schema, model: str) -> pa.Table:
    """The table with the model's types in the model's columns.

    Raises:
        SchemaError: A value does not fit.
    """
    for field in known:
        place = table.column_names.index(field.name)
        try:
            table = table.set_column(place, field, table[field.name].cast(field.type))
        except (pa.ArrowException, ValueError):
            got = table.schema.field(field.name).type
            raise SchemaError(f"column {field.name!r}: expected {field.type} as in {model}, got {got}") from None
    return table
