"""Datasets out: Parquet parts and a manifest, published by rename.

An export directory holds `part-*.parquet` and `manifest.json`. It is written beside its final place and renamed into it
when it is complete, so whoever looks sees the old dataset or the new one, never half of one. Where two directories
cannot be exchanged in one step (outside Linux, on some network file systems), a publisher killed between two renames
leaves none: the next one puts the old one back first. What dead publishers left beside the place, it removes. The
manifest says what made the rows and the SHA-256 of every part; `verify` holds a directory against it.
"""

import base64
import ctypes
import hashlib
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from pydantic import ValidationError

from pipeline.errors import InputError, NotFoundError, ResynthError
from pipeline.progress import Progress, Tick, silent
from pipeline.records import Record

MANIFEST = "manifest.json"
PART_ROWS = 1_000_000
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux


class Source(Record):
    """What made the rows: registered model and version, digest of its training data, git commit of the code."""

    name: str
    version: str
    data_digest: str
    code_version: str


class Part(Record):
    """One file: rows `first` to `first` + `rows` − 1 of the dataset."""

    file: str
    first: int
    rows: int
    bytes: int
    sha256: str


class Manifest(Record):
    """What an export directory holds. `digest` covers everything but itself and `created_at`."""

    format: int = 1
    source: Source
    seed: int
    rows: int
    arrow_schema: str
    parts: tuple[Part, ...]
    digest: str = ""
    created_at: str = ""

    def content_digest(self) -> str:
        """SHA-256 of the manifest without `digest` and `created_at`: equal for equal datasets."""
        text = self.model_dump_json(exclude={"digest", "created_at"})
        return hashlib.sha256(text.encode()).hexdigest()


def publish(
    batches: Iterable[pa.Table],
    directory: Path,
    *,
    schema: pa.Schema,
    rows: int,
    source: Source,
    seed: int,
    part_rows: int = PART_ROWS,
    progress: Progress = silent,
) -> Manifest:
    """Write `batches` as a dataset at `directory`, replacing an earlier export there as a whole.

    Raises:
        InputError: The directory cannot be written, or holds something that is not an export.
        ResynthError: The batches do not have `rows` rows.
    """
    check_target(directory)
    _recover(directory)
    with _beside(directory, "partial") as aside:
        aside.mkdir()
        parts = _write_parts(batches, aside, schema, rows, part_rows, progress)
        manifest = _manifest(parts, schema, rows, source, seed)
        (aside / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        for path in (*aside.iterdir(), aside):
            _sync(path)
        _replace(aside, directory)
    return manifest


def place(export: Path, directory: Path) -> None:
    """Move an export, in one step, from beside `directory` to there, replacing an earlier one.

    Raises:
        InputError: `directory` cannot be written, or holds something that is not an export.
        ResynthError: It cannot be moved.
    """
    check_target(directory)
    _recover(directory)
    try:
        _replace(export, directory)
    except OSError as error:
        raise ResynthError(f"expected to move the export {export} to {directory}: {error.strerror}") from error
    shutil.rmtree(export, ignore_errors=True)


def discard(export: Path) -> None:
    """Remove an export, or what a dead publisher left of one."""
    if export.parent.is_dir():
        _recover(export)
        shutil.rmtree(export, ignore_errors=True)


def check_target(directory: Path) -> None:
    """Make sure that `directory` can become an export.

    Raises:
        InputError: It is a file, holds something else, or cannot be written.
    """
    if directory.exists() and not directory.is_dir():
        raise InputError(f"expected a directory for the export, got the file {directory}")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MANIFEST).is_file():
        raise InputError(f"expected an empty directory or an earlier export at {directory}, found other files")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        probe = directory.parent / f".{directory.name}.{uuid.uuid4().hex[:8]}.probe"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise InputError(f"expected a writable place for the export at {directory}: {error.strerror}") from error


def load_manifest(directory: Path) -> Manifest:
    """The manifest of an export.

    Raises:
        NotFoundError: There is none, or it cannot be read.
    """
    path = directory / MANIFEST
    if not path.is_file():
        raise NotFoundError(f"expected an export with {MANIFEST}, found none in {directory}")
    try:
        return Manifest.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        raise NotFoundError(f"expected a readable {MANIFEST} in {directory}") from error


def verify(directory: Path) -> tuple[str, ...]:
    """Everything in which an export is not what its manifest says; nothing when it holds.

    Raises:
        NotFoundError: There is no readable manifest.
    """
    manifest = load_manifest(directory)
    problems = []
    if manifest.digest != manifest.content_digest():
        problems.append(f"{MANIFEST} was changed: its digest does not match its content")
    listed = {part.file for part in manifest.parts}
    found = sorted(path.name for path in directory.glob("*.parquet"))
    problems += [f"{name} is not in the manifest" for name in found if name not in listed]
    expected = _schema(manifest)
    if expected is None:
        problems.append(f"{MANIFEST} was changed: its arrow_schema cannot be read")
    first = 0
    for part in manifest.parts:
        if part.first != first:
            problems.append(f"{part.file} begins at row {part.first}, expected {first}")
        first = part.first + part.rows
        problems += _part_problems(directory / part.file, part, expected)
    if first != manifest.rows:
        problems.append(f"the parts hold {first} rows, expected {manifest.rows}")
    return tuple(problems)


