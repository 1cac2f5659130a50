"""Versions and champions in the real embedded MLflow."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from registering import register

from flows.tracking import history, registry
from pipeline.decisions.promotion import Decision
from pipeline.errors import NotFoundError
from pipeline.synthesizer import Synthesizer


def test_versions_count_up_and_know_where_they_come_from(home: Path, saved: Path) -> None:
    """A registered version has a number, its run and its tags, and the run stays open after registering."""
    first, second = register(saved, "registry-count"), register(saved, "registry-count")
    assert (first.version, second.version) == ("1", "2")
    assert first.run != second.run
    assert first.tags["data_digest"] == "d"
    assert [version.version for version in registry.versions("registry-count")] == ["2", "1"]
    assert "registry-count" in registry.names()


def test_an_answer_that_is_lost_makes_no_second_version(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the server dies between its work and its answer and the client retries, one version is left."""
    first = register(saved, "registry-twice")
    make = MlflowClient.create_model_version

    def twice(*given: object, **named: object) -> object:
        make(*given, **named)
        return make(*given, **named)

    monkeypatch.setattr(MlflowClient, "create_model_version", twice)
    second = register(saved, "registry-twice")
    assert [version.run for version in registry.versions("registry-twice")] == [second.run, first.run]


def test_the_stored_model_makes_the_same_rows_for_any_mlflow_client(saved: Path) -> None:
    """Loaded by its address, without resynth's flows and with pickle forbidden, it repeats the original's rows."""
    version = register(saved, "registry-rows")
    original = Synthesizer.load(saved).sample(30, seed=5, start=7)
    script = (
        "import sys, mlflow\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "rows = model.predict([], params={'rows': 30, 'seed': 5, 'start': 7})\n"
        "rows.to_parquet(sys.argv[2])\n"
        "assert not any(name.startswith('flows') for name in sys.modules)\n"
    )
    out = saved.parent / "rows.parquet"
    environment = os.environ | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    command = [sys.executable, "-W", "error::UserWarning:mlflow", "-c", script, version.uri, str(out)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[3], env=environment)
    rows = pq.read_table(out)
    for name in original.column_names:
        assert rows.column(name).to_pylist() == original.column(name).to_pylist()


def test_the_stored_model_is_free_of_pickle(saved: Path) -> None:
    """Nothing in a version is a pickle: weights are safetensors, the rest is text."""
    version = register(saved, "registry-files")
    directory = Path(mlflow.artifacts.download_artifacts(version.uri))
    files = {path.suffix for path in directory.rglob("*") if path.is_file()}
    assert files <= {"", ".json", ".safetensors", ".py", ".yaml", ".txt"}
    assert ".safetensors" in files
    assert "python_model:" not in (directory / "MLmodel").read_text()  # where MLflow names a pickled model


def test_a_model_says_what_it_is(saved: Path) -> None:
    """A model and its versions have descriptions. One that a person has written stays."""
    name = "registry-described"
    version = register(saved, name)
    found = MlflowClient().get_registered_model(name)
    assert "The alias `champion` marks the version that publishes" in found.description
    assert found.tags["tool"] == "resynth"
    stored = MlflowClient().get_logged_model(registry.model_of(version))
    assert stored.tags["mlflow.source.name"] == "resynth run"  # and not the file that runs this test
    registry.describe(version, "**card**")
    assert MlflowClient().get_model_version(name, version.version).description == "**card**"
    for before, after in (("ours", "ours"), ("", found.description)):
        MlflowClient().update_registered_model(name, before)
        register(saved, name)
        assert MlflowClient().get_registered_model(name).description == after


def test_promotion_moves_the_alias(saved: Path) -> None:
    """There is no champion before the first promotion. Afterwards, the latest promoted version is champion."""
    name = "registry-promote"
    first, second = register(saved, name), register(saved, name)
    assert registry.champion(name) is None
    registry.promote(first)
    registry.promote(second)
    champion = registry.champion(name)
    assert champion is not None
    assert champion.version == "2"
    assert champion.aliases == ("champion",)


def test_a_promotion_that_died_halfway_is_completed_by_a_second_try(saved: Path) -> None:
    """If the alias moved but no event was written, promoting again writes it once, and a rollback leads back."""
    name = "registry-halfway"
    first, second = register(saved, name), register(saved, name)
    registry.promote(first)
    MlflowClient().set_registered_model_alias(name, "champion", second.version)
    registry.promote(second)
    registry.promote(second)
    assert [event.after for event in history.read(name)] == ["1", "2"]
    assert registry.rollback(name).version == "1"


