"""Datasets out: parts and a manifest, published by rename.

An export is a directory of parts in one format (`pipeline.data.formats.writing`) and a manifest
(`pipeline.data.manifest`), readable as one table. It is written beside its final place and renamed into it when it is
complete, so a reader sees the old dataset or the new one, never half of one. Some systems cannot exchange two
directories in one step (other than Linux, and some network file systems). There a publisher that is killed between two
renames leaves no dataset; the next publisher puts the old one back first. It also removes what dead publishers left
beside the place. `verify` compares a directory with its manifest.

Only an earlier export is ever replaced: a directory whose manifest can be read and names every file in it. A directory
with any other file is refused.
"""

import ctypes
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import pyarrow as pa
from filelock import FileLock, Timeout

from pipeline.data import formats, parts
from pipeline.data.formats import Writer, Written
from pipeline.data.manifest import FORMAT, Manifest, Part, Source
from pipeline.data.manifest import load as load_manifest
from pipeline.data.parts import PART_ROWS
from pipeline.errors import InputError, NotFoundError, ResynthError, TableError
from pipeline.files import sync
from pipeline.progress import Progress, silent

__all__ = ["Manifest", "Part", "Source", "check_target", "discard", "load_manifest", "place", "publish", "verify"]

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux
PART = re.compile(rf"part-\d{{5,9}}\.(?:{'|'.join(formats.WRITERS)})", re.ASCII)
PROBE = re.compile(r"\.\..+\.[0-9a-f]{32}\.[0-9a-f]{8}\.probing")  # made only to see whether the place is writable
LONGEST_NAME, LONGEST_PATH = 255, 2000  # bytes


def publish(
    batches: Iterable[pa.Table],
    directory: Path,
    *,
    schema: pa.Schema,
    rows: int,
    source: Source,
    seed: int,
    part_rows: int = PART_ROWS,
    partition_by: Sequence[str] = (),
    form: Written = "parquet",
    progress: Progress = silent,
) -> Manifest:
    """Write batches as a dataset, replacing an earlier export in one step.

    Args:
        batches: The rows.
        directory: Where to write. A symbolic link stays, and its target becomes the export.
        schema: The schema of the rows.
        rows: Number of rows.
        source: What made the rows.
        seed: The seed of the rows.
        part_rows: Rows of a part, unless rows are partitioned.
        partition_by: Columns whose values go into the paths of the parts.
        form: The format of the parts.
        progress: Receives the phase "export".

    Raises:
        InputError: The directory cannot be written, or holds something other than an export; or the rows cannot be
            partitioned by these columns or written in this format.
        ResynthError: The batches do not have `rows` rows.
    """
    directory = check_target(directory)
    with _parents(directory), _beside(directory, "partial") as aside:
        aside.mkdir()
        layout = parts.Arrangement(form, source.name, part_rows, tuple(partition_by))
        written = parts.write(batches, aside, schema, layout, rows=rows, progress=progress)
        manifest = Manifest.of(written, schema, source, seed, layout.partition_by, form)
        manifest.write(aside)
        for path in (*aside.rglob("*"), aside):
            sync(path)
        check_target(directory)  # a file may have come there meanwhile
        _replace(aside, directory)
    return manifest


def place(export: Path, directory: Path) -> None:
    """Move an export that lies beside `directory` into it, in one step, replacing an earlier export.

    Raises:
        InputError: `directory` cannot be written, or holds something other than an export.
        ResynthError: The export cannot be moved.
    """
    directory = check_target(directory)
    _recover(directory)
    try:
        _replace(export, directory)
    except OSError as error:
        raise ResynthError(f"expected to move the export {export} to {directory}: {error.strerror}") from error
    shutil.rmtree(export, ignore_errors=True)


def discard(export: Path) -> None:
    """Remove an export, or what a dead publisher left of one.

    Raises:
        InputError: The directory holds anything else; it is left as it is.
    """
    if export.parent.is_dir():
        _recover(export)
    if export.is_dir():
        _only_export(export)
        shutil.rmtree(export, ignore_errors=True)


