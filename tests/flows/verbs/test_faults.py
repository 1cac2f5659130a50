"""Faults without a person watching, really injected: kill -9, two loops at once, damaged files."""

import errno
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient
from small import Outcome, workspaces, write
from unattended import arguments, exported, statuses

from flows.engine import homes
from flows.engine.workspace import alone, publication_file
from flows.stages import publication
from flows.tracking import registry
from pipeline.data import exports
from pipeline.data.incoming import Ledger

Command = Callable[..., Outcome]
ROOT = Path(__file__).parents[3]
SUICIDE = """
import os, signal, sys
import flows.{module} as module
{setup}
from flows.cli import main
main(sys.argv[1:])
"""
IN_TRAINING = SUICIDE.format(
    module="stages.training", setup="module.loop.fit = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
)
BEFORE_IT_IS_COMPLETE = SUICIDE.format(
    module="verbs.run.challenge", setup="module.complete = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
)
WHILE_WRITING_THE_EXPORT = SUICIDE.format(
    module="stages.publication",
    setup="module.exports.Manifest.of = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)",
)
BEFORE_THE_MOVE = SUICIDE.format(
    module="stages.publication", setup="module.finish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
)
BEFORE_IT_IS_REGISTERED = SUICIDE.format(
    module="tracking.registry.storing", setup="module.files.protect = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
)
AFTER_THE_MOVE = SUICIDE.format(
    module="stages.publication",
    setup="""
place = module.exports.place
def last(export, directory):
    module.exports.sync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # the last step of a move
    place(export, directory)
module.exports.place = last
""",
)


@pytest.fixture
def killed(processes: None, heap: Path, home: Path) -> Callable[..., None]:
    """Run the command in a process that kills itself, with the Prefect server of the tests."""

    def run(script: str, name: str, *more: str, **environment: str) -> None:
        with homes.starting():
            served = {"PREFECT_API_URL": f"{homes.server().address}/api"}
        command = [sys.executable, "-c", script, *arguments(heap, name), *more, "--home", str(home)]
        given = os.environ | (environment or served)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, env=given, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


def ends(marked: dict[str, str]) -> None:
    """Check that every process with these variables in its environment ends."""
    for _ in range(100):
        left = [process for process in psutil.process_iter() if environment(process).items() >= marked.items()]
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError([process.cmdline() for process in left])


def environment(process: psutil.Process) -> dict[str, str]:
    """The environment of a process, where it is ours and alive."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def ledger(name: str) -> list[str]:
    """The names of the files that the newest version's ledger knows."""
    kept = registry.versions(name)[0].origin.read("ledger.json")
    return [file.name for file in Ledger.model_validate_json(kept).files]


def test_killed_in_training_and_again_at_the_last_moment(
    command: Command, killed: Callable[..., None], heap: Path, home: Path
) -> None:
    """The next run works as if the killed ones had never been: one version, its alias, every file, no unfinished run.

    The second run is killed when its version is registered and promoted and its rows are written, but it is not
    complete. The first run has an embedded Prefect server, which ends with it.
    """
    name = "fault-killed"
    first = home / "data" / "exports" / name / "v1"
    assert command(*arguments(heap, name)).code == 0
    write(heap, "tuesday", 100, seed=1)
    marked = {"RESYNTH_TEST": uuid.uuid4().hex}
    killed(IN_TRAINING, name, **marked)
    ends(marked)
    killed(BEFORE_IT_IS_COMPLETE, name)
    left = MlflowClient().get_registered_model(name).aliases["champion"]
    assert str(left) == "2"  # or else there is nothing to put right
    assert statuses(name) == ["FINISHED", "KILLED", "RUNNING"]  # the second has seen to the first
    version, (waiting,) = exported(first)
    assert (version, waiting[:4]) == ("1", ".v2.")

    again = command(*arguments(heap, name))
    assert (again.code, again.answer["decision"]) == (0, "promoted"), again.err
    assert statuses(name) == ["FINISHED", "KILLED", "KILLED", "FINISHED"]
    assert [(version.version, version.aliases) for version in registry.versions(name)] == [
        ("3", ("champion",)),
        ("1", ()),
    ]
    assert exported(first.with_name("v3")) == ("3", ["v1"])
    assert exported(first)[0] == "1"
    assert ledger(name) == ["monday.parquet", "tuesday.parquet"]
    assert not workspaces(home)
    assert command(*arguments(heap, name)).answer["decision"] == "skipped"
    assert registry.rollback(name).version == "1"


