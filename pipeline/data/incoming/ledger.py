"""Records of incoming files: the settings, the ledger, and what a survey finds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.data.storage import File
from pipeline.records import Record

MOST_DAYS = 100_000
"""Longest window in days, about 270 years."""


class IncomingSettings(Record):
    """Which rows are new, and how far back a training looks. Without a `last_…` key it sees all rows.

    Attributes:
        time: Column of dates or timestamps. Rows later than all earlier ones are new. Default: rows of new files are.
        last_files: Train on this many of the latest files.
        last_rows: Train on this many of the latest rows, by `time` or else by file.
        last_days: Train on the rows of this many days before the latest `time`.
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
            raise ValueError("expected a time column in 'time' for last_days, got none")
        return self


class Known(Record):
    """A file that was taken in.

    Attributes:
        name: The file's name when it was taken in.
        digest: SHA-256 of the content.
        columns: Mark of the file's shape; empty in ledgers of earlier versions.
    """

    name: str
    digest: str
    columns: str = ""


class Quarantined(Record):
    """A file that cannot be used, and why.

    Attributes:
        name: The file's name when it was found.
        digest: SHA-256 of the content.
        reason: One line for people.
        columns: Mark of the file's shape, if only its columns are wrong; else empty.
    """

    name: str
    digest: str
    reason: str
    columns: str = ""


class Ledger(Record):
    """What has come in so far.

    Attributes:
        files: Files that were taken in, in order of arrival.
        quarantined: Files that cannot be used. A known file is among them if its columns are no longer the right ones.
        columns: Marks of all shapes, in order of their first arrival.
        shapes: The schema of every shape, serialized, by mark.
        latest: The latest time of any row that was trained on, in UTC where the column has a zone.
        rules: Mark of the settings that files were judged by. Under other settings, unreadable files are retried.
        stamps: The digest of every object of the store, by stamp.
    """

    files: tuple[Known, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    columns: tuple[str, ...] = ()
    shapes: Mapping[str, str] = {}
    stamps: Mapping[str, str] = {}
    latest: datetime | None = None
    rules: str = ""


class Arrivals(Record):
    """The result of `survey`.

    Attributes:
        files: The usable files, each content once: known files first, then new ones in order of arrival.
        new: Number of new files at the end of `files`.
        quarantined: Unusable files that the ledger did not list as such.
        ledger: The ledger with these files.
        shape: Mark of the shape of the usable files.
    """

    files: tuple[File, ...]
    new: int
    quarantined: tuple[Quarantined, ...]
    ledger: Ledger
    shape: str = ""