def check_target(directory: Path, keep: Sequence[Path] = ()) -> Path:
    """Check that `directory` can become an export. Nothing is changed.

    Args:
        directory: The place.
        keep: Paths that must not lie inside the place.

    Returns:
        The place with symbolic links resolved.

    Raises:
        InputError: The place is a file or a mount point, holds something other than an export, or cannot be written.
    """
    try:
        target = directory.resolve()
        if held := next((path for path in keep if path.resolve().is_relative_to(target)), None):
            raise InputError(f"expected a place of its own for the export, got {target}, which holds {held}")
        if target.exists() and not target.is_dir():
            raise InputError(f"expected a directory for the export, got the file {target}")
        if target.is_mount():
            raise InputError(f"expected a directory that can be replaced for the export, got the mount point {target}")
        if target.is_dir():
            _only_export(target)
        ground = next(path for path in target.parents if path.exists())
        probe = ground / f"..{target.name}.{uuid.uuid4().hex}.{uuid.uuid4().hex[:8]}.probing"  # no name is longer
        probe.mkdir()
        with suppress(FileNotFoundError):  # a publisher clears up
            probe.rmdir()
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        why = error.strerror if isinstance(error, OSError) else "its symbolic links lead in a circle"
        raise InputError(f"expected a writable place for the export at {directory}: {why}") from error
    return target


def verify(directory: Path) -> tuple[str, ...]:
    """The differences between an export and its manifest, one line each; empty if there are none.

    Raises:
        NotFoundError: There is no readable manifest.
    """
    manifest = load_manifest(directory)
    problems = []
    if manifest.digest != manifest.content_digest():
        problems.append(f"{manifest.file} was changed: its digest does not match its content")
    if not 1 <= manifest.format <= FORMAT:
        problems.append(f"{manifest.file} is of format {manifest.format}, expected 1 to {FORMAT}")
    listed = {part.file for part in manifest.parts} | {manifest.file}
    suffixes = {f".{suffix}" for suffix in formats.WRITERS}
    below = [path for path in directory.rglob("*") if path.suffix in suffixes]
    found = sorted(path.relative_to(directory).as_posix() for path in below)
    problems += [f"{shown(name)} is not in the manifest" for name in found if name not in listed]
    if len(listed) <= len(manifest.parts):
        problems.append(f"{manifest.file} was changed: it names a part twice")
    expected = manifest.part_schema
    if expected is None:
        problems.append(f"{manifest.file} was changed: its arrow_schema cannot be read")
    first = 0
    for part in manifest.parts:
        if part.first != first:
            problems.append(f"{shown(part.file)} begins at row {part.first}, expected {first}")
        first = part.first + part.rows
        problems += _part_problems(directory, part, expected, formats.WRITERS[manifest.written_as])
    if first != manifest.rows:
        problems.append(f"the parts hold {first} rows, expected {manifest.rows}")
    return tuple(problems)


def shown(name: str) -> str:
    """A file's name for a message: escaped if it holds control characters, and cut if it is very long."""
    return name if name.isprintable() and len(name) <= LONGEST_NAME else f"{name[:80]!a}"


def _is_part(name: str) -> bool:
    """Whether an export could have given a part this name: a path below the directory that leads nowhere else."""
    *above, file = name.split("/")
    return (
        PART.fullmatch(file) is not None
        and len(name.encode("utf-8", "replace")) <= LONGEST_PATH
        and all("=" in level and len(level.encode("utf-8", "replace")) <= LONGEST_NAME for level in above)
        and name.isprintable()
        and "\\" not in name
    )


