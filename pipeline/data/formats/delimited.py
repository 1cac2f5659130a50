"""CSV: texts between delimiters, the first line of which names the columns.

Every value is read as a text. What texts stand for is guessed later, from all rows of all files, so that nothing is
lost and no row is too late. A value that is empty and has no quotes is null; one in quotes is the empty text.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv

from pipeline.data.formats.base import HEAD, Content, Footer, Format, head, stream
from pipeline.data.formats.settings import ReadSettings
from pipeline.errors import TableError

DELIMITERS = (",", ";", "\t", "|")
LONGEST_ROW = 2**24  # bytes
RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f]")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


class Delimited(Format):
    """CSV, and TSV."""

    called = "CSV"
    suffixes = (".csv", ".tsv")
    named_in = "begin"
    texts = "anything"

    def begins(self, head: bytes) -> bool:
        """Whether the first lines are texts with equally many delimiters."""
        try:
            text = _decoder("utf-8").decode(head, final=False)
        except UnicodeDecodeError:
            return False
        first, *more = text.splitlines()[:2] or [""]
        delimiter = _delimiter(first)
        alike = not more or first.count(delimiter) == more[0].count(delimiter) or '"' in text[:1000]
        return delimiter in first and alike and UNPRINTABLE.search(first) is None

    def names(self, content: Content, settings: ReadSettings, where: str) -> list[str]:
        """The values of the first line."""
        begin = head(content)
        with _decoded(settings, where):
            text = _decoder(settings.encoding).decode(begin, final=len(begin) < HEAD)
        lines = text.lstrip("\r\n")
        if not lines:
            raise TableError(f"expected names of columns in the first line of {where}, found an empty file")
        delimiter = settings.delimiter or _delimiter(lines)
        names = next(csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter, strict=False))
        if all(NUMBER.fullmatch(name) for name in names):
            raise TableError(f"expected names of columns in the first line of {where}, got numbers only")
        if any("\0" in name for name in names):
            raise TableError(
                f"expected texts in {settings.encoding} in {where}, got zero bytes: name the encoding under [read], "
                'such as encoding = "utf-16-le"'
            )
        return names

    def footer(self, content: Content, settings: ReadSettings, where: str) -> Footer:
        """The names, and the number of rows, for which all of them are read."""
        table = self.rows(content, settings, where)
        return Footer(table.schema, table.num_rows)

    def rows(self, content: Content, settings: ReadSettings, where: str) -> pa.Table:
        """The rows as texts."""
        names = self.names(content, settings, where)
        begin = _decoder(settings.encoding).decode(head(content), final=False)
        lines = begin.lstrip("\r\n")
        if not re.search(r"[\r\n]", lines):
            return pa.table({name: pa.array([], pa.string()) for name in names})
        blank = len(begin[: len(begin) - len(lines)].splitlines())
        form = _Form(names, settings.delimiter or _delimiter(lines), blank)
        with _decoded(settings, where), _even(where):
            try:
                table = _read(content, form, settings, threads=True)
            except pa.ArrowInvalid as error:
                if RAGGED.search(str(error)) is None:
                    raise
                table = _read(content, form, settings, threads=False)  # its error tells the row
        if _is_open(table, content):
            raise TableError(f"expected a readable CSV file at {where}, a quote is left open until its end")
        return table


class _Form(NamedTuple):
    """The names of the columns, the delimiter, and the number of empty lines before the names."""

    names: list[str]
    delimiter: str
    blank: int


def _read(content: Content, form: _Form, settings: ReadSettings, *, threads: bool) -> pa.Table:
    reading = pa.csv.ReadOptions(
        encoding=settings.encoding, block_size=LONGEST_ROW, use_threads=threads, skip_rows=form.blank
    )
    parsing = pa.csv.ParseOptions(
        delimiter=form.delimiter,
        newlines_in_values=True,
        ignore_empty_lines=len(form.names) > 1,  # an empty line is a null where there is one column
    )
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(form.names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    with stream(content) as plain:
        return pa.csv.read_csv(plain, reading, parsing, converting)


def _is_open(table: pa.Table, content: Content) -> bool:
    """Whether the last value has swallowed the rest of the file, because its quote is never closed."""
    last = table.column(table.num_columns - 1).slice(max(0, table.num_rows - 1)).to_pylist()
    if not last or last[0] is None or not re.search(r"[\r\n]", last[0]):
        return False
    end = b""
    with stream(content) as plain:
        while piece := plain.read(HEAD):
            end = (end + piece)[-HEAD:]
    return not end.rstrip(b"\r\n\0").endswith(b'"')


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    utf8 = codecs.lookup(encoding).name == "utf-8"
    return codecs.getincrementaldecoder("utf-8-sig" if utf8 else encoding)()


def _delimiter(lines: str) -> str:
    """The delimiter that is most often in the first line outside quotes; of equally many, the first of `DELIMITERS`.

    The first line may go on in further ones within quotes.
    """
    outside = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", lines), maxsplit=1)[0]
    return max(DELIMITERS, key=outside.count)


@contextmanager
def _decoded(settings: ReadSettings, where: str) -> Iterator[None]:
    """Turn errors about bytes into a line that names the setting."""
    try:
        yield
    except (UnicodeError, pa.ArrowInvalid) as error:
        if isinstance(error, pa.ArrowInvalid) and "utf8" not in str(error).lower():
            raise
        raise TableError(
            f"expected texts in {settings.encoding} in {where}, got other bytes: name the encoding under [read], such "
            'as encoding = "latin-1"'
        ) from error


@contextmanager
def _even(where: str) -> Iterator[None]:
    """Turn errors about rows into a line without any value."""
    try:
        yield
    except pa.ArrowInvalid as error:
        if (found := RAGGED.search(str(error))) is None:
            raise TableError(
                f"expected a readable CSV file at {where}, got rows that cannot be told apart: is a quote left open?"
            ) from None
        row = f" in row {found[1]}" if found[1] else ""
        raise TableError(
            f"expected {found[2]} values in every row of {where}, got {found[3]}{row}: is the delimiter right "
            "(delimiter under [read])?"
        ) from None
