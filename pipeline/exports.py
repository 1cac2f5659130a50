"""Datasets out: Parquet parts and a manifest, published by rename.

An export directory holds `part-*.parquet` and `manifest.json`. It is written beside its final place and renamed into it
when it is complete, so whoever looks sees the old dataset or the new one, never half of one. The manifest says what
made the rows and the SHA-256 of every part; `verify` holds a directory against it.
"""

import base64
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipeline.errors import InputError, NotFoundError, ResynthError
from pipeline.progress import Progress, Tick, silent
from pipeline.records import Record

MANIFEST = "manifest.json"
PART_ROWS = 1_000_000


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
    aside = directory.parent / f".{directory.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        aside.mkdir()
        parts = _write_parts(batches, aside, schema, rows, part_rows, progress)
        manifest = _manifest(parts, schema, rows, source, seed)
        (aside / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        _sync(aside)
        _replace(aside, directory)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


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
    expected = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(manifest.arrow_schema)))
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


def _part_problems(file: Path, part: Part, expected: pa.Schema) -> list[str]:
    if not file.is_file():
        return [f"{part.file} is missing"]
    if _sha256(file) != part.sha256:
        return [f"{part.file} was changed: its SHA-256 is not the manifest's"]
    metadata = pq.read_metadata(file)
    problems = []
    if metadata.num_rows != part.rows:
        problems.append(f"{part.file} holds {metadata.num_rows} rows, expected {part.rows}")
    if not pq.read_schema(file).equals(expected, check_metadata=True):
        problems.append(f"{part.file} has another schema than the manifest")
    return problems


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(directory: Path) -> None:
    """Have the disk hold every file before the rename makes them visible."""
    for path in (*directory.iterdir(), directory):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _replace(aside: Path, directory: Path) -> None:
    """Put `aside` in the place of `directory`; what was there is removed only afterwards."""
    old = directory.parent / f".{directory.name}.{uuid.uuid4().hex[:8]}.old"
    if directory.exists():
        directory.rename(old)
    try:
        aside.rename(directory)
    except OSError:
        if old.exists():
            old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)
