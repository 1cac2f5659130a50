"""Exports: whole or not at all, and verifiable."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import mixed

from pipeline import exports
from pipeline.errors import InputError, NotFoundError, ResynthError
from pipeline.exports import Source

SOURCE = Source(name="t", version="3", data_digest="d", code_version="c")


def publish(directory, table: pa.Table, **more):
    """Publish a table in two batches, in parts of 250 rows."""
    given = {"schema": table.schema, "rows": table.num_rows, "source": SOURCE, "seed": 5, "part_rows": 250} | more
    return exports.publish([table.slice(0, 333), table.slice(333)], directory, **given)


def test_an_export_holds_the_rows_in_order_and_verifies(tmp_path):
    """Parts hold the batches' rows in order, in the exact schema, and the manifest says where each begins."""
    table = mixed()
    manifest = publish(tmp_path / "out", table)
    assert [(part.first, part.rows) for part in manifest.parts] == [(0, 250), (250, 250), (500, 100)]
    again = pq.read_table([tmp_path / "out" / part.file for part in manifest.parts])
    assert again.schema.equals(table.schema, check_metadata=True)
    assert again.to_pylist() == table.to_pylist()
    assert exports.verify(tmp_path / "out") == ()
    assert exports.load_manifest(tmp_path / "out") == manifest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_equal_datasets_have_equal_digests(tmp_path):
    """The digest leaves the time of writing out and nothing else."""
    first, second = (publish(tmp_path / name, mixed()) for name in ("a", "b"))
    assert first.digest == second.digest
    assert publish(tmp_path / "c", mixed(), seed=6).digest != first.digest


def test_changes_are_found(tmp_path):
    """A changed part, a missing part, an unlisted file and a doctored manifest are each reported."""
    out = tmp_path / "out"
    publish(out, mixed())
    pq.write_table(mixed().slice(0, 250), out / "part-00001.parquet")
    assert any("part-00001.parquet was changed" in problem for problem in exports.verify(out))
    (out / "part-00001.parquet").unlink()
    assert any("part-00001.parquet is missing" in problem for problem in exports.verify(out))
    (out / "extra.parquet").write_bytes(b"")
    assert any("extra.parquet is not in the manifest" in problem for problem in exports.verify(out))
    text = (out / "manifest.json").read_text()
    (out / "manifest.json").write_text(text.replace('"seed": 5', '"seed": 6'))
    assert any("manifest.json was changed" in problem for problem in exports.verify(out))


def test_a_failed_export_leaves_the_old_one(tmp_path):
    """Too few rows raise, and the earlier export is still there, whole, with nothing beside it."""
    publish(tmp_path / "out", mixed())
    with pytest.raises(ResynthError, match="expected 601 rows to export, got 600"):
        publish(tmp_path / "out", mixed(), rows=601)
    assert exports.verify(tmp_path / "out") == ()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_export_is_replaced_as_a_whole(tmp_path):
    """A second export to the same place leaves no file of the first."""
    publish(tmp_path / "out", mixed())
    publish(tmp_path / "out", mixed(200))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["manifest.json", "part-00000.parquet"]


def test_other_peoples_files_are_safe(tmp_path):
    """A directory with other files, and a file in the way, are refused untouched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("x")
    with pytest.raises(InputError, match="expected an empty directory or an earlier export"):
        publish(tmp_path / "mine", mixed())
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="got the file"):
        publish(tmp_path / "file", mixed())
    with pytest.raises(InputError, match="writable place"):
        publish(tmp_path / "file" / "below", mixed())


def test_no_manifest_is_said(tmp_path):
    """Verifying something that is no export names what was looked for."""
    with pytest.raises(NotFoundError, match=r"manifest\.json, found none"):
        exports.verify(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(NotFoundError, match="readable"):
        exports.verify(tmp_path)
