"""Orders are found where columns are null, mostly equal, follow from labels, or were found to be later already."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import columns
from pipeline.relations import Relations
from pipeline.relations.search import find

ROWS = 2_000


def searched(table: pa.Table) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table))


def days(random: np.random.Generator, spread: int = 900) -> np.ndarray:
    """Random days."""
    return np.datetime64("2021-05-01") + random.integers(0, spread, ROWS)


def texts(found: Relations) -> set[str]:
    """The lines of relations."""
    return {relation.text for relation in found}


def test_an_order_does_not_follow_from_a_column_that_is_mostly_null() -> None:
    """A policy that was cancelled ended between its first and last day; the others have a first and a last day too."""
    random = np.random.default_rng(1)
    start = days(random)
    cancelled = start + random.integers(0, 300, ROWS)
    end = start + random.integers(1, 4, ROWS) * 365
    gone = random.random(ROWS) < 0.1
    table = pa.table({"start": start, "end": end, "cancelled": pa.array(cancelled, mask=~gone)})
    assert {"end ≥ start", "cancelled ≥ start", "end ≥ cancelled"} <= texts(searched(table))
    whole = pa.table({"start": start, "end": end, "cancelled": cancelled})
    assert texts(searched(whole)) == {"cancelled ≥ start", "end ≥ cancelled"}


def test_a_column_that_is_checked_takes_part_in_other_orders() -> None:
    """A date of delivery that follows from a sum, and a promised one that is later than two others."""
    random = np.random.default_rng(2)
    left = np.datetime64("2024-02-01T00:00") + random.integers(0, 400_000, ROWS).astype("timedelta64[m]")
    packed = left - random.integers(1, 9_000, ROWS).astype("timedelta64[m]")
    took = random.integers(60, 6_000, ROWS).astype("timedelta64[m]")
    promised = left + took + random.integers(0, 6_000, ROWS).astype("timedelta64[m]")
    columns_ = {"packed": packed, "left": left, "came": left + took, "promised": promised}
    table = pa.table({name: pa.array(own.astype("datetime64[s]")) for name, own in columns_.items()})
    table = table.append_column("took", pa.array(took.astype("timedelta64[s]")))
    table = table.append_column("day", pa.array(promised.astype("datetime64[D]")))
    found = searched(table)
    assert texts(found) >= {"came = left + took", "day = date of promised", "promised ≥ came", "left ≥ packed"}
    assert "promised ≥ day" not in texts(found)  # a moment is on its day


def test_a_day_that_is_mostly_the_same_is_later() -> None:
    """Nine in ten bookings have their own day as value date, and a date of death is the day of discharge."""
    random = np.random.default_rng(3)
    booked = days(random)
    died = random.random(ROWS) < 0.1
    value = booked + np.where(random.random(ROWS) < 0.9, 0, random.integers(1, 5, ROWS))
    table = pa.table({"booked": booked, "value": value, "died": pa.array(booked, mask=~died)})
    found = searched(table)
    assert {"value ≥ booked", "died ≥ booked"} <= texts(found)
    assert found.bind(found.free(table)).equals(table)
    other = found.free(table).set_column(0, "booked", pa.array(days(random)))
    bound = found.bind(other).to_pandas()
    assert (bound["value"] >= bound["booked"]).all()
    assert (bound["died"].isna() | (bound["died"] == bound["booked"])).all()


def test_limits_that_follow_from_labels_are_kept() -> None:
    """A salary lies between the least and the greatest of its grade."""
    random = np.random.default_rng(4)
    low, high = np.array([20, 28, 33, 45, 60, 72, 90]) * 1_000, np.array([30, 40, 52, 70, 88, 99, 150]) * 1_000
    grade = random.integers(0, 7, ROWS)
    salary = low[grade] + np.round((high - low)[grade] * random.beta(2, 2, ROWS), -2).astype(int)
    table = pa.table(
        {"grade": [f"G{value}" for value in grade], "least": low[grade], "most": high[grade], "salary": salary}
    )
    assert {"salary ≥ least", "most ≥ salary"} <= texts(searched(table))


def test_a_number_takes_one_difference() -> None:
    """What is never less than two others is later than one of them, and the other order is checked."""
    random = np.random.default_rng(5)
    one = random.integers(0, 1_000, ROWS)
    other = one + random.integers(-9, 9, ROWS)
    table = pa.table({"one": one, "other": other, "most": np.maximum(one, other) + random.integers(0, 5, ROWS)})
    found = searched(table)
    assert {relation.kind for relation in found} == {"least", "later"}
    assert texts(found) == {"most ≥ one", "most ≥ other"}
    assert found.bind(found.free(table)).equals(table)


def test_a_later_column_is_missing_exactly_where_a_label_says_so() -> None:
    """It is null where the column before it is, too: a row in which only one of them says so is drawn again."""
    random = np.random.default_rng(6)
    came, sold = days(random), random.random(ROWS) < 0.7
    known = sold | (random.random(ROWS) < 0.5)
    left = pa.array(came + random.integers(0, 9, ROWS), mask=~sold)
    table = pa.table({"came": pa.array(came, mask=~known), "left": left, "sold": np.where(sold, "yes", "no")})
    found = searched(table)
    assert {"left ≥ came", "left is null exactly where sold says so"} <= texts(found)
    drawn = found.free(table).set_column(0, "came", pa.array(came, mask=random.random(ROWS) < 0.5))
    made = found.bind(drawn)
    wrong = np.asarray(made["left"].is_null().to_numpy()) != ~sold
    assert np.array_equal(found.lost(made), wrong)
    assert 0 < wrong.sum() < ROWS


def test_parts_of_a_local_time_are_found_beside_the_same_time_elsewhere() -> None:
    """The hour in Vienna is no part of the time in Greenwich."""
    random = np.random.default_rng(7)
    moment = np.datetime64("2024-01-01T00:00") + random.integers(0, 500_000, ROWS).astype("timedelta64[m]")
    local = pa.array(moment.astype("datetime64[ms]"), pa.timestamp("ms", "Europe/Vienna"))
    there = pc.local_timestamp(local)
    table = pa.table({"there": local, "hour": pc.hour(there), "day": there.cast(pa.date32())})
    table = table.append_column("here", local.cast(pa.timestamp("s", "UTC")))
    assert texts(searched(table)) == {"there = here", "hour = hour of there", "day = date of there"}


def test_nights_are_the_midnights_between_two_moments() -> None:
    """On the clock of the zone: they are neither whole days of 24 hours nor midnights in Greenwich."""
    random = np.random.default_rng(8)
    came = np.datetime64("2024-01-01T00:00") + random.integers(0, 500_000, ROWS).astype("timedelta64[m]")
    stay = (30 + random.gamma(1.5, 3_000, ROWS)).astype("timedelta64[m]")
    times = [pd.Series(moment).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo") for moment in (came, came + stay)]
    nights = (times[1].dt.normalize() - times[0].dt.normalize()).dt.days
    table = pa.Table.from_pandas(pd.DataFrame({"came": times[0], "left": times[1], "nights": nights}))
    found = searched(table)
    assert "nights = time from came to left, each calendar day" in texts(found)
    assert found.bind(found.free(table))["nights"].to_pylist() == nights.tolist()
