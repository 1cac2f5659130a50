"""One Parquet file: its footer, and its rows unchanged.

Arrow reads INT96, the timestamps of Spark and Impala, at a resolution of the reader's choice, and values beyond its
range wrap silently. Such columns are read in microseconds, which hold every year of the calendar, or in nanoseconds if
a value is finer. A column that fits neither unit is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.arrow.widening import leaves, value_type
from pipeline.data.contents import Contents
from pipeline.data.storage import Delta, File, Key, Keyed, Object
from pipeline.data.tables import delta
from pipeline.errors import TableError

PER_SECOND = {"us": 10**6, "ns": 10**9}


class Footer(NamedTuple):
    """The schema of a Parquet file and its number of rows."""

    schema: pa.Schema
    rows: int


def footer(file: File, contents: Contents | None = None) -> Footer:
    """The schema and the number of rows of a file. Values are not read.

    Args:
        file: The file.
        contents: What is known of the contents of files.

    Raises:
        TableError: The file cannot be read, or has changed since it was digested.
        ResynthError: An object store does not answer.
    """
    if isinstance(file, Delta):
        return Footer(*delta.schema(file))
    if isinstance(file, Keyed):
        schema, rows = footer(file.file, contents)
        for key in _keys(file, schema):
            schema = schema.append(pa.field(key.name, pa.type_for_alias(key.type)))
        return Footer(schema, rows)
    reading = (contents or Contents()).reading(file, end=True)
    with _readable(file), reading as content, _opened(content) as source:
        return Footer(source.schema_arrow, source.metadata.num_rows)


class FileRows(NamedTuple):
    """The rows of a file, and the names of the columns that came from its path."""

    table: pa.Table
    keys: tuple[str, ...]


def rows(file: File, like: pa.Schema | None = None, contents: Contents | None = None) -> FileRows:
    """The rows of a file, with the columns that its path names.

    Args:
        file: The file.
        like: The earlier schema of the table. A column from paths keeps its earlier type where that loses nothing.
        contents: What is known of the contents of files.

    Raises:
        TableError: The file cannot be read, has changed since it was digested, or holds times that no single unit
            can hold.
        ResynthError: An object store does not answer.
    """
    if isinstance(file, Delta):
        return FileRows(delta.read(file), ())
    if not isinstance(file, Keyed):
        return FileRows(_rows(file, contents or Contents()), ())
    table = _rows(file.file, contents or Contents())
    keys = _keys(file, table.schema)
    for key in keys:
        table = table.append_column(key.name, _constant(key, table.num_rows, like))
    return FileRows(table, tuple(key.name for key in keys))


def _keys(part: Keyed, schema: pa.Schema) -> list[Key]:
    """The columns of the path, except those that the file holds itself."""
    return [key for key in part.keys if key.name not in schema.names]


def _constant(key: Key, count: int, like: pa.Schema | None) -> pa.Array:
    """A column from a path. It has its earlier type if a value of that type is written exactly like the text."""
    text, kind = pa.scalar(key.value, pa.string()), pa.type_for_alias(key.type)
    if like is not None and key.name in like.names:
        before = value_type(like.field(key.name).type)
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            if not text.is_valid or text.cast(before).cast(pa.string()) == text:
                kind = before
    return pa.repeat(text.cast(kind), count) if text.is_valid else pa.nulls(count, kind)


def _rows(file: Path | Object, contents: Contents) -> pa.Table:
    with _readable(file), contents.reading(file) as content:
        with _opened(content) as source:
            table = _read_all(source, file)
            int96 = _int96(source)
        if not int96:
            return table
        finest, seconds = (_read(content, unit, int96) for unit in ("ns", "s"))
    for name in int96:
        if not _agree(table.column(name), finest.column(name), seconds.column(name), "us"):
            if not _agree(finest.column(name), finest.column(name), seconds.column(name), "ns"):
                raise TableError(
                    f"column {name!r} of {file} holds INT96 times finer than a microsecond and others beyond the years "
                    "of nanoseconds, expected times that one unit can hold"
                )
            table = table.set_column(table.column_names.index(name), finest.schema.field(name), finest.column(name))
    return table


def _read_all(source: pq.ParquetFile, file: Path | Object) -> pa.Table:
    try:
        return source.read()
    except pa.ArrowInvalid as error:
        if "utf8" in str(error).lower():  # Arrow checks dictionary labels itself, but names no column
            for name in source.schema_arrow.names:
                try:
                    source.read(columns=[name])
                except pa.ArrowInvalid:
                    message = f"column {name!r} in {file} holds labels that are not UTF-8, expected UTF-8"
                    raise TableError(message) from error
        raise


def _opened(content: Path | pa.Buffer, unit: str = "us") -> pq.ParquetFile:
    source = pa.BufferReader(content) if isinstance(content, pa.Buffer) else content
    return pq.ParquetFile(source, coerce_int96_timestamp_unit=unit)


def _read(content: Path | pa.Buffer, unit: str, names: list[str]) -> pa.Table:
    with _opened(content, unit) as source:
        return source.read(columns=names)


def _int96(source: pq.ParquetFile) -> list[str]:
    """The columns that are of INT96 or hold such values."""
    columns = [source.schema.column(i) for i in range(len(source.schema))]
    paths = [column.path for column in columns if column.physical_type == "INT96"]
    return [
        name for name in source.schema_arrow.names if any(path == name or path.startswith(f"{name}.") for path in paths)
    ]


def _agree(read: pa.ChunkedArray, finest: pa.ChunkedArray, seconds: pa.ChunkedArray, unit: str) -> bool:
    """Whether times that were read in a unit neither wrapped nor lost a digit.

    Seconds never wrap, so the times hold the right second. Nanoseconds that wrap do so modulo 2^64, as the times do
    when they are multiplied: what is left of every digit agrees.
    """
    for time, fine, second in zip(_ticks(read), _ticks(finest), _ticks(seconds), strict=True):
        with np.errstate(over="ignore"):
            if not (time * (PER_SECOND["ns"] // PER_SECOND[unit]) == fine).all():
                return False
        if not (time // PER_SECOND[unit] == second).all():
            return False
    return True


def _ticks(column: pa.ChunkedArray) -> Iterator[NDArray[np.int64]]:
    """The timestamps inside a column as integers."""
    for chunk in column.chunks:
        for leaf in leaves(chunk):
            if pa.types.is_timestamp(leaf.type):
                yield leaf.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)


@contextmanager
def _readable(file: File) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(f"expected column names in UTF-8 in {file}, got other bytes") from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TableError(f"expected a readable Parquet file at {file}: {reason}") from error
