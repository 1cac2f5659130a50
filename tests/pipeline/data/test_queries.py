"""Addresses of queries are read as they are written, and never carry a password."""

from pathlib import Path

import pytest

from pipeline.data import queries, storage
from pipeline.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "url", "table", "sql", "name"),
    [
        ("duckdb://a/b.db?table=t", "duckdb://a/b.db", "t", None, "t"),
        ("duckdb:///a/b.db?query=SELECT x FROM t", "duckdb:///a/b.db", None, "SELECT x FROM t", "b"),
        ("duckdb://?query=SELECT * FROM 'a.csv'", "duckdb://", None, "SELECT * FROM 'a.csv'", "query"),
        ("sqlite:///b.db?query=SELECT%20x%20FROM%20t", "sqlite:///b.db", None, "SELECT x FROM t", "b"),
        (
            "sqlite:///b.db?query=SELECT x FROM t WHERE a LIKE '%20%' AND b = '&?#@:'",
            "sqlite:///b.db",
            None,
            "SELECT x FROM t WHERE a LIKE '%20%' AND b = '&?#@:'",
            "b",
        ),
        (
            "postgresql+psycopg://me@host:5432/shop?sslmode=require&table=sales.orders",
            "postgresql+psycopg://me@host:5432/shop?sslmode=require",
            "sales.orders",
            None,
            "sales.orders",
        ),
        (
            "postgresql://me@[::1]:5432/shop?query=SELECT 1 AS a",
            "postgresql://me@[::1]:5432/shop",
            None,
            "SELECT 1 AS a",
            "shop",
        ),
        ("mysql://me:${DB_PASSWORD}@host/shop?table=a%20b", "mysql://me:${DB_PASSWORD}@host/shop", "a b", None, "a b"),
    ],
)
def test_addresses(text, url, table, sql, name):
    """The query is the rest of the address. One without any space is percent-encoded, as a table's name is."""
    query = queries.parse(text)
    assert (query.url, query.table, query.sql, query.name) == (url, table, sql, name)
    assert queries.parse(query.address) == query
    assert storage.place(text) == query.address
    assert "\n" not in str(query)


def test_a_query_of_several_lines_is_shown_in_one():
    """It is kept as it is."""
    query = queries.parse("duckdb://a.db?query=SELECT x -- why\n  FROM t")
    assert query.sql == "SELECT x -- why\n  FROM t"
    assert str(query) == "duckdb://a.db?query=SELECT x -- why FROM t"


SECRET = "s3cr3t-Word"  # noqa: S105 - made up


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/db",
        f"postgresql+psycopg://me:{SECRET}/x@host/db",
        f"postgresql://me:{SECRET}@x@host/db",
        f"postgresql://me:12?{SECRET}@host/db",
        f"postgresql://:{SECRET}@host/db",
        f"postgresql://me:${{NAME}}{SECRET}@host/db",
        f"postgresql://me@host/db?password={SECRET}",
        f"mysql://me@host/db?ssl_key_passphrase={SECRET}",
        f"duckdb://md:db?motherduck_token={SECRET}",
        f"snowflake://me@account/db?token={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}",
        f"oracle://me:{SECRET}#@host/db",
        f"postgresql://me%3A{SECRET}@host/db",
        f"sqlite+pysqlcipher://:{SECRET}@/a.db",
        f"sqlite:///a.db?key={SECRET}",
        f"duckdb://me:{SECRET}@host",
        f"trino://me@host/db?auth={SECRET}",
        f"bigquery://project?access_key={SECRET}",
    ],
)
@pytest.mark.parametrize("asked", ["table=t", "query=SELECT 1 AS a", None])
def test_a_password_is_refused_and_not_shown(url, asked):
    """In any place, with or without a query. The line says what to do instead."""
    text = url if asked is None else f"{url}{'&' if '?' in url else '?'}{asked}"
    if asked is None and url.startswith(("snowflake", "trino", "bigquery")):
        text = f"{url}&table=t"
    with pytest.raises(SettingsError, match=r"without a password.*\$\{NAME\}") as caught:
        storage.place(text)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", ["table=t", "query=SELECT%201", "query=SELECT 1 AS a"])
def test_a_password_behind_the_query_is_refused(asked):
    """It would be a part of the query, which is shown."""
    with pytest.raises(SettingsError, match="without a password") as caught:
        storage.place(f"postgresql://me@host/db?{asked}&password={SECRET}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["sqlite:///a.db", "duckdb://a.db", "postgresql://me@host/db", "duckdb://a.db?query= "]
)
def test_what_is_asked_must_be_said(text):
    """A database alone is no table."""
    with pytest.raises(SettingsError, match=r"\?table=NAME or \?query=SELECT|a text after query="):
        storage.place(text)


@pytest.mark.parametrize(
    ("text", "absolute"),
    [
        ("duckdb://a.db?table=t", "duckdb:///home/a.db?table=t"),
        ("duckdb:///x/a.db?table=t", "duckdb:///x/a.db?table=t"),
        ("sqlite:///a.db?timeout=3&table=t", "sqlite:////home/a.db?timeout=3&table=t"),
        ("sqlite:////x/a.db?query=SELECT a FROM t", "sqlite:////x/a.db?query=SELECT a FROM t"),
        ("duckdb://:memory:?query=SELECT 1 AS a", "duckdb://:memory:?query=SELECT 1 AS a"),
        ("duckdb://${LAKE}/a.db?table=t", "duckdb://${LAKE}/a.db?table=t"),
        ("postgresql://me@host/db?table=t", "postgresql://me@host/db?table=t"),
        ("s3://bucket/x", "s3://bucket/x"),
    ],
)
def test_relative_paths_of_files_are_relative_to_a_base(text, absolute):
    """Addresses of servers and absolute paths stay as they are."""
    assert storage.absolute(text, Path("/home")) == absolute


def test_an_object_store_is_no_database():
    """Options in its address are refused as before."""
    with pytest.raises(SettingsError, match="expected a plain s3:// address"):
        storage.place("s3://bucket/x?table=t")
