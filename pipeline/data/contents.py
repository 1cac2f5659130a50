"""What files hold: the digest of a file is of the very bytes that are read.

A run digests a file, reads its columns and reads its rows, in this order and at different times. An object of a store
is fetched once for all of that: its digest is computed on the way, and it is kept as a file of this machine for as long
as the run needs it. What a query answers is kept likewise. A file of this machine is read where it is. Whoever reads a
file that has changed since its digest was computed gets an error instead of rows.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from threading import RLock
from typing import NamedTuple

import pyarrow as pa

from pipeline.data.formats import Content, Piece
from pipeline.data.queries import Query
from pipeline.data.storage import Object, beginning, fetch, pieces, tail
from pipeline.errors import TableError

MOST = 2**34
"""Bytes of objects that are kept; a table of more compressed bytes fits into no memory."""


class _Digested(NamedTuple):
    """The digest of a file, and for one of this machine how it was then: inode, size and time of its last change."""

    digest: str
    state: tuple[int, ...] = ()


class Contents:
    """The contents of files within one run. Threads may share it.

    Args:
        copies: A directory for objects that were digested. Whoever names it removes it. By default no copy is kept:
            then an object is fetched whenever it is read, and compared with its digest.
        most: Most bytes of all copies together, which also leave half of what is free on the disk. Beyond that the
            earliest copies go, and their objects are fetched again if they are read: a window of rows ends with the
            latest files.
    """

    def __init__(self, copies: Path | None = None, most: int = MOST) -> None:
        self._directory, self._most = copies, most
        self._digested: dict[Path | Object, _Digested] = {}
        self._copies: dict[Object, Path] = {}
        self._answers: dict[Query, pa.Table] = {}
        self._lock = RLock()

    def digest(self, file: Path | Object) -> str:
        """SHA-256 of what a file holds, computed once.

        Raises:
            OSError: A file of this machine cannot be read.
            ResynthError: The store of an object does not answer, or refuses.
        """
        with self._lock:
            if file not in self._digested:
                self._digested[file] = _local(file) if isinstance(file, Path) else self._object(file)
            return self._digested[file].digest

    def answer(self, query: Query, ask: Callable[[Query], pa.Table]) -> pa.Table:
        """What a database answers to a query: it is asked once, so that everything is about the same rows.

        With a directory for copies, the answer is kept there and mapped into memory.
        """
        with self._lock:
            if query not in self._answers:
                table = ask(query)
                self._answers[query] = table if self._directory is None else _mapped(table, self._copy())
            return self._answers[query]

    def expect(self, found: Object, digest: str) -> None:
        """Say which digest an object has, as far as is known without fetching it."""
        with self._lock:
            self._digested.setdefault(found, _Digested(digest))

    @contextmanager
    def reading(self, file: Path | Object, piece: Piece = "all") -> Iterator[Content]:
        """What to read of a file: its path, the path of its copy, or its bytes.

        Args:
            file: The file.
            piece: How much of an object is enough: "end" is the footer of a Parquet file.

        Raises:
            TableError: Its content is not what was digested.
            ResynthError: The store of an object does not answer, or refuses.
        """
        known = self._digested.get(file)
        if isinstance(file, Path):
            yield file
            if known is not None and _state(file.stat()) != known.state:
                raise _changed(file)
            return
        with self._lock:
            copy = self._copies.get(file)
        if copy is not None:
            yield copy
            return
        content = {"all": fetch, "begin": beginning, "end": tail}[piece](file)
        if piece == "all" and known is not None and hashlib.sha256(content).hexdigest() != known.digest:
            raise _changed(file)
        yield content

    def _object(self, found: Object) -> _Digested:
        """Fetch an object to compute its digest, and keep the bytes if there is room for them."""
        digest = hashlib.sha256()
        copy = self._room(found)
        with (copy or Path(os.devnull)).open("wb") as kept:
            for piece in pieces(found):
                digest.update(piece)
                kept.write(piece)
        if copy is not None:
            self._copies[found] = copy
        return _Digested(digest.hexdigest())

    def _room(self, found: Object) -> Path | None:
        """A file for the copy of an object, for which the earliest copies may have to go; None if it is too large."""
        if self._directory is None:
            return None
        self._directory.mkdir(mode=0o700, exist_ok=True)
        sizes = {kept: path.stat().st_size for kept, path in self._copies.items()}
        room = min(self._most, (sum(sizes.values()) + shutil.disk_usage(self._directory).free) // 2)
        if found.size > room:
            return None
        while sum(sizes.values()) + found.size > room:
            earliest = next(iter(sizes))
            self._copies.pop(earliest).unlink()
            del sizes[earliest]
        return self._copy()

    def _copy(self) -> Path:
        """A new file for a copy."""
        assert self._directory is not None
        self._directory.mkdir(mode=0o700, exist_ok=True)
        file, copy = mkstemp(dir=self._directory)
        os.close(file)
        return Path(copy)


def _mapped(table: pa.Table, file: Path) -> pa.Table:
    """A table that lies in a file."""
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.memory_map(str(file)) as source:
        return pa.ipc.open_stream(source).read_all()


def _local(file: Path) -> _Digested:
    with file.open("rb") as content:
        state = _state(os.fstat(content.fileno()))
        return _Digested(hashlib.file_digest(content, "sha256").hexdigest(), state)


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _changed(file: Path | Object) -> TableError:
    return TableError(
        f"expected {file} to stay as it is while it is read, it has changed; run again once it is complete"
    )
