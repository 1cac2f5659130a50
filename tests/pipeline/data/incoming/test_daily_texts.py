"""Files without types come in day after day, and differ harmlessly."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.data.contents import Contents
from pipeline.data.incoming import Arrivals, IncomingSettings, Ledger, Window, survey, window
from pipeline.data.tables import ReadSettings, files
from pipeline.schema import ColumnSettings

READ = ReadSettings(delimiter=";")


def put(directory: Path, day: str, *lines: str, suffix: str = "csv") -> None:
    """A day's file: a code, a number and a time."""
    if suffix == "jsonl":
        rows = [dict(zip(("code", "x", "at"), line.split(";"), strict=True)) for line in lines]
        text = "".join(json.dumps(row | {"x": json.loads(row["x"] or "null")}) + "\n" for row in rows)
    else:
        text = "".join(f"{line}\n" for line in ["code;x;at", *lines])
    content = gzip.compress(text.encode(), mtime=0) if suffix.endswith("gz") else text.encode()
    (directory / f"{day}.{suffix}").write_bytes(content)


def look(directory: Path, ledger: Ledger | None = None, **overrides: ColumnSettings) -> Arrivals:
    """What a survey finds, the ledger as it comes back from being kept."""
    found = survey(files(directory), ledger or Ledger(), READ, overrides)
    return found.model_copy(update={"ledger": Ledger.model_validate_json(found.ledger.model_dump_json())})


def read(arrivals: Arrivals, **settings: object) -> Window:
    """The window of a training."""
    return window(arrivals, IncomingSettings.model_validate(settings), READ, {})


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl"])
def test_days_that_differ_harmlessly_are_one_table(tmp_path, suffix):
    """Integers one day, fractions or nothing the next; codes without a leading zero; any order of days."""
    days = [
        ["A;1;2024-01-01", "B;2;2024-01-01"],
        ["A;;2024-01-02", "B;;2024-01-02"],
        ["A;3.5;2024-01-03", "B;4;2024-01-03"],
        ["7;5;2024-01-04", "12;6;2024-01-04"],
    ]
    ledger = None
    for number, lines in enumerate(days, start=1):
        put(tmp_path, f"day-{number}", *lines, suffix=suffix)
        arrivals = look(tmp_path, ledger)
        assert (arrivals.new, arrivals.quarantined) == (1, ())
        ledger = arrivals.ledger
    found = read(arrivals)
    assert found.rows.schema.types == [pa.string(), pa.float64(), pa.date32()]
    assert found.rows["x"].to_pylist() == [1, 2, None, None, 3.5, 4, 5, 6]
    assert found.rows["code"].to_pylist()[-2:] == ["7", "12"]
    assert found.new.num_rows == 2
    assert all(field.metadata is None for field in found.rows.schema)
    assert read(arrivals, last_rows=3).rows["x"].to_pylist() == [4, 5, 6]
    assert read(arrivals, time="at", last_days=1.5).rows.num_rows == 4
    together = look(tmp_path)
    assert (together.new, together.quarantined) == (4, ())
    assert read(together).rows.equals(found.rows)


def test_a_code_may_begin_with_a_zero_on_a_later_day(tmp_path):
    """Then all days have texts, as they are written, also those that were read as numbers before."""
    put(tmp_path, "a", "7;1;2024-01-01", "12;2;2024-01-01")
    ledger = look(tmp_path).ledger
    put(tmp_path, "b", "007;3;2024-01-02")
    for arrivals in (look(tmp_path, ledger), look(tmp_path)):
        assert arrivals.quarantined == ()
        assert read(arrivals).rows["code"].to_pylist() == ["7", "12", "007"]


def test_texts_among_numbers_are_another_table(tmp_path):
    """A file whose columns have moved is put aside, and taken in if the settings say that the column holds texts."""
    put(tmp_path, "a", "7;1;2024-01-01", "8;2;2024-01-01")
    ledger = look(tmp_path).ledger
    put(tmp_path, "b", "x y;3;2024-01-02")
    second = look(tmp_path, ledger)
    assert [file.reason for file in second.quarantined] == ["column 'code' has type string, expected int64"]
    third = look(tmp_path, second.ledger, code=ColumnSettings(type="string"))
    assert (third.new, third.quarantined) == (1, ())


def test_a_damaged_file_is_put_aside(tmp_path):
    """With its reason, and without any value. An equal file is known."""
    put(tmp_path, "a", "7;1;2024-01-01")
    put(tmp_path, "b", "8;secret")
    put(tmp_path, "c", "7;1;2024-01-01")
    found = look(tmp_path)
    assert [file.name for file in found.files] == ["a.csv"]
    (aside,) = found.quarantined
    assert (aside.name, "expected 3 values in every row of" in aside.reason) == ("b.csv", True)
    assert "secret" not in aside.reason
    assert look(tmp_path, found.ledger).quarantined == ()


def test_an_earlier_schema_gives_the_types(tmp_path):
    """The champion's types win where they hold, and nothing is guessed then."""
    put(tmp_path, "a", "7;1;2024-01-01")
    like = pa.schema([("code", pa.string()), ("x", pa.decimal128(10, 2)), ("at", pa.timestamp("us"))])
    found = window(look(tmp_path), IncomingSettings(), READ, {}, like, Contents())
    assert (found.rows.schema.types, found.notes) == (like.types, ())


def test_a_day_of_decimal_commas_is_put_aside(tmp_path):
    """It does not turn the numbers of all days into texts."""
    put(tmp_path, "day-1", "A;1.5;2024-01-01", "B;2.5;2024-01-01")
    first = look(tmp_path)
    put(tmp_path, "day-2", "A;1,5;2024-01-02", "B;2,5;2024-01-02")
    second = look(tmp_path, first.ledger)
    assert [file.reason for file in second.quarantined] == ["column 'x' has type string, expected double"]
    assert read(second).rows["x"].to_pylist() == [1.5, 2.5]
