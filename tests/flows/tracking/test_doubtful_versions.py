"""Versions that are damaged, foreign or gone are never loaded and stop nothing."""

import hashlib
import json
import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from registering import register
from small import synthesizer

from flows.engine import addresses
from flows.tracking import history, registry
from flows.tracking.registry import OutdatedError, Version
from pipeline import saving
from pipeline.errors import DamagedError, ResynthError
from pipeline.synthesizer import Synthesizer


def test_a_version_that_is_gone_is_in_nobodys_way(saved: Path) -> None:
    """A rollback passes over champions withdrawn after the alias had moved on, or deleted in MLflow itself."""
    name, client = "registry-gone", MlflowClient()
    first, second, third, fourth = (register(saved, name) for _ in range(4))
    for version in (first, second, third):
        version.origin.tags({"decision": "promoted"})
        registry.promote(version)
    registry.promote(fourth)  # by its run, which is killed
    client.set_registered_model_alias(name, "champion", third.version)
    registry.recover(name, lambda _: True)
    assert history.line(history.read(name)) == ["1", "2", "3"]
    client.delete_model_version(name, second.version)
    assert registry.rollback(name).version == "1"


def test_a_version_made_in_mlflow_itself_is_in_nobodys_way(saved: Path) -> None:
    """A version without a run is listed, and recovery skips it. What it cannot do is reported in one line."""
    name, client = "registry-foreign", MlflowClient()
    first, second = register(saved, name), register(saved, name)
    first.origin.tags({"decision": "promoted"})
    registry.promote(first)
    registry.promote(second)  # by its run, which is killed
    client.create_model_version(name, source=str(saved))
    registry.recover(name, lambda _: True)
    assert [(version.version, version.run) for version in registry.versions(name)] == [("3", None), ("1", first.run)]
    assert registry.resolve(name).version == "1"
    foreign = registry.resolve(f"{name}/3")
    with pytest.raises(ResynthError, match="expected models:/registry-foreign/3 to be made by a run"):
        foreign.origin  # noqa: B018 - raises
    with pytest.raises(ResynthError, match=r"expected models:/registry-foreign/3 .* to load"):
        registry.promote(foreign, by_hand=True)


def test_a_model_of_another_kind_is_no_champion(saved: Path, tmp_path: Path) -> None:
    """A version that MLflow loads and that is no synthesizer is refused in a line."""
    name = "registry-other"
    register(saved, name)
    script = tmp_path / "other.py"
    script.write_text(
        "import mlflow\n"
        "class Other(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, model_input: list[str]) -> list[str]:\n"
        "        return model_input\n"
        "mlflow.models.set_model(Other())\n"
    )
    mlflow.pyfunc.save_model(tmp_path / "other", python_model=str(script), pip_requirements=[])
    MlflowClient().create_model_version(name, source=str(tmp_path / "other"))
    with pytest.raises(ResynthError, match=r"expected models:/registry-other/2 .* to load"):
        registry.promote(registry.resolve(f"{name}/2"), by_hand=True)


def test_a_run_that_was_removed_in_mlflow_is_in_nobodys_way(saved: Path) -> None:
    """Its version stays and is listed, and recovery undoes what other runs have left."""
    name, client = "registry-removed", MlflowClient()
    first, second, third = (register(saved, name) for _ in range(3))
    first.origin.tags({"decision": "promoted"})
    registry.promote(first)
    registry.promote(second)  # by its run, which is killed
    client.delete_run(third.run)
    client._tracking_client.store._hard_delete_run(third.run)  # what `mlflow gc` does
    registry.recover(name, lambda _: True)
    assert [version.version for version in registry.versions(name)] == ["3", "1"]
    assert registry.resolve(name).version == "1"


def test_a_version_that_does_not_load_is_not_promoted(saved: Path) -> None:
    """The smoke test comes before the alias moves."""
    name = "registry-broken"
    good, broken = register(saved, name), register(saved, name)
    registry.promote(good)
    shutil.rmtree(Path(mlflow.artifacts.download_artifacts(broken.uri)) / "artifacts")
    with pytest.raises(ResynthError, match=r"expected models:/registry-broken/2 .* to load"):
        registry.promote(broken)
    assert registry.resolve(name).version == "1"


