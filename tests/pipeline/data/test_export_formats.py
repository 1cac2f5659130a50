"""Exports in every format hold what Parquet holds, verify, and replace each other as a whole."""
# ruff: noqa: S608 - queries of tests

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import Phase, assume, given, settings
from publishing import doctor, files, publish
from samples import mixed
from strategies import every_type

from pipeline.data import exports, formats, parts, tables
from pipeline.data.tables import ReadSettings
from pipeline.data.tables.content import column_hashes
from pipeline.errors import InputError

FORMS = ("parquet", "csv", "feather", "duckdb")
OTHERS = FORMS[1:]
PUBLISHER = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from pipeline.data import exports
def batches():
    yield pa.table({"x": list(range(500))})
    os.kill(os.getpid(), signal.SIGKILL)
source = exports.Source(name="t", version="4", data_digest="d", code_version="c")
exports.publish(batches(), Path(sys.argv[1]), schema=pa.schema([("x", pa.int64())]), rows=1000, source=source, seed=0,
    form=sys.argv[2], part_rows=250)
"""


def back(out: Path, schema: pa.Schema) -> pa.Table:
    """The rows of an export, read with the types of its schema."""
    manifest = exports.load_manifest(out)
    if manifest.written_as != "duckdb":
        return tables.load(out, like=schema).table
    with duckdb.connect(str(out / "part-00000.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(f"SELECT * FROM {manifest.source.name}").to_arrow_table()


def plain(table: pa.Table) -> list[dict[str, object]]:
    """The rows as Python has them, zoned times in UTC, and durations as DuckDB holds them."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            table = table.set_column(
                i, field.name, table.column(i).cast(pa.timestamp("ns" if field.type.unit == "ns" else "us", "UTC"))
            )
        if pa.types.is_duration(field.type):
            table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return table.to_pylist()


@given(every_type())
@settings(max_examples=5, phases=[Phase.generate])
def test_every_type_comes_back_or_is_refused(tmp_path_factory, table):
    """Each format gives the table that Parquet gives, or says before anything is written what it cannot hold."""
    out = tmp_path_factory.mktemp("out")
    wide = [name for name in table.column_names if pa.types.is_fixed_size_list(table.schema.field(name).type)]
    table = table.drop_columns(wide)  # Arrow cannot read nulls of these from Parquet
    doubles = [column.cast(pa.float64()) for column in table.columns if pa.types.is_floating(column.type)]
    assume(
        all((pc.max(pc.abs(column)).as_py() or 0) <= tables.LARGEST for column in doubles)
    )  # larger ones are refused
    publish(out / "parquet", table)
    assert exports.verify(out / "parquet") == ()
    expected = tables.load(out / "parquet", like=table.schema).table
    for form in OTHERS:
        refused = formats.WRITERS[form].refused(table.schema)
        kinds = [table.schema.field(name).type for name in refused]
        assert all(pa.types.is_nested(kind) or "binary" in str(kind) for kind in kinds)
        assert {"csv": len(kinds) > 10, "feather": kinds == [], "duckdb": len(kinds) == 1}[form]
        if refused:
            with pytest.raises(InputError, match=rf"columns that {formats.WRITERS[form].called} can hold, got '"):
                publish(out / form, table, form=form)
        publish(out / form, table.drop_columns(refused), form=form)
        assert exports.verify(out / form) == ()
        held = expected.drop_columns(refused)
        found = back(out / form, held.schema)
        if form == "duckdb":
            twice = [field.name for field in held.schema if pa.types.is_struct(field.type)]  # Python has no such
            assert plain(found.drop_columns(twice)) == plain(held.drop_columns(twice))
        else:
            assert found.schema.equals(held.schema)
            equal = map(np.array_equal, column_hashes(found), column_hashes(held))
            assert [name for name, same in zip(held.column_names, equal, strict=True) if not same] == []


@pytest.mark.parametrize("form", FORMS)
def test_an_export_holds_and_replaces(tmp_path, form):
    """It verifies, has parts of one suffix and a manifest that says the format, and replaces one of another format."""
    out = tmp_path / "out"
    for other in FORMS:
        publish(out, mixed(), form=other)
        manifest = publish(out, mixed(), form=form)
        assert exports.verify(out) == ()
        assert exports.load_manifest(out) == manifest
        assert manifest.written_as == form
        numbers = range(1 if form == "duckdb" else 3)
        assert files(out) == ["_manifest.parquet", *(f"part-{i:05d}.{form}" for i in numbers)]
        assert [part.first for part in manifest.parts] == ([0] if form == "duckdb" else [0, 250, 500])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", ["parquet", "csv", "feather"])
def test_equal_rows_make_equal_files(tmp_path, form):
    """Byte by byte, in whatever batches they come."""
    first = publish(tmp_path / "a", mixed(), form=form)
    source = first.source
    batches = [mixed().slice(0, 100), mixed().slice(100, 350), mixed().slice(450)]
    if form == "parquet":
        batches = [mixed().slice(0, 333), mixed().slice(333)]  # its row groups are the batches
    second = exports.publish(
        batches, tmp_path / "b", schema=mixed().schema, rows=600, source=source, seed=5, part_rows=250, form=form
    )
    assert first.digest == second.digest


def test_a_parquet_export_is_as_before(tmp_path):
    """Its manifest does not name the format, so earlier versions of resynth read it."""
    manifest = publish(tmp_path / "out", mixed())
    assert "written_as" not in (tmp_path / "out" / "_manifest.parquet").read_bytes().decode("latin-1")
    assert manifest.digest == manifest.content_digest()


