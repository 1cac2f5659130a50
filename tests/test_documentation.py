"""What the README shows works: its Python runs, its settings validate, its commands exist, its files are there."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from flows.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_examples_run(tmp_path):
    """The library example runs as it is printed, from a directory that holds the data."""
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data" / "adult_test.parquet", tmp_path / "data")
    for block in blocks("python"):
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_settings_examples_are_valid(tmp_path):
    """Every TOML block is accepted by the settings, that of several tables with each of them."""
    assert blocks("toml")
    for block in blocks("toml"):
        (tmp_path / "resynth.toml").write_text(block)
        Settings.load(tmp_path)
        if "tables" in tomllib.loads(block):
            assert Settings.tables(tmp_path)


COMMANDS = sorted(set(re.findall(r"(?:`|^)resynth ([a-z]+)", README, flags=re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command):
    """Every `resynth VERB` that the README names answers --help."""
    done = subprocess.run([sys.executable, "-m", "flows", command, "--help"], capture_output=True, check=False)
    assert done.returncode == 0


def test_make_targets_exist():
    """Every `make TARGET` that the README names is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"^make (\w+)|`make (\w+)`", README, flags=re.MULTILINE)):
        assert f"\n{''.join(target)}:" in makefile


def test_linked_files_exist():
    """Every relative link and picture points at a file of the repository."""
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
