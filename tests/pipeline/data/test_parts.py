"""Partitioned exports: directories as Arrow makes them, a determined order, and every reader finds one table."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.data import exports, parts
from pipeline.data.exports import Source
from pipeline.errors import InputError, ResynthError

SOURCE = Source(name="t", version="3", data_digest="d", code_version="c")
READERS: dict[str, Callable[[Path], int]] = {
    "pyarrow.dataset": lambda place: ds.dataset(place, format="parquet", partitioning="hive").to_table().num_rows,
    "pyarrow.parquet": lambda place: pq.read_table(place).num_rows,
    "pandas": lambda place: len(pd.read_parquet(place)),
    "polars.read_parquet": lambda place: pl.read_parquet(place).height,
    "polars.scan_parquet": lambda place: pl.scan_parquet(place).collect().height,
    "duckdb, files": lambda place: len(duckdb.read_parquet(f"{place}/**/*.parquet")),
    "duckdb, everything": lambda place: len(duckdb.read_parquet(f"{place}/**", hive_partitioning=True)),
}
COLUMNS: dict[str, Callable[[Path], list[str]]] = {
    "pyarrow": lambda place: ds.dataset(place, format="parquet", partitioning="hive").to_table().column_names,
    "pandas": lambda place: list(pd.read_parquet(place).columns),
    "polars": lambda place: pl.read_parquet(place).columns,
    "duckdb": lambda place: duckdb.read_parquet(f"{place}/**", hive_partitioning=True).columns,
}


def table(rows: int = 100) -> pa.Table:
    """A row number, and columns to partition by: texts that need escapes, a dictionary, a number, a date, nulls."""
    texts = ["a b/c", "ü%20", None, "..", "~x-_.", "a=b", 'q"\\']
    return pa.table(
        {
            "row": range(rows),
            "text": pa.array([texts[i % len(texts)] for i in range(rows)]),
            "label": pa.array([None if i % 5 == 0 else f"l{i % 3}" for i in range(rows)]).dictionary_encode(),
            "number": pa.array([None if i % 7 == 0 else i % 4 - 1 for i in range(rows)], pa.int16()),
            "day": pa.array([date(2020, 1, 1 + i % 3) for i in range(rows)]),
            "flag": pa.array([i % 2 == 0 for i in range(rows)]),
        },
        metadata={"origin": "test"},
    )


def publish(out: Path, rows: pa.Table, *by: str) -> exports.Manifest:
    """Publish a table in three batches, partitioned by columns."""
    cut = rows.num_rows // 3
    batches = [rows.slice(0, cut), rows.slice(cut, cut), rows.slice(2 * cut)]
    return exports.publish(
        batches, out, schema=rows.schema, rows=rows.num_rows, source=SOURCE, seed=0, part_rows=40, partition_by=by
    )


@pytest.mark.parametrize("by", [(), ("day",), ("flag", "day")])
def test_every_reader_finds_one_table(tmp_path: Path, by: tuple[str, ...]) -> None:
    """The manifest disturbs no reader, and partition columns come back from the paths."""
    publish(tmp_path / "out", table(), *by)
    assert {name: count(tmp_path / "out") for name, count in READERS.items()} == dict.fromkeys(READERS, 100)
    found = {name: sorted(columns(tmp_path / "out")) for name, columns in COLUMNS.items()}
    assert found == dict.fromkeys(COLUMNS, sorted(table().column_names))
    assert exports.verify(tmp_path / "out") == ()


@pytest.mark.parametrize("column", ["text", "label", "number", "day", "flag"])
def test_directories_are_those_that_arrow_makes(tmp_path: Path, column: str) -> None:
    """Arrow's own writer uses the same names, with escapes and nulls."""
    kind = table().schema.field(column).type
    typed = pa.schema([pa.field(column, kind.value_type if pa.types.is_dictionary(kind) else kind)])
    reference = table().set_column(
        table().schema.get_field_index(column), typed.field(0), table()[column].cast(typed[0].type)
    )
    ds.write_dataset(
        reference, tmp_path / "arrow", format="parquet", partitioning=ds.partitioning(typed, flavor="hive")
    )
    publish(tmp_path / "out", table(), column)
    ours, theirs = (sorted(path.name for path in (tmp_path / place).iterdir()) for place in ("out", "arrow"))
    assert ours == theirs
    assert exports.verify(tmp_path / "out") == ()


