"""Which code is running."""

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

UNKNOWN = "unknown"
DISTRIBUTION = "resynth"


@cache
def code_version(file: Path = Path(__file__)) -> str:
    """The git commit of the working copy that tracks `file`, with "-dirty" if changed.

    Without one, it is the version of the installed package, such as "resynth 0.1.0"; "unknown" if it is not installed.
    """
    try:
        _git(file, "ls-files", "--error-unmatch", file.name)  # fails if installed into another working copy
        return _git(file, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        pass
    installed = release()
    return UNKNOWN if installed == UNKNOWN else f"{DISTRIBUTION} {installed}"


def release() -> str:
    """The version of the installed package; "unknown" for a checkout that is not installed."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN


def _git(file: Path, *arguments: str) -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()  # noqa: S603
