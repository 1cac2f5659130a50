"""Mistakes are cheap and kind: one line that says what to do, before anything starts and with nothing left behind."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from mistakes import KNOWN, MISTAKES, MODEL, Mistake, ground
from mlflow import MlflowClient
from small import synthesizer

from flows.cli import main
from flows.engine import homes
from flows.tracking import registry
from flows.tracking.store import Run

ROOT = Path(__file__).parents[3]
ENOUGH = 3.0
"""Seconds of a processor that a mistake may take."""


def told(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that ends with exit code 2."""
    capfd.readouterr()
    code = main(arguments)
    out, err = capfd.readouterr()
    assert code == 2, err
    assert not out or arguments[0] == "serve"  # which says at once that it starts
    assert err.startswith("resynth: ")
    assert err.count("\n") == 1, err
    return err


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with tables, which is the working directory and a home in which nothing was ever done."""
    for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(ground(tmp_path))
    monkeypatch.setattr(homes, "embed", lambda home: pytest.fail("something has started"))
    return tmp_path


def test_there_are_enough() -> None:
    """The list has mistakes of all kinds: verbs, options, paths, columns, kinds, dates, versions."""
    assert len(MISTAKES) + len(KNOWN) >= 60


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(place: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    """The line says what was expected, what came, and often what was meant. No engine starts, and no file is made."""
    mistake = MISTAKES[name]
    if mistake.settings or name == "settings that exist":
        (place / "resynth.toml").write_text(mistake.settings)
    before = sorted(place.rglob("*"))
    line = told(shlex.split(mistake.arguments), capfd)
    assert not [part for part in mistake.says if part not in line], line
    assert "secret" not in line
    assert sorted(place.rglob("*")) == before


@pytest.fixture(scope="session")
def people(home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registered model with a champion."""
    directory = tmp_path_factory.mktemp("people") / "synthesizer"
    synthesizer().save(directory)
    with Run.start(MODEL, {}) as run:
        version = registry.register(run, directory, {"data_digest": "d", "code_version": "c"})
    registry.promote(version)
    return MODEL


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("name", KNOWN)
def test_a_mistake_about_a_model_starts_no_run(home: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    """What MLflow knows is asked before Prefect starts, and no experiment and no run is made."""
    mistake: Mistake = KNOWN[name]
    before = [each.name for each in MlflowClient().search_experiments()]
    line = told([*shlex.split(mistake.arguments), "--home", str(home)], capfd)
    assert not [part for part in mistake.says if part not in line], line
    assert [each.name for each in MlflowClient().search_experiments()] == before


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize(
    "arguments", ["rnu", "run peple.parquet", "models nobody", "replay people.parquet --time age --every 3d"]
)
def test_a_mistake_costs_little(tmp_path: Path, arguments: str) -> None:
    """The whole process takes less than three seconds of a processor, so a waiting person is told at once."""
    ground(tmp_path)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment["PYTHONPATH"] = str(ROOT)
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "flows", *shlex.split(arguments)],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
    )
    after = os.times()
    assert done.returncode == 2
    assert after.children_user + after.children_system - before.children_user - before.children_system < ENOUGH
