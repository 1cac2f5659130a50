"""The embedded default."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import engine
from pipeline.errors import InputError

ROOT = Path(__file__).parents[2]


def test_both_tools_are_embedded_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any setting, state goes into the home and nowhere else."""
    for name in engine.defaults(tmp_path):
        monkeypatch.delenv(name, raising=False)
    engine.embed(tmp_path)
    assert os.environ["PREFECT_HOME"] == str(tmp_path / ".prefect")
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert (tmp_path / ".prefect").is_dir()


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that the environment names are used."""
    for name in engine.defaults(tmp_path):
        monkeypatch.setenv(name, f"my {name}")
    engine.embed(tmp_path)
    assert all(os.environ[name] == f"my {name}" for name in engine.defaults(tmp_path))


def test_a_home_that_cannot_be_is_bad_input(tmp_path: Path) -> None:
    """A file in the place of the home is reported in one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected a directory that can be written"):
        engine.embed(tmp_path / "file")


@pytest.mark.parametrize("verb", [[], ["run"], ["export"], ["ui"]])
def test_help_imports_nothing_heavy(verb: list[str]) -> None:
    """Help answers at once, for nothing that takes long to import is imported."""
    script = (
        "import sys; from flows.cli import main; code = main(sys.argv[1:])\n"
        "heavy = {'torch', 'mlflow', 'prefect', 'pyarrow', 'pandas', 'sklearn', 'numpy', 'scipy', 'matplotlib'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules))); sys.exit(code)\n"
    )
    command = [sys.executable, "-c", script, *verb, "--help"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage: resynth" in found.stdout
    assert found.stdout.splitlines()[-1] == "heavy: []"
