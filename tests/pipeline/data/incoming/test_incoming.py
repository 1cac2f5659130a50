"""Ledger, quarantine and windows of incoming files."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from pipeline.data.incoming import Arrivals, IncomingSettings, Ledger, Window, survey, window
from pipeline.data.tables import ReadSettings, files
from pipeline.errors import SchemaError, TableError

READ = ReadSettings()


def put(directory: Path, name: str, first: int, rows: int = 10, **more: pa.Array) -> Path:
    """A file of consecutive numbers, each with the day of its number."""
    numbers = list(range(first, first + rows))
    days = pa.array([date(2026, 1, 1) + timedelta(days=number) for number in numbers])
    path = directory / f"{name}.parquet"
    pq.write_table(pa.table({"number": numbers, "day": days, **more}), path)
    return path


def look(directory: Path, ledger: Ledger | None = None, *, changing: bool = False) -> Arrivals:
    """What a survey finds, the ledger as it comes back from being kept."""
    found = survey(files(directory), ledger or Ledger(), READ, {}, changing=changing)
    return found.model_copy(update={"ledger": Ledger.model_validate_json(found.ledger.model_dump_json())})


def read(arrivals: Arrivals, **settings: object) -> Window:
    """The window of a training."""
    return window(arrivals, IncomingSettings.model_validate(settings), READ, {})


def numbers(table: pa.Table) -> list[int]:
    """The numbers of a table."""
    return table.column("number").to_pylist()


def test_only_files_that_were_not_there_before_are_new(tmp_path: Path) -> None:
    """A second survey knows what the first took in, and finds what came since, whatever its name."""
    put(tmp_path, "b", 0)
    first = look(tmp_path)
    assert (first.new, len(first.files)) == (1, 1)
    assert look(tmp_path, first.ledger).new == 0
    put(tmp_path, "a", 10)
    second = look(tmp_path, first.ledger)
    assert [path.name for path in second.files] == ["b.parquet", "a.parquet"]
    found = read(second)
    assert numbers(found.rows) == list(range(20))
    assert numbers(found.new) == list(range(10, 20))


def test_a_copy_or_a_new_name_is_no_new_content(tmp_path: Path) -> None:
    """The same bytes count once, at the same time and over time."""
    path = put(tmp_path, "a", 0)
    shutil.copy(path, tmp_path / "copy.parquet")
    first = look(tmp_path)
    assert (first.new, len(first.files)) == (1, 1)
    path.unlink()
    (tmp_path / "copy.parquet").rename(tmp_path / "z.parquet")
    again = look(tmp_path, first.ledger)
    assert (again.new, [path.name for path in again.files]) == (0, ["z.parquet"])


def test_a_file_that_cannot_be_used_is_quarantined_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Cut short, other columns, other types, empty, infinite: each file is named with its reason."""
    for i in range(3):
        put(tmp_path, f"good-{i}", 10 * i)
    cut = put(tmp_path, "cut", 90)
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-40])
    damaged = put(tmp_path, "damaged", 70, rows=1000)
    content = bytearray(damaged.read_bytes())
    content[20:200] = bytes(180)  # the footer is whole, the pages are not
    damaged.write_bytes(bytes(content))
    put(tmp_path, "more", 80, colour=pa.array(["red"] * 10))
    put(tmp_path, "empty", 0, rows=0)
    pq.write_table(pa.table({"number": [1.5], "day": [date(2026, 1, 1)]}), tmp_path / "types.parquet")
    first = look(tmp_path)
    assert {path.stem for path in first.files} == {"good-0", "good-1", "good-2"}
    reasons = {file.name.removesuffix(".parquet"): file.reason for file in first.quarantined}
    assert set(reasons) == {"cut", "damaged", "more", "empty", "types"}
    assert "readable Parquet" in reasons["cut"]
    assert reasons["more"] == "column 'colour' is new"
    assert reasons["types"] == "column 'number' has type double, expected int64"
    assert "expected rows" in reasons["empty"]
    second = look(tmp_path, first.ledger)
    assert (second.new, second.quarantined) == (0, ())
    cut.write_bytes(whole)  # it was still being written
    third = look(tmp_path, first.ledger)
    assert (third.new, third.files[-1].name) == (1, "cut.parquet")


