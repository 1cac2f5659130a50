"""The files of a table, and the columns that their paths name.

Files may lie in folders called `column=value`, as Hive, Spark, Arrow and pandas write them. Such a column is a column
of the table. Only folders below the user's place count: below the directory, or below the first folder of a pattern
that has a wildcard. Values are percent-decoded, and `__HIVE_DEFAULT_PARTITION__` is null. A column holds integers if
every value is written as an integer is, and days if every value is written like `2024-01-31`, so that nothing is lost:
`01` stays a text. A file that holds a column of the same name keeps its own.

A directory of a table format (Delta Lake, Apache Iceberg, Apache Hudi) also holds files of deleted rows. A Delta Lake
table is read through its log; the others are refused.

Files are of one format: Parquet if there is any Parquet file, else the one other format whose suffix files have.

An export of resynth below the user's place is passed over, because made-up rows are no data to learn from. It is read
if it is the place itself.
"""

import glob
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote

import numpy as np

from pipeline.data import formats, queries
from pipeline.data.manifest import MANIFEST
from pipeline.data.storage import File, Key, Keyed, Object, Place, is_hidden, objects, place, there
from pipeline.data.tables import delta
from pipeline.errors import SchemaError, TableError, did_you_mean

NULL = "__HIVE_DEFAULT_PARTITION__"
_F = TypeVar("_F", Path, Object)
_P = TypeVar("_P", PurePath, PurePosixPath)
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MARKS = {"_delta_log": "a Delta Lake table", ".hoodie": "an Apache Hudi table", "metadata": "an Apache Iceberg table"}
"""Directories that mark a table format; "metadata" marks one only if it holds files that match `ICEBERG`."""
ICEBERG = "*.metadata.json"


def files(path: Place) -> Sequence[File]:
    """The files of a place, in order of their names.

    A file and a query stand for themselves, a directory or prefix for all files below it, and a pattern for everything
    it matches.

    Raises:
        TableError: The place is empty, holds no file or files of several formats, or is of a table format that is not
            read.
        SchemaError: A path names a column twice, or holds bytes that are not UTF-8.
        SettingsError: The place is no address.
        ResynthError: An object store does not answer.
    """
    path = place(path)
    if isinstance(path, Path):
        return _local(path)
    return [queries.parse(path)] if queries.asked(path) else _objects(path)


def _local(path: Path) -> Sequence[File]:
    if path.is_file():
        _refuse_formats([path], path)
        return [path]
    matched = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []  # noqa: PTH207
    if not matched and not path.is_dir():
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        near = "" if glob.has_magic(str(path)) else did_you_mean(path.name, beside)
        raise TableError(f"expected a file of a table or a directory of them, found nothing at {path}{near}")
    if not matched and (path / "_delta_log").is_dir():
        return [delta.latest(str(path))]
    found = [file for each in matched or [str(path)] for file in _below(Path(each))]
    if not found:
        _refuse_formats([path / "none"], path)
        folder = matched[0] if matched else path
        others = formats.counted(each.name for each in Path(folder).rglob("*") if each.is_file())
        raise TableError(f"expected at least one {formats.KNOWN} file in {path}, found {others or 'none'}")
    distinct = list(dict.fromkeys(found))
    _refuse_formats(distinct, path)
    root = next(folder for folder in (path, *path.parents) if not glob.has_magic(str(folder))) if matched else path
    below: dict[Path, PurePath] = {file: file.relative_to(root) for file in distinct}
    folders = {folder for name in below.values() for folder in name.parents}
    own = [folder for folder in folders if (root / folder / MANIFEST).is_file()]
    return _with_keys(_without_exports(below, own, path))


def _below(path: Path) -> list[Path]:
    """The file itself, or the files of one format anywhere below a directory."""
    if not path.is_dir():
        return [path]
    below = {file: file.relative_to(path) for file in sorted(path.rglob("*")) if formats.named(file.name) is not None}
    return _of_one_format({file: name for file, name in below.items() if file.is_file() and not is_hidden(name)}, path)


def _of_one_format(found: Collection[_F], place: Place) -> list[_F]:
    """The Parquet files among files of known formats, or all of them if they are of one other format.

    Raises:
        TableError: There are several other formats.
    """
    by_format: dict[str, list[_F]] = {}
    for file in found:
        form = formats.named(file.name)
        by_format.setdefault(form.called if form is not None else "", []).append(file)
    if (parquet := by_format.get(formats.PARQUET.called)) is not None:
        return parquet
    if len(by_format) > 1:
        told = formats.counted(file.name for file in found)
        raise TableError(
            f"expected files of one format in {place}, found {told}: name a pattern, such as {place}/*.csv"
        )
    return next(iter(by_format.values()), [])


def _without_exports(found: dict[_F, _P], exports: Iterable[PurePath], place: Place) -> dict[_F, _P]:
    """The files that lie in no export below the table's place.

    Raises:
        TableError: All files lie in exports.
    """
    inside = {_whole(export) for export in exports} - {PurePath()}
    data = {file: below for file, below in found.items() if inside.isdisjoint(below.parents)}
    if not data:
        raise TableError(f"expected a table at {place}, found exports of resynth only; name one of them to read it")
    return data


