"""Where one run keeps real rows while it works.

A run's tasks exchange paths, so the rows themselves lie in `<home>/.resynth/<run>/` as Arrow files. They are
private data: the directory is readable by its owner only, it is removed however the run ends, and what a killed run
left behind is removed by the next one. A lock that the operating system releases with the process tells the dead
from the living.
"""

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from pipeline.errors import ResynthError


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """A new private directory under `home`, removed on leaving."""
    root = home / ".resynth"
    root.mkdir(parents=True, exist_ok=True)
    _reap(root)
    directory = root / uuid.uuid4().hex
    with FileLock(directory.with_suffix(".lock")):
        directory.mkdir(mode=0o700)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    directory.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def alone(home: Path, name: str) -> Iterator[None]:
    """Hold the right to retrain `name`, for two runs of one model would promote over each other's heads.

    Raises:
        ResynthError: another run of `name` holds it.
    """
    root = home / ".resynth"
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / f"{name}.running", timeout=0):
            yield
    except Timeout:
        raise ResynthError(f"run: expected no other run of {name!r} in {home}, found one still going on") from None


def write(batches: Iterable[pa.Table], schema: pa.Schema, path: Path) -> Path:
    """Write tables of `schema` one after the other as an Arrow file, which keeps every type exactly."""
    options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_table(batch)
    return path


def read(path: Path) -> pa.Table:
    """The table that `write` wrote, memory-mapped."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_stream(source).read_all()


def _reap(root: Path) -> None:
    """Remove the directories whose run is dead."""
    for lock in root.glob("*.lock"):
        with suppress(Timeout), FileLock(lock, timeout=0):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
