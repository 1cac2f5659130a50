"""Which rows of a growing heap of files a training sees.

Parquet files come in night after night. A *ledger* remembers the content, by SHA-256, of every file that was taken
in; `survey` holds it against the files that are there now and tells three kinds apart:

- *known*: the content is in the ledger. A file that was renamed or copied is still known, so no row counts twice.
- *new*: any other file that can be used.
- *quarantined*: a file that cannot be read, or whose columns are not those of the others. It stays where it is and
  out of the way: the one until its content changes, as that of a file that was still being written does, or the
  settings by which it is read, the other until its columns are the right ones.

Which columns are right, the known files say that are still there; without any, most of the files do. Where the table
may change, the columns that were the last to come for the first time are right as long as there is a file of them,
and files of earlier ones are left alone, known or not.

Objects of a store are files like others. Those that are, by address, size and time, as they were when the ledger was
written are not fetched again to learn their content.

`window` then reads the rows to train on, a growing or a rolling window, and tells which of them are new: those of
new files or, where a column of times is named, those later than the latest row of the ledger.

Both are pure: the ledger comes in, its successor goes out, and whoever calls keeps it once the training is done.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PositiveInt, model_validator

from pipeline import tables
from pipeline.errors import InputError, SchemaError, TableError
from pipeline.records import Record
from pipeline.schema import ColumnSettings
from pipeline.storage import File, Object, fetch
from pipeline.tables import ReadSettings

MOST_DAYS = 100_000
"""Longest window of days; some 270 years."""
FIRST, LAST = (pa.scalar(text).cast(pa.timestamp("us")) for text in ("0001-01-01 00:00:00", "9999-12-31 23:59:59"))
"""The times that Python knows."""


class IncomingSettings(Record):
    """What is new, and how far back a training looks; without a `last_…`, over everything that is there.

    Attributes:
        time: Column of dates or timestamps: rows later than all before are new. Default: rows of new files are.
        last_files: Train on so many files, the latest to come.
        last_rows: Train on so many rows, the latest by `time` or else by file.
        last_days: Train on the rows of so many days up to the latest `time`.
    """

    time: str | None = None
    last_files: PositiveInt | None = None
    last_rows: PositiveInt | None = None
    last_days: float | None = Field(default=None, gt=0, le=MOST_DAYS)

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        given = [name for name in ("last_files", "last_rows", "last_days") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one window, got {' and '.join(given)}")
        if self.last_days is not None and self.time is None:
            raise ValueError("expected the column that last_days counts by in 'time', got none")
        return self


class Known(Record):
    """A file that was taken in.

    Attributes:
        name: Its name then.
        digest: SHA-256 of its content.
        columns: Mark of its columns; empty where an earlier version of this code kept none.
    """

    name: str
    digest: str
    columns: str = ""


class Quarantined(Record):
    """A file that cannot be used, and why.

    Attributes:
        name: Its name then.
        digest: SHA-256 of its content.
        reason: In words.
        columns: Mark of its columns, if nothing but these is wrong.
    """

    name: str
    digest: str
    reason: str
    columns: str = ""


class Ledger(Record):
    """What has come in so far.

    Attributes:
        files: Files that were taken in, in the order of their coming.
        quarantined: Files that cannot be used; among them known ones whose columns are no longer the right ones.
        columns: Marks of the columns of all files, in the order of their first coming.
        latest: The latest time of any row that was trained on, in UTC where the column has a zone.
        rules: Mark of the settings by which files were judged; by others, those that could not be read are tried again.
        stamps: The digest of every object that a store held, by its stamp.
    """

    files: tuple[Known, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    columns: tuple[str, ...] = ()
    stamps: Mapping[str, str] = {}
    latest: datetime | None = None
    rules: str = ""


class Arrivals(Record):
    """What `survey` found.

    Attributes:
        files: The files that can be used, each content once, known ones first, in the order of their coming.
        new: How many of them, at the end, are new.
        quarantined: Those that cannot be used and were not known for it.
        ledger: The ledger, these files included.
    """

    files: tuple[File, ...]
    new: int
    quarantined: tuple[Quarantined, ...]
    ledger: Ledger


class Window(NamedTuple):
    """The rows of a training.

    Attributes:
        rows: All of them.
        new: Those that are new.
        latest: The latest time there has been, also of rows that are no longer there, where a column of times is named.
    """

    rows: pa.Table
    new: pa.Table
    latest: datetime | None = None


def survey(
    found: Sequence[File],
    ledger: Ledger,
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    *,
    changing: bool = False,
) -> Arrivals:
    """Hold the files that are there against the ledger. New files are read from end to end, one at a time.

    Args:
        found: The files, in the order in which new ones count as having come.
        ledger: What came before.
        settings: What makes a value unusable.
        overrides: Column settings; a file whose column cannot be cast as they ask is unusable.
        changing: Whether the columns of the table may change.

    Raises:
        ResynthError: An object store does not answer.
    """
    here: dict[str, File] = {}
    stamps: dict[str, str] = {}
    for file in found:
        digest = _digest(file, ledger)
        here.setdefault(digest, file)
        if isinstance(file, Object):
            stamps[file.stamp] = digest
    rules = _rules(settings, overrides)
    marks, reasons = _marks(here, ledger, settings, overrides, again=rules != ledger.rules)
    came = tuple(dict.fromkeys([*ledger.columns, *marks.values()]))
    taken, passed = {file.digest for file in ledger.files}, {file.digest for file in ledger.quarantined}
    right = _right(marks, taken, came if changing else ())
    files = [digest for digest, mark in marks.items() if mark == right]
    new = [digest for digest in files if digest not in taken]
    odd = {digest: here[digest] for digest, mark in marks.items() if mark != right and digest not in passed}
    if odd:
        usual = tables.footer(here[files[0]]).schema
        reasons |= {digest: _difference(tables.footer(file).schema, usual) for digest, file in odd.items()}
    quarantined = tuple(
        Quarantined(name=here[digest].name, digest=digest, reason=reason, columns=marks.get(digest, ""))
        for digest, reason in reasons.items()
    )
    return Arrivals(
        files=tuple(here[digest] for digest in files),
        new=len(new),
        quarantined=quarantined,
        ledger=Ledger(
            files=(
                *(file.model_copy(update={"columns": marks.get(file.digest, file.columns)}) for file in ledger.files),
                *(Known(name=here[digest].name, digest=digest, columns=right) for digest in new),
            ),
            quarantined=(*(file for file in ledger.quarantined if _still(file, marks, right, reasons)), *quarantined),
            columns=came,
            latest=ledger.latest,
            stamps=stamps,
            rules=rules,
        ),
    )


def _still(file: Quarantined, marks: Mapping[str, str], right: str, reasons: Mapping[str, str]) -> bool:
    """Whether a file that could not be used is to be remembered as it was."""
    return file.digest not in reasons and marks.get(file.digest) != right


def _rules(settings: ReadSettings, overrides: Mapping[str, ColumnSettings]) -> str:
    """What tells the settings from others by which files are judged."""
    told = settings.model_dump_json(), *(f"{name}={overrides[name].model_dump_json()}" for name in sorted(overrides))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _marks(
    here: Mapping[str, File],
    ledger: Ledger,
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    *,
    again: bool,
) -> tuple[dict[str, str], dict[str, str]]:
    """Marks of the columns of files by digest, known ones first in the order of their coming; why new ones have none.

    A file that was found to be unreadable before has neither, unless it is tried `again`.
    """
    told = {file.digest: file.columns for file in ledger.quarantined if file.columns or not again}
    told |= {file.digest: file.columns for file in ledger.files}
    known = dict.fromkeys(file.digest for file in ledger.files if file.digest in here)
    marks: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for digest in dict.fromkeys([*known, *here]):
        if told.get(digest):
            marks[digest] = told[digest]
        elif digest in known:
            marks[digest] = _mark(here[digest])
        elif digest not in told:
            try:
                tables.read([here[digest]], settings, overrides)
                marks[digest] = _mark(here[digest])
            except InputError as error:
                reasons[digest] = str(error)
    return marks, reasons


def _mark(file: File) -> str:
    """What tells the columns of a file from others: their names, types and nullability, in order."""
    columns = [[field.name, str(field.type), field.nullable] for field in tables.footer(file).schema]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _right(marks: Mapping[str, str], taken: Collection[str], came: Sequence[str]) -> str:
    """Which columns are right.

    Args:
        marks: Of the files that are there, by digest, known ones first.
        taken: Digests of all files that were ever taken in.
        came: Where the table may change, all marks in the order of their first coming.
    """
    if came and taken:
        return max(marks.values(), key=came.index, default="")
    known = [mark for digest, mark in marks.items() if digest in taken]
    return known[-1] if known else next((mark for mark, _ in Counter(marks.values()).most_common(1)), "")


def window(
    arrivals: Arrivals, settings: IncomingSettings, read: ReadSettings, overrides: Mapping[str, ColumnSettings]
) -> Window:
    """Read the rows to train on.

    Raises:
        TableError: No file can be used, or all of them together cannot.
        SchemaError: The column of times is missing, or holds no times.
    """
    if not arrivals.files:
        reasons = "; ".join(file.reason for file in arrivals.ledger.quarantined[:1])
        raise TableError(f"expected at least one file that can be used, got none ({reasons})")
    if settings.time is not None:
        rows = tables.read(arrivals.files[-(settings.last_files or 0) :], read, overrides)
        return by_time(rows, settings.time, settings, arrivals.ledger.latest)
    files = arrivals.files[-(settings.last_files or 0) :]
    if settings.last_rows is not None:
        files = _holding(files, settings.last_rows)
    rows = tables.read(files, read, overrides)
    if settings.last_rows is not None:
        rows = rows.slice(max(0, rows.num_rows - settings.last_rows))
    latest = files[len(files) - min(arrivals.new, len(files)) :]
    new = min(rows.num_rows, sum(tables.footer(file).rows for file in latest))
    return Window(rows, rows.slice(rows.num_rows - new))


def by_time(rows: pa.Table, column: str, settings: IncomingSettings, before: datetime | None) -> Window:
    """The window of rows by a column of times; a row without a time is in it, but never new, and in no window of days.

    Args:
        rows: Everything there is.
        column: Of times.
        settings: How far back to look.
        before: The latest time that is not new; None where all are.

    Raises:
        TableError: The column holds only nulls.
        SchemaError: It is missing, or holds no times.
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
    """A column as timestamps of microseconds, in UTC where it has a zone.

    Raises:
        SchemaError: It is missing, or holds neither dates nor timestamps.
        TableError: Some are in no year from 1 to 9999.
    """
    if column not in rows.column_names:
        raise SchemaError(f"time: expected a column {column!r} of times, got none")
    kind = rows.schema.field(column).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaError(f"time: expected dates or timestamps in column {column!r}, got {kind}")
    zone = getattr(kind, "tz", None)
    moments = rows.column(column).cast(pa.timestamp("us", zone), safe=False).cast(pa.timestamp("us"))
    beyond = pc.sum(pc.or_(pc.less(moments, FIRST), pc.greater(moments, LAST))).as_py()
    if beyond:
        raise TableError(f"column {column!r}: expected times of the years 1 to 9999, got {beyond} beyond them")
    return moments