def _part_problems(directory: Path, part: Part, expected: pa.Schema | None, writer: Writer) -> list[str]:
    name, file = shown(part.file), directory / part.file
    if not _is_part(part.file) or file.resolve() != directory.resolve() / part.file:
        return [f"{name} is no file of the export; it was not opened"]
    if not file.is_file():
        return [f"{name} is missing"]
    if (size := file.stat().st_size) != part.bytes:
        return [f"{name} was changed: it has {size} bytes, expected {part.bytes}"]
    if parts.sha256(file) != part.sha256:
        return [f"{name} was changed: its SHA-256 is not the manifest's"]
    try:
        schema, rows = writer.footer(file)
    except (ValueError, OSError, pa.ArrowException, TableError):
        return [f"{name} is no readable {writer.called}"]
    problems = []
    if rows != part.rows:
        problems.append(f"{name} holds {rows} rows, expected {part.rows}")
    if expected is not None and not schema.equals(writer.expected(expected), check_metadata=True):
        problems.append(f"{name} has another schema than the manifest")
    return problems


def _only_export(directory: Path) -> None:
    """Check that a directory is empty, or holds an export and nothing else.

    Raises:
        InputError: The directory holds something else.
        OSError: The directory cannot be read.
    """
    if not any(directory.iterdir()):
        return
    expected = f"expected an empty directory or an earlier export at {directory}"
    try:
        manifest = load_manifest(directory)
    except NotFoundError as error:
        raise InputError(f"{expected}, found other files") from error
    files = {part.file for part in manifest.parts if _is_part(part.file)} | {manifest.file}
    folders = {str(above) for file in files for above in PurePosixPath(file).parents}
    for root, inside, names in os.walk(directory):
        place = PurePosixPath(Path(root).relative_to(directory).as_posix())
        foreign = [name for name in names if str(place / name) not in files]
        foreign += [name for name in inside if str(place / name) not in folders or (Path(root) / name).is_symlink()]
        if foreign:
            raise InputError(f"{expected}, found other files ({shown(str(place / min(foreign)))})")


def _replace(aside: Path, directory: Path) -> None:
    """Move `aside` to `directory`. The old directory is removed, or lies at `aside` afterwards."""
    if not directory.exists():
        aside.rename(directory)
    elif not _exchange(aside, directory):
        with _beside(directory, "old") as old:
            directory.rename(old)
            aside.rename(directory)
    sync(directory.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step. Returns False if the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    paths = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other))
    return rename is not None and rename(*paths, RENAME_EXCHANGE) == 0


@contextmanager
def _parents(directory: Path) -> Iterator[None]:
    """Make the parents of a directory and clear what dead publishers left. A failure removes the parents again."""
    made = [parent for parent in directory.parents if not parent.exists()]
    directory.parent.mkdir(parents=True, exist_ok=True)
    _recover(directory)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # another process uses one of them
            for parent in made:
                parent.rmdir()
        raise


@contextmanager
def _beside(directory: Path, kind: str) -> Iterator[Path]:
    """A path beside `directory` for a publisher's work. Its lock is held as long as the publisher lives."""
    name = f".{directory.name}.{uuid.uuid4().hex[:8]}"
    with FileLock(directory.parent / f"{name}.lock"):
        try:
            yield directory.parent / f"{name}.{kind}"
        finally:
            _clear(directory, name)


def _recover(directory: Path) -> None:
    """Clear what dead publishers of `directory`, and killed checks of places beside it, have left."""
    for path in directory.parent.iterdir():
        if PROBE.fullmatch(path.name):
            with suppress(OSError):
                path.rmdir()
    theirs = re.compile(rf"(\.{re.escape(directory.name)}\.[0-9a-f]{{8}})\.(?:partial|old|lock)")
    for name in {found[1] for path in directory.parent.iterdir() if (found := theirs.fullmatch(path.name))}:
        with suppress(Timeout), FileLock(directory.parent / f"{name}.lock", timeout=0):
            _clear(directory, name)


def _clear(directory: Path, name: str) -> None:
    """Remove what a publisher left. An old export that it moved away goes back if its place is empty."""
    partial, old, lock = (directory.parent / f"{name}.{kind}" for kind in ("partial", "old", "lock"))
    if old.exists() and not directory.exists():
        old.rename(directory)
    for path in (partial, old):
        shutil.rmtree(path, ignore_errors=True)
    if not (partial.exists() or old.exists()):
        lock.unlink(missing_ok=True)
