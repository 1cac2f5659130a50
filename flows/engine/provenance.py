"""Which code is running."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

UNKNOWN = "unknown"


@cache
def code_version(file: Path = Path(__file__)) -> str:
    """The git commit of the working copy that tracks `file`, with "-dirty" if changed; "unknown" without one."""
    try:
        _git(file, "ls-files", "--error-unmatch", file.name)  # fails if installed into another working copy
        return _git(file, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN


def release() -> str:
    """The version of the installed package; "unknown" for a checkout that is not installed."""
    try:
        return version("resynth")
    except PackageNotFoundError:
        return UNKNOWN


def _git(file: Path, *arguments: str) -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()  # noqa: S603