def _whole(folder: PurePath) -> PurePath:
    """The directory of an export whose manifest lies in a folder: in the first partition, if there are any."""
    while "=" in folder.name:
        folder = folder.parent
    return PurePath(folder)


def _refuse_formats(found: Iterable[Path], place: Path) -> None:
    """Refuse files of a table format, whose marks may lie in any folder above them."""
    folders = {folder for file in found for folder in (*file.absolute().parents, *file.resolve().parents)}
    for folder in sorted(folders):
        for mark, called in MARKS.items():
            marked = folder / mark
            if marked.is_dir() and (mark != "metadata" or any(marked.glob(ICEBERG))):
                _refuse(called, folder, place)


def _objects(uri: str) -> Sequence[File]:
    listed = objects(uri)
    below = {found: PurePosixPath(found.uri.removeprefix(uri).lstrip("/")) for found in listed}
    if [found.uri for found in listed] == [uri]:
        below = {listed[0]: PurePosixPath(listed[0].name)}
    governed = {folder: called for name in below.values() for folder, called in _governed(name)}
    if governed.get(PurePosixPath()) == MARKS["_delta_log"]:
        return [delta.latest(uri)]
    known = {each: name for each, name in below.items() if formats.named(name.name) is not None and not is_hidden(name)}
    chosen = listed if [each.uri for each in listed] == [uri] else _of_one_format(known, uri)
    data = {each: below[each] for each in chosen}
    folders = {folder for name in data.values() for folder in name.parents} | {PurePosixPath()}
    for folder in sorted(folders & governed.keys()):
        _refuse(governed[folder], f"{uri}/{folder}" if folder.parts else uri, uri)
    _refuse_formats_above(uri)
    if not data:
        others = formats.counted(name.name for name in below.values())
        told = f"; there are others ({others})" if others else ""
        raise TableError(f"expected a {formats.KNOWN} object or a prefix of them, found none at {uri}{told}")
    own = {name.parent for name in below.values() if name.name == MANIFEST}
    return _with_keys(_without_exports(data, own, uri))


def _governed(name: PurePosixPath) -> Iterable[tuple[PurePosixPath, str]]:
    """Folders above an object that a table format marks, each with the name of the format."""
    for folder in name.parents:
        if folder.name in MARKS and (folder.name != "metadata" or name.match(f"metadata/{ICEBERG}")):
            yield folder.parent, MARKS[folder.name]


def _refuse_formats_above(uri: str) -> None:
    scheme, _, path = uri.partition("://")
    bucket, *folders = path.split("/")
    above = ["/".join([bucket, *folders[:i]]) for i in range(len(folders))]
    marked = there([f"{scheme}://{folder}/{mark}" for folder in above for mark in MARKS]) if above else []
    for found in marked:
        folder, _, mark = found.rpartition("/")
        if mark != "metadata" or any(PurePosixPath(each.uri).match(ICEBERG) for each in objects(found)):
            _refuse(MARKS[mark], folder, uri)


def _refuse(called: str, folder: PurePath | str, place: Place) -> None:
    """Refuse files of a table format, and say what to do instead."""
    if called == MARKS["_delta_log"]:
        advice = f"name {folder} alone"
    else:
        advice = "export its rows to Parquet files (with Spark, say) and name those"
    raise TableError(
        f"expected plain Parquet files at {place}, found {called} at {folder}; it keeps deleted rows in them: {advice}"
    )


def _with_keys(found: Mapping[Path, PurePath] | Mapping[Object, PurePosixPath]) -> list[File]:
    """The files, with the columns that their paths name.

    Args:
        found: Every file's path below the table's place.

    Raises:
        SchemaError: A path names a column twice, or holds bytes that are not UTF-8.
    """
    named = {file: _keys(below) for file, below in found.items()}
    names = {name for keys in named.values() for name in keys}
    kinds = {name: _kind([keys[name] for keys in named.values() if name in keys]) for name in names}
    return [
        Keyed(file=file, keys=tuple(Key(name=name, value=value, type=kinds[name]) for name, value in keys.items()))
        if keys
        else file
        for file, keys in named.items()
    ]


def _keys(below: PurePath) -> dict[str, str | None]:
    keys: dict[str, str | None] = {}
    for part in below.parts[:-1]:
        name, equals, value = part.partition("=")
        if not (name and equals):
            continue
        try:
            name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
            value.encode()  # a file system may hold names that are not UTF-8
        except UnicodeError as error:
            raise SchemaError(
                f"expected UTF-8 in the path of {below.name}, got other bytes in a folder's name"
            ) from error
        if name in keys:
            raise SchemaError(f"expected every column once in the path {below}, got {name!r} more than once")
        keys[name] = None if value == NULL else value
    return keys


def _kind(values: Sequence[str | None]) -> str:
    """The type of a column from paths: null, date32, int32 or int64 (the narrower that fits), or string."""
    texts = {value for value in values if value is not None}
    if not texts:
        return "null"
    if all(DAY.fullmatch(text) and _is_day(text) for text in texts):
        return "date32"
    if not all(INTEGER.fullmatch(text) for text in texts):
        return "string"
    numbers = [int(text) for text in texts]
    fits = (
        kind
        for kind in (np.int32, np.int64)
        if np.iinfo(kind).min <= min(numbers) and max(numbers) <= np.iinfo(kind).max
    )
    return next((np.dtype(kind).name for kind in fits), "string")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