def test_a_model_that_became_no_version_goes(
    command: Command, killed: Callable[..., None], heap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored model of a run that was killed before registering it, or that could not clean up, is removed."""
    name = "fault-stray"

    def stored() -> int:
        experiment = MlflowClient().get_experiment_by_name(name)
        assert experiment is not None
        return len(MlflowClient().search_logged_models([experiment.experiment_id]))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    killed(BEFORE_IT_IS_REGISTERED, name)
    assert stored() == 1
    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "create_model_version", full)
        assert command(*arguments(heap, name)).code == 1
    assert stored() == 1  # the first is gone
    assert command(*arguments(heap, name)).answer["version"] == "1"
    assert stored() == 1


def test_killed_before_it_is_complete_nothing_is_published(
    command: Command, killed: Callable[..., None], heap: Path, tmp_path: Path
) -> None:
    """If every version publishes to one directory, the champion's rows stay there until those of the next version.

    One run is killed while it writes its rows. The next run removes these, and is killed when its rows are written.
    """
    name, out = "fault-unpublished", tmp_path / "out" / "twins"
    given = ["--out", str(out)]
    assert command(*arguments(heap, name), *given).code == 0
    before = exports.load_manifest(out)
    write(heap, "tuesday", 100, seed=1)
    left = []
    for script in (WHILE_WRITING_THE_EXPORT, BEFORE_IT_IS_COMPLETE):
        killed(script, name, *given)
        assert exports.load_manifest(out) == before
        left.append(exported(out)[1])
    assert all(left)  # or else there is nothing to remove
    assert set(left[0]).isdisjoint(left[1])
    again = command(*arguments(heap, name), *given)
    assert again.answer["decision"] == "promoted", again.err
    assert exported(out) == (again.answer["version"], [])


def test_killed_when_it_is_complete_the_next_run_publishes(
    command: Command, killed: Callable[..., None], heap: Path, home: Path, tmp_path: Path
) -> None:
    """The version stays champion. Its rows are in place when another run has begun, wherever that run publishes.

    One run is killed before its rows are moved there, another after it.
    """
    name, out = "fault-unmoved", tmp_path / "out" / "twins"
    given = ["--out", str(out)]
    assert command(*arguments(heap, name), *given).code == 0
    for script, version, left in ((BEFORE_THE_MOVE, "2", "1"), (AFTER_THE_MOVE, "3", "3")):
        write(heap, f"day-{version}", 100, seed=int(version))
        killed(script, name, *given)
        assert registry.resolve(name).version == version
        assert exported(out)[0] == left
        again = command(*arguments(heap, name))
        assert again.answer["decision"] == "skipped", again.err
        assert exported(out) == (version, [])
        assert not publication_file(home, name).exists()


def test_rows_that_cannot_be_moved_wait(
    command: Command, heap: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is complete and says where its rows are. The next run publishes them, or says the same again."""
    name, out = "fault-unmovable", tmp_path / "out" / "twins"
    given = ["--out", str(out)]

    def disturb(home: Path, name: str) -> None:
        out.mkdir()
        (out / "thesis.doc").touch()
        finish(home, name)

    finish = publication.finish
    with monkeypatch.context() as patched:
        patched.setattr(publication, "finish", disturb)
        failed = command(*arguments(heap, name), *given)
    assert failed.code == 1
    assert "the run is complete, and its rows wait in" in failed.err
    assert registry.resolve(name).version == "1"
    assert "its rows wait in" in command(*arguments(heap, name)).err
    (out / "thesis.doc").unlink()
    assert command(*arguments(heap, name)).answer["decision"] == "skipped"
    assert exported(out) == ("1", [])


def test_two_loops_at_once(command: Command, heap: Path, home: Path) -> None:
    """One works. The other says so in one line and ends with exit code 1. Afterwards nothing is locked."""
    name = "fault-twice"
    with alone(home, name):
        outcome = command(*arguments(heap, name))
    assert outcome.code == 1
    assert outcome.err.startswith("resynth: run: expected no other run of 'fault-twice'")
    assert outcome.err.count("\n") == 1
    assert name not in registry.names()
    assert command(*arguments(heap, name)).code == 0


def test_a_damaged_file_is_quarantined_and_the_rest_goes_on(command: Command, heap: Path) -> None:
    """It is reported once with its reason, and taken in when it is whole. A copy of a known file is not new."""
    name = "fault-damaged"
    damaged = write(heap, "wednesday", 100, seed=2)
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    first = command(*arguments(heap, name))
    assert (first.code, first.answer["decision"]) == (0, "promoted"), first.err
    assert [file["name"] for file in first.answer["quarantined"]] == ["wednesday.parquet"]
    assert "readable Parquet" in first.answer["quarantined"][0]["reason"]

    (heap / "copy.parquet").write_bytes((heap / "monday.parquet").read_bytes())
    second = command(*arguments(heap, name))
    assert (second.code, second.answer["decision"], second.answer["quarantined"]) == (0, "skipped", [])
    assert len(registry.versions(name)) == 1

    damaged.write_bytes(whole)
    third = command(*arguments(heap, name))
    assert third.answer["decision"] == "promoted"
    assert ledger(name) == ["monday.parquet", "wednesday.parquet"]
