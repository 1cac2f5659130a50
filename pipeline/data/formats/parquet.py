"""Parquet: its footer, and its rows unchanged.

Arrow reads INT96, the timestamps of Spark and Impala, at a resolution of the reader's choice, and values beyond its
range wrap silently. Such columns are read in microseconds, which hold every year of the calendar, or in nanoseconds if
a value is finer. A column that fits neither unit is refused.

Parquet has no place for some types, such as timestamps in seconds. `held` says what they come back as, and tables from
anywhere else are given the same types, so that a table is the same in whatever form it comes.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.arrow.widening import leaves, plain
from pipeline.data.formats.base import Content, Footer, Format, source
from pipeline.data.formats.settings import ReadSettings
from pipeline.errors import TableError

PER_SECOND = {"us": 10**6, "ns": 10**9}


class Parquet(Format):
    """Parquet."""

    called = "Parquet"
    suffixes = (".parquet", ".parq", ".pq")
    named_in = "end"

    def begins(self, head: bytes) -> bool:
        """Whether the mark of Parquet is there."""
        return head.startswith(b"PAR1")

    def names(self, content: Content, settings: ReadSettings, where: str) -> list[str]:
        """The names, from the footer."""
        return list(self.footer(content, settings, where).schema.names)

    def footer(self, content: Content, settings: ReadSettings, where: str) -> Footer:  # noqa: ARG002
        """The schema and the number of rows, from the footer, which may be all of the content."""
        with _opened(content) as opened:
            return Footer(opened.schema_arrow, opened.metadata.num_rows)

    def rows(self, content: Content, settings: ReadSettings, where: str) -> pa.Table:  # noqa: ARG002
        """The rows."""
        with _opened(content) as opened:
            table = _read_all(opened, where)
            int96 = _int96(opened)
        if not int96:
            return table
        finest, seconds = (_read(content, unit, int96) for unit in ("ns", "s"))
        for name in int96:
            if not _agree(table.column(name), finest.column(name), seconds.column(name), "us"):
                if not _agree(finest.column(name), finest.column(name), seconds.column(name), "ns"):
                    raise TableError(
                        f"column {name!r} of {where} holds INT96 times finer than a microsecond and others beyond the "
                        "years of nanoseconds, expected times that one unit can hold"
                    )
                i = table.column_names.index(name)
                table = table.set_column(i, finest.schema.field(name), finest.column(name))
        return table


@cache
def returned(kind: pa.DataType, name: str = "x") -> pa.DataType | None:
    """The type that a column comes back as from Parquet. None for a type without any place there.

    Inside of a map, the column's name comes back too.
    """
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(pa.schema([(name, kind)]).empty_table(), sink)
        return pq.read_schema(pa.BufferReader(sink.getvalue())).field(0).type
    except (pa.ArrowException, OSError):  # OSError: a decimal of negative scale
        return None


def held(kind: pa.DataType) -> pa.DataType:
    """The type that a column comes back as from Parquet, without views. A type without any place there stays."""
    if pa.types.is_run_end_encoded(kind):
        return held(kind.value_type)
    return plain(returned(kind) or kind)


def as_held(table: pa.Table) -> pa.Table:
    """A table with the types that it would have from Parquet. A column that cannot be cast stays as it is."""
    for i, field in enumerate(table.schema):
        kind = held(field.type)
        if str(kind) != str(field.type):
            with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
                table = table.set_column(i, field.with_type(kind), _cast(table.column(i), kind))
    return table


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_run_end_encoded(column.type):
        chunks = [pc.run_end_decode(chunk) for chunk in column.chunks]
        column = pa.chunked_array(chunks, column.type.value_type)
    if pa.types.is_dictionary(column.type) and pa.types.is_dictionary(kind):
        return column.cast(kind.value_type).dictionary_encode().cast(kind)
    return column.cast(kind)


def _read_all(opened: pq.ParquetFile, where: str) -> pa.Table:
    try:
        return opened.read()
    except pa.ArrowInvalid as error:
        if "utf8" in str(error).lower():  # Arrow checks dictionary labels itself, but names no column
            for name in opened.schema_arrow.names:
                try:
                    opened.read(columns=[name])
                except pa.ArrowInvalid:
                    message = f"column {name!r} in {where} holds labels that are not UTF-8, expected UTF-8"
                    raise TableError(message) from error
        raise


def _opened(content: Content, unit: str = "us") -> pq.ParquetFile:
    return pq.ParquetFile(source(content), coerce_int96_timestamp_unit=unit)


def _read(content: Content, unit: str, names: list[str]) -> pa.Table:
    with _opened(content, unit) as opened:
        return opened.read(columns=names)


def _int96(opened: pq.ParquetFile) -> list[str]:
    """The columns that are of INT96 or hold such values."""
    columns = [opened.schema.column(i) for i in range(len(opened.schema))]
    paths = [column.path for column in columns if column.physical_type == "INT96"]
    return [
        name for name in opened.schema_arrow.names if any(path == name or path.startswith(f"{name}.") for path in paths)
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
