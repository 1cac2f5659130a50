"""Exports: whole or not at all, and verifiable."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from publishing import SOURCE, doctor, files, old_export, publish
from samples import mixed

from pipeline.data import exports, parts
from pipeline.errors import NotFoundError, ResynthError

PUBLISHER = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from pipeline.data import exports, parts
table, rename, calls = pa.table({"x": list(range(1000))}), Path.rename, []
def suicide(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def second(path, target):
    calls.append(target)
    return suicide() if len(calls) == 2 else rename(path, target)
def published():
    source = exports.Source(name="t", version="4", data_digest="d", code_version="c")
    exports.publish([table], Path(sys.argv[1]), schema=table.schema, rows=1000, source=source, seed=0)
"""
BETWEEN_RENAMES = PUBLISHER + "exports._exchange = lambda *_: False; Path.rename = second; published()"
BEFORE_THE_EXCHANGE = PUBLISHER + "exports._replace = suicide; published()"
AFTER_THE_EXCHANGE = PUBLISHER + "exports._clear = suicide; published()"


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


def killed(script: str, out: Path) -> None:
    """Publish version 4 in a process that kills itself."""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script, str(out)], cwd=root, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_equal_datasets_have_equal_digests(tmp_path):
    """The digest covers everything but the time of writing."""
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
    doctor(out, seed=6)
    assert any("_manifest.parquet was changed" in problem for problem in exports.verify(out))


@pytest.mark.parametrize("schema", ["", "no base64 !", "AAAA", "é"])
def test_a_doctored_schema_is_a_problem(tmp_path, schema: str):
    """A manifest's unreadable schema is reported, together with all other problems."""
    out = tmp_path / "out"
    publish(out, mixed())
    doctor(out, arrow_schema=schema)
    (out / "part-00000.parquet").unlink()
    problems = exports.verify(out)
    assert any("its arrow_schema cannot be read" in problem for problem in problems)
    assert any("part-00000.parquet is missing" in problem for problem in problems)


def test_a_part_that_is_no_parquet_is_a_problem(tmp_path):
    """This holds even if the manifest was changed along with the part."""
    out = tmp_path / "out"
    publish(out, mixed())
    (out / "part-00000.parquet").write_bytes(b"no rows")
    first, *rest = exports.load_manifest(out).parts
    told = first.model_copy(update={"sha256": parts.sha256(out / "part-00000.parquet"), "bytes": 7})
    doctor(out, parts=(told, *rest))
    assert "part-00000.parquet is no readable Parquet" in exports.verify(out)


def test_a_failed_export_leaves_the_old_one(tmp_path):
    """Too few rows raise, and the earlier export is still there, whole, with nothing beside it."""
    publish(tmp_path / "out", mixed())
    with pytest.raises(ResynthError, match="expected 601 rows to export, got 600"):
        publish(tmp_path / "out", mixed(), rows=601)
    assert exports.verify(tmp_path / "out") == ()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    with pytest.raises(ResynthError, match="expected 601 rows"):
        publish(tmp_path / "far" / "away" / "out", mixed(), rows=601)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_export_is_replaced_as_a_whole(tmp_path):
    """A second export to the same place leaves no file of the first."""
    publish(tmp_path / "out", mixed())
    publish(tmp_path / "out", mixed(200))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["_manifest.parquet", "part-00000.parquet"]


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize(
    ("script", "left"), [(BETWEEN_RENAMES, None), (BEFORE_THE_EXCHANGE, "3"), (AFTER_THE_EXCHANGE, "4")]
)
def test_a_publisher_that_is_killed_loses_nothing(tmp_path, script: str, left: str | None):
    """Readers find the old export or the new one, and the next publisher removes what lies beside it.

    A kill between two renames leaves no export. It is possible only where directories cannot be exchanged. Then the
    next publisher puts the old export back, even if it fails itself.
    """
    out = tmp_path / "out"
    publish(out, mixed())
    killed(script, out)
    assert len(list(tmp_path.iterdir())) > 1
    assert out.exists() == (left is not None)
    if left is not None:
        assert exports.load_manifest(out).source.version == left
        assert exports.verify(out) == ()
    with pytest.raises(ResynthError, match="expected 601 rows"):
        publish(out, mixed(), rows=601)
    assert exports.load_manifest(out).source.version == (left or "3")
    assert exports.verify(out) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("exchange", [True, False])
