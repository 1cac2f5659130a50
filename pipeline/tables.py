"""Tables in: reading Parquet with every check, splitting by content, digests.

A table is read once, refused with one clear line when it cannot be used, and split by a hash of each row's content:
the same row falls into the same part whatever the order of the rows, however the table grows, and whenever it is
read. So rows held out of one training are held out of every later one.
"""

import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from pipeline.errors import SchemaError, TableError
from pipeline.randomness import key
from pipeline.records import Record
from pipeline.schema import ColumnSettings, value_type
from pipeline.storage import File, Place, fetch, is_hidden, objects, tail

LEAST_ROWS = 20
"""Fewer rows cannot be split into training, validation and hold-out."""
LARGEST = 1e300
"""Greater numbers count as infinite: differences and squares of such columns would be."""


class ReadSettings(Record):
    """What is done with doubtful values.

    Attributes:
        infinite: ±inf and numbers beyond ±1e300: "refuse" the table, or "clip" to the largest other one of the column.
        longest_text: Most bytes of one text.
    """

    infinite: Literal["refuse", "clip"] = "refuse"
    longest_text: int = Field(default=65_536, ge=1)


class SplitSettings(Record):
    """Shares of the rows kept out of training.

    Attributes:
        validation: Rows that decide when training stops.
        holdout: Rows that no part of training sees, for evaluation.
    """

    validation: float = Field(default=0.05, gt=0, lt=0.5)
    holdout: float = Field(default=0.1, gt=0, lt=0.5)


class Split(NamedTuple):
    """The three parts of a table, each in the table's row order."""

    train: pa.Table
    validation: pa.Table
    holdout: pa.Table


class Footer(NamedTuple):
    """What the end of a Parquet file says of it."""

    schema: pa.Schema
    rows: int


def footer(file: File) -> Footer:
    """The columns and the number of rows of a file, without its values.

    Raises:
        TableError: It cannot be read.
        ResynthError: An object store does not answer.
    """
    content = file if isinstance(file, Path) else pa.BufferReader(tail(file))
    with _readable(file), pq.ParquetFile(content) as source:
        return Footer(source.schema_arrow, source.metadata.num_rows)


def files(path: Place) -> Sequence[File]:
    """The Parquet files of `path`: itself, those anywhere below it, or those it matches as a pattern, in name order.

    Raises:
        TableError: There is nothing, or no Parquet file.
        ResynthError: An object store does not answer.
    """
    if isinstance(path, str):
        return objects(path)
    if path.is_file():
        return [path]
    if matched := sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []:  # noqa: PTH207
        return [Path(found) for found in matched if Path(found).is_file()]
    if not path.is_dir():
        raise TableError(f"expected a Parquet file or a directory of them, found nothing at {path}")
    found = sorted(p for p in path.rglob("*.parquet") if p.is_file() and not is_hidden(p.relative_to(path)))
    if not found:
        raise TableError(f"expected at least one *.parquet file in {path}, found none")
    return found


def read(
    path: Place | Sequence[File],
    settings: ReadSettings | None = None,
    overrides: Mapping[str, ColumnSettings] | None = None,
) -> pa.Table:
    """Read and check a table.

    Args:
        path: A Parquet file, a directory, a pattern or an object store's prefix of Parquet files, or a list of
            them; all of one schema.
        settings: What is done with doubtful values.
        overrides: Column settings; those with a `type` are cast.

    Raises:
        TableError: Nothing there, damaged, empty, too small, infinite values or oversized texts.
        SchemaError: No columns, duplicate names, files that disagree, an impossible cast.
        ResynthError: An object store does not answer.
    """
    settings = settings or ReadSettings()
    found = files(path) if isinstance(path, Path | str) else path
    where = str(path) if isinstance(path, Path | str) else str(found[0]) if len(found) == 1 else f"{len(found)} files"
    parts = [_read_file(file) for file in found]
    for file, part in zip(found[1:], parts[1:], strict=True):
        if not part.schema.equals(parts[0].schema):
            raise SchemaError(f"files of {where} disagree: the columns or types of {file.name} are not the first one's")
    table = pa.concat_tables(parts)
    _check_shape(table, where)
    for name, override in (overrides or {}).items():
        if override.type is not None and name in table.column_names:
            table = _cast(table, name, override.type)
    for i, field in enumerate(table.schema):
        table = table.set_column(i, field, _checked(table.column(i), field.name, settings))
    return table


