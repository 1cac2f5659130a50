"""Which rows of a growing heap of files a training sees.

Parquet files come in night after night. A *ledger* remembers the content, by SHA-256, of every file that was taken
in; `survey` holds it against the files that are there now and tells three kinds apart:

- *known*: the content is in the ledger. A file that was renamed or copied is still known, so no row counts twice.
- *new*: any other file that can be used.
- *quarantined*: a file that cannot be read, or whose columns are not those of the others. It stays where it is and
  out of the way until its content changes, as that of a file that was still being written does.

Objects of a store are files like others. Those that are, by address, size and time, as they were when the ledger was
written are not fetched again to learn their content.

`window` then reads the rows to train on, a growing or a rolling window, and tells which of them are new: those of
new files or, where a column of times is named, those later than the latest row of the ledger.

Both are pure: the ledger comes in, its successor goes out, and whoever calls keeps it once the training is done.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveFloat, PositiveInt, model_validator

from pipeline import tables
from pipeline.errors import InputError, SchemaError, TableError
from pipeline.records import Record
from pipeline.schema import ColumnSettings
from pipeline.storage import File, Object, fetch
from pipeline.tables import ReadSettings


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
    last_days: PositiveFloat | None = None

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        given = [name for name in ("last_files", "last_rows", "last_days") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one window, got {' and '.join(given)}")
        if self.last_days is not None and self.time is None:
            raise ValueError("expected the column that last_days counts by in 'time', got none")
        return self


class Known(Record):
    """A file that was taken in: its name then, and the SHA-256 of its content."""

    name: str
    digest: str


class Quarantined(Record):
    """A file that cannot be used, and why."""

    name: str
    digest: str
    reason: str


class Ledger(Record):
    """What has come in so far.

    Attributes:
        files: Files that were taken in, in the order of their coming.
        quarantined: Files that were not.
        latest: The latest time of any row that was trained on, in UTC where the column has a zone.
        stamps: The digest of every object that a store held, by its stamp.
    """

    files: tuple[Known, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    stamps: Mapping[str, str] = {}
    latest: datetime | None = None


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
    found: Sequence[File], ledger: Ledger, settings: ReadSettings, overrides: Mapping[str, ColumnSettings]
) -> Arrivals:
    """Hold the files that are there against the ledger. New files are read from end to end, one at a time.

    Args:
        found: The files, in the order in which new ones count as having come.
        ledger: What came before.
        settings: What makes a value unusable.
        overrides: Column settings; a file whose column cannot be cast as they ask is unusable.

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
    place = {file.digest: i for i, file in enumerate(ledger.files)}
    known = sorted((digest for digest in here if digest in place), key=place.__getitem__)
    shunned = {file.digest for file in ledger.quarantined}
    fresh = {digest: file for digest, file in here.items() if digest not in place and digest not in shunned}
    reasons = _reasons(fresh, here[known[0]] if known else None, settings, overrides)
    new = [digest for digest in fresh if digest not in reasons]
    quarantined = tuple(Quarantined(name=here[d].name, digest=d, reason=reason) for d, reason in reasons.items())
    return Arrivals(
        files=tuple(here[digest] for digest in [*known, *new]),
        new=len(new),
        quarantined=quarantined,
        ledger=Ledger(
            files=(*ledger.files, *(Known(name=here[digest].name, digest=digest) for digest in new)),
            quarantined=(*ledger.quarantined, *quarantined),
            latest=ledger.latest,
            stamps=stamps,
        ),
    )


def _reasons(
    fresh: Mapping[str, File], known: File | None, settings: ReadSettings, overrides: Mapping[str, ColumnSettings]
) -> dict[str, str]:
    """Why files cannot be used, by digest: they cannot be read, or their columns are not those of the others."""
    reasons: dict[str, str] = {}
    schemas: dict[str, pa.Schema] = {}
    for digest, file in fresh.items():
        try:
            tables.read([file], settings, overrides)
            schemas[digest] = tables.footer(file).schema
        except InputError as error:
            reasons[digest] = str(error)
    if schemas:
        usual = tables.footer(known).schema if known is not None else _usual(list(schemas.values()))
        reasons |= {d: _difference(schema, usual) for d, schema in schemas.items() if not schema.equals(usual)}
    return reasons


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
        kept = _later(moments, latest - timedelta(days=settings.last_days))
        rows, moments = rows.filter(kept), moments.filter(kept)
    if settings.last_rows is not None:
        order = pc.sort_indices(moments, null_placement="at_start").cast(pa.int64())
        last = pc.take(order, pa.array(range(max(0, len(order) - settings.last_rows), len(order)), pa.int64()))
        rows, moments = rows.take(last), moments.take(last)
    if before is None:
        return Window(rows, rows, latest)
    return Window(rows, rows.filter(_later(moments, before)), max(before, latest))


def times(rows: pa.Table, column: str) -> pa.ChunkedArray:
    """A column as timestamps of microseconds, in UTC where it has a zone.

    Raises:
        SchemaError: It is missing, or holds neither dates nor timestamps.
    """
    if column not in rows.column_names:
        raise SchemaError(f"time: expected a column {column!r} of times, got none")
    kind = rows.schema.field(column).type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise SchemaError(f"time: expected dates or timestamps in column {column!r}, got {kind}")
    return rows.column(column).cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.timestamp("us"))


def _later(times: pa.ChunkedArray, than: datetime) -> pa.ChunkedArray:
    return pc.fill_null(pc.greater(times, pa.scalar(than, pa.timestamp("us"))), False)  # noqa: FBT003


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


def _usual(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """The schema that most have; of several, the one that came first."""
    shapes = [schema.remove_metadata().to_string() for schema in schemas]
    return schemas[shapes.index(Counter(shapes).most_common(1)[0][0])]


def _difference(schema: pa.Schema, usual: pa.Schema) -> str:
    """What is unusual about the columns, in one line."""
    gone = [f"column {name!r} is missing" for name in usual.names if name not in schema.names]
    more = [f"column {name!r} is new" for name in schema.names if name not in usual.names]
    types = [
        f"column {field.name!r} has type {field.type}, expected {usual.field(field.name).type}"
        for field in schema
        if field.name in usual.names and not field.equals(usual.field(field.name))
    ]
    return "; ".join([*gone, *more, *types] or ["the columns are in another order"])