def test_replacing_works_where_directories_cannot_be_exchanged(tmp_path, monkeypatch, *, exchange: bool):
    """In one step or in two, the new rows are in place, and nothing is left beside them."""
    if not exchange:
        monkeypatch.setattr(exports, "_exchange", lambda *_: False)
    publish(tmp_path / "out", mixed())
    publish(tmp_path / "out", mixed(200))
    publish(tmp_path / "next", mixed(300))
    assert exports.load_manifest(tmp_path / "out").rows == 200
    exports.place(tmp_path / "next", tmp_path / "out")
    assert exports.load_manifest(tmp_path / "out").rows == 300
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges directories")
def test_directories_are_exchanged_in_one_step(tmp_path):
    """Each directory has the content of the other. If one is missing, nothing happens."""
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert exports._exchange(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["a"]
    assert not exports._exchange(tmp_path / "a", tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_living_publisher_is_left_alone(tmp_path):
    """Another publisher to the same or a similar place does not remove what it is writing."""
    table = mixed()

    def batches():
        yield table.slice(0, 300)
        publish(tmp_path / "out", table)
        publish(tmp_path / "ou", table)
        assert list(tmp_path.glob(".out.*.partial"))
        yield table.slice(300)

    exports.publish(batches(), tmp_path / "out", schema=table.schema, rows=600, source=SOURCE, seed=7)
    assert exports.verify(tmp_path / "out") == ()
    assert exports.load_manifest(tmp_path / "out").seed == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ou", "out"]


@pytest.mark.usefixtures("processes")
def test_an_export_that_is_not_wanted_goes(tmp_path):
    """It goes together with the leftovers of killed publishers. A missing export is no error."""
    publish(tmp_path / "out", mixed())
    killed(BEFORE_THE_EXCHANGE, tmp_path / "out")
    exports.discard(tmp_path / "out")
    exports.discard(tmp_path / "none" / "out")
    assert list(tmp_path.iterdir()) == []


def test_earlier_exports_hold_and_can_be_replaced(tmp_path):
    """These are exports with a manifest.json."""
    old_export(tmp_path / "out", mixed())
    assert exports.verify(tmp_path / "out") == ()
    publish(tmp_path / "out", mixed(200))
    assert exports.load_manifest(tmp_path / "out").rows == 200
    assert files(tmp_path) == ["out", "out/_manifest.parquet", "out/part-00000.parquet"]


def test_no_manifest_is_said(tmp_path):
    """Verifying something that is no export names what was looked for."""
    with pytest.raises(NotFoundError, match=r"_manifest\.parquet, found none"):
        exports.verify(tmp_path)
    pq.write_table(mixed(), tmp_path / "_manifest.parquet")
    with pytest.raises(NotFoundError, match=r"readable _manifest\.parquet"):
        exports.verify(tmp_path)
    (tmp_path / "_manifest.parquet").unlink()
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(NotFoundError, match="readable"):
        exports.verify(tmp_path)


def test_bytes_and_format_are_checked(tmp_path):
    """A size that is not the part's, a format of the future, a part that is named twice."""
    out = tmp_path / "out"
    manifest = publish(out, mixed())
    first, *rest = manifest.parts
    size = (out / first.file).stat().st_size
    doctor(out, parts=(first.model_copy(update={"bytes": 7}), *rest), format=3)
    problems = exports.verify(out)
    assert f"part-00000.parquet was changed: it has {size} bytes, expected 7" in problems
    assert "_manifest.parquet is of format 3, expected 1 to 2" in problems
    doctor(out, parts=(first, first), format=2)
    assert any("names a part twice" in problem for problem in exports.verify(out))


def test_the_umask_decides_who_may_read(tmp_path):
    """Other users may read an export."""
    before = os.umask(0o022)
    try:
        publish(tmp_path / "out", mixed())
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "out").iterdir()}
    assert (modes, oct((tmp_path / "out").stat().st_mode & 0o777)) == ({"0o644"}, "0o755")
