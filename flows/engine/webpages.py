"""HTML pages that somebody asked for: where they may be written, and how.

A page that resynth has made is known by the generator that its head names. Only such a page is replaced.
"""

import os
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.files import replaced

GENERATOR = 'name="generator" content="resynth report"'
HEAD = 1024  # bytes in which the generator stands


def check(file: Path, verb: str, option: str) -> None:
    """Check that a page can be written.

    Args:
        file: Where to write it. Directories are made.
        verb: The verb that writes it.
        option: The option that names it.

    Raises:
        SettingsError: It is a directory or another file, or its directory cannot be written.
    """
    if file.is_dir():
        raise SettingsError(f"{verb}: {option}: expected a file, got the directory {file}")
    if file.exists() and not is_page(file):
        raise SettingsError(f"{verb}: {option}: expected no file or an earlier report at {file}, found another file")
    place = next(parent for parent in (file.absolute().parent, *file.absolute().parents) if parent.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise SettingsError(f"{verb}: {option}: expected a place that can be written, got {file}")


def is_page(file: Path) -> bool:
    """Whether a file is a report of resynth."""
    with file.open("rb") as stream:
        return GENERATOR.encode() in stream.read(HEAD)


def write(file: Path, text: str) -> None:
    """Write a page in one step, and its directory if there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replaced(file) as fresh:
        fresh.write_text(text, "utf-8")
