"""History, cut into the periods in which it might have come in.

A table with a column of times becomes a series of periods of equal length (`30d`, `12h`, `2w`) or of calendar months
(`1mo`). They are counted from the start of the first row's day or month. At the end of each period the loop takes a
turn on the rows that have come in so far. A period without rows is left out, because nothing came in and nothing ran.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.data import incoming
from pipeline.data.incoming import IncomingSettings, Window
from pipeline.errors import SettingsError, TableError

FEWEST = 3
"""Least number of periods of a replay."""
MOST = 10_000
_EVERY = re.compile(r"(?P<count>[1-9]\d{0,5}) ?(?P<unit>m|h|d|w|mo)")
_UNITS: Mapping[str, np.timedelta64] = {
    "m": np.timedelta64(1, "m"),
    "h": np.timedelta64(1, "h"),
    "d": np.timedelta64(1, "D"),
    "w": np.timedelta64(1, "W"),
    "mo": np.timedelta64(1, "M"),
}

Times = NDArray[np.datetime64]


class Every(NamedTuple):
    """The length of a period: a number of minutes, hours, days, weeks or calendar months."""

    units: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a length such as `30d` or `1mo`.

        Raises:
            SettingsError: The text is no length.
        """
        if (found := _EVERY.fullmatch(text.strip())) is None:
            raise SettingsError(
                f"every: expected a number and one of m, h, d, w or mo, such as 30d or 1mo; got {text!r:.40}"
            )
        return cls(int(found["count"]), found["unit"])

    def ends(self, times: Times) -> Times:
        """Ends of the periods that cover sorted `times`. The first period begins with the first day or month.

        Raises:
            SettingsError: There are too few periods, or too many.
        """
        step = self.units * _UNITS[self.unit]
        grain = {"mo": "M", "h": "h", "m": "m"}.get(self.unit, "D")
        day = times[0].astype("datetime64[M]" if self.unit == "mo" else "datetime64[D]")
        start, final = day.astype(f"datetime64[{grain}]"), times[-1].astype(f"datetime64[{grain}]")
        periods = int((final - start) // step) + 1
        if not FEWEST <= periods <= MOST:
            raise SettingsError(f"every: expected {FEWEST} to {MOST:,} periods, got {periods:,}")
        return np.asarray((start + step * np.arange(1, periods + 1)).astype(times.dtype))


class History(NamedTuple):
    """A table in the order of its times, with the ends of its periods.

    Attributes:
        rows: All rows, sorted by time.
        column: The column of the times.
        last: For each period with rows, the number of rows up to its end, with all earlier rows.
        ends: For the same periods, the time of the end, in UTC if the column has a zone.
    """

    rows: pa.Table
    column: str
    last: NDArray[np.int64]
    ends: Times

    @classmethod
    def of(cls, table: pa.Table, column: str, every: Every) -> Self:
        """Cut a table into periods.

        Raises:
            SchemaError: The column is missing, or holds no times.
            TableError: A row has no time.
            SettingsError: There are too few periods, or too many.
        """
        times = incoming.times(table, column)
        if times.null_count:
            raise TableError(f"column {column!r}: expected a time in every row, got {times.null_count} nulls")
        order = pc.sort_indices(times)  # stable
        moments = times.take(order).to_numpy()
        ends = every.ends(moments)
        last = np.searchsorted(moments, ends, side="left")
        filled = np.diff(last, prepend=0) > 0
        if filled.sum() < FEWEST:
            raise SettingsError(f"every: expected at least {FEWEST} periods with rows, got {filled.sum()}")
        return cls(table.take(order), column, last[filled], ends[filled])

    def __len__(self) -> int:
        return len(self.last)

    def end(self, number: int) -> datetime:
        """The time at which a period ends."""
        moment: datetime = self.ends[number].astype("datetime64[us]").item()
        return moment.replace(tzinfo=UTC)

    def fresh(self, number: int) -> pa.Table:
        """The rows that came in during a period."""
        return self._between(number, number)

    def window(self, number: int, settings: IncomingSettings | None) -> Window:
        """The window of rows that a run at the end of a period trains on. For `last_files`, a period counts as a file.

        Args:
            number: The number of the period.
            settings: The window of growing data. With None, the window is all rows so far, and all of them are new, as
                in a run without an `[incoming]` section.
        """
        if settings is None:
            rows = self._between(0, number)
            return Window(rows, rows)
        first = max(0, number + 1 - settings.last_files) if settings.last_files is not None else 0
        before = self.rows.column(self.column).slice(int(self.last[number - 1]) - 1, 1) if number else None
        latest = incoming.times(pa.table({self.column: before}), self.column)[0].as_py() if before is not None else None
        return incoming.by_time(self._between(first, number), self.column, settings, latest)

    def _between(self, first: int, number: int) -> pa.Table:
        start = int(self.last[first - 1]) if first else 0
        return self.rows.slice(start, int(self.last[number]) - start)