def test_known_files_say_which_columns_are_right(tmp_path: Path) -> None:
    """After files were taken in, a majority of other files changes nothing."""
    put(tmp_path, "a", 0)
    first = look(tmp_path)
    for name in "bcd":
        put(tmp_path, name, 10, colour=pa.array([name] * 10))
    assert len(look(tmp_path, first.ledger).quarantined) == 3


def names(arrivals: Arrivals) -> list[str]:
    """The names of the files that can be used."""
    return [file.name.removesuffix(".parquet") for file in arrivals.files]


def colourful(directory: Path, name: str, first: int, rows: int = 10) -> Path:
    """A file with one more column."""
    return put(directory, name, first, rows, colour=pa.array(["red"] * rows))


def test_files_of_other_columns_are_used_once_the_old_ones_are_gone(tmp_path: Path) -> None:
    """They are quarantined and reported once. Without the files that contradicted them, they count as new."""
    old = put(tmp_path, "a", 0)
    first = look(tmp_path)
    colourful(tmp_path, "b", 10)
    second = look(tmp_path, first.ledger)
    assert [(file.name, file.reason) for file in second.quarantined] == [("b.parquet", "column 'colour' is new")]
    colourful(tmp_path, "c", 20)
    third = look(tmp_path, second.ledger)
    assert (names(third), third.new, [file.name for file in third.quarantined]) == (["a"], 0, ["c.parquet"])
    old.unlink()
    fourth = look(tmp_path, third.ledger)
    assert (names(fourth), fourth.new, fourth.quarantined) == (["b", "c"], 2, ())
    assert fourth.ledger.quarantined == ()
    assert numbers(read(fourth).new) == list(range(10, 30))
    put(tmp_path, "a", 0)
    fifth = look(tmp_path, fourth.ledger)
    assert (names(fifth), fifth.new) == (["b", "c"], 0)


def test_where_columns_may_change_the_newest_are_right(tmp_path: Path) -> None:
    """Known files with earlier columns are ignored and reported once. A late one of them changes nothing."""
    for i, name in enumerate("abc"):
        put(tmp_path, name, 10 * i)
    first = look(tmp_path, changing=True)
    colourful(tmp_path, "d", 30)
    waiting = look(tmp_path, first.ledger)
    second = look(tmp_path, waiting.ledger, changing=True)  # the settings were changed, no other file has come
    assert (names(second), second.new) == (["d"], 1)
    assert {file.reason for file in second.quarantined} == {"column 'colour' is missing"}
    assert [file.name for file in second.quarantined] == ["a.parquet", "b.parquet", "c.parquet"]
    put(tmp_path, "e", 40)
    third = look(tmp_path, second.ledger, changing=True)
    assert (names(third), third.new, [file.name for file in third.quarantined]) == (["d"], 0, ["e.parquet"])
    for name in "abc":
        (tmp_path / f"{name}.parquet").unlink()
    assert names(look(tmp_path, third.ledger, changing=True)) == ["d"]
    assert names(look(tmp_path, third.ledger)) == ["d"]  # nor does a table that may no longer change go back


def test_a_stray_file_does_not_say_which_columns_are_right_at_the_first_look(tmp_path: Path) -> None:
    """The majority decides, whether or not columns may change, and whatever the name of the stray file."""
    colourful(tmp_path, "0", 0)
    put(tmp_path, "a", 10)
    put(tmp_path, "b", 20)
    colourful(tmp_path, "c", 30)
    put(tmp_path, "d", 40)
    for changing in (False, True):
        assert names(look(tmp_path, changing=changing)) == ["a", "b", "d"]


