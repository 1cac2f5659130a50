"""Rows from databases: DuckDB by its own package, all others through SQLAlchemy and the driver that its URL names.

A database is asked once, for all rows, and nothing is written: DuckDB and SQLite are opened read-only, and every
transaction is rolled back. SQL guarantees no order of rows, so rows are sorted by their content: the same order each
time. `${NAME}` in an address is replaced from the environment here, and no message shows what it stands for.

DuckDB answers in Arrow's types; what Arrow has no place for becomes texts. Elsewhere rows are objects of Python:
decimals stay decimals and dates dates. SQLite has no dates, so texts that are dates are read as such. It holds any
value in any column, so a declared type is used only where it holds all values exactly.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import numpy as np
import pyarrow as pa

from pipeline.data.formats import Texts, as_held
from pipeline.data.queries import DUCKDB, MEMORY, SQLITE, VARIABLE, Query
from pipeline.data.tables.content import row_hashes
from pipeline.data.tables.unify import Named, unify
from pipeline.errors import InputError, TableError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from sqlalchemy import CursorResult, Engine

BATCH = 65_536  # rows that are turned into Arrow at once
UNTOLD = ("UHUGEINT", "BIGNUM", "BIT", "TIME WITH TIME ZONE")
"""Types of DuckDB that would come as other values in Arrow's types."""
NUMBERS = {"int", "float", "Decimal"}
MOST_DIGITS = 38
SPOKEN = ("Catalog", "Binder", "Parser", "IO", "Operational", "Programming", "Interface", "NoSuchModule")
"""Beginnings of the names of errors whose text is about the query or the connection, and quotes no value of a row."""
SAID = {"NoSuchTableError": "there is no table {}", "ResourceClosedError": "it answers no rows"}
"""What other errors mean."""


def names(query: Query) -> list[str]:
    """The names of the columns, without fetching rows.

    Raises:
        TableError: The database cannot be reached, or refuses the query.
    """
    with _told(query):
        if query.dialect == DUCKDB:
            with _duckdb(query) as connection:
                return list(connection.sql(_sql(query)).columns)
        with _answer(query) as (answer, _):
            return list(answer.keys())


def read(query: Query) -> pa.Table:
    """All rows, sorted by content, in types that Parquet has a place for.

    Raises:
        TableError: The database cannot be reached, refuses the query, or a column holds values of several types.
    """
    with _told(query):
        if query.dialect == DUCKDB:
            with _duckdb(query) as connection:
                table = _held(connection.sql(_sql(query))).to_arrow_table()
        else:
            with _answer(query) as (answer, declared):
                table = _declared(_table(answer, query), declared)
    table = as_held(table)
    return table.take(pa.array(np.argsort(row_hashes(table), kind="stable")))


def texts(query: Query) -> Texts:
    """What texts of a database may stand for."""
    return "dates" if query.dialect == SQLITE else "texts"


def _sql(query: Query) -> str:
    """The query, or that of all rows of a table, whose name may have a schema before it."""
    if query.sql is not None:
        return query.sql
    parts = [_quoted(part) for part in str(query.table).split(".")]
    return f"SELECT * FROM {'.'.join(parts)}"  # noqa: S608 - the name is the user's, and quoted


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


@contextmanager
def _duckdb(query: Query) -> Iterator["DuckDBPyConnection"]:
    try:
        import duckdb  # noqa: PLC0415 - optional
    except ImportError as error:
        raise TableError(f"{query} is a table of DuckDB: to read it, install resynth[duckdb]") from error
    path, _, options = _replaced(query.url).removeprefix(f"{DUCKDB}://").partition("?")
    if options:
        raise TableError("expected duckdb://PATH with ?table= or ?query= alone, got further options")
    stored = bool(path) and path != MEMORY
    if stored and not Path(path).is_file():
        raise TableError(f"expected a DuckDB database at {_scrubbed(path, query)}, found none")
    with duckdb.connect(path if stored else MEMORY, read_only=stored) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _held(relation: "DuckDBPyRelation") -> "DuckDBPyRelation":
    """The rows, with texts in the place of values that Arrow has no place for."""
    if not any(str(kind) in UNTOLD for kind in relation.types):
        return relation
    columns = [
        (f"CAST(#{i} AS VARCHAR)" if str(kind) in UNTOLD else f"#{i}") + f" AS {_quoted(name)}"
        for i, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True), 1)
    ]
    return relation.project(", ".join(columns))