def test_every_round_is_stably_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are in the order of the rows, whatever the batches, and no row is lost or doubled."""
    monkeypatch.setattr(parts, "ROUND", 32)
    manifest = publish(tmp_path / "out", table(), "number", "flag")
    read = pa.concat_tables(pq.read_table(tmp_path / "out" / part.file, partitioning=None) for part in manifest.parts)
    assert [part.first for part in manifest.parts] == [
        0,
        *pc.cumulative_sum(pa.array([p.rows for p in manifest.parts])).to_pylist()[:-1],
    ]

    def place(row: dict[str, object]) -> str:
        number = "__HIVE_DEFAULT_PARTITION__" if row["number"] is None else row["number"]
        return f"number={number}/flag={str(row['flag']).lower()}/"

    rows = table().to_pylist()
    rounds = [sorted(rows[start : start + 32], key=place) for start in range(0, 100, 32)]
    expected = [row["row"] for taken in rounds for row in taken]
    assert read["row"].to_pylist() == expected
    assert read.schema.metadata == table().schema.metadata
    assert manifest.columns.equals(table().schema, check_metadata=True)
    assert manifest.file == f"{min(place(row) for row in rows)}_manifest.parquet"


def test_a_partitioned_export_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """It is replaced by one without partitions and back. An added file in a partition is found and refused."""
    out = tmp_path / "out"
    for by in ((), ("text",), ("flag",), ()):
        publish(out, table(), *by)
        assert exports.verify(out) == ()
    publish(out, table(), "flag")
    pq.write_table(table(), out / "flag=true" / "mine.parquet")
    assert exports.verify(out) == ("flag=true/mine.parquet is not in the manifest",)
    with pytest.raises(InputError, match=r"found other files \(flag=true/mine\.parquet\)"):
        publish(out, table())


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (("none",), "expected a column"),
        (("row", "row"), "different columns"),
        (("row", "text", "label", "number", "day", "flag"), "at least one that is left"),
        (("_x",), "name fits into a path"),
        (("list",), "values fit into a path"),
        (("bytes",), "values fit into a path"),
    ],
)
def test_columns_that_no_path_can_carry(by: tuple[str, ...], why: str) -> None:
    """They are refused by the schema alone."""
    more = table().append_column("_x", pa.nulls(100, pa.int8())) if "_x" in by else table()
    for name, kind in {"list": pa.list_(pa.int8()), "bytes": pa.binary()}.items():
        more = more.append_column(name, pa.nulls(100, kind)) if name in by else more
    with pytest.raises(InputError, match=why):
        parts.check(more.schema, by)


def test_too_many_partitions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are refused before the training if rows can be counted, else during writing, and nothing stays."""
    monkeypatch.setattr(parts, "MOST", 99)
    parts.check(table().schema, ["text", "number"], table())
    with pytest.raises(InputError, match="at most 99 partitions"):
        parts.check(table().schema, ["row"], table())
    with pytest.raises(InputError, match="at most 99 partitions"):
        publish(tmp_path / "out", table(), "row")
    with pytest.raises(InputError, match="fit into a file's name"):
        publish(tmp_path / "out", table().append_column("long", pa.array(["ü" * 200] * 100)), "long")
    with pytest.raises(ResynthError, match="expected 7 rows"):
        exports.publish(
            [table()], tmp_path / "out", schema=table().schema, rows=7, source=SOURCE, seed=0, partition_by=["flag"]
        )
    assert list(tmp_path.iterdir()) == []