def test_a_ledger_without_marks_of_columns_is_understood(tmp_path: Path) -> None:
    """Earlier versions kept none: known files are known, and say which columns are right."""
    put(tmp_path, "a", 0)
    first = look(tmp_path).ledger
    plain = first.model_dump(exclude={"columns": True, "files": {"__all__": {"columns"}}})
    colourful(tmp_path, "b", 10)
    second = look(tmp_path, Ledger.model_validate(plain))
    assert (names(second), second.new, len(second.quarantined)) == (["a"], 0, 1)
    assert second.ledger.files == first.files


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    """The reason of the first file is reported."""
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(TableError, match=r"at least one usable file.* readable Parquet file"):
        read(look(tmp_path))


@pytest.mark.parametrize(
    ("settings", "rows", "new"),
    [
        ({}, range(40), range(20, 40)),
        ({"last_files": 3}, range(10, 40), range(20, 40)),
        ({"last_files": 1}, range(30, 40), range(30, 40)),
        ({"last_files": 9}, range(40), range(20, 40)),
        ({"last_rows": 25}, range(15, 40), range(20, 40)),
        ({"last_rows": 5}, range(35, 40), range(35, 40)),
        ({"last_rows": 500}, range(40), range(20, 40)),
        ({"time": "day"}, range(40), range(20, 40)),
        ({"time": "day", "last_days": 7}, range(33, 40), range(33, 40)),
        ({"time": "day", "last_days": 22}, range(18, 40), range(20, 40)),
        ({"time": "day", "last_rows": 22}, range(18, 40), range(20, 40)),
    ],
)
def test_windows(tmp_path: Path, settings: dict[str, object], rows: range, new: range) -> None:
    """Growing or rolling by files, rows or days, the new rows at the end: two known files, two new ones."""
    put(tmp_path, "a", 0)
    put(tmp_path, "b", 10)
    first = look(tmp_path)
    ledger = first.ledger.model_copy(update={"latest": read(first, **settings).latest})
    put(tmp_path, "c", 20)
    put(tmp_path, "d", 30)
    found = read(look(tmp_path, ledger), **settings)
    assert numbers(found.rows) == list(rows)
    assert numbers(found.new) == list(new)


def test_by_time_a_file_that_is_exported_anew_has_few_new_rows(tmp_path: Path) -> None:
    """The same file grown by five days: its content is new, only the five days are."""
    put(tmp_path, "all", 0, rows=30)
    first = look(tmp_path)
    latest = read(first, time="day").latest
    assert latest == datetime(2026, 1, 30)  # noqa: DTZ001 - the column has no zone
    put(tmp_path, "all", 0, rows=35)
    ledger = Ledger.model_validate_json(first.ledger.model_copy(update={"latest": latest}).model_dump_json())
    found = read(look(tmp_path, ledger), time="day", last_rows=10)
    assert numbers(found.rows) == list(range(25, 35))
    assert numbers(found.new) == list(range(30, 35))


@pytest.mark.parametrize("settings", [{"last_files": 1}, {}])
def test_a_late_file_or_an_archived_one_does_not_turn_back_the_clock(tmp_path: Path, settings: dict[str, int]) -> None:
    """Rows are new only once: the latest time of all rows counts, not that of the remaining files."""
    put(tmp_path, "a", 0, rows=30)
    newest = put(tmp_path, "b", 30, rows=10)
    first = look(tmp_path)
    ledger = first.ledger.model_copy(update={"latest": read(first, time="day", **settings).latest})
    newest.rename(newest.with_suffix(".archived"))
    put(tmp_path, "late", 5, rows=20)
    second = look(tmp_path, ledger)
    late = read(second, time="day", **settings)
    assert late.new.num_rows == 0
    newest.with_suffix(".archived").rename(newest)
    put(tmp_path, "z", 35, rows=10)
    third = look(tmp_path, second.ledger.model_copy(update={"latest": late.latest}))
    assert numbers(read(third, time="day", **settings).new) == list(range(40, 45))