@contextmanager
def _answer(query: Query) -> Iterator[tuple["CursorResult[Any]", dict[str, pa.DataType]]]:
    """The answer of a database of SQLAlchemy. What the transaction has done is rolled back.

    Also the types that a table of SQLite declares for truth values and decimals, which SQLAlchemy would make of any
    value: true of the text "f", and 0 of 1e-15.
    """
    from sqlalchemy import MetaData, Table, select, text  # noqa: PLC0415 - only for those who ask a database
    from sqlalchemy.types import NullType  # noqa: PLC0415 - as before

    engine = _engine(query)
    try:
        with engine.connect() as connection:
            asked = connection.execution_options(stream_results=True, postgresql_readonly=True)
            if query.sql is not None:
                yield asked.execute(text(re.sub(r"(?<!:):(?=\w)", r"\\:", query.sql))), {}  # a colon is no parameter
            else:
                *schema, name = str(query.table).rsplit(".", 1)
                table = Table(name, MetaData(), schema=schema[0] if schema else None, autoload_with=connection)
                declared: dict[str, pa.DataType] = {}
                for column in table.columns if query.dialect == SQLITE else ():
                    if (kind := _exact(column.type)) is not None:
                        declared[column.name], column.type = kind, NullType()
                yield asked.execute(select(table)), declared
            connection.rollback()
    finally:
        engine.dispose()


def _engine(query: Query) -> "Engine":
    from sqlalchemy import create_engine, make_url  # noqa: PLC0415 - only for those who ask a database

    url = make_url(_replaced(query.url))
    if query.dialect != SQLITE or not url.database or url.database == MEMORY:
        return create_engine(url)
    path = Path(url.database)
    if not path.is_file():
        raise TableError(f"expected a SQLite database at {_scrubbed(str(path), query)}, found none")
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    return create_engine("sqlite://", creator=lambda: _lite(uri))


def _lite(uri: str) -> sqlite3.Connection:
    """A connection that reads one database. No other is attached: `VACUUM INTO` would write one."""
    connection = sqlite3.connect(uri, uri=True)
    denied = {sqlite3.SQLITE_ATTACH: sqlite3.SQLITE_DENY}
    connection.set_authorizer(lambda action, *_: denied.get(action, sqlite3.SQLITE_OK))
    return connection


def _exact(kind: object) -> pa.DataType | None:
    """The Arrow type of truth values and decimals that a table of SQLite declares. None for other types."""
    from sqlalchemy.types import Boolean, Float, Numeric  # noqa: PLC0415 - only for those who ask a database

    if isinstance(kind, Boolean):
        return pa.bool_()
    if not isinstance(kind, Numeric) or isinstance(kind, Float):
        return None
    known = kind.precision is not None and kind.precision <= MOST_DIGITS
    return pa.decimal128(kind.precision, kind.scale or 0) if known else pa.null()


def _declared(table: pa.Table, declared: Mapping[str, pa.DataType]) -> pa.Table:
    """The table with declared types where they hold every value; the values as they are in other columns."""
    for name, kind in declared.items():
        values = table[name].to_pylist()
        kinds = {type(value) for value in values} - {type(None)}
        if pa.types.is_boolean(kind) and kinds <= {int} and set(values) <= {0, 1, None}:
            found = pa.array([None if value is None else bool(value) for value in values], kind)
        elif pa.types.is_decimal(kind) and kinds <= {int, float}:
            try:
                found = pa.array([None if value is None else Decimal(repr(value)) for value in values], kind)
            except pa.ArrowInvalid:  # more digits than the type has
                continue
        else:
            continue
        table = table.set_column(table.schema.get_field_index(name), name, found)
    return table