def _write_parts(
    batches: Iterable[pa.Table], directory: Path, schema: pa.Schema, rows: int, part_rows: int, progress: Progress
) -> tuple[Part, ...]:
    parts: list[Part] = []
    done = 0
    writer: pq.ParquetWriter | None = None
    try:
        for batch in batches:
            offset = 0
            while offset < batch.num_rows:
                if writer is None:
                    file = directory / f"part-{len(parts):05d}.parquet"
                    writer, first = pq.ParquetWriter(file, schema, compression="zstd"), done
                room = part_rows - (done - first)
                piece = batch.slice(offset, room)
                writer.write_table(piece)
                offset, done = offset + piece.num_rows, done + piece.num_rows
                if done - first == part_rows:
                    writer.close()
                    writer = None
                    parts.append(_part(file, first, done))
            progress(Tick("export", done, rows))
        if writer is not None:
            writer.close()
            parts.append(_part(file, first, done))
    finally:
        if writer is not None:
            writer.close()
    if done != rows:
        raise ResynthError(f"expected {rows} rows to export, got {done}")
    return tuple(parts)


def _part(file: Path, first: int, end: int) -> Part:
    return Part(file=file.name, first=first, rows=end - first, bytes=file.stat().st_size, sha256=_sha256(file))


def _manifest(parts: tuple[Part, ...], schema: pa.Schema, rows: int, source: Source, seed: int) -> Manifest:
    arrow = base64.b64encode(schema.serialize().to_pybytes()).decode()
    manifest = Manifest(source=source, seed=seed, rows=rows, arrow_schema=arrow, parts=parts)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return manifest.model_copy(update={"digest": manifest.content_digest(), "created_at": now})


def _schema(manifest: Manifest) -> pa.Schema | None:
    """The schema that the manifest holds, if it can be read."""
    try:
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(manifest.arrow_schema)))
    except (ValueError, OSError, pa.ArrowException):
        return None


def _part_problems(file: Path, part: Part, expected: pa.Schema | None) -> list[str]:
    if not file.is_file():
        return [f"{part.file} is missing"]
    if _sha256(file) != part.sha256:
        return [f"{part.file} was changed: its SHA-256 is not the manifest's"]
    try:
        rows, schema = pq.read_metadata(file).num_rows, pq.read_schema(file)
    except (ValueError, OSError, pa.ArrowException):
        return [f"{part.file} is no readable Parquet"]
    problems = []
    if rows != part.rows:
        problems.append(f"{part.file} holds {rows} rows, expected {part.rows}")
    if expected is not None and not schema.equals(expected, check_metadata=True):
        problems.append(f"{part.file} has another schema than the manifest")
    return problems


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Have the disk hold a file or a directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(aside: Path, directory: Path) -> None:
    """Put `aside` in the place of `directory`; what was there is removed, or in the place of `aside`, afterwards."""
    if not directory.exists():
        aside.rename(directory)
    elif not _exchange(aside, directory):
        with _beside(directory, "old") as old:
            directory.rename(old)
            aside.rename(directory)
    _sync(directory.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    paths = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other))
    return rename is not None and rename(*paths, RENAME_EXCHANGE) == 0


@contextmanager
def _beside(directory: Path, kind: str) -> Iterator[Path]:
    """A path beside `directory` that a publisher works at; its lock tells the living from the dead."""
    name = f".{directory.name}.{uuid.uuid4().hex[:8]}"
    with FileLock(directory.parent / f"{name}.lock"):
        try:
            yield directory.parent / f"{name}.{kind}"
        finally:
            _clear(directory, name)


def _recover(directory: Path) -> None:
    """Clear away what dead publishers of `directory` left."""
    theirs = re.compile(rf"(\.{re.escape(directory.name)}\.[0-9a-f]{{8}})\.(?:partial|old|lock)")
    for name in {found[1] for path in directory.parent.iterdir() if (found := theirs.fullmatch(path.name))}:
        with suppress(Timeout), FileLock(directory.parent / f"{name}.lock", timeout=0):
            _clear(directory, name)


def _clear(directory: Path, name: str) -> None:
    """Remove what a publisher left; what it moved out of the way goes back where nothing has taken its place."""
    partial, old, lock = (directory.parent / f"{name}.{kind}" for kind in ("partial", "old", "lock"))
    if old.exists() and not directory.exists():
        old.rename(directory)
    for path in (partial, old):
        shutil.rmtree(path, ignore_errors=True)
    if not (partial.exists() or old.exists()):
        lock.unlink(missing_ok=True)
