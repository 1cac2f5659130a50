"""Windows: the rows that a training sees, and which of them are new."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import tables
from pipeline.data.contents import Contents
from pipeline.data.incoming.ledger import Arrivals, IncomingSettings
from pipeline.data.incoming.shapes import read_shape
from pipeline.data.storage import File
from pipeline.data.tables import ReadSettings
from pipeline.errors import SchemaError, TableError, did_you_mean
from pipeline.schema import ColumnSettings

FIRST, LAST = (pa.scalar(text).cast(pa.timestamp("us")) for text in ("0001-01-01 00:00:00", "9999-12-31 23:59:59"))
"""The range of Python's datetime."""


class Window(NamedTuple):
    """The rows of a training.

    Attributes:
        rows: All rows.
        new: The new ones among them.
        latest: The latest time ever seen, also of rows that are no longer there; None without a time column.
        notes: What a person should know about how the rows were read, one line each.
    """

    rows: pa.Table
    new: pa.Table
    latest: datetime | None = None
    notes: tuple[str, ...] = ()


def window(
    arrivals: Arrivals,
    settings: IncomingSettings,
    read: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    like: pa.Schema | None = None,
    contents: Contents | None = None,
) -> Window:
    """Read the rows to train on.

    Args:
        arrivals: The files.
        settings: Which rows to read.
        read: Which values are unusable.
        overrides: Column settings.
        like: The earlier schema of the table. Default: the shape of the files (`pipeline.data.incoming.shapes`).
        contents: What `survey` learned of the contents of the files.

    Raises:
        TableError: No file can be used, the files cannot be one table, or a file has changed since the survey.
        SchemaError: The time column is missing, or holds no times.
    """
    if not arrivals.files:
        reasons = "; ".join(file.reason for file in arrivals.ledger.quarantined[:1])
        raise TableError(f"expected at least one usable file, got none ({reasons})")
    contents = contents or Contents()
    files = arrivals.files[-(settings.last_files or 0) :]
    if settings.time is None and settings.last_rows is not None:
        files = _holding(files, settings.last_rows, read, contents)
    if like is None and arrivals.shape in arrivals.ledger.shapes:
        like = read_shape(arrivals.ledger.shapes[arrivals.shape])
    rows, notes = tables.load(files, read, overrides, like, contents)
    if settings.time is not None:
        return by_time(rows, settings.time, settings, arrivals.ledger.latest)._replace(notes=notes)
    if settings.last_rows is not None:
        rows = rows.slice(max(0, rows.num_rows - settings.last_rows))
    latest = files[len(files) - min(arrivals.new, len(files)) :]
    new = min(rows.num_rows, sum(tables.footer(file, contents, read).rows for file in latest))
    return Window(rows, rows.slice(rows.num_rows - new), notes=notes)


def by_time(rows: pa.Table, column: str, settings: IncomingSettings, before: datetime | None) -> Window:
    """The window of rows by a time column. A row without a time is never new, and in no window of days.

    Args:
        rows: All rows.
        column: The time column.
        settings: How far back to look.
        before: The latest time that is not new; None if all rows are new.

    Raises:
        TableError: The column holds only nulls.
        SchemaError: The column is missing, or holds no times.
    """
    moments = times(rows, column)
    latest = pc.max(moments).as_py()
    if latest is None:
        raise TableError(f"column {column!r}: expected at least one time, got only nulls")
    if settings.last_days is not None:
        span = pa.scalar(timedelta(days=settings.last_days), pa.duration("us"))
        kept = _later(moments, pc.subtract(pc.max(moments), span))
        rows, moments = rows.filter(kept), moments.filter(kept)
    if settings.last_rows is not None:
        order = pc.sort_indices(moments, null_placement="at_start").cast(pa.int64())
        last = pc.take(order, pa.array(range(max(0, len(order) - settings.last_rows), len(order)), pa.int64()))
        rows, moments = rows.take(last), moments.take(last)
    if before is None:
        return Window(rows, rows, latest)
    return Window(rows, rows.filter(_later(moments, pa.scalar(before, pa.timestamp("us")))), max(before, latest))


def times(rows: pa.Table, column: str) -> pa.ChunkedArray:
    """A column as timestamps in microseconds, in UTC where it has a zone.

    Raises:
        SchemaError: The column is missing, or holds neither dates nor timestamps.
        TableError: A time lies outside the years 1 to 9999.
    """
    if column not in rows.column_names:
        near = did_you_mean(column, rows.column_names)
        raise SchemaError(f"time: expected a column {column!r} of times, got none{near}")
    kind = rows.schema.field(column).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaError(f"time: expected dates or timestamps in column {column!r}, got {kind}")
    zone = getattr(kind, "tz", None)
    finer = getattr(kind, "unit", None) == "ns"  # digits below a microsecond are cut off
    try:
        moments = rows.column(column).cast(pa.timestamp("us", zone), safe=not finer).cast(pa.timestamp("us"))
    except pa.ArrowInvalid as error:
        raise TableError(
            f"column {column!r}: expected times of the years 1 to 9999, got some far beyond them"
        ) from error
    beyond = pc.sum(pc.or_(pc.less(moments, FIRST), pc.greater(moments, LAST))).as_py()
    if beyond:
        raise TableError(f"column {column!r}: expected times of the years 1 to 9999, got {beyond} beyond them")
    return moments


def _later(times: pa.ChunkedArray, than: pa.Scalar) -> pa.ChunkedArray:
    return pc.fill_null(pc.greater(times, than), False)  # noqa: FBT003


def _holding(files: tuple[File, ...], rows: int, read: ReadSettings, contents: Contents) -> tuple[File, ...]:
    """The fewest files at the end that together hold `rows` rows."""
    start = len(files)
    while start > 0 and rows > 0:
        start -= 1
        rows -= tables.footer(files[start], contents, read).rows
    return files[start:]