def test_what_a_person_promoted_by_hand_is_not_taken_back(saved: Path) -> None:
    """It stays if its run fails, and if the next run recovers after a kill. A promotion by the run is taken back."""
    name = "registry-by-hand"
    first, second, third = (register(saved, name) for _ in range(3))
    first.origin.tags({"decision": "promoted"})
    registry.promote(first)
    registry.promote(second, by_hand=True)
    registry.demote(second, first)
    registry.withdraw(second)
    registry.promote(third)
    registry.recover(name, lambda _: True)
    assert [version.version for version in registry.versions(name)] == ["2", "1"]
    assert registry.resolve(name).version == "2"
    assert registry.resolve(name).tags["decision"] == "promoted"
    assert MlflowClient().get_run(second.run).data.tags["decision"] == "promoted"
    assert registry.rollback(name).version == "1"


def test_an_alias_set_in_mlflow_itself_is_not_taken_back(saved: Path) -> None:
    """A killed run's version that a person made champion there stays champion; one with another alias stays too."""
    name, client = "registry-page", MlflowClient()
    first, second, third = (register(saved, name) for _ in range(3))
    first.origin.tags({"decision": "promoted"})
    registry.promote(first)
    registry.promote(third)  # by its run, which is killed
    client.set_registered_model_alias(name, "canary", third.version)
    client.set_registered_model_alias(name, "champion", second.version)
    registry.recover(name, lambda _: True)
    left = {version.version: version.aliases for version in registry.versions(name)}
    assert left == {"3": ("canary",), "2": ("champion",), "1": ()}
    assert client.get_run(second.run).data.tags["decision"] == "promoted"

    fourth = register(saved, name)
    registry.promote(fourth)
    assert registry.rollback(name).version == "2"
    assert registry.rollback(name).version == "1"

    fifth = register(saved, name)
    client.set_registered_model_alias(name, "champion", fifth.version)  # while its run waits for a person's word
    registry.promote(fifth)
    registry.demote(fifth, fifth)
    registry.withdraw(fifth)
    assert registry.resolve(name).version == fifth.version

    client.set_registered_model_alias(name, "champion", third.version)  # long after its run was undone
    registry.recover(name, lambda _: True)
    assert registry.resolve(name).version == third.version


def test_rollback_walks_back_through_the_champions(saved: Path) -> None:
    """Each rollback returns to the champion before, even if versions became champion out of order."""
    name = "registry-rollback"
    versions = [register(saved, name) for _ in range(3)]
    for number in (0, 2, 1):
        registry.promote(versions[number])
    assert registry.rollback(name).version == "3"
    assert registry.rollback(name).version == "1"
    with pytest.raises(NotFoundError, match="before version 1"):
        registry.rollback(name)
    assert registry.resolve(name).version == "1"


def test_every_move_is_told_with_its_reasons(saved: Path) -> None:
    """Each event has its run or person, both versions and the reason, for moves by runs and people and for undoing."""
    name = "registry-told"
    versions = [register(saved, name) for _ in range(5)]
    runs = [version.run for version in versions]
    versions[0].origin.record(
        Decision(promote=True, reasons=("shape is fine", "there is no champion")), "decision.json"
    )
    registry.promote(versions[0])
    registry.promote(versions[0])  # is champion already
    registry.tag(versions[1], {"decision": "refused", "reasons": "shape is not fine"})
    registry.promote(registry.resolve(f"{name}/2"), by_hand=True)
    registry.rollback(name)
    registry.promote(versions[2])
    registry.demote(versions[2], versions[0])
    registry.demote(versions[3], versions[0])  # never was champion
    MlflowClient().set_registered_model_alias(name, "champion", "5")
    registry.rollback(name)
    told = [(event.kind, event.before, event.after, event.by, event.why) for event in history.read(name)]
    assert told == [
        ("promoted", None, "1", runs[0], "shape is fine; there is no champion"),
        ("by hand", "1", "2", "person", "resynth promote; its run: refused; shape is not fine"),
        ("rolled back", "2", "1", "person", "resynth rollback"),
        ("promoted", "1", "3", runs[2], ""),
        ("taken back", "3", "1", runs[2], "its run failed"),
        ("in MLflow", "1", "5", "person", "noticed at this time"),
        ("rolled back", "5", "1", "person", "resynth rollback"),
    ]


