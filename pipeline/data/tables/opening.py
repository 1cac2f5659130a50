"""One file of a table: its names, its footer, and its rows unchanged, whatever holds them.

A file of this machine or an object has a format (`pipeline.data.formats`). Columns that its path names are added. A
version of a Delta Lake table and a query have readers of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa

from pipeline.arrow.texts import guess, guess_dates
from pipeline.arrow.widening import is_string, value_type
from pipeline.data import formats
from pipeline.data.contents import Contents
from pipeline.data.formats import Content, Footer, Format, Piece, ReadSettings, Texts, as_held, held
from pipeline.data.queries import Query
from pipeline.data.storage import Delta, File, Key, Keyed, Object
from pipeline.data.tables import database, delta
from pipeline.errors import TableError

_T = TypeVar("_T")


class FileRows(NamedTuple):
    """The rows of a file.

    Attributes:
        table: The rows.
        keys: Names of the columns that came from its path.
        texts: What texts in it may stand for.
    """

    table: pa.Table
    keys: tuple[str, ...] = ()
    texts: Texts = "texts"


def names(file: File, settings: ReadSettings | None = None, wanted: Iterable[str] = ()) -> list[str]:
    """The names of the columns, as quickly as the file tells them.

    Args:
        file: The file.
        settings: How to read it.
        wanted: Names to look for in all rows, where the first rows need not have all of them.

    Raises:
        TableError: The file cannot be read, or is of no known format.
        ResynthError: An object store does not answer.
    """
    settings = settings or ReadSettings()
    if isinstance(file, Delta):
        return list(delta.schema(file)[0].names)
    if isinstance(file, Query):
        return database.names(file)
    if isinstance(file, Keyed):
        found = names(file.file, settings, set(wanted) - {key.name for key in file.keys})
        return [*found, *(key.name for key in file.keys if key.name not in found)]

    def tell(form: Format, content: Content) -> tuple[list[str], bool]:
        return form.names(content, settings, str(file)), form.all_named

    first, all_named = _read(file, Contents(), lambda form: form.named_in, tell)
    return first if all_named or set(wanted) <= set(first) else list(footer(file, None, settings).schema.names)


def footer(file: File, contents: Contents | None = None, settings: ReadSettings | None = None) -> Footer:
    """The schema and the number of rows of a file. Values are not read where the file tells both.

    Args:
        file: The file.
        contents: What is known of the contents of files.
        settings: How to read it.

    Raises:
        TableError: The file cannot be read, or has changed since it was digested.
        ResynthError: An object store does not answer.
    """
    contents, settings = contents or Contents(), settings or ReadSettings()
    if isinstance(file, Delta):
        return Footer(*delta.schema(file))
    if isinstance(file, Query):
        found = rows(file, None, contents, settings)
        return Footer(_guessed(found.table, found.texts, settings), found.table.num_rows)
    if isinstance(file, Keyed):
        schema, count = footer(file.file, contents, settings)
        for key in _keys(file, schema):
            schema = schema.append(pa.field(key.name, pa.type_for_alias(key.type)))
        return Footer(schema, count)

    def tell(form: Format, content: Content) -> Footer:
        if form is formats.PARQUET:
            return form.footer(content, settings, str(file))
        if form.texts == "texts":
            told, count = form.footer(content, settings, str(file))
            return Footer(pa.schema([field.with_type(held(field.type)) for field in told], told.metadata), count)
        table = as_held(form.rows(content, settings, str(file)))
        return Footer(_guessed(table, form.texts, settings), table.num_rows)

    return _read(file, contents, lambda form: "end" if form is formats.PARQUET else "all", tell)


def types(file: File) -> pa.Schema | None:
    """The names and types of the columns, if a file of this machine tells them. Else reading is the way to know them.

    Raises:
        TableError: The file cannot be read.
    """
    inner = file.file if isinstance(file, Keyed) else file
    form = formats.named(inner.name) if isinstance(inner, Path) else None
    return footer(file).schema if form is not None and form.texts == "texts" else None


def rows(
    file: File, like: pa.Schema | None = None, contents: Contents | None = None, settings: ReadSettings | None = None
) -> FileRows:
    """The rows of a file, with the columns that its path names.

    Args:
        file: The file.
        like: The earlier schema of the table. A column from paths keeps its earlier type where that loses nothing.
        contents: What is known of the contents of files.
        settings: How to read it.

    Raises:
        TableError: The file cannot be read, has changed since it was digested, or holds times that no single unit
            can hold.
        ResynthError: An object store does not answer.
    """
    contents, settings = contents or Contents(), settings or ReadSettings()
    if isinstance(file, Delta):
        return FileRows(delta.read(file))
    if isinstance(file, Query):
        return FileRows(contents.answer(file, database.read), texts=database.texts(file))
    if not isinstance(file, Keyed):

        def tell(form: Format, content: Content) -> FileRows:
            table = form.rows(content, settings, str(file))
            return FileRows(table if form is formats.PARQUET else as_held(table), texts=form.texts)

        return _read(file, contents, lambda _: "all", tell)
    table, _, texts = rows(file.file, like, contents, settings)
    keys = _keys(file, table.schema)
    for key in keys:
        table = table.append_column(key.name, _constant(key, table.num_rows, like))
    return FileRows(table, tuple(key.name for key in keys), texts)


def _read(
    file: Path | Object,
    contents: Contents,
    needed: Callable[[Format], Piece],
    tell: Callable[[Format, Content], _T],
) -> _T:
    """What a format tells of a file's content.

    The end of a Parquet file is enough for its footer, but does not say what else the content may be. So if it cannot
    be read, its beginning is looked at.

    Args:
        file: The file.
        contents: What is known of the contents of files.
        needed: How much of an object a format needs.
        tell: Asks the format.

    Raises:
        TableError: The file cannot be read.
        ResynthError: An object store does not answer.
    """
    claimed = formats.named(file.name)
    piece = needed(claimed) if claimed is not None else "all"
    if piece == "end" and claimed is not None:
        try:
            with _readable(file, claimed), contents.reading(file, piece) as content:
                return tell(claimed, content)
        except TableError:
            with _readable(file, claimed), contents.reading(file, "begin") as content:
                formats.recognise(file.name, content, str(file))
            raise
    with _readable(file, claimed), contents.reading(file, piece) as content:
        found = formats.recognise(file.name, content, str(file))
        with _readable(file, found):
            return tell(found, content)


def _guessed(table: pa.Table, texts: Texts, settings: ReadSettings) -> pa.Schema:
    """The schema of a table, with the types that its texts stand for."""
    schema = table.schema
    if texts == "texts":
        return schema
    for i, field in enumerate(schema):
        if is_string(field.type):
            column = table.column(i)
            kind = guess_dates(column) if texts == "dates" else guess(column, settings.decimal)
            schema = schema.set(i, field.with_type(kind.type))
    return schema


def _keys(part: Keyed, schema: pa.Schema) -> list[Key]:
    """The columns of the path, except those that the file holds itself."""
    return [key for key in part.keys if key.name not in schema.names]


def _constant(key: Key, count: int, like: pa.Schema | None) -> pa.Array:
    """A column from a path. It has its earlier type if a value of that type is written exactly like the text."""
    text, kind = pa.scalar(key.value, pa.string()), pa.type_for_alias(key.type)
    if like is not None and key.name in like.names:
        before = value_type(like.field(key.name).type)
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            if not text.is_valid or text.cast(before).cast(pa.string()) == text:
                kind = before
    return pa.repeat(text.cast(kind), count) if text.is_valid else pa.nulls(count, kind)


@contextmanager
def _readable(file: Path | Object, form: Format | None) -> Iterator[None]:
    called = "file" if form is None else f"{form.called} file"
    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(f"expected column names in UTF-8 in {file}, got other bytes") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TableError(f"expected a readable {called} at {file}: {reason}") from error
