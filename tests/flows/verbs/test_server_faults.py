"""Servers fail at the end of a run, or are exchanged: what is complete stays, and the rest is undone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from small import Outcome, write
from unattended import arguments, exported, statuses

from flows.engine.workspace import publication_file
from flows.stages import publication
from flows.tracking import registry, store
from flows.verbs.run import challenge
from pipeline.errors import ResynthError

Command = Callable[..., Outcome]


def test_a_late_failure_leaves_the_export_as_it_was(
    command: Command, heap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last writes fail: the earlier champion is back, and its rows were never removed."""
    name, out = "fault-late", tmp_path / "out" / "twins"
    given = ["--out", str(out)]
    assert command(*arguments(heap, name), *given).code == 0
    write(heap, "tuesday", 100, seed=1)

    def fail(*_: object) -> None:
        raise ResynthError("no more")

    for place, step in ((registry, "tag"), (challenge, "complete")):
        with monkeypatch.context() as patched:
            patched.setattr(place, step, fail)
            assert command(*arguments(heap, name), *given).code == 1
        assert registry.resolve(name).version == "1"
        assert exported(out) == ("1", [])


def test_rows_of_a_run_that_mlflow_does_not_know_are_removed(heap: Path, home: Path) -> None:
    """This happens after a change of servers, which do not know the version either."""
    name = "fault-unknown"
    publication.begin(home, name, "0" * 32, heap / "v1").staged.mkdir()
    publication.settle(home, name)
    assert [path.name for path in heap.iterdir()] == ["monday.parquet"]
    assert not publication_file(home, name).exists()


@pytest.mark.parametrize(
    ("written", "then", "code"),
    [(True, MlflowException("gone"), 0), (True, KeyboardInterrupt(), 130), (False, MlflowException("gone"), 1)],
)
def test_the_answer_to_the_last_write_is_lost(
    command: Command,
    heap: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    written: bool,
    then: BaseException,
    code: int,
) -> None:
    """A run that turns out to be complete stays complete, even if interrupted at once. Any other run is undone."""
    name = f"fault-lost-{code}"
    write_batch = MlflowClient.log_batch

    def lose(client: MlflowClient, run_id: str, **given: Any) -> None:
        last = any(tag.key == "decision" for tag in given.get("tags", ()))
        if written or not last:
            write_batch(client, run_id, **given)
        if last:
            raise then

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "log_batch", lose)
        assert command(*arguments(heap, name)).code == code
    assert statuses(name) == ["FINISHED" if written else "FAILED"]
    assert (name in registry.names()) == written
    published = home / "data" / "exports" / name
    assert [path.name for path in published.iterdir()] == (["v1"] if written else [])
    again = command(*arguments(heap, name)).answer
    assert again["decision"] == ("skipped" if written else "promoted")
    assert registry.resolve(name).version == "1"


def test_a_server_that_goes_after_the_last_write_fails_no_run(
    command: Command, heap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All work is done. The next run records that this run has ended."""
    name = "fault-gone"
    terminate = MlflowClient.set_terminated

    def lose(client: MlflowClient, run: str, *given: object) -> None:
        if "decision" in client.get_run(run).data.tags:
            raise MlflowException("gone")
        terminate(client, run, *given)

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_terminated", lose)
        patched.setattr(store, "away", lambda: True)
        outcome = command(*arguments(heap, name))
    assert outcome.code == 0
    assert exported(Path(outcome.answer["export"]["path"]))[0] == "1"
    assert statuses(name) == ["RUNNING"]
    assert command(*arguments(heap, name)).answer["decision"] == "skipped"
    assert statuses(name) == ["FINISHED"]
