"""Parquet: its footer, and its rows unchanged.

Arrow reads INT96, the timestamps of Spark and Impala, at a resolution of the reader's choice, and values beyond its
range wrap silently. Such columns are read in microseconds, which hold every year of the calendar, or in nanoseconds if
a value is finer. A column that fits neither unit is refused.

Parquet has no place for some types, such as timestamps in seconds. `held` says what they come back as, and tables from
anywhere else are given the same types, so that a table is the same in whatever form it comes.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.arrow.widening import is_string, leaves, plain
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


def held(kind: pa.DataType) -> pa.DataType:
    """The type that a column comes back as from Parquet. A type without any place in Parquet stays."""
    if pa.types.is_run_end_encoded(kind):
        return held(kind.value_type)
    if pa.types.is_dictionary(kind) and not is_string(plain(kind.value_type)):
        return held(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(held(field.type)) for field in kind])
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if pa.types.is_time32(kind):
        return pa.time32("ms")
    return pa.date32() if pa.types.is_date64(kind) else plain(kind)


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
