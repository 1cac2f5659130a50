"""History cut into periods: nothing lost, nothing twice, nothing from the future."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.incoming import IncomingSettings
from pipeline.errors import SchemaError, SettingsError, TableError
from pipeline.replay.periods import Every, History

START = dt.datetime(2024, 1, 17, 13, 30)  # noqa: DTZ001 - zones are put on it


def heap(hours: list[float], zone: str | None = None) -> pa.Table:
    """Rows that came in so many hours after the start, numbered."""
    times = [START + dt.timedelta(hours=hour) for hour in hours]
    moments = pa.array(times, pa.timestamp("us")).cast(pa.timestamp("us", zone))
    return pa.table({"seen": moments, "number": np.arange(len(hours))})


def numbers(table: pa.Table) -> list[int]:
    """Which rows these are."""
    return table["number"].to_pylist()


@pytest.mark.parametrize("text", ["30d", "7 d", "2w", "12h", "90m", "1mo"])
def test_periods_hold_every_row_once_in_the_order_of_time(text):
    """Compared with a loop over rows: each row is in its period, before its end and not before the previous end."""
    rng = np.random.default_rng(0)
    span = {"h": 200, "m": 40}.get(text[-1], 24 * 400)
    table = heap([0.0, *rng.uniform(0, span, 299)])
    history = History.of(table, "seen", Every.parse(text))
    parts = [history.fresh(number) for number in range(len(history))]
    assert sorted(n for part in parts for n in numbers(part)) == list(range(300))
    assert pa.concat_tables(parts)["seen"].to_pylist() == sorted(table["seen"].to_pylist())
    for number, part in enumerate(parts):
        seen = [moment.replace(tzinfo=dt.UTC) for moment in part["seen"].to_pylist()]
        assert seen
        assert max(seen) < history.end(number)
        assert number == 0 or min(seen) >= history.end(number - 1)


def test_lengths_count_from_the_day_and_months_from_the_calendar():
    """Thirty days begin at midnight of the first row, and months end with the calendar, in leap years too."""
    table = heap([24.0 * day for day in range(120)])
    days = History.of(table, "seen", Every.parse("30d"))
    assert [days.end(n).date().isoformat() for n in range(3)] == ["2024-02-16", "2024-03-17", "2024-04-16"]
    months = History.of(table, "seen", Every.parse("1mo"))
    assert [months.end(n).date().isoformat() for n in range(3)] == ["2024-02-01", "2024-03-01", "2024-04-01"]
    assert [months.fresh(n).num_rows for n in range(3)] == [15, 29, 31]


def test_periods_without_rows_are_left_out():
    """Periods in which nothing came in are skipped. The next period keeps its own end."""
    history = History.of(heap([0, 1, 24 * 20, 24 * 41]), "seen", Every.parse("10d"))
    assert [numbers(history.fresh(n)) for n in range(len(history))] == [[0, 1], [2], [3]]
    assert [history.end(n).day for n in range(3)] == [27, 16, 7]


def test_dates_and_zones_are_times():
    """A date is its midnight; with a zone, periods are counted in UTC, and windows still tell what is new."""
    zoned = heap([24.0 * day for day in range(40)], "America/Los_Angeles")
    history = History.of(zoned, "seen", Every.parse("10d"))
    assert [history.fresh(n).num_rows for n in range(len(history))] == [10, 10, 10, 10]
    assert numbers(history.window(2, IncomingSettings()).new) == list(range(20, 30))
    dated = pa.table({"seen": zoned["seen"].cast(pa.date32()), "number": zoned["number"]})
    assert len(History.of(dated, "seen", Every.parse("10d"))) == 4


@pytest.mark.parametrize(
    ("settings", "rows", "new"),
    [
        (None, range(40), range(40)),
        (IncomingSettings(), range(40), range(30, 40)),
        (IncomingSettings(last_files=2), range(20, 40), range(30, 40)),
        (IncomingSettings(last_rows=15), range(25, 40), range(30, 40)),
        (IncomingSettings(time="seen", last_days=12), range(28, 40), range(30, 40)),
    ],
)
def test_the_window_is_that_of_a_run(settings, rows, new):
    """The window grows or rolls, up to the period's end and never beyond. Without `[incoming]`, all rows are new."""
    history = History.of(heap([24.0 * day for day in range(100)]), "seen", Every.parse("10d"))
    window = history.window(3, settings)
    assert (numbers(window.rows), numbers(window.new)) == (list(rows), list(new))


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-3d", "1.5d", "30y", "1 month", "9999999d"])
def test_lengths_that_cannot_be_read_are_refused(text):
    """One line says what is expected."""
    with pytest.raises(SettingsError, match="expected a number and one of m, h, d, w or mo"):
        Every.parse(text)


def test_what_is_no_history_is_refused():
    """An unknown column, one of no times, a row without a time, and fewer than three periods."""
    table = heap([0, 24, 48, 72])
    with pytest.raises(SchemaError, match="expected a column 'when' of times, got none"):
        History.of(table, "when", Every.parse("1d"))
    with pytest.raises(SchemaError, match="expected dates or timestamps in column 'number', got int64"):
        History.of(table, "number", Every.parse("1d"))
    with pytest.raises(SettingsError, match="expected 3 to 10,000 periods, got 2"):
        History.of(table, "seen", Every.parse("2d"))
    with pytest.raises(SettingsError, match="at least 3 periods with rows, got 2"):
        History.of(heap([0, 240]), "seen", Every.parse("1d"))
    nulls = table.set_column(0, "seen", pa.array([START, None, START, None], pa.timestamp("us")))
    with pytest.raises(TableError, match="expected a time in every row, got 2 nulls"):
        History.of(nulls, "seen", Every.parse("1d"))
