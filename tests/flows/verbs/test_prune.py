"""Versions, exports and runs that are not kept are removed with their files; what is needed stays."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pyarrow as pa
import pytest
from mlflow import MlflowClient
from small import Outcome, synthesizer

from flows.engine import addresses
from flows.settings import RetentionSettings
from flows.tracking import registry
from flows.tracking.registry import Version
from flows.tracking.store import Run
from flows.verbs.prune import prune
from pipeline.data import exports
from pipeline.data.exports import Source
from pipeline.errors import NotFoundError

Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def saved(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved synthesizer."""
    directory = tmp_path_factory.mktemp("model") / "synthesizer"
    synthesizer().save(directory)
    return directory


def register(saved: Path, name: str) -> Version:
    """A run that makes a version."""
    with Run.start(name, {"flow": "run"}) as run:
        run.text("{}", "profile.json")
        return registry.register(run, saved, {"data_digest": "d", "code_version": "c"})


def publish(directory: Path, name: str) -> None:
    """An export of a model."""
    rows, source = pa.table({"x": [1]}), Source(name=name, version="1", data_digest="d", code_version="c")
    exports.publish([rows], directory, schema=rows.schema, rows=1, source=source, seed=0)


def model_files(version: Version) -> Path:
    """Where a version's model lies."""
    source = MlflowClient().get_model_version(version.name, version.version).source
    return Path(addresses.local(MlflowClient().get_logged_model(source.removeprefix("models:/")).artifact_location))


def test_old_versions_go_and_the_line_of_champions_stays(home: Path, saved: Path) -> None:
    """A dry run changes nothing. After a real one, rollback still works, and all other files are gone."""
    name = "prune-line"
    made = [register(saved, name) for _ in range(5)]
    for number in (0, 2):
        registry.promote(made[number])
    directories = [model_files(version) for version in made]
    runs = [Path(version.origin.url) for version in made]
    settings = RetentionSettings(versions=1, runs=1)
    dry = prune(home, name, settings, remove=False)
    assert (dry.versions, len(dry.runs), dry.stored) == (("4", "2", "1"), 2, ())
    assert len(registry.versions(name)) == 5
    assert prune(home, name, RetentionSettings(versions=2, runs=1), remove=False).versions == ("2",)
    prune(home, name, settings, remove=True)
    assert [version.version for version in registry.versions(name)] == ["5", "3"]
    assert [directory.parent.exists() for directory in directories] == [False, False, True, False, True]
    assert registry.load(registry.resolve(name)).sample(2, seed=0).num_rows == 2
    # the fourth run began after the champion was registered, so a later run needs it
    assert [any(place.rglob("*.json")) for place in runs] == [False, False, True, True, True]
    assert prune(home, name, settings, remove=True).lines() == []


def test_predecessors_within_the_retention_stay(home: Path, saved: Path) -> None:
    """As many earlier champions stay as versions are kept, however old they are."""
    name = "prune-predecessors"
    made = [register(saved, name) for _ in range(4)]
    for number in (0, 1, 3):
        registry.promote(made[number])
    prune(home, name, RetentionSettings(versions=2), remove=True)
    assert [version.version for version in registry.versions(name)] == ["4", "3", "2"]
    assert registry.rollback(name).version == "2"


def test_a_withdrawn_version_leaves_no_files(home: Path, saved: Path) -> None:
    """Files that earlier code left of a withdrawn version are found too."""
    name = "prune-withdrawn"
    first, second, third = (register(saved, name) for _ in range(3))
    directory = model_files(second)
    registry.withdraw(second)
    assert not directory.parent.exists()
    left = model_files(third)
    MlflowClient().delete_model_version(name, third.version)
    assert left.exists()
    found = prune(home, name, RetentionSettings(), remove=True)
    assert (len(found.stored), left.exists()) == (1, False)
    assert model_files(first).exists()
    mlflow.pyfunc.load_model(first.uri)


def test_only_exports_of_the_home_go(home: Path, saved: Path) -> None:
    """The oldest go, but never the champion's, one with other files, one of another model, or another directory."""
    name = "prune-exports"
    registry.promote(register(saved, name))
    place = home / "data" / "exports" / name
    for number in range(1, 9):
        publish(place / f"v{number}", "other" if number == 4 else name)
    publish(place / "mine", name)
    (place / "v3" / "notes.txt").write_text("x")
    (place / "v9").symlink_to(place / "v2")
    found = prune(home, name, RetentionSettings(exports=2), remove=True)
    assert [path.name for path in found.exports] == ["v2", "v5", "v6", "v7"]
    assert sorted(path.name for path in place.iterdir()) == ["mine", "v1", "v3", "v4", "v8", "v9"]


def test_the_verb_says_first_and_does_then(command: Command, home: Path, saved: Path, tmp_path: Path) -> None:
    """Pruning is dry by default and uses the numbers of the settings. A missing model is bad input."""
    name = "prune-verb"
    for _ in range(2):
        register(saved, name)
    config = tmp_path / "resynth.toml"
    config.write_text("[retention]\nversions = 1\n")
    told = command("prune", name, "--config", config)
    assert (told.code, told.out) == (0, f"{name}: versions: 1\nnothing was removed; --yes does it\n"), told.err
    assert len(registry.versions(name)) == 2
    done = command("prune", name, "--config", config, "--yes", "--json")
    assert (done.answer["removed"], done.answer["models"][0]["versions"]) == (True, ["1"])
    assert [version.version for version in registry.versions(name)] == ["2"]
    assert command("prune", "prune-none").code == 2
    with pytest.raises(NotFoundError):
        registry.resolve(f"{name}/1")