def files_of(version: Version) -> Path:
    """Where a version's files lie in the embedded store."""
    place = MlflowClient().get_model_version_download_uri(version.name, version.version)
    return Path(addresses.local(place))


def test_nothing_that_the_store_holds_is_run(saved: Path, tmp_path: Path) -> None:
    """Code put into a version's `model.py` runs with MLflow's loader, and with none of our own verbs."""
    name, mark = "registry-code", tmp_path / "ran"
    version = register(saved, name)
    script = files_of(version) / "model.py"
    script.write_text(f"open({str(mark)!r}, 'w').close()\n" + script.read_text())
    registry.load(version)
    registry.promote(version)
    assert not mark.exists()
    mlflow.pyfunc.load_model(version.uri)
    assert mark.exists()


def test_a_version_is_read_where_it_lies_and_left_as_it_is(saved: Path) -> None:
    """Loading and promoting write nothing into the store's files."""
    version = register(saved, "registry-in-place")
    before = {path: path.stat().st_mtime_ns for path in files_of(version).rglob("*")}
    registry.load(version)
    registry.promote(version)
    assert {path: path.stat().st_mtime_ns for path in files_of(version).rglob("*")} == before


@pytest.mark.parametrize("name", saving.FILES)
def test_files_other_than_those_registered_do_not_load(saved: Path, name: str) -> None:
    """One changed byte in any file is enough, even if the files look consistent."""
    version = register(saved, f"registry-damaged-{name.replace('.', '-')}")
    file = files_of(version) / "artifacts" / "synthesizer" / name
    data = bytearray(file.read_bytes())
    data[-2] ^= 1
    file.write_bytes(data)
    with pytest.raises(DamagedError, match=rf"expected {version.uri} .* to load, it does not: .*{name}"):
        registry.promote(version)
    assert registry.champion(version.name) is None


def test_another_model_in_the_place_of_a_version_does_not_load(saved: Path, tmp_path: Path) -> None:
    """The other model is whole and sound, but its digest is not the one kept with the version."""
    version = register(saved, "registry-exchanged")
    synthesizer(seed=1).save(files_of(version) / "artifacts" / "synthesizer")
    with pytest.raises(DamagedError, match=r"expected the synthesizer\.json that was saved"):
        registry.load(version)


def test_a_version_that_generates_something_else_is_not_promoted(saved: Path) -> None:
    """With other weights and all digests updated, the rows still differ from those after its training."""
    version = register(saved, "registry-rows-differ")
    directory = files_of(version) / "artifacts" / "synthesizer"
    first = Synthesizer.load(directory)
    kept, other = (directory / "sample.safetensors").read_bytes(), synthesizer(seed=1)
    other.save(directory)
    (directory / "sample.safetensors").write_bytes(kept)
    model = json.loads((directory / "synthesizer.json").read_text())
    model["files"]["sample.safetensors"] = hashlib.sha256(kept).hexdigest()
    (directory / "synthesizer.json").write_text(json.dumps(model))
    registry.tag(version, {registry.DIGEST: saving.digest(directory)})
    changed = registry.resolve(f"{version.name}/{version.version}")
    assert not registry.load(changed).sample(20, seed=0).equals(first.sample(20, seed=0))
    with pytest.raises(ResynthError, match=r"to generate its rows, it does not; column .* expected the rows"):
        registry.promote(changed)


def test_a_version_without_a_digest_counts_as_outdated(saved: Path) -> None:
    """A version registered before digests existed, or in MLflow itself, is not loaded."""
    version = register(saved, "registry-undigested")
    bare = version.model_copy(update={"tags": {"code_version": "old"}})
    with pytest.raises(OutdatedError, match=r"made by code old\) to load, it was registered without a digest"):
        registry.load(bare)
