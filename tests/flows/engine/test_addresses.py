"""Addresses of files lead to those files, whatever characters their paths hold."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from flows.engine import addresses

NAMES = ["plain", "my home", "r#d 50%20 ünï", "what?now", "a&b=c;d@e:f+g", "?mode=ro", "100%"]


@pytest.mark.parametrize("name", NAMES)
def test_a_database_is_where_its_path_says(tmp_path: Path, name: str) -> None:
    """SQLAlchemy writes the very file, and nothing beside it."""
    file = tmp_path / name / "some.db"
    file.parent.mkdir()
    engine = create_engine(addresses.database(file))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t AS SELECT 7 AS x"))
    engine.dispose()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT x FROM t").fetchone() == (7,)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert addresses.database_file(addresses.database(file)) == file


@pytest.mark.parametrize("name", NAMES)
def test_a_file_s_address_is_read_back(tmp_path: Path, name: str) -> None:
    """A file's address gives back its path. Any other address, and a plain path, stays as it is."""
    assert addresses.local((tmp_path / name).as_uri()) == str(tmp_path / name)
    assert addresses.local(str(tmp_path / name)) == str(tmp_path / name)
    assert addresses.local("s3://bucket/a%20b") == "s3://bucket/a%20b"


def test_other_databases_have_no_file() -> None:
    """Servers and databases on servers."""
    assert addresses.database_file("http://127.0.0.1:5000") is None
    assert addresses.database_file("postgresql://host/mlflow") is None


@pytest.mark.parametrize("address", ["/a/b:c", "mlruns/x", "file:///a%20b", "C"])
def test_paths_and_file_addresses_are_local(address: str) -> None:
    """Paths and addresses of files need no client of a store."""
    assert addresses.is_local(address)


@pytest.mark.parametrize("address", ["mlflow-artifacts:/1/models/m", "s3://bucket/x", "https://host/x"])
def test_addresses_of_stores_are_not_local(address: str) -> None:
    """A scheme with one slash is an address too."""
    assert not addresses.is_local(address)
