"""Tables of databases are the tables that Parquet gives, read once and without a trace."""
# ruff: noqa: S608 - queries of tests

import datetime as dt
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import mixed
from sqlalchemy import make_url

import pipeline
from pipeline.data import queries, tables
from pipeline.data.contents import Contents
from pipeline.data.incoming import IncomingSettings, Ledger, survey, window
from pipeline.data.tables import ReadSettings, database, files, footer, names
from pipeline.errors import TableError
from pipeline.schema import ColumnSettings


def duck(path: Path, table: pa.Table, name: str = "t") -> str:
    """A DuckDB file with a table; returns its address."""
    with duckdb.connect(str(path)) as connection:
        connection.register("came", table)
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM came")
    return f"duckdb://{path}"


@pytest.fixture
def lite(tmp_path: Path) -> str:
    """A SQLite file with a table of several types; its address."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute(
            "CREATE TABLE t (i INTEGER, s TEXT, d DATE, at TIMESTAMP, m NUMERIC(10, 2), b BLOB, f BOOLEAN)"
        )
        rows = [
            (
                2**62 + i,
                None if i == 3 else f"x{i}",
                f"2024-01-0{i + 1}",
                f"2024-01-01 0{i}:00:00.000000",
                i + 0.25,
                b"\0",
                i % 2,
            )
            for i in range(5)
        ]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_frame_a_path_and_a_query_are_one_table(tmp_path):
    """The library reads pandas, Polars and Arrow frames, paths as texts, patterns and queries alike."""
    table = mixed(200).drop_columns(["group", "seen"]).replace_schema_metadata(None)
    table = table.cast(pa.schema([field.with_nullable(nullable=True).remove_metadata() for field in table.schema]))
    pq.write_table(table, tmp_path / "t.parquet")
    expected = pipeline.read(tmp_path / "t.parquet")
    assert pipeline.read(str(tmp_path / "t.parquet")).equals(expected)
    assert pipeline.read(f"{tmp_path}/*.parquet").equals(expected)
    assert pipeline.read(table).equals(expected)
    polars = pytest.importorskip("polars").from_arrow(table)
    assert pipeline.read(polars).sort_by("key").to_pylist() == expected.to_pylist()
    assert pipeline.read(table.select(["size", "day"]).to_pandas())["size"].to_pylist() == expected["size"].to_pylist()
    for asked in ("table=t", "query=SELECT * FROM t", "query=SELECT%20*%20FROM%20t"):
        found = pipeline.read(f"{duck(tmp_path / 'a.db', table)}?{asked}")
        assert found.sort_by("key").combine_chunks().equals(expected.combine_chunks())


def test_rows_have_an_order_of_their_own(tmp_path):
    """Whatever order a database answers in."""
    table = mixed(500)
    address = f"{duck(tmp_path / 'a.db', table)}?table=t"
    first = tables.read(address)
    duck(tmp_path / "a.db", table.take(pa.array(range(499, -1, -1))))
    assert tables.read(address).equals(first)
    assert tables.digest(tables.read(address)) == tables.digest(first)


def test_sqlite_tables_have_the_declared_types(lite):
    """Dates are dates, decimals decimals, and truth values what they are."""
    table = tables.read(f"{lite}?table=t").sort_by("i")
    assert table.column_names == ["i", "s", "d", "at", "m", "b", "f"]
    assert table.slice(1, 1).to_pylist() == [
        {
            "i": 2**62 + 1,
            "s": "x1",
            "d": dt.date(2024, 1, 2),
            "at": dt.datetime(2024, 1, 1, 1),  # noqa: DTZ001
            "m": Decimal("1.25"),
            "b": b"\0",
            "f": True,
        }
    ]
    assert table["s"].null_count == 1


def test_a_query_of_sqlite_has_dates(lite):
    """It answers with texts. Those that are dates are read so, unless the settings say otherwise.

    Colons and percent signs are no parameters.
    """
    address = f"{lite}?query=SELECT i, d, at FROM t WHERE d > '2024-01-02' AND s || ':x %s' LIKE '%:x \\%s' ESCAPE '\\'"
    loaded = tables.load(address)
    assert loaded.table.schema.types == [pa.int64(), pa.date32(), pa.timestamp("us")]
    assert loaded.table.num_rows == 2
    assert loaded.notes == ("texts were read as dates: 'd' (date32[day]), 'at' (timestamp[us])",)
    kept = tables.read(address, overrides={"d": ColumnSettings(type="string")})
    assert kept["d"].type == pa.string()


def test_names_and_footers(lite, tmp_path):
    """They are told without all rows, and from the rows that are kept."""
    for address in (f"{lite}?table=t", f"{lite}?query=SELECT * FROM t"):
        (file,) = files(address)
        assert names(file) == ["i", "s", "d", "at", "m", "b", "f"]
        assert footer(file).rows == 5
        assert footer(file).schema == tables.read(address).schema
    (file,) = files(f"{duck(tmp_path / 'a.db', mixed())}?table=t")
    assert names(file) == mixed().column_names


@pytest.mark.parametrize("copies", [True, False])
def test_a_database_is_asked_once(tmp_path, copies):
    """What is digested is what is read, although the table changes in between."""
    address = f"{duck(tmp_path / 'a.db', pa.table({'x': [1, 2, 3]}))}?table=t"
    contents = Contents(tmp_path / "copies") if copies else Contents()
    found = survey(files(address), Ledger(), ReadSettings(), {}, contents)
    duck(tmp_path / "a.db", pa.table({"x": [7]}))
    rows = window(found, IncomingSettings(), ReadSettings(), {}, contents=contents).rows
    assert sorted(rows["x"].to_pylist()) == [1, 2, 3]
    again = survey(files(address), found.ledger, ReadSettings(), {}, Contents())
    assert again.new == 1


def test_a_time_says_which_rows_of_a_query_are_new(lite):
    """As for files."""
    address, settings = f"{lite}?query=SELECT i, at FROM t WHERE i <= {2**62} + 3", IncomingSettings(time="at")
    first = survey(files(address), Ledger(), ReadSettings(), {})
    seen = window(first, settings, ReadSettings(), {})
    assert (seen.rows.num_rows, seen.new.num_rows) == (4, 4)
    ledger = first.ledger.model_copy(update={"latest": seen.latest})
    second = survey(files(f"{lite}?query=SELECT i, at FROM t"), ledger, ReadSettings(), {})
    assert (second.new, second.quarantined) == (1, ())
    later = window(second, settings, ReadSettings(), {})
    assert (later.rows.num_rows, later.new["i"].to_pylist()) == (5, [2**62 + 4])


BAD = {
    "duckdb://none.db?table=t": "expected a DuckDB database at none.db, found none",
    "sqlite:///none.db?table=t": "expected a SQLite database at none.db, found none",
    "DUCK?table=u": "Table with name u does not exist",
    "LITE?table=u": "there is no table u",
    "LITE?query=SELEC 1": 'near "SELEC": syntax error',
    "DUCK?query=SELECT x::INTEGER AS x FROM t": "ConversionException, which is not quoted",
    "LITE?query=SELECT i FROM t UNION SELECT 'secret'": "expected values of one type that Arrow knows, got int and str",
    "LITE?query=SELECT i, i FROM t": "distinct column names in .*, got 'i' more than once",
    "LITE?query=SELECT i FROM t WHERE i < 0": "expected rows in",
    "nosuch://h/db?table=t": "Can't load plugin: sqlalchemy.dialects:nosuch",
    "mssql+pymssql://h/db?table=t": "expected the driver of mssql.pymssql://h/db to be installed: pymssql is missing",
}


@pytest.mark.parametrize("address", BAD)
def test_what_goes_wrong_is_one_line(tmp_path, lite, address):
    """It names the query and quotes no value of a row."""
    given = address.replace("DUCK", duck(tmp_path / "a.db", pa.table({"x": ["secret"]}))).replace("LITE", lite)
    with pytest.raises(Exception, match=BAD[address]) as caught:
        tables.read(given)
    assert type(caught.value).__module__ == "pipeline.errors"
    told = str(caught.value).replace(given, "")
    assert "\n" not in told
    assert "secret" not in told


def test_nothing_is_written(tmp_path, lite):
    """Neither database lets a query change it."""
    address = duck(tmp_path / "a.db", pa.table({"x": [1]}))
    before = (tmp_path / "a.db").read_bytes(), (tmp_path / "shop.db").read_bytes()
    for given in (f"{address}?query=DELETE FROM t", f"{lite}?query=DELETE FROM t RETURNING *"):
        with pytest.raises(TableError, match="expected an answer to"):
            tables.read(given)
    assert ((tmp_path / "a.db").read_bytes(), (tmp_path / "shop.db").read_bytes()) == before


def test_variables_are_replaced_and_never_shown(tmp_path, lite, monkeypatch):
    """The address keeps the name. A missing variable is told, and so is a database that is not there."""
    monkeypatch.setenv("SHOP_FILE", lite.removeprefix("sqlite:///"))
    (file,) = files("sqlite:///${SHOP_FILE}?table=t")
    loaded = tables.load([file])
    assert loaded.table.num_rows == 5
    monkeypatch.setenv("SHOP_FILE", str(tmp_path / "s3cr3t.db"))
    shown = [str(file), repr(file), file.address, *loaded.notes]
    for address in ("sqlite:///${SHOP_FILE}?table=t", "duckdb://${SHOP_FILE}?table=t"):
        with pytest.raises(TableError, match=r"at \$\{SHOP_FILE\}, found none") as caught:
            tables.read(address)
        shown.append(str(caught.value))
    assert not any("s3cr3t" in text for text in shown)
    with pytest.raises(TableError, match="expected an environment variable NOT_SET"):
        tables.read("postgresql+psycopg://me:${NOT_SET}@host/db?table=t")


def test_a_password_of_any_letters_reaches_the_driver(monkeypatch):
    """It is encoded as the address needs it, in either place, and taken out of what a driver says."""
    secret = "p@ss/w:rd?&%20#é"  # noqa: S105 - made up
    monkeypatch.setenv("DB_PASSWORD", secret)
    url = make_url(database._replaced("postgresql+psycopg://me:${DB_PASSWORD}@host:5432/db?sslmode=require"))
    assert (url.username, url.password, url.host, url.port, url.database) == ("me", secret, "host", 5432, "db")
    url = make_url(database._replaced("mysql+pymysql://me@host/db?passwd=${DB_PASSWORD}&charset=utf8"))
    assert dict(url.query) == {"passwd": secret, "charset": "utf8"}
    query = queries.parse("postgresql+psycopg://me:${DB_PASSWORD}@host/db?table=t")
    told = database._scrubbed(f"cannot log in with {secret} or {quote(secret, safe='')}", query)
    assert told == "cannot log in with ${DB_PASSWORD} or ${DB_PASSWORD}"


def test_duckdb_is_optional(monkeypatch):
    """The line says what to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(TableError, match=r"install resynth\[duckdb\]"):
        tables.read("duckdb://a.db?table=t")


