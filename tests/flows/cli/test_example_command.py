"""`resynth example`: tables to try resynth on, also where there is no checkout."""

import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.cli import main
from flows.engine import examples

ROOT = Path(__file__).parents[3]


def test_tables_settings_and_attribution_are_copied(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The settings fit the table, the sources are named, and the last line is the command to go on with."""
    out = tmp_path / "try"
    assert main(["example", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(examples.NAMES)
    target = tomllib.loads((out / "adult.toml").read_text())["evaluation"]["target"]
    assert target in pq.read_schema(out / "adult_train.parquet").names
    assert "CC BY 4.0" in (out / "README.md").read_text()
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == f"now: resynth run {out / 'adult_train.parquet'} --config {out / 'adult.toml'}"


def test_nothing_is_replaced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file of the same name stays, and no other file is written."""
    (tmp_path / "README.md").write_text("mine")
    assert main(["example", "--out", str(tmp_path)]) == 2
    assert "left alone" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_the_package_has_what_the_command_copies() -> None:
    """Every file of the example is put into the wheel."""
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {f"data/{name}": f"flows/examples/{name}" for name in examples.NAMES}
    assert packed["force-include"] == wanted