def _table(answer: "CursorResult[Any]", query: Query) -> pa.Table:
    columns = list(answer.keys())
    batches = [_batch(columns, rows, query) for rows in answer.partitions(BATCH)]
    if not batches:
        return pa.table({name: pa.nulls(0) for name in columns})
    if len(set(columns)) < len(columns):
        return batches[0]  # refused by its names
    return pa.concat_tables(unify([Named(f"batch {i}", batch) for i, batch in enumerate(batches)]).tables)


def _batch(names: Sequence[str], rows: Sequence[Sequence[object]], query: Query) -> pa.Table:
    """Rows as a table.

    Raises:
        TableError: A column holds values of several types, or of one that Arrow does not know.
    """
    columns = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        plain = [str(value) if isinstance(value, UUID) else value for value in values]
        column = None
        with suppress(pa.ArrowException, OverflowError, TypeError, ValueError):
            column = pa.array(plain) if len(kinds := _kinds(plain)) == 1 or kinds <= NUMBERS else None
        if column is None:
            raise TableError(
                f"column {name!r} of {query}: expected values of one type that Arrow knows, got "
                f"{' and '.join(sorted(kinds))}: cast it in the query"
            )
        columns.append(column)
    return pa.Table.from_arrays(columns, list(names))


def _kinds(values: Sequence[object]) -> set[str]:
    """The names of the types of values. Arrow would make bytes of texts beside bytes, and lose what zone a time has."""
    kinds = {type(value) for value in values} - {type(None)}
    names = {kind.__name__ for kind in kinds}
    if datetime in kinds and any(isinstance(value, datetime) and value.tzinfo is not None for value in values):
        naive = any(isinstance(value, datetime) and value.tzinfo is None for value in values)
        names |= {"datetime with a zone"} if naive else set()
    return names


def _replaced(url: str) -> str:
    """The address with the values of `${NAME}`, percent-encoded but in a host and in a path.

    Raises:
        TableError: A variable is not set.
    """
    rest, mark, options = url.partition("?")
    user, at, path = rest.rpartition("@")

    def value(found: re.Match[str]) -> str:
        name = found[0][2:-1]
        if name not in os.environ:
            raise TableError(f"expected an environment variable {name} for the address of the database, got none")
        return os.environ[name]

    def encoded(found: re.Match[str]) -> str:
        return quote(value(found), safe="")

    return VARIABLE.sub(encoded, user) + at + VARIABLE.sub(value, path) + mark + VARIABLE.sub(encoded, options)


@contextmanager
def _told(query: Query) -> Iterator[None]:
    """Turn errors of databases into one line. It shows no secret, and no value of a row."""
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        raise TableError(f"expected the driver of {query.url} to be installed: {error.name} is missing") from None
    except Exception as error:  # noqa: BLE001 - drivers have no common base
        cause = getattr(error, "orig", None) or error
        kind = type(cause).__name__
        lines = str(cause).strip().splitlines() if kind.startswith(SPOKEN) else []
        reason = _scrubbed(lines[0], query)[:200] if lines else f"{kind}, which is not quoted as it may show values"
        if kind in SAID:
            reason = SAID[kind].format(query.table)
        raise TableError(f"expected an answer to {query}: {reason}") from None


def _scrubbed(text: str, query: Query) -> str:
    """A text in which the values of variables are replaced by their names."""
    for variable in VARIABLE.findall(query.url):
        value = os.environ.get(variable[2:-1], "")
        for secret in {value, quote(value, safe="")} - {""}:
            text = text.replace(secret, variable)
    return text
