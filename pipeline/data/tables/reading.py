"""Files in, one checked table out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pipeline.arrow.widening import exact, plain
from pipeline.data.contents import Contents
from pipeline.data.storage import File, Place
from pipeline.data.tables import parquet
from pipeline.data.tables.checks import ReadSettings, check_content, check_names, finite, without_nan
from pipeline.data.tables.listing import files
from pipeline.data.tables.unify import Named, unify
from pipeline.errors import SchemaError, TableError
from pipeline.schema import ColumnSettings, arrow_type


class Loaded(NamedTuple):
    """A table, and notes on how it was read, one line each."""

    table: pa.Table
    notes: tuple[str, ...]


def read(
    path: Place | Sequence[File],
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
    """
    return load(path, settings, overrides).table


def load(
    path: Place | Sequence[File],
    settings: ReadSettings | None = None,
    overrides: Mapping[str, ColumnSettings] | None = None,
    like: pa.Schema | None = None,
    contents: Contents | None = None,
) -> Loaded:
    """Read and check a table.

    Args:
        path: A Parquet file, a directory, a pattern or an object store's prefix of Parquet files, a Delta Lake table,
            or a list of files; they may differ harmlessly (`pipeline.data.tables.unify`).
        settings: What happens to doubtful values.
        overrides: Column settings. A column with a `type` is cast, unless that would change a value.
        like: The earlier schema of the table. Its order is used, and its types where they hold every value.
        contents: What is known of the contents of files.

    Raises:
        TableError: There is nothing, or a file is damaged, empty or changed since its digest, or it holds infinite
            values, oversized texts or texts that are not UTF-8.
        SchemaError: There are no columns or two of one name, files disagree, or a cast is impossible.
        ResynthError: An object store does not answer.
    """
    settings, overrides = settings or ReadSettings(), overrides or {}
    found = files(path) if isinstance(path, Path | str) else path
    where = str(path) if isinstance(path, Path | str) else str(found[0]) if len(found) == 1 else f"{len(found)} files"
    fixed = {name for name, override in overrides.items() if override.type is not None}
    if like is not None:
        like = pa.schema([field.with_type(pa.null()) if field.name in fixed else field for field in like])
    known = contents or Contents()
    parts = [_prepared(file, settings, overrides, like, known) for file in found]
    unified = unify([Named(str(file), part.table) for file, part in zip(found, parts, strict=True)], like)
    table = pa.concat_tables(unified.tables)
    if table.num_rows == 0:
        raise TableError(f"expected rows in {where}, got none")
    for i, field in enumerate(table.schema):
        table = table.set_column(i, field, finite(table.column(i), field.name, settings))
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    return Loaded(table, (*_from_paths(parts, table.schema), *notes, *unified.notes))


class _Prepared(NamedTuple):
    """The checked rows of one file, in plain types.

    Attributes:
        table: The rows.
        keys: Columns that came from the path.
        notes: The casts that were made, one line each.
    """

    table: pa.Table
    keys: tuple[str, ...]
    notes: tuple[str, ...]


def _prepared(
    file: File,
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    like: pa.Schema | None,
    contents: Contents,
) -> _Prepared:
    table, keys = parquet.rows(file, like, contents)
    check_names(table, str(file))
    notes = []
    for i, field in enumerate(table.schema):
        column = without_nan(table.column(i))
        check_content(column, field.name, str(file), settings)
        if (kind := plain(field.type)) != field.type:
            column = column.cast(kind)
            notes.append(f"column {field.name!r} comes as {field.type}: read as {kind}")
        if (override := overrides.get(field.name)) is not None and override.type is not None:
            column = _cast(column, field.name, override.type)
        table = table.set_column(i, field.with_type(column.type), column)
    return _Prepared(table, keys, tuple(notes))


def _cast(column: pa.ChunkedArray, name: str, wanted: str) -> pa.ChunkedArray:
    cast = exact(column, arrow_type(name, wanted))
    if cast is None:
        raise SchemaError(
            f"column {name!r} of type {column.type} cannot be cast to {wanted} without changing its values"
        )
    return cast


def _from_paths(parts: Sequence[_Prepared], schema: pa.Schema) -> list[str]:
    """A line that names the columns that came from paths."""
    names = dict.fromkeys(name for part in parts for name in part.keys)
    if not names:
        return []
    told = ", ".join(f"{name!r} ({schema.field(name).type})" for name in names)
    return [f"columns from the paths of the files: {told}"]
