"""Where one run keeps real rows while it works.

A run's tasks exchange a `Workspace`, a reference to `<home>/.resynth/<run>/`, and find each other's tables there by
name, as Arrow files. Those are private data: the directory is readable by its owner only, it is removed however the
run ends, and what a killed run left behind is removed by the next one. A lock that the operating system releases
with the process tells the dead from the living.
"""

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pyarrow as pa
from filelock import FileLock, Timeout

from pipeline.errors import ResynthError
from pipeline.records import Record
from pipeline.schema import Schema


class Workspace(Record):
    """The files of one run.

    Attributes:
        directory: Where they are.
    """

    directory: Path

    @classmethod
    @contextmanager
    def open(cls, home: Path) -> Iterator[Self]:
        """A new workspace under `home`, removed on leaving."""
        root = _root(home)
        _reap(root)
        directory = root / uuid.uuid4().hex
        lock = directory.with_suffix(".lock")
        with FileLock(lock):
            directory.mkdir(mode=0o700)
            try:
                yield cls(directory=directory)
            finally:
                shutil.rmtree(directory, ignore_errors=True)
                lock.unlink(missing_ok=True)

    @property
    def schema_file(self) -> Path:
        """Where the schema of the incoming table is."""
        return self.directory / "schema.json"

    @property
    def profile(self) -> Path:
        """Where the profile of the incoming table is."""
        return self.directory / "profile.json"

    @property
    def model(self) -> Path:
        """The directory of the trained synthesizer."""
        return self.directory / "synthesizer"

    @property
    def columns(self) -> Schema:
        """The schema of the incoming table."""
        return Schema.from_json(self.schema_file.read_text("utf-8"))

    def write(self, name: str, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
        """Keep a table given in pieces; the Arrow format keeps every type exactly."""
        with pa.OSFile(str(self._table(name)), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for table in tables:
                writer.write_table(table)

    def read(self, name: str) -> pa.Table:
        """The table that was kept, memory-mapped."""
        with pa.memory_map(str(self._table(name))) as source:
            return pa.ipc.open_stream(source).read_all()

    def _table(self, name: str) -> Path:
        return self.directory / f"{name}.arrow"


@contextmanager
def alone(home: Path, name: str) -> Iterator[None]:
    """Hold the right to retrain `name`: two runs at once would decide against the same champion.

    Raises:
        ResynthError: Another run of `name` holds it.
    """
    try:
        with FileLock(_root(home) / f"{name}.running", timeout=0):
            yield
    except Timeout:
        raise ResynthError(f"run: expected no other run of {name!r} in {home}, found one still going on") from None


def _root(home: Path) -> Path:
    root = home / ".resynth"
    root.mkdir(parents=True, exist_ok=True)
    return root


def _reap(root: Path) -> None:
    """Remove the directories whose run is dead."""
    for lock in root.glob("*.lock"):
        with suppress(Timeout), FileLock(lock, timeout=0):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
