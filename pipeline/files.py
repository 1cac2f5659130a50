"""Small files that are whole or absent, even after a power cut.

A file is written under another name, flushed to the disk, and renamed. Then the directory is flushed. Without the first
flush, a file system may keep the rename, lose the content, and leave an empty file. If a writer is killed, the next
writer replaces what it left under the other name. Only one process may write a file at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o077  # permissions that a umask removes from everybody but the owner


def write(file: Path, text: str) -> None:
    """Write a text that only its owner may read. Readers of the file find the old text or the new one."""
    fresh = _fresh(file)
    clear(file)
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        clear(file)
    sync(file.parent)


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """A file beside `file` to write into. It takes the place of `file` if all goes well, and is removed if not."""
    fresh = _fresh(file)
    clear(file)
    try:
        yield fresh
        sync(fresh)
        fresh.replace(file)
    finally:
        clear(file)
    sync(file.parent)


def clear(file: Path) -> None:
    """Remove what a killed writer of a file has left beside it."""
    _fresh(file).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file or a directory to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def private() -> Iterator[None]:
    """Let only the owner read what this process creates within this context."""
    before = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


def protect(directory: Path) -> None:
    """Let only the owner read a directory and its contents."""
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _fresh(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")
