"""JSON lines: an object in every line, whose keys are the columns.

JSON has texts, numbers, truth values, lists and structures, so only dates are guessed. Arrow would read texts that look
like dates as timestamps, and large integers as doubles. Both are read again: texts as texts, and integers beyond 64
bits as texts of their digits.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from pipeline.arrow.widening import WHOLE
from pipeline.data.formats.base import Content, Footer, Format, head, stream
from pipeline.data.formats.settings import ReadSettings
from pipeline.errors import TableError

BLOCK = 2**24  # bytes; the longest line
CHANGED = re.compile(r"Column\((/?)(.*)\) (changed from \w+ to \w+|was specified twice) in row (\d+)")
DIGITS = (pa.decimal128(38, 0), pa.decimal256(76, 0))
"""Types of large integers. There are none for more digits."""


class JsonLines(Format):
    """JSON lines."""

    called = "JSON lines"
    suffixes = (".jsonl", ".ndjson", ".json")
    named_in = "begin"
    all_named = False
    texts = "dates"

    def begins(self, head: bytes) -> bool:
        """Whether the content begins with an object, or with an array of objects, which `rows` refuses."""
        return re.match(rb'(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*("|\})', head) is not None

    def names(self, content: Content, settings: ReadSettings, where: str) -> list[str]:
        """The keys in the first lines."""
        begin = head(content)
        _refuse_arrays(begin, where)
        names: dict[str, None] = {}
        for line in begin.decode("utf-8-sig", errors="replace").splitlines():
            try:
                found = json.loads(line)
            except ValueError:  # the last line may be cut off
                continue
            names |= dict.fromkeys(found if isinstance(found, Mapping) else ())
        return list(names) or self.rows(content, settings, where).column_names

    def footer(self, content: Content, settings: ReadSettings, where: str) -> Footer:
        """The schema and the number of rows, for which all of them are read."""
        table = self.rows(content, settings, where)
        return Footer(table.schema, table.num_rows)

    def rows(self, content: Content, settings: ReadSettings, where: str) -> pa.Table:  # noqa: ARG002
        """The rows, in the order of keys in which they first occur."""
        begin = head(content, 2**16)
        _refuse_arrays(begin, where)
        if not begin.strip():
            raise TableError(f"expected an object in every line of {where}, found an empty file")
        table = _read(content, None, where)
        schema = pa.schema([field.with_type(_dateless(field.type)) for field in table.schema])
        if schema != table.schema:
            table = _read(content, schema, where)
        for name in [field.name for field in schema if field.type == pa.float64() and _large(table[field.name])]:
            i = schema.get_field_index(name)
            digits = _digits(content, name)
            if digits is not None:
                table = table.set_column(i, name, digits)
        return table


def _read(content: Content, schema: pa.Schema | None, where: str) -> pa.Table:
    """Read all lines.

    Raises:
        TableError: A line is no object, or a column holds values of two types.
    """
    options = pa.json.ParseOptions(explicit_schema=schema, newlines_in_values=True)
    try:
        with stream(content) as plain:
            return pa.json.read_json(plain, pa.json.ReadOptions(block_size=BLOCK), options)
    except UnicodeDecodeError:
        raise TableError(f"expected UTF-8 in {where}, got other bytes") from None
    except pa.ArrowInvalid as error:
        if (found := CHANGED.search(str(error))) is not None and found[2]:
            raise TableError(
                f"expected values of one type in every column of {where}, "
                f"column {found[2]!r} {found[3]} in row {found[4]}"
            ) from None
        raise TableError(f"expected an object in every line of {where}, got something else") from None


def _digits(content: Content, name: str) -> pa.ChunkedArray | None:
    """A column of large integers as texts. None if there are other numbers in it."""
    for kind in DIGITS:
        options = pa.json.ParseOptions(
            explicit_schema=pa.schema([(name, kind)]), newlines_in_values=True, unexpected_field_behavior="ignore"
        )
        with suppress(pa.ArrowInvalid), stream(content) as plain:
            table = pa.json.read_json(plain, pa.json.ReadOptions(block_size=BLOCK), options)
            return table[name].cast(pa.string())
    return None


def _large(column: pa.ChunkedArray) -> bool:
    """Whether a double of a column may be an integer that it does not hold exactly."""
    return (pc.max(pc.abs(column)).as_py() or 0) >= WHOLE


def _dateless(kind: pa.DataType) -> pa.DataType:
    """The type with texts where Arrow has guessed timestamps."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_dateless(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_dateless(kind.value_type)))
    return kind


def _refuse_arrays(begin: bytes, where: str) -> None:
    if begin.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        raise TableError(
            f"expected an object in every line of {where}, got one array: write it as JSON lines (jq -c '.[]' FILE)"
        )