@pytest.mark.parametrize(
    ("declared", "values", "kind"),
    [
        ("BOOLEAN", [0, 1, None], pa.bool_()),
        ("BOOLEAN", [0, 1, 2], pa.int64()),
        ("BOOLEAN", ["t", "f", None], pa.string()),
        ("BOOLEAN", [0.5, None], pa.float64()),
        ("NUMERIC", [1e-15, 0.123456789012345], pa.float64()),
        ("NUMERIC(10, 2)", [1, 0.25, None], pa.decimal128(10, 2)),
        ("NUMERIC(10, 2)", [0.125, 1.5], pa.float64()),
        ("DECIMAL(60, 2)", [1, 2], pa.int64()),
        ("REAL", [0.1, 2.0], pa.float64()),
    ],
)
def test_a_declared_type_of_sqlite_changes_no_value(tmp_path, declared, values, kind):
    """It is used where it holds all values. "f" is not true, and a small number not nought."""
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute(f"CREATE TABLE t (i INTEGER, x {declared})")
        connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate(values))
    connection.close()
    table = tables.read(f"sqlite:///{tmp_path / 'a.db'}?table=t").sort_by("i")
    assert table["x"].type == kind
    found = [float(value) if isinstance(value, Decimal) else value for value in table["x"].to_pylist()]
    assert found == values


