"""The place of a run's real rows while it works.

The tasks of a run exchange a `Workspace`, a reference to `<home>/.resynth/<run>/`. They find each other's tables there
by name, as Arrow files. Temporary files of this process go there too. All of this is private data: only the owner may
read the directory, it is removed however the run ends, and the next run removes what a killed run left. A lock that the
operating system releases with the process tells dead runs from living ones. A run's `mark` identifies it beyond this
machine. With it, `died` finds out whether the run was killed, so that its leftovers in MLflow can be removed.
"""

import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pyarrow as pa
from filelock import FileLock, Timeout

from pipeline import files
from pipeline.errors import BusyError
from pipeline.records import Record
from pipeline.schema import Schema

RUN = re.compile(r"[0-9a-f]{32}(\.lock)?")  # a run's directory, and its lock beside it


class Workspace(Record):
    """The files of one run.

    Attributes:
        directory: Their directory.
    """

    directory: Path

    @classmethod
    @contextmanager
    def open(cls, home: Path) -> Iterator[Self]:
        """Create a workspace under `home`, and remove it on leaving."""
        root = _root(home)
        _reap(root)
        directory = root / uuid.uuid4().hex
        lock = directory.with_suffix(".lock")
        with FileLock(lock):
            directory.mkdir(mode=0o700)
            elsewhere, tempfile.tempdir = tempfile.tempdir, str(directory)  # libraries leave copies of stored files
            try:
                yield cls(directory=directory)
            finally:
                tempfile.tempdir = elsewhere
                _remove(directory, lock)

    @property
    def mark(self) -> str:
        """A text by which `died` recognises the run."""
        return f"{_identity(self.directory.parent)}/{self.directory.name}"

    def died(self, mark: str) -> bool:
        """Whether the run with this mark was killed. False if unknown, as for runs of another home."""
        home, _, name = mark.partition("/")
        return home == _identity(self.directory.parent) and not (self.directory.parent / name).exists()

    @property
    def schema_file(self) -> Path:
        """The file with the schema of the incoming table."""
        return self.directory / "schema.json"

    @property
    def model(self) -> Path:
        """The directory of the trained synthesizer."""
        return self.directory / "synthesizer"

    @property
    def columns(self) -> Schema:
        """The schema of the incoming table."""
        return Schema.from_json(self.schema_file.read_text("utf-8"))

    def write(self, name: str, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
        """Write a table that comes in pieces. The Arrow format keeps every type exactly."""
        self._table(name).touch(0o600)
        with pa.OSFile(str(self._table(name)), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for table in tables:
                writer.write_table(table)

    def read(self, name: str) -> pa.Table:
        """Read a table that was written, memory-mapped."""
        with pa.memory_map(str(self._table(name))) as source:
            return pa.ipc.open_stream(source).read_all()

    def holds(self, name: str) -> bool:
        """Whether a table of that name was written."""
        return self._table(name).exists()

    def _table(self, name: str) -> Path:
        return self.directory / f"{name}.arrow"


@contextmanager
def alone(home: Path, name: str) -> Iterator[None]:
    """Hold the lock of `name`: two runs at once would decide against the same champion.

    Raises:
        BusyError: Another run of `name` holds it.
    """
    try:
        with FileLock(_root(home) / f"{name}.running", timeout=0):
            yield
    except Timeout:
        raise BusyError(f"run: expected no other run of {name!r} in {home}, found one still going on") from None


def publication_file(home: Path, name: str) -> Path:
    """The file that remembers the export of `name` that waits for its run to be complete."""
    return _root(home) / f"{name}.publication"


def _root(home: Path) -> Path:
    root = home / ".resynth"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)  # its content derives from real rows
    return root


def _identity(root: Path) -> str:
    """An identity of the home that no other home has, wherever it is mounted."""
    file = root / "identity"
    if not _whole(file):
        with FileLock(root / "identity.making"):
            if not _whole(file):
                files.write(file, uuid.uuid4().hex)
    return file.read_text("utf-8")


def _whole(identity: Path) -> bool:
    """Whether an identity exists and is whole, and not what a power cut has left of one."""
    return identity.exists() and RUN.fullmatch(identity.read_text("utf-8", "replace")) is not None


def _reap(root: Path) -> None:
    """Remove the directories of dead runs, and what earlier removals have left."""
    for name in {path.stem for path in root.iterdir() if RUN.fullmatch(path.name)}:
        lock = root / f"{name}.lock"
        with suppress(Timeout), FileLock(lock, timeout=0):
            _remove(root / name, lock)


def _remove(directory: Path, lock: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    if not directory.exists():
        lock.unlink(missing_ok=True)
