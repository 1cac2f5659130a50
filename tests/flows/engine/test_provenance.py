"""Which code is running."""

import subprocess
from pathlib import Path

import pytest

from flows.engine.provenance import UNKNOWN, code_version

pytestmark = pytest.mark.usefixtures("processes")


def git(directory: Path, *arguments: str) -> str:
    """Run git with a neutral identity."""
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_of_a_working_copy(tmp_path: Path) -> None:
    """A tracked file's version is its commit, marked when something changed since."""
    file = tmp_path / "code.py"
    file.write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert code_version(file) == commit
    file.write_text("2")
    code_version.cache_clear()
    assert code_version(file) == f"{commit}-dirty"


def test_code_installed_in_somebody_elses_working_copy_is_unknown(tmp_path: Path) -> None:
    """The commit of a repository that merely surrounds the code is not the code's."""
    git(tmp_path, "init", "-q")
    file = tmp_path / "untracked.py"
    file.write_text("1")
    assert code_version(file) == UNKNOWN


def test_code_outside_any_working_copy_is_unknown(tmp_path: Path) -> None:
    """An installed package has no commit."""
    assert code_version(tmp_path / "code.py") == UNKNOWN
