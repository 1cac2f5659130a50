"""Which code is running."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from flows.engine import provenance
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


def test_code_installed_in_somebody_elses_working_copy_has_no_commit(tmp_path: Path) -> None:
    """The commit of a repository that merely surrounds the code is not the code's, which has a version all the same."""
    git(tmp_path, "init", "-q")
    file = tmp_path / "untracked.py"
    file.write_text("1")
    assert code_version(file) == f"resynth {version('resynth')}"


def test_code_outside_any_working_copy_has_the_version_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package has no commit but a version. Code that is not even installed is unknown."""
    assert code_version(tmp_path / "code.py") == f"resynth {version('resynth')}"
    monkeypatch.setattr(provenance, "DISTRIBUTION", "no-such-package")
    assert code_version(tmp_path / "other.py") == UNKNOWN