def split(table: pa.Table, settings: SplitSettings | None = None, seed: int = 0) -> Split:
    """Split by content: each row's place depends on its values, on how many equal rows precede it, and on `seed`.

    Shares are met in expectation, and each part gets at least a handful of rows.

    Raises:
        TableError: Fewer than `LEAST_ROWS` rows.
    """
    settings = settings or SplitSettings()
    if table.num_rows < LEAST_ROWS:
        raise TableError(f"expected at least {LEAST_ROWS} rows to split, got {table.num_rows}")
    place = _places(table, seed)
    least = max(2, LEAST_ROWS // 5)
    holdout_end = max(settings.holdout, float(np.partition(place, least - 1)[least - 1]))
    rest = np.sort(place[place > holdout_end])
    end = max(holdout_end + settings.validation, float(rest[least - 1]))
    return Split(
        table.filter(pa.array(place > end)),
        table.filter(pa.array((place > holdout_end) & (place <= end))),
        table.filter(pa.array(place <= holdout_end)),
    )


def digest(table: pa.Table) -> str:
    """SHA-256 of the table's schema and values, whatever their chunks and encodings."""
    total = hashlib.sha256(table.schema.remove_metadata().to_string().encode())
    for name, hashes in zip(table.column_names, _column_hashes(table), strict=True):
        total.update(name.encode())
        total.update(hashes.tobytes())
    return total.hexdigest()


def _read_file(file: File) -> pa.Table:
    content = file if isinstance(file, Path) else pa.BufferReader(fetch(file))
    with _readable(file), pq.ParquetFile(content) as source:
        return source.read()


@contextmanager
def _readable(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TableError(f"expected a readable Parquet file at {file}: {reason}") from error


def _check_shape(table: pa.Table, path: str) -> None:
    if table.num_columns == 0:
        raise SchemaError(f"expected at least one column in {path}, got none")
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(f"expected distinct column names in {path}, got {', '.join(map(repr, twice))} more than once")
    for field in table.schema:
        if pa.types.is_string_view(value_type(field.type)):
            raise SchemaError(
                f"column {field.name!r} in {path} has the type string_view, expected string or large_string"
            )
        if pa.types.is_nested(value_type(field.type)):
            raise SchemaError(f"column {field.name!r} in {path} has the nested type {field.type}, not supported yet")
    if table.num_rows == 0:
        raise TableError(f"expected rows in {path}, got none")


def _cast(table: pa.Table, name: str, wanted: str) -> pa.Table:
    try:
        arrow = pa.type_for_alias(wanted)
    except ValueError as error:
        raise SchemaError(f"column {name!r}: expected an Arrow type name, got {wanted!r}") from error
    i = table.column_names.index(name)
    field = table.schema.field(i)
    try:
        return table.set_column(i, field.with_type(arrow), table.column(i).cast(arrow))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(f"column {name!r} of type {field.type} cannot be cast to {wanted}") from error


def _checked(array: pa.ChunkedArray, name: str, settings: ReadSettings) -> pa.ChunkedArray:
    """The column with NaN as null, infinities dealt with, and texts of bearable length."""
    inner = value_type(array.type)
    if pa.types.is_floating(array.type):
        return _finite(pc.if_else(pc.fill_null(pc.is_nan(array), False), None, array), name, settings)  # noqa: FBT003
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        for chunk in array.chunks:
            texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            longest = pc.max(pc.binary_length(texts.cast(pa.large_string()))).as_py() or 0
            if longest > settings.longest_text:
                limit = settings.longest_text
                raise TableError(f"column {name!r} holds a text of {longest} bytes, expected at most {limit}")
    return array


def _finite(array: pa.ChunkedArray, name: str, settings: ReadSettings) -> pa.ChunkedArray:
    infinite = pc.fill_null(pc.greater(pc.abs(array.cast(pa.float64())), LARGEST), False)  # noqa: FBT003
    count = pc.sum(infinite).as_py() or 0
    if not count:
        return array
    if settings.infinite == "refuse":
        raise TableError(
            f"column {name!r} holds {count} infinite values or such beyond {LARGEST:g}, expected smaller ones (or "
            "read.infinite = 'clip')"
        )
    finite = array.filter(pc.invert(infinite))
    if finite.null_count == len(finite):
        raise TableError(f"column {name!r} holds no finite value to clip infinite ones to")
    ends = pc.min_max(finite)
    return pc.if_else(infinite, pc.if_else(pc.greater(array, 0), ends["max"], ends["min"]), array)


def _places(table: pa.Table, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for every row, from its content and its rank among equal rows."""
    row = np.full(table.num_rows, key(seed, "split") % 2**64, dtype=np.uint64)
    for hashes in _column_hashes(table):
        row = _mix(row ^ hashes)
    order = np.argsort(row, kind="stable")
    ordered = row[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    begin = np.maximum.accumulate(np.where(first, np.arange(len(row)), 0))
    rank = np.empty(len(row), dtype=np.uint64)
    rank[order] = (np.arange(len(row)) - begin).astype(np.uint64)
    return np.asarray(_mix(row + rank * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11), dtype=np.float64) / 2.0**53


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al. 2014): a bijection whose output bits look independent."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _column_hashes(table: pa.Table) -> list[NDArray[np.uint64]]:
    """A stable 64-bit hash of every value, by column."""
    return [_hashes(table.column(i)) for i in range(table.num_columns)]


def _hashes(array: pa.ChunkedArray) -> NDArray[np.uint64]:
    if pa.types.is_dictionary(array.type):
        array = array.cast(value_type(array.type))
    whole = array.combine_chunks()
    if pa.types.is_float16(whole.type):  # Arrow does not encode it
        whole = whole.cast(pa.float32())
    elif pa.types.is_decimal32(whole.type) or pa.types.is_decimal64(whole.type):  # nor these
        whole = whole.cast(pa.decimal128(whole.type.precision, whole.type.scale))
    encoded = whole.dictionary_encode()
    values = encoded.dictionary
    if pa.types.is_decimal(values.type) or pa.types.is_null(values.type):
        values = values.cast(pa.string())
    elif pa.types.is_temporal(values.type):
        values = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())  # noqa: PLR2004
    hashes: NDArray[np.uint64] = pd.util.hash_array(values.to_numpy(zero_copy_only=False))
    index = encoded.indices.fill_null(len(hashes)).to_numpy(zero_copy_only=False)
    with_null = np.append(hashes, np.uint64(0x5851F42D4C957F2D))
    return np.asarray(with_null[index], dtype=np.uint64)
