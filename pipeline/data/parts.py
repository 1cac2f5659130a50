"""Rows as parts, in one directory or by the values of columns.

`part-00000.parquet`, `part-00001.parquet`, … hold the rows in their order; the suffix is that of the format. A part is
a whole number of blocks (`pipeline.randomness.BLOCK`), so that no two parts share one: each can be generated, written
and checked by itself.

With `partition_by`, parts lie in directories named after the values (`country=DE/part-00000.parquet`), as Hive, Spark
and Arrow write them: URL-encoded, and `__HIVE_DEFAULT_PARTITION__` for null. Rows are taken in rounds of `ROUND`. Each
round is stably sorted by the directories' names, and adds one part to every directory that it touches. So the order of
rows in an export depends on the rows and their order only. Memory holds one round, whatever the number of partitions.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import formats
from pipeline.data.formats import Written
from pipeline.data.manifest import Part, without
from pipeline.errors import InputError, ResynthError
from pipeline.progress import Progress, Tick
from pipeline.randomness import BLOCK

PART_ROWS = 122 * BLOCK  # just below a million
ROUND = 32 * BLOCK  # rows that are sorted and partitioned at once
MOST = 10_000  # partitions of an export
LONGEST_NAME = 255  # bytes of a file's name
NULL = "__HIVE_DEFAULT_PARTITION__"
NOT_IN_NAMES = frozenset("/\\=%")


class Arrangement(NamedTuple):
    """How an export is laid out.

    Attributes:
        form: The format of the parts.
        title: Name of the table, where a format has a place for it.
        part_rows: Rows of a part, unless rows are partitioned.
        partition_by: Columns whose values go into the paths of the parts.
    """

    form: Written
    title: str
    part_rows: int
    partition_by: tuple[str, ...]


class Piece(NamedTuple):
    """Rows of one part.

    Attributes:
        place: Directory of the part with a slash at the end; empty for the export's own directory.
        number: Number of the part in its directory.
        rows: The rows.
    """

    place: str
    number: int
    rows: pa.Table


def write(
    batches: Iterable[pa.Table],
    directory: Path,
    schema: pa.Schema,
    layout: Arrangement,
    *,
    rows: int,
    progress: Progress,
) -> tuple[Part, ...]:
    """Write batches as parts below a directory.

    Raises:
        InputError: The rows cannot be partitioned by these columns, or the format cannot hold them.
        ResynthError: The batches do not have `rows` rows.
    """
    form, title, part_rows, partition_by = layout
    check(schema, partition_by, form=form)
    writer = formats.WRITERS[form]
    told = _counted(batches, rows, progress)
    pieces = _partitioned(told, partition_by) if partition_by else _cut(told, rows if writer.alone else part_rows)
    parts: list[Part] = []
    written, done = without(schema, partition_by), 0
    for name, group in groupby(pieces, lambda piece: f"{piece.place}part-{piece.number:05d}.{writer.suffix}"):
        file, first = directory / name, done
        file.parent.mkdir(parents=True, exist_ok=True)
        with writer.writing(file, written, title) as add:
            for piece in group:
                add(piece.rows.select(written.names))
                done += piece.rows.num_rows
        part = Part(file=name, first=first, rows=done - first, bytes=file.stat().st_size, sha256=sha256(file))
        parts.append(part)
    if done != rows:
        raise ResynthError(f"expected {rows} rows to export, got {done}")
    return tuple(parts)


def check(
    schema: pa.Schema, partition_by: Sequence[str], table: pa.Table | None = None, form: Written = "parquet"
) -> None:
    """Check that rows of a schema can be partitioned by columns, and written in a format.

    Args:
        schema: The schema of the rows.
        partition_by: The columns.
        table: Rows like those to come, to count partitions by; None skips that check.
        form: The format.

    Raises:
        InputError: A column does not exist, is the only one, or has a type that no path can carry; there are too many
            partitions; or the format cannot hold a column, or has no place for partitions.
    """
    formats.check(form, without(schema, partition_by))
    if partition_by and formats.WRITERS[form].alone:
        raise InputError(f"partition_by: expected no columns with format {form}, which is one file")
    for column in partition_by:
        if column not in schema.names:
            raise InputError(f"partition_by: expected a column ({', '.join(schema.names)}), got {column!r}")
        if NOT_IN_NAMES & set(column) or column.startswith((".", "_")) or not column.isprintable():
            raise InputError(f"partition_by: expected a column whose name fits into a path, got {column!r}")
        kind = schema.field(column).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not _textual(plain):
            raise InputError(f"partition_by: expected a column whose values fit into a path, {column!r} is {plain}")
    if len(set(partition_by)) < len(partition_by) or (partition_by and len(partition_by) >= len(schema.names)):
        raise InputError("partition_by: expected different columns, and at least one that is left for the files")
    if table is not None and partition_by:
        _bounded(pc.count_distinct(_places(table, partition_by)).as_py())


def sha256(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _cut(batches: Iterable[pa.Table], part_rows: int) -> Iterator[Piece]:
    """The rows in their order, `part_rows` in each part."""
    done = 0
    for batch in batches:
        offset = 0
        while offset < batch.num_rows:
            piece = batch.slice(offset, part_rows - done % part_rows)
            yield Piece("", done // part_rows, piece)
            offset, done = offset + piece.num_rows, done + piece.num_rows


def _partitioned(batches: Iterable[pa.Table], partition_by: Sequence[str]) -> Iterator[Piece]:
    """One part for each partition in each round."""
    numbers: Counter[str] = Counter()
    for taken in _rounds(batches):
        places = _places(taken, partition_by)
        keys = pa.table({"place": places, "row": range(len(places))})
        order = pc.sort_indices(keys, [("place", "ascending"), ("row", "ascending")])
        rows, runs = taken.take(order), pc.run_end_encode(places.take(order))
        begin = 0
        for place, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield Piece(place, numbers[place], rows.slice(begin, end - begin))
            numbers[place] += 1
            begin = end
        _bounded(len(numbers))


def _rounds(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows, `ROUND` at a time."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(batch)
        while sum(table.num_rows for table in held) >= ROUND:
            table = pa.concat_tables(held)
            yield table.slice(0, ROUND)
            held = [table.slice(ROUND)]
    if sum(table.num_rows for table in held):
        yield pa.concat_tables(held)


def _places(table: pa.Table, partition_by: Sequence[str]) -> pa.Array:
    """The directory of every row."""
    levels = []
    for column in partition_by:
        texts = pc.cast(table.column(column).combine_chunks(), pa.string()).dictionary_encode()
        values = [quote(value, safe="") for value in texts.dictionary.to_pylist()]
        names = pa.array([f"{column}={value}" for value in values], pa.string())
        if any(len(name.encode()) > LONGEST_NAME for name in names.to_pylist()):
            raise InputError(f"partition_by: expected values of {column!r} that fit into a file's name, one is longer")
        levels.append(pc.fill_null(names.take(texts.indices), f"{column}={NULL}"))
    return pc.binary_join_element_wise(*levels, "", "/")


def _counted(batches: Iterable[pa.Table], rows: int, progress: Progress) -> Iterator[pa.Table]:
    """The batches that have rows. Reports progress as they pass."""
    done = 0
    for batch in batches:
        if batch.num_rows:
            yield batch
        done += batch.num_rows
        progress(Tick("export", done, rows))


def _bounded(partitions: int) -> None:
    if partitions > MOST:
        raise InputError(f"partition_by: expected at most {MOST:,} partitions, got more")


def _textual(kind: pa.DataType) -> bool:
    """Whether values of a type can be written as texts."""
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return False
    try:
        pc.cast(pa.array([], kind), pa.string())
    except pa.ArrowException:
        return False
    return True
