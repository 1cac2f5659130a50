"""A full disk is reported in one true line, whatever met it and however it was reported."""

import asyncio
import errno
import logging
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prefect.logging.handlers import APILogWorker
from small import Outcome

from flows.engine import disk, homes
from pipeline.data import exports
from pipeline.data.exports import Source
from pipeline.errors import BusyError, DiskFullError, ResynthError, TableError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def small(processes: None, tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; only root may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_every_way_to_say_it_is_understood(tmp_path: Path, error: Exception) -> None:
    """A full disk is recognised as the error itself, as its cause, and as the context of another error."""
    answered = ValueError("the server answered 500")
    answered.__cause__ = error
    undoing = KeyError("undoing failed too")
    undoing.__context__ = answered
    with pytest.raises(DiskFullError, match="found a full disk"), disk.needed(tmp_path):
        raise undoing


def test_other_failures_pass(tmp_path: Path) -> None:
    """If there is room, other errors stay as they are."""
    with pytest.raises(PermissionError), disk.needed(tmp_path, tmp_path / "not" / "there"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_an_export_without_room_leaves_nothing(small: Path) -> None:
    """The earlier export stays whole, nothing is left beside it, and the line names the place."""
    source = Source(name="t", version="1", data_digest="d", code_version="c")
    rows = pa.table({"x": pa.array([os.urandom(32) for _ in range(20_000)])})

    def publish(count: int) -> None:
        given = rows.slice(0, count)
        exports.publish([given], small / "out", schema=rows.schema, rows=count, source=source, seed=0)

    publish(100)
    with pytest.raises(DiskFullError, match=str(small)), disk.needed(small):
        publish(20_000)
    assert [path.name for path in small.iterdir()] == ["out"]
    assert exports.verify(small / "out") == ()
    assert pq.read_table(small / "out").num_rows == 100


def test_a_failure_that_says_nothing_is_understood_by_the_full_disk(small: Path) -> None:
    """An error without a reason, as from a server whose database found no room, is explained by the full disk."""
    (small / "filling").write_bytes(b"x" * 200_000)
    with pytest.raises(DiskFullError, match=str(small)), disk.needed(small / "home"):
        raise RuntimeError("500 Internal Server Error")


@pytest.mark.parametrize("error", [TableError("table: expected a Parquet file"), BusyError("run: expected no other")])
def test_what_is_true_of_the_input_stays_so_without_room(small: Path, error: ResynthError) -> None:
    """Errors about a wrong file or a second run stay as they are, unless a full disk caused them."""
    (small / "filling").write_bytes(b"x" * 200_000)
    with pytest.raises(type(error), match="expected"), disk.needed(small):
        raise error
    with pytest.raises(DiskFullError), disk.needed(small):
        raise error from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_directory_for_temporary_files_is_no_other_failure(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every candidate for temporary files is on a full disk, the full disk is reported."""

    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    (small / "filling").write_bytes(b"x" * 200_000)
    with pytest.raises(DiskFullError, match=str(small)), disk.needed(small / "home"):
        tempfile.gettempdir()


@pytest.mark.parametrize("verb", ["run", "export", "promote", "rollback", "models", "prune", "drift"])
def test_every_verb_tells_it(command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """Every verb reports a full disk in one line with exit code 1, whatever part found no room."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(homes, "embed", full)
    file = str(ROOT / "data" / "adult_test.parquet")
    more = {
        "run": [file],
        "export": ["t", "--rows", "1", "--out", "twins"],
        "drift": ["t", file],
        "promote": ["t", "1"],
    }
    outcome = command(verb, *more.get(verb, ["t"]), "--json")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("resynth: expected room for what is written, found a full disk")


def test_logs_that_find_no_room_add_no_line(
    command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After our line, Prefect's client does not print that its server took no events."""

    async def refuse(_: object) -> None:
        raise RuntimeError("500 Internal Server Error")

    def deliver() -> str:
        worker = SimpleNamespace(_client=SimpleNamespace(create_logs=refuse))
        asyncio.run(APILogWorker._handle_batch(worker, []))
        return capfd.readouterr().err

    monkeypatch.setattr(logging, "raiseExceptions", True)
    assert "500" in deliver()  # or else there is nothing to silence
    command("models")
    assert deliver() == ""