def test_zones_and_nulls_in_the_column_of_times(tmp_path: Path) -> None:
    """A time with a zone counts in UTC, and a row without a time is trained on, but never new."""
    times = pa.array([datetime(2026, 3, 29, 0, 30, tzinfo=UTC), None], pa.timestamp("ns", "Europe/Berlin"))
    pq.write_table(pa.table({"number": [1, 2], "when": times}), tmp_path / "a.parquet")
    first = look(tmp_path)
    latest = read(first, time="when").latest
    assert latest == datetime(2026, 3, 29, 0, 30)  # noqa: DTZ001
    again = read(first.model_copy(update={"ledger": Ledger(latest=latest)}), time="when")
    assert (again.rows.num_rows, again.new.num_rows) == (2, 0)


@pytest.mark.parametrize(
    ("column", "message"), [("none", "expected a column 'none'"), ("number", "dates or timestamps")]
)
def test_a_column_of_times_must_be_one(tmp_path: Path, column: str, message: str) -> None:
    """A missing column or one of numbers is refused."""
    put(tmp_path, "a", 0)
    with pytest.raises(SchemaError, match=message):
        read(look(tmp_path), time=column)


def test_a_time_that_no_calendar_has_is_told(tmp_path: Path) -> None:
    """A mistyped year beyond 9999 is an error that names the column; days before the first year are none."""
    pq.write_table(
        pa.table({"day": pa.array([20_000, 6_669_000], pa.int32()).cast(pa.date32())}), tmp_path / "a.parquet"
    )
    with pytest.raises(TableError, match="'day': expected times of the years 1 to 9999, got 1 beyond"):
        read(look(tmp_path), time="day")
    pq.write_table(pa.table({"day": pa.array([-719_162] * 3, pa.int32()).cast(pa.date32())}), tmp_path / "a.parquet")
    assert read(look(tmp_path), time="day", last_days=90.0).rows.num_rows == 3


def test_other_settings_judge_files_anew(tmp_path: Path) -> None:
    """A file quarantined for its values is taken in when the settings admit them. If not, it is reported again."""
    for name, values in (("a", [1.0, 2.0]), ("b", [3.0, float("inf")])):
        pq.write_table(pa.table({"x": values}), tmp_path / f"{name}.parquet")
    first = look(tmp_path)
    assert [file.name for file in first.quarantined] == ["b.parquet"]
    longer = survey(files(tmp_path), first.ledger, ReadSettings(longest_text=9), {})
    assert ([file.name for file in longer.quarantined], len(longer.ledger.quarantined)) == (["b.parquet"], 1)
    clipped = survey(files(tmp_path), first.ledger, ReadSettings(infinite="clip"), {})
    assert (names(clipped), clipped.new, clipped.ledger.quarantined) == (["a", "b"], 1, ())


@pytest.mark.parametrize(
    "settings",
    [
        {"last_files": 1, "last_rows": 1},
        {"last_days": 3.0},
        {"last_files": 0},
        {"last_days": float("inf"), "time": "t"},
        {"last_days": 1e9, "time": "t"},
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    """Two windows at once, days without a column to count by, an empty window, an endless one."""
    with pytest.raises(ValidationError):
        IncomingSettings.model_validate(settings)


def test_patterns_name_files(tmp_path: Path) -> None:
    """A pattern means the files that match, `**` those at any depth, in name order."""
    (tmp_path / "2026").mkdir()
    for directory, name in ((tmp_path / "2026", "b"), (tmp_path, "a"), (tmp_path, "x")):
        put(directory, name, 0)
    assert [path.name for path in files(tmp_path / "[ab].parquet")] == ["a.parquet"]
    assert [path.name for path in files(tmp_path / "**" / "*.parquet")] == ["b.parquet", "a.parquet", "x.parquet"]
    with pytest.raises(TableError, match="found nothing"):
        files(tmp_path / "*.csv")