def test_what_a_killed_run_moved_and_the_next_undid_is_told(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds even if the run was killed between alias and event. If the alias has been moved since, it stays."""
    name = "registry-told-killed"
    first, second, third = (register(saved, name) for _ in range(3))
    first.origin.tags({"decision": "promoted"})
    registry.promote(first)
    with monkeypatch.context() as patched:
        patched.setattr(history, "write", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            registry.promote(second)
    registry.promote(third)
    registry.promote(first, by_hand=True)
    registry.recover(name, lambda _: True)
    assert [version.version for version in registry.versions(name)] == ["1"]
    told = [(event.kind, event.before, event.after, event.by, event.why) for event in history.read(name)][1:]
    moved_on = "its run was killed; the alias had been moved on"
    assert told == [
        ("promoted", "1", "2", second.run, ""),
        ("promoted", "2", "3", third.run, ""),
        ("by hand", "3", "1", "person", "resynth promote"),
        ("taken back", "3", "1", third.run, moved_on),
        ("taken back", "2", "1", second.run, moved_on),
    ]


def test_the_next_run_notices_an_alias_set_in_mlflow(saved: Path) -> None:
    """The history shows the move, with its approximate time."""
    name = "registry-noticed"
    register(saved, name)
    MlflowClient().set_registered_model_alias(name, "champion", "1")
    registry.recover(name, lambda _: False)
    MlflowClient().delete_registered_model_alias(name, "champion")
    assert [event.after for event in history.read(name)] == ["1", None]


def test_demotion_undoes_promotion(saved: Path) -> None:
    """The earlier champion, or none, is back, and no rollback leads to the version that was taken back."""
    name = "registry-demote"
    first, second = register(saved, name), register(saved, name)
    registry.promote(first)
    registry.promote(second)
    registry.demote(second, first)
    assert registry.resolve(name).version == "1"
    with pytest.raises(NotFoundError):
        registry.rollback(name)
    registry.demote(first, None)
    assert registry.champion(name) is None
    told = history.read(name)
    registry.demote(first, None)
    assert history.read(name) == told


def test_demotion_leaves_an_alias_that_was_moved_since(saved: Path) -> None:
    """The alias stays, and a rollback skips the demoted version."""
    name = "registry-moved"
    first, second, third = (register(saved, name) for _ in range(3))
    for version in (first, second, third):
        registry.promote(version)
    registry.demote(second, first)
    assert registry.resolve(name).version == "3"
    assert registry.rollback(name).version == "1"


def test_withdrawal_undoes_registration(saved: Path) -> None:
    """A withdrawn version is gone, and with the last one the name."""
    name = "registry-withdraw"
    first, second = register(saved, name), register(saved, name)
    registry.withdraw(second)
    assert [version.version for version in registry.versions(name)] == ["1"]
    registry.withdraw(first)
    assert name not in registry.names()
    with pytest.raises(MlflowException):
        mlflow.MlflowClient().get_registered_model(name)


def test_a_model_with_a_history_is_not_removed(saved: Path) -> None:
    """If all earlier versions were deleted in MLflow, withdrawing the last one keeps the name and its history."""
    name = "registry-emptied"
    first, second = register(saved, name), register(saved, name)
    registry.promote(first)
    MlflowClient().delete_model_version(name, first.version)
    registry.withdraw(second)
    assert registry.versions(name) == ()
    assert [event.after for event in history.read(name)] == ["1", None]


def test_references_name_versions(saved: Path) -> None:
    """NAME, NAME@alias and NAME/version."""
    name = "registry-resolve"
    first, second = register(saved, name), register(saved, name)
    registry.promote(first)
    assert registry.resolve(name).version == "1"
    assert registry.resolve(f"{name}@champion").version == "1"
    assert registry.resolve(f"{name}/2") == second


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("registry-unknown", "expected a registered model"),
        ("registry-named/9", r"expected a version of 'registry-named' \(1\), got '9'"),
        ("registry-named@canary", r"expected an alias of 'registry-named' \(none\), got 'canary'"),
        ("registry-named", "expected an alias"),
        ("a/b/c", "expected NAME, NAME@alias or NAME/version"),
        ("", "expected NAME"),
    ],
)
def test_unknown_references_say_what_there_is(saved: Path, reference: str, message: str) -> None:
    """The message lists what could have been meant."""
    if "registry-named" not in registry.names():
        register(saved, "registry-named")
    with pytest.raises(NotFoundError, match=message):
        registry.resolve(reference)