def test_csv_is_as_people_expect(tmp_path):
    """Nulls are empty, empty texts are in quotes, and pandas, Polars and DuckDB read the files."""
    table = pa.table({"x": [1.5, None, 3.0], "s": ["", None, 'a "b",\nc'], "d": pa.array([0, None, 1], pa.date32())})
    publish(tmp_path / "out", table, form="csv")
    path = tmp_path / "out" / "part-00000.csv"
    assert path.read_text() == '"x","s","d"\n1.5,"",1970-01-01\n,,\n3,"a ""b"",\nc",1970-01-02\n'
    assert tables.read(path).to_pylist() == table.to_pylist()
    assert len(pd.read_csv(path)) == pl.read_csv(path).height == len(duckdb.read_csv(str(path))) == 3


@pytest.mark.parametrize("form", ["parquet", "csv", "feather"])
def test_exports_are_partitioned(tmp_path, form):
    """In every format of several files, and read back with the columns of the paths."""
    table = mixed(300).select(["key", "price", "group", "active"])
    publish(tmp_path / "out", table, form=form, partition_by=["group"])
    assert exports.verify(tmp_path / "out") == ()
    found = tables.load(tmp_path / "out", like=table.schema).table.sort_by("key")
    assert found.to_pylist() == table.sort_by("key").to_pylist()


def test_an_export_is_read_with_its_own_types(tmp_path):
    """Its manifest tells them, and how it is written, whatever the settings say of other files."""
    table = mixed(300).drop_columns(["group"])
    publish(tmp_path / "out", table, form="csv")
    loaded = tables.load(tmp_path / "out", ReadSettings(delimiter=";", decimal=",", encoding="utf-16"))
    assert (loaded.table.schema.types, loaded.notes) == (table.schema.types, ())
    assert loaded.table.to_pylist() == table.to_pylist()


def test_what_does_not_go_together_is_refused(tmp_path):
    """One file has no partitions, and columns that a format cannot hold are named with their types."""
    with pytest.raises(InputError, match="partition_by: expected no columns with format duckdb, which is one file"):
        publish(tmp_path / "out", mixed(), form="duckdb", partition_by=["group"])
    odd = pa.table({name: pa.nulls(1, pa.list_(pa.int8())) for name in "abcd"})
    with pytest.raises(
        InputError, match=r"columns that CSV can hold, got 'a' \(list<item: int8>\), 'b' .*kind = .drop"
    ) as caught:
        publish(tmp_path / "out", odd, form="csv")
    assert "'d'" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_duckdb_is_optional(monkeypatch):
    """The line says what to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"install resynth\[duckdb\]"):
        parts.check(mixed().schema, (), form="duckdb")


@pytest.mark.parametrize("form", OTHERS)
def test_changes_are_found(tmp_path, form):
    """A changed, a foreign and a missing file, and content that a doctored manifest vouches for."""
    out = tmp_path / "out"
    manifest = publish(out, mixed(), form=form)
    first, *rest = manifest.parts
    file = out / first.file
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"x")
    assert exports.verify(out) == (f"{first.file} was changed: its SHA-256 is not the manifest's",)
    file.write_bytes(b"\xff\xfe\x00")
    told = first.model_copy(update={"sha256": parts.sha256(file), "bytes": 3})
    doctor(out, parts=(told, *rest))
    assert f"{first.file} is no readable {formats.WRITERS[form].called}" in exports.verify(out)
    file.write_bytes(whole)
    doctor(out, parts=(first.model_copy(update={"rows": first.rows + 1}), *rest))
    assert f"{first.file} holds {first.rows} rows, expected {first.rows + 1}" in exports.verify(out)
    (out / f"extra.{form}").touch()
    assert f"extra.{form} is not in the manifest" in exports.verify(out)
    with pytest.raises(InputError, match="found other files"):
        publish(out, mixed())
    file.unlink()
    assert f"{first.file} is missing" in exports.verify(out)


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("form", FORMS)
def test_a_publisher_that_is_killed_loses_nothing(tmp_path, form):
    """While it writes, the earlier export stays, and the next publisher clears what was left."""
    out, root = tmp_path / "out", Path(__file__).parents[3]
    publish(out, mixed(), form="csv")
    done = subprocess.run([sys.executable, "-c", PUBLISHER, str(out), form], cwd=root, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(list(tmp_path.iterdir())) > 1
    assert exports.load_manifest(out).source.version == "3"
    assert exports.verify(out) == ()
    publish(out, mixed(200), form=form)
    assert exports.load_manifest(out).rows == 200
    assert exports.verify(out) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("form", "schema", "refused"),
    [
        ("duckdb", pa.schema([("a", pa.int64()), ("A", pa.int64())]), "'A' (int64)"),
        ("duckdb", pa.schema([("a", pa.int64()), ("", pa.int64())]), "'' (int64)"),
        ("duckdb", pa.schema([("x", pa.month_day_nano_interval())]), "'x' (month_day_nano_interval)"),
        ("parquet", pa.schema([("x", pa.decimal128(5, -2))]), "'x' (decimal128(5, -2))"),
    ],
)
def test_what_a_format_would_change_is_refused(form, schema, refused):
    """Names that DuckDB does not tell apart or makes up, nanoseconds that it drops, decimals that Parquet lacks."""
    with pytest.raises(InputError) as caught:
        formats.check(form, schema)
    assert f"got {refused}; choose another format" in str(caught.value)