@pytest.mark.parametrize(
    "values", [("bytes", b"bytes"), (b"bytes", "texts"), ("2024-01-01T10:00:00+02:00", "2024-01-01 10:00:00")]
)
def test_values_of_two_kinds_in_one_column_are_refused(tmp_path, values):
    """Texts do not become bytes, and times without a zone not times of UTC."""
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (x TIMESTAMP)" if "2024" in str(values) else "CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    connection.close()
    with pytest.raises(
        TableError, match=r"'x'.*expected values of one type.*(bytes and str|datetime and datetime with a zone)"
    ):
        tables.read(f"sqlite:///{tmp_path / 'a.db'}?table=t")


def test_sqlite_writes_no_other_file(lite, tmp_path):
    """Not even a copy of the database."""
    with pytest.raises(TableError, match="expected an answer"):
        tables.read(f"{lite}?query=VACUUM INTO '{tmp_path / 'copy.db'}'")
    assert not (tmp_path / "copy.db").exists()


def test_what_arrow_has_no_place_for_comes_as_text_from_duckdb():
    """Integers of 128 bits without a sign, integers of any size, times with an offset, and bits."""
    most = 2**128 - 1
    big = "9" * 60
    found = tables.read(
        f'duckdb://?query=SELECT 1 AS "o""k", {most}::UHUGEINT AS u, \'{big}\'::BIGNUM AS b, '
        "'10:00:00+02'::TIMETZ AS t, '10101'::BIT AS bits"
    )
    assert found.to_pylist() == [{'o"k': 1, "u": str(most), "b": big, "t": "10:00:00+02", "bits": "10101"}]
