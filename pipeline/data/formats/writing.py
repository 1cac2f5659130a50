"""How the files of an export are written, one `Writer` for each format.

Every writer holds a value exactly, or refuses the column's type before anything is written. CSV and DuckDB have no
place for some types: half-precision floats become single, durations whole numbers of their unit, and labels values.
Read with the types of the manifest, they are what they were.

A Parquet, CSV or Feather file is the same, byte by byte, for the same rows. A DuckDB file is not.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from pipeline.arrow.widening import is_bytes, plain
from pipeline.data.formats.base import Footer
from pipeline.data.formats.delimited import Delimited
from pipeline.data.formats.ipc import Ipc
from pipeline.data.formats.parquet import Parquet, returned
from pipeline.data.formats.settings import ReadSettings
from pipeline.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Written = Literal["parquet", "csv", "feather", "duckdb"]
Write: TypeAlias = Callable[[pa.Table], object]


class Writer(ABC):
    """How an export lies in files.

    Attributes:
        called: Its name for people.
        suffix: The suffix of its files.
        alone: Whether one file holds the whole export.
    """

    called: ClassVar[str]
    suffix: ClassVar[str]
    alone: ClassVar[bool] = False

    @abstractmethod
    def refused(self, schema: pa.Schema) -> list[str]:
        """The columns that this format cannot hold.

        Raises:
            InputError: The package for this format is not installed.
        """

    @abstractmethod
    def writing(self, file: Path, schema: pa.Schema, title: str) -> AbstractContextManager[Write]:
        """Open a file, and write tables of a schema into it until it is closed. `title` names the table in it."""

    @abstractmethod
    def footer(self, file: Path) -> Footer:
        """The schema and the number of rows of a file.

        Raises:
            ValueError: The file cannot be read.
            OSError: As before.
        """

    @abstractmethod
    def expected(self, schema: pa.Schema) -> pa.Schema:
        """The schema that `footer` finds where rows of a schema were written."""


class ParquetWriter(Writer):
    """Parquet, compressed with Zstandard."""

    called = "Parquet"
    suffix = "parquet"

    def refused(self, schema: pa.Schema) -> list[str]:
        """Types without any place in Parquet."""
        return [field.name for field in schema if returned(field.type) is None]

    @contextmanager
    def writing(self, file: Path, schema: pa.Schema, title: str) -> Iterator[Write]:  # noqa: ARG002
        """A row group for every table."""
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_table

    def footer(self, file: Path) -> Footer:
        """From the footer."""
        return Parquet().footer(file, ReadSettings(), str(file))

    def expected(self, schema: pa.Schema) -> pa.Schema:
        """The types that come back."""
        return pa.schema([field.with_type(returned(field.type, field.name)) for field in schema], schema.metadata)


class CsvWriter(Writer):
    """CSV in UTF-8 with commas. Texts stand in quotes, so that a null is not the empty text."""

    called = "CSV"
    suffix = "csv"

    def refused(self, schema: pa.Schema) -> list[str]:
        """Lists, structures, maps, bytes and intervals."""
        return [field.name for field in schema if not _textual(_plain(field.type))]

    @contextmanager
    def writing(self, file: Path, schema: pa.Schema, title: str) -> Iterator[Write]:  # noqa: ARG002
        """The names in the first line, then a line for every row."""
        kinds = pa.schema([(field.name, _plain(field.type)) for field in schema])
        with pa.csv.CSVWriter(str(file), kinds) as writer:
            yield lambda table: writer.write_table(_cast(table, kinds))

    def footer(self, file: Path) -> Footer:
        """All rows are read for it, as texts."""
        return Delimited().footer(file, ReadSettings(delimiter=","), str(file))

    def expected(self, schema: pa.Schema) -> pa.Schema:
        """Texts."""
        return pa.schema([(name, pa.string()) for name in schema.names])


class FeatherWriter(Writer):
    """Feather, compressed with Zstandard. Every type of Arrow is held."""

    called = "Feather"
    suffix = "feather"

    def refused(self, schema: pa.Schema) -> list[str]:  # noqa: ARG002
        """Nothing."""
        return []

    @contextmanager
    def writing(self, file: Path, schema: pa.Schema, title: str) -> Iterator[Write]:  # noqa: ARG002
        """The rows are kept until the end, because a file has one set of labels for each column."""
        kept: list[pa.Table] = [schema.empty_table()]
        yield kept.append
        table = pa.concat_tables(kept).unify_dictionaries().combine_chunks()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
            writer.write_table(table)

    def footer(self, file: Path) -> Footer:
        """From the footer."""
        return Ipc().footer(file, ReadSettings(), str(file))

    def expected(self, schema: pa.Schema) -> pa.Schema:
        """The schema itself."""
        return schema


class DuckdbWriter(Writer):
    """One DuckDB file, with one table that is named after the model."""

    called = "DuckDB"
    suffix = "duckdb"
    alone = True

    def refused(self, schema: pa.Schema) -> list[str]:
        """Types that DuckDB does not know, or knows less finely, and names that it would change."""
        with _duckdb(":memory:") as connection:
            if not len(schema):
                return []
            if found := [field.name for field in schema if not _takes(connection, field)]:
                return found
            _create(connection, "tried", pa.schema([(field.name, _stored(field.type)) for field in schema]))
            pairs = zip(schema.names, connection.sql("SELECT * FROM tried").columns, strict=True)
            return [name for name, taken in pairs if name != taken]

    @contextmanager
    def writing(self, file: Path, schema: pa.Schema, title: str) -> Iterator[Write]:
        """The table is made, and rows are added to it."""
        kinds = pa.schema([(field.name, _stored(field.type)) for field in schema])
        name = _quoted(title)
        with _duckdb(str(file)) as connection:
            _create(connection, name, kinds)

            def write(table: pa.Table) -> None:
                connection.register("came", _cast(table, kinds))
                connection.execute(f"INSERT INTO {name} SELECT * FROM came")  # noqa: S608 - quoted
                connection.unregister("came")

            yield write
            connection.execute("CHECKPOINT")

    def footer(self, file: Path) -> Footer:
        """The names, all as texts, and the number of rows of the only table."""
        with _duckdb(str(file), read_only=True) as connection:
            names = [str(name) for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            if len(names) != 1:
                raise ValueError(f"expected one table, got {len(names)}")
            table = connection.sql(f"SELECT * FROM {_quoted(names[0])}")  # noqa: S608 - quoted
            return Footer(pa.schema([(column, pa.string()) for column in table.columns]), len(table))

    def expected(self, schema: pa.Schema) -> pa.Schema:
        """The names."""
        return pa.schema([(name, pa.string()) for name in schema.names])


WRITERS: dict[str, Writer] = {
    each.suffix: each for each in (ParquetWriter(), CsvWriter(), FeatherWriter(), DuckdbWriter())
}
"""All writers, by the name of the setting `format`."""


def check(name: Written, schema: pa.Schema) -> None:
    """Check that a format can hold rows of a schema.

    Raises:
        InputError: It cannot hold a column, or its package is not installed.
    """
    writer = WRITERS[name]
    if refused := writer.refused(schema):
        told = ", ".join(f"{column!r} ({schema.field(column).type})" for column in refused[:3])
        raise InputError(
            f"format: expected columns that {writer.called} can hold, got {told}; choose another format, or leave them "
            'out with kind = "drop"'
        )


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type in which values are written where only numbers, texts and times are known."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    return pa.date32() if pa.types.is_date64(kind) else plain(kind)


def _stored(kind: pa.DataType) -> pa.DataType:
    """The type in which values are given to DuckDB."""
    return kind if pa.types.is_nested(kind) or is_bytes(kind) else _plain(kind)


def _textual(kind: pa.DataType) -> bool:
    unknown = (pa.types.is_nested, pa.types.is_interval, pa.types.is_run_end_encoded, is_bytes)
    return not (any(test(kind) for test in unknown) or isinstance(kind, pa.BaseExtensionType))


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays(
        [column.cast(field.type) for field, column in zip(schema, table.columns, strict=True)], schema=schema
    )


@contextmanager
def _duckdb(file: str, *, read_only: bool = False) -> Iterator["DuckDBPyConnection"]:
    """A connection whose errors about a file are `ValueError`s."""
    try:
        import duckdb  # noqa: PLC0415 - optional
    except ImportError as error:
        raise InputError("format: expected DuckDB to be installed, it is not: install resynth[duckdb]") from error
    try:
        with duckdb.connect(file, read_only=read_only) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise ValueError(f"DuckDB: {type(error).__name__}") from error


def _create(connection: "DuckDBPyConnection", name: str, schema: pa.Schema) -> None:
    connection.register("came", schema.empty_table())
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM came")  # noqa: S608 - quoted
    connection.unregister("came")


def _takes(connection: "DuckDBPyConnection", field: pa.Field) -> bool:
    """Whether DuckDB has a type for a column that is as fine."""
    import duckdb  # noqa: PLC0415 - optional

    kind = _stored(field.type)
    if pa.types.is_interval(kind):  # DuckDB's have no nanoseconds
        return False
    try:
        _create(connection, "tried", pa.schema([("x", kind)]))
    except duckdb.Error:
        return False
    found = connection.sql("SELECT * FROM tried").to_arrow_table().schema.field("x").type
    units: Sequence[str] = ("s", "ms", "us", "ns")
    return not hasattr(kind, "unit") or units.index(found.unit) >= units.index(kind.unit)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
