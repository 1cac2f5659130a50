"""Files in, one checked table out."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pyarrow as pa

from pipeline.arrow.texts import Guess
from pipeline.arrow.widening import exact, plain
from pipeline.data import manifest
from pipeline.data.contents import Contents
from pipeline.data.formats import ReadSettings, as_held
from pipeline.data.manifest import Manifest
from pipeline.data.storage import File, Place, place
from pipeline.data.tables.checks import check_content, check_names, finite, without_nan
from pipeline.data.tables.listing import files
from pipeline.data.tables.opening import FileRows, rows
from pipeline.data.tables.typing import typed
from pipeline.data.tables.unify import Named, unify
from pipeline.errors import NotFoundError, SchemaError, TableError
from pipeline.frames import Frame, to_arrow
from pipeline.schema import ColumnSettings, arrow_type

Source: TypeAlias = Place | Sequence[File] | Frame
"""A place, files of one table, or a frame."""
AS_WRITTEN = {"delimiter": ",", "encoding": "utf-8", "decimal": "."}
"""How exports are written as CSV, whatever the settings say of other files. Their manifests have the types."""


class Loaded(NamedTuple):
    """A table, and notes on how it was read, one line each."""

    table: pa.Table
    notes: tuple[str, ...]


class Gathered(NamedTuple):
    """A table with notes, and what was guessed about the types of its columns, by name."""

    loaded: Loaded
    guessed: Mapping[str, Guess]


def read(
    path: Source,
    settings: ReadSettings | None = None,
    overrides: Mapping[str, ColumnSettings] | None = None,
) -> pa.Table:
    """Read and check a table: `load` without the notes; the same arguments and errors.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pandas as pd
        >>> from pipeline import read
        >>> file = Path(tempfile.mkdtemp()) / "people.parquet"
        >>> pd.DataFrame({"age": [31, 54, 27]}).to_parquet(file)
        >>> read(file).num_rows
        3
        >>> read(pd.DataFrame({"age": [31, 54, 27]})).equals(read(file))
        True
    """
    return load(path, settings, overrides).table


def load(
    path: Source,
    settings: ReadSettings | None = None,
    overrides: Mapping[str, ColumnSettings] | None = None,
    like: pa.Schema | None = None,
    contents: Contents | None = None,
) -> Loaded:
    """Read and check a table.

    Args:
        path: A path or an address: a file, a directory, a pattern, an object store's prefix, a Delta Lake table or a
            query; a list of files; or a frame of pandas, Polars or Arrow. Files may differ harmlessly
            (`pipeline.data.tables.unify`).
        settings: How to read, and what happens to doubtful values.
        overrides: Column settings. A column with a `type` is cast, unless that would change a value.
        like: The earlier schema of the table. Its order is used, and its types where they hold every value.
        contents: What is known of the contents of files.

    Raises:
        TableError: There is nothing, or a file is damaged, empty or changed since its digest, or it holds infinite
            values, oversized texts or texts that are not UTF-8.
        SchemaError: There are no columns or two of one name, files disagree, or a cast is impossible.
        ResynthError: An object store does not answer.
    """
    return gather(path, settings, overrides, like, contents).loaded


def gather(
    path: Source,
    settings: ReadSettings | None = None,
    overrides: Mapping[str, ColumnSettings] | None = None,
    like: pa.Schema | None = None,
    contents: Contents | None = None,
) -> Gathered:
    """Read and check a table, and say which types were guessed: as `load`, with the same arguments and errors."""
    settings, overrides = settings or ReadSettings(), overrides or {}
    if (export := _export(path)) is not None:
        settings, like = settings.model_copy(update=AS_WRITTEN), like or export.columns
    where, named = _named(path, settings, like, contents or Contents())
    fixed = {name for name, override in overrides.items() if override.type is not None}
    if like is not None:
        like = pa.schema([field.with_type(pa.null()) if field.name in fixed else field for field in like])
    for name, part in named:
        _check(part, name, settings)
    found = typed([part for _, part in named], settings, overrides, like)
    parts = [_prepared(part, overrides) for part in found.parts]
    unified = unify([Named(name, part.table) for (name, _), part in zip(named, parts, strict=True)], like)
    table = pa.concat_tables(unified.tables)
    if table.num_rows == 0:
        raise TableError(f"expected rows in {where}, got none")
    for i, field in enumerate(table.schema):
        table = table.set_column(i, field, finite(table.column(i), field.name, settings))
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    told = (*_from_paths(found.parts, table.schema), *found.notes, *notes, *unified.notes)
    kinds = {name: each._replace(type=table.schema.field(name).type) for name, each in found.guessed.items()}
    return Gathered(Loaded(table, told), kinds)


def _export(path: Source) -> Manifest | None:
    """The manifest of an export of resynth, if the place is one."""
    at = place(path) if isinstance(path, Path | str) else None
    if isinstance(at, Path) and at.is_dir():
        with suppress(NotFoundError):
            return manifest.load(at)
    return None


def _named(
    path: Source, settings: ReadSettings, like: pa.Schema | None, contents: Contents
) -> tuple[str, list[tuple[str, FileRows]]]:
    """The place of a table for messages, and its files or its frame with their names."""
    if isinstance(path, Path | str):
        found, where = files(path), str(path)
    elif isinstance(path, list | tuple):
        found, where = path, str(path[0]) if len(path) == 1 else f"{len(path)} files"
    else:
        return "the table", [("the table", FileRows(as_held(to_arrow(path))))]
    return where, [(str(file), rows(file, like, contents, settings)) for file in found]


def _check(part: FileRows, where: str, settings: ReadSettings) -> None:
    check_names(part.table, where)
    for field, column in zip(part.table.schema, part.table.columns, strict=True):
        check_content(column, field.name, where, settings)


class _Prepared(NamedTuple):
    """The rows of one file in plain types, and the casts that were made, one line each."""

    table: pa.Table
    notes: tuple[str, ...]


def _prepared(part: FileRows, overrides: Mapping[str, ColumnSettings]) -> _Prepared:
    table, notes = part.table, []
    for i, field in enumerate(table.schema):
        column = without_nan(table.column(i))
        if (kind := plain(field.type)) != field.type:
            column = column.cast(kind)
            notes.append(f"column {field.name!r} comes as {field.type}: read as {kind}")
        if (override := overrides.get(field.name)) is not None and override.type is not None:
            column = _cast(column, field.name, override.type)
        table = table.set_column(i, field.with_type(column.type), column)
    return _Prepared(table, tuple(notes))


def _cast(column: pa.ChunkedArray, name: str, wanted: str) -> pa.ChunkedArray:
    cast = exact(column, arrow_type(name, wanted))
    if cast is None:
        raise SchemaError(
            f"column {name!r} of type {column.type} cannot be cast to {wanted} without changing its values"
        )
    return cast


def _from_paths(parts: Sequence[FileRows], schema: pa.Schema) -> list[str]:
    """A line that names the columns that came from paths."""
    names = dict.fromkeys(name for part in parts for name in part.keys)
    if not names:
        return []
    told = ", ".join(f"{name!r} ({schema.field(name).type})" for name in names)
    return [f"columns from the paths of the files: {told}"]
