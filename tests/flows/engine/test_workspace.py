"""Workspaces for private rows."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from small import table

from flows.engine import workspace
from flows.engine.workspace import Workspace, alone
from pipeline.errors import ResynthError


def test_tables_come_back_exactly(tmp_path: Path) -> None:
    """Types, nulls, dictionaries and metadata survive, whatever the number of pieces."""
    real = table()
    with Workspace.open(tmp_path) as work:
        work.write("some", [real.slice(0, 50), real.slice(50)], real.schema)
        back = work.read("some")
    assert back.schema.equals(real.schema, check_metadata=True)
    assert back.equals(real)


def test_dictionaries_may_differ_between_pieces(tmp_path: Path) -> None:
    """Pieces with different dictionaries become one table."""
    pieces = [pa.table({"x": pa.array(list(values)).dictionary_encode()}) for values in ("ab", "ca")]
    with Workspace.open(tmp_path) as work:
        work.write("some", pieces, pieces[0].schema)
        assert work.read("some").column("x").to_pylist() == ["a", "b", "c", "a"]


def test_the_rows_are_private_and_removed(tmp_path: Path) -> None:
    """Only the owner may read it, and nothing stays, even after an error."""
    seen = []

    def fail() -> None:
        with Workspace.open(tmp_path) as work:
            seen.append(work.directory)
            assert work.directory.stat().st_mode & 0o077 == 0
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert not seen[0].exists()
    assert list((tmp_path / ".resynth").iterdir()) == []


@pytest.mark.usefixtures("processes")
def test_a_living_run_is_left_alone_and_a_dead_one_is_reaped(tmp_path: Path) -> None:
    """The next run removes what a killed run left behind, and nothing else."""
    script = (
        "import sys, time; from pathlib import Path; from flows.engine.workspace import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])) as work:\n"
        "    print(work.directory, flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        with Workspace.open(tmp_path):
            assert left.exists()
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    assert left.exists()
    with Workspace.open(tmp_path):
        assert not left.exists()


def test_a_removal_that_failed_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that could not be removed are removed by the next run, with or without their lock."""
    for keep_lock in (True, False):
        with monkeypatch.context() as patched:
            patched.setattr(workspace.shutil, "rmtree", lambda *_, **__: None)
            with Workspace.open(tmp_path) as work:
                pass
        assert work.directory.exists()
        assert work.directory.with_suffix(".lock").exists()
        if not keep_lock:
            work.directory.with_suffix(".lock").unlink()
        (tmp_path / ".resynth" / "replays").mkdir(exist_ok=True)
        with Workspace.open(tmp_path):
            assert not work.directory.exists()
        assert [path.name for path in (tmp_path / ".resynth").iterdir()] == ["replays"]


def test_one_run_of_a_name_at_a_time(tmp_path: Path) -> None:
    """A second run of the same name is refused, one of another name is not."""
    with alone(tmp_path, "a"):
        with alone(tmp_path, "b"):
            pass
        with pytest.raises(ResynthError, match="no other run of 'a'"), alone(tmp_path, "a"):
            pass


def test_a_mark_tells_whether_a_run_of_this_home_died(tmp_path: Path) -> None:
    """The mark of a living run, and of any run of another home, is not dead. One without a workspace here is."""
    with Workspace.open(tmp_path / "a") as work, Workspace.open(tmp_path / "b") as other:
        assert not work.died(work.mark)
        assert not work.died(other.mark)
        gone = work.mark.rpartition("/")[0] + "/0123"
        assert work.died(gone)
        assert not other.died(gone)
        assert not work.died("")
    with Workspace.open(tmp_path / "a") as again:
        assert again.died(work.mark)
        assert not again.died(other.mark)
