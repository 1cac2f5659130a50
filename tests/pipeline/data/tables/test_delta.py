"""Delta Lake tables: exactly the rows that the log lists."""

import builtins
import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from store import Store

from pipeline.data import tables
from pipeline.data.incoming import IncomingSettings, Ledger, survey, window
from pipeline.data.tables import ReadSettings, files, footer
from pipeline.errors import TableError

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def table(first: int = 0) -> pa.Table:
    """A hundred rows of two countries."""
    return pa.table({"x": list(range(first, first + 100)), "country": ["DE", "FR"] * 50})


def test_deleted_rows_are_not_read(tmp_path):
    """They are still in the files, but not in the table. Columns from paths are present."""
    write_deltalake(tmp_path / "t", table(), partition_by=["country"])
    DeltaTable(tmp_path / "t").delete("x >= 60")
    plain = [pq.read_metadata(file).num_rows for file in (tmp_path / "t").rglob("*.parquet")]
    assert sum(plain) > 60
    found = files(tmp_path / "t")
    assert [file.name for file in found] == ["t@1"]
    rows = tables.read(tmp_path / "t")
    assert rows.sort_by("x").to_pylist() == table().slice(0, 60).to_pylist()
    assert footer(found[0]).schema.names == ["x", "country"]
    assert footer(found[0]).rows == 60


def test_a_table_reads_the_same_each_time(tmp_path):
    """The rows of a Delta table have no order, and the digest does not depend on it."""
    for i in range(4):
        write_deltalake(tmp_path / "t", table(100 * i), mode="append")
    assert len({tables.digest(tables.read(tmp_path / "t")) for _ in range(3)}) == 1


def deletion_vector(rows: list[int]) -> dict[str, Any]:
    """Deleted rows as Databricks writes them: a Roaring bitmap inline in the log."""
    bitmap = struct.pack("<IIHHI", 12_346, 1, 0, len(rows) - 1, 16) + struct.pack(f"<{len(rows)}H", *rows)
    content = struct.pack("<IQI", 1_681_511_377, 1, 0) + bitmap
    padded, text = content + bytes(-len(content) % 4), ""
    for i in range(0, len(padded), 4):
        number = int.from_bytes(padded[i : i + 4], "big")
        text += "".join(Z85[number // 85**k % 85] for k in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(content), "cardinality": len(rows)}


def test_rows_that_a_deletion_vector_marks_are_not_read(tmp_path):
    """No file was rewritten, and only the log knows of the deletion."""
    (tmp_path / "_delta_log").mkdir()
    pq.write_table(pa.table({"x": list(range(100))}), tmp_path / "a.parquet")
    fields = [{"name": "x", "type": "long", "nullable": True, "metadata": {}}]
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    actions: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        {
            "metaData": {
                "id": "t",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [],
                "configuration": {"delta.enableDeletionVectors": "true"},
            }
        },
        {
            "add": {
                "path": "a.parquet",
                "partitionValues": {},
                "size": (tmp_path / "a.parquet").stat().st_size,
                "modificationTime": 0,
                "dataChange": True,
                "deletionVector": deletion_vector(list(range(60, 100))),
            }
        },
    ]
    log = tmp_path / "_delta_log" / f"{0:020}.json"
    log.write_text("\n".join(json.dumps(action) for action in actions), "utf-8")
    assert sorted(tables.read(tmp_path)["x"].to_pylist()) == list(range(60))


def test_a_table_in_a_store_is_read_through_its_log(store: Store, tmp_path: Path):
    """It is read like a table in a directory."""
    write_deltalake(tmp_path / "t", table())
    DeltaTable(tmp_path / "t").delete("x >= 60")
    for file in (tmp_path / "t").rglob("*"):
        if file.is_file():
            store.put(f"delta/{file.relative_to(tmp_path)}", file)
    assert tables.read("s3://incoming/delta/t").num_rows == 60


def test_a_new_version_is_new(tmp_path):
    """It counts as a file with new content. The same version does not."""
    write_deltalake(tmp_path / "t", table())
    first = survey(files(tmp_path / "t"), Ledger(), ReadSettings(), {})
    assert survey(files(tmp_path / "t"), first.ledger, ReadSettings(), {}).new == 0
    write_deltalake(tmp_path / "t", table(100), mode="append")
    second = survey(files(tmp_path / "t"), first.ledger, ReadSettings(), {})
    assert second.new == 1
    assert window(second, IncomingSettings(), ReadSettings(), {}).rows.num_rows == 200


def test_a_log_that_cannot_be_read_is_one_line(tmp_path):
    """The line has the place and the reason."""
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / f"{0:020}.json").write_text("{")
    with pytest.raises(TableError, match="expected a readable Delta Lake table at") as caught:
        files(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_the_package_the_line_says_what_to_install(tmp_path, monkeypatch):
    """The package is an optional dependency."""
    write_deltalake(tmp_path / "t", table())
    ordinary = builtins.__import__

    def without(name, *rest):
        if name == "deltalake":
            raise ImportError(name)
        return ordinary(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TableError, match=r"is a Delta Lake table: to read it, install resynth\[delta\]"):
        files(tmp_path / "t")