def _later(times: pa.ChunkedArray, than: pa.Scalar) -> pa.ChunkedArray:
    return pc.fill_null(pc.greater(times, than), False)  # noqa: FBT003


def _holding(files: tuple[File, ...], rows: int) -> tuple[File, ...]:
    """The fewest files at the end that hold so many rows."""
    start = len(files)
    while start > 0 and rows > 0:
        start -= 1
        rows -= tables.footer(files[start]).rows
    return files[start:]


def _digest(file: File, ledger: Ledger) -> str:
    """SHA-256 of a file's bytes; of one that cannot be opened, a mark of its own."""
    if isinstance(file, Object):
        return ledger.stamps.get(file.stamp) or hashlib.sha256(fetch(file)).hexdigest()
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return f"{error.strerror}: {file.name}"


def _difference(schema: pa.Schema, usual: pa.Schema) -> str:
    """What is unusual about the columns, in one line."""
    gone = [f"column {name!r} is missing" for name in usual.names if name not in schema.names]
    more = [f"column {name!r} is new" for name in schema.names if name not in usual.names]
    both = [(field, usual.field(field.name)) for field in schema if field.name in usual.names]
    types = [f"column {a.name!r} has type {a.type}, expected {b.type}" for a, b in both if a.type != b.type]
    nulls = [
        f"column {a.name!r} is declared {'with' if a.nullable else 'without'} nulls, expected the opposite"
        for a, b in both
        if a.type == b.type and a.nullable != b.nullable
    ]
    return "; ".join([*gone, *more, *types, *nulls] or ["the columns are in another order"])
