"""Checks of values as they are read. No message quotes a value."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.widening import leaves, value_type
from pipeline.data.formats import ReadSettings
from pipeline.errors import SchemaError, TableError

LARGEST = 1e300
"""Larger numbers count as infinite, because differences and squares of such columns would be."""


def check_names(table: pa.Table, where: str) -> None:
    """Refuse a table without columns, or with two columns of one name.

    Raises:
        SchemaError: The table has no column, or a name twice.
    """
    if table.num_columns == 0:
        raise SchemaError(f"expected at least one column in {where}, got none")
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(
            f"expected distinct column names in {where}, got {', '.join(map(repr, twice))} more than once"
        )


def check_content(array: pa.ChunkedArray, name: str, where: str, settings: ReadSettings) -> None:
    """Refuse values that the column's type does not allow, and texts that are too long.

    Raises:
        TableError: The column holds such a value.
    """
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        if count := _not_utf8(array):
            raise TableError(
                f"column {name!r} in {where} holds {count} texts that are not UTF-8, expected UTF-8"
            ) from error
        raise TableError(
            f"column {name!r} in {where} holds values that its type {array.type} does not allow"
        ) from error
    inner = value_type(array.type)
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        for chunk in array.chunks:
            texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            longest = pc.max(pc.binary_length(texts.cast(pa.large_string()))).as_py() or 0
            if longest > settings.longest_text:
                limit = settings.longest_text
                raise TableError(f"column {name!r} holds a text of {longest} bytes, expected at most {limit}")


def without_nan(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with null in place of NaN."""
    if not pa.types.is_floating(array.type):
        return array
    return pc.if_else(pc.fill_null(pc.is_nan(array), False), None, array)  # noqa: FBT003


def finite(array: pa.ChunkedArray, name: str, settings: ReadSettings) -> pa.ChunkedArray:
    """The column without infinite values.

    Raises:
        TableError: The column holds infinite values, and they are refused or cannot be clipped.
    """
    if not pa.types.is_floating(array.type):
        return array
    infinite = pc.fill_null(pc.greater(pc.abs(array.cast(pa.float64())), LARGEST), False)  # noqa: FBT003
    count = pc.sum(infinite).as_py() or 0
    if not count:
        return array
    if settings.infinite == "refuse":
        raise TableError(
            f"column {name!r} holds {count} values that are infinite or beyond {LARGEST:g}, expected smaller ones (or "
            "read.infinite = 'clip')"
        )
    others = array.filter(pc.invert(infinite))
    if others.null_count == len(others):
        raise TableError(f"column {name!r} holds no finite value to clip infinite ones to")
    ends = pc.min_max(others)
    return pc.if_else(infinite, pc.if_else(pc.greater(array, 0), ends["max"], ends["min"]), array)


def _not_utf8(array: pa.ChunkedArray) -> int:
    """Number of texts that are not UTF-8; in a dictionary column, number of such labels."""
    count = 0
    for chunk in array.chunks:
        for leaf in leaves(chunk):
            wide = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(leaf.type)
            if wide is not None:
                count += sum(not _is_utf8(text) for text in leaf.view(wide).to_pylist() if text is not None)
    return count


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
