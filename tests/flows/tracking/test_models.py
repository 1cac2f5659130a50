"""A run loads a version once, and never gets another version in its place."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow import MlflowClient
from small import synthesizer

from flows.engine import addresses
from flows.tracking import registry
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from pipeline.errors import DamagedError
from pipeline.synthesizer import Synthesizer


@pytest.fixture(scope="module")
def saved(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two saved synthesizers."""
    directories = [tmp_path_factory.mktemp("model") / "synthesizer" for _ in range(2)]
    for seed, directory in enumerate(directories):
        synthesizer(seed=seed).save(directory)
    return directories[0], directories[1]


@pytest.fixture
def loads() -> list[str]:
    """The versions that were loaded."""
    return []


@pytest.fixture
def models(loads: list[str]) -> Models:
    """The versions of a run."""

    def load(version: Version) -> Synthesizer:
        loads.append(version.version)
        return registry.load(version)

    return Models(load)


def register(saved: Path, name: str) -> Version:
    """Register it under a name."""
    with Run.start(name, {}) as run:
        return registry.register(run, saved, {})


def test_a_version_is_loaded_once(saved: tuple[Path, Path], models: Models, loads: list[str]) -> None:
    """This holds however the version is found, and for the check before it becomes champion."""
    version = register(saved[0], "models-once")
    assert models(version) is models(registry.resolve("models-once/1"))
    registry.promote(version, load=models)
    champion = registry.champion("models-once")
    assert champion is not None
    assert models(champion) is models(version)
    assert loads == ["1"]


def test_a_number_that_was_given_again_is_another_version(
    saved: tuple[Path, Path], models: Models, loads: list[str]
) -> None:
    """If a version is withdrawn and another one gets its number, the first one is never returned."""
    first = register(saved[0], "models-again")
    before = models(first)
    registry.withdraw(first)
    second = register(saved[1], "models-again")
    assert (first.uri, loads) == (second.uri, ["1"])
    assert not models(second).sample(20, seed=0).equals(before.sample(20, seed=0))
    assert models(second).sample(20, seed=0).equals(Synthesizer.load(saved[1]).sample(20, seed=0))
    assert loads == ["1", "1"]


def test_two_versions_are_kept(saved: tuple[Path, Path], models: Models, loads: list[str]) -> None:
    """A third version replaces the one not used for the longest time. After `clear`, all are loaded again."""
    first, second, third = (register(saved[0], "models-few") for _ in range(3))
    for version in (first, second, first, third, first, second):
        models(version)
    assert loads == ["1", "2", "3", "2"]
    models.clear()
    models(second)
    assert loads[4:] == ["2"]


def test_threads_share_what_one_has_loaded(saved: tuple[Path, Path], models: Models, loads: list[str]) -> None:
    """Threads that ask while a version is being loaded wait for it."""
    version = register(saved[0], "models-threads")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(models, [version] * 8))
    assert len(set(map(id, found))) == 1
    assert loads == ["1"]


def test_damage_is_found_however_often_it_is_looked_at(saved: tuple[Path, Path]) -> None:
    """A failed load is not kept, and a repaired version loads."""
    version, models = register(saved[0], "models-damaged"), Models()
    place = MlflowClient().get_model_version_download_uri(version.name, version.version)
    weights = Path(addresses.local(place)) / "artifacts" / "synthesizer" / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-4] + b"\0\0\0\1")
    for _ in range(2):
        with pytest.raises(DamagedError):
            models(version)
        with pytest.raises(DamagedError):
            registry.promote(version, load=models)
    assert registry.champion("models-damaged") is None
    weights.write_bytes(content)
    registry.promote(version, load=models)
    assert registry.resolve("models-damaged").version == version.version
