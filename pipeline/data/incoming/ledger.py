"""What is remembered of the files that came in, and what is asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.data.storage import File
from pipeline.records import Record

MOST_DAYS = 100_000
"""Longest window of days; some 270 years."""


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
            raise ValueError("expected the column that last_days counts by in 'time', got none")
        return self


class Known(Record):
    """A file that was taken in.

    Attributes:
        name: Its name then.
        digest: SHA-256 of its content.
        columns: Mark of its shape; empty where an earlier version of this code kept none.
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
        columns: Mark of its shape, if nothing but its columns is wrong.
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
        columns: Marks of the shapes of all files, in the order of their first coming.
        shapes: The schema of every shape by its mark, as a text.
        latest: The latest time of any row that was trained on, in UTC where the column has a zone.
        rules: Mark of the settings by which files were judged; by others, those that could not be read are tried again.
        stamps: The digest of every object that a store held, by its stamp.
    """

    files: tuple[Known, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    columns: tuple[str, ...] = ()
    shapes: Mapping[str, str] = {}
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
        shape: Mark of the shape of the files that can be used.
    """

    files: tuple[File, ...]
    new: int
    quarantined: tuple[Quarantined, ...]
    ledger: Ledger
    shape: str = ""
