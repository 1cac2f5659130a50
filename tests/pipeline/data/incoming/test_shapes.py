"""Files that differ harmlessly are not quarantined, on the first day or a later one."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.incoming import Arrivals, IncomingSettings, Ledger, Window, survey, window
from pipeline.data.tables import ReadSettings, files
from pipeline.schema import ColumnSettings

READ = ReadSettings()
START = datetime(2024, 5, 17)  # noqa: DTZ001


def look(directory: Path, ledger: Ledger | None = None, **overrides: ColumnSettings) -> Arrivals:
    """What a survey finds, the ledger as it comes back from being kept."""
    found = survey(files(directory), ledger or Ledger(), READ, overrides)
    return found.model_copy(update={"ledger": Ledger.model_validate_json(found.ledger.model_dump_json())})


def read(arrivals: Arrivals, **settings: object) -> Window:
    """The window of a training."""
    return window(arrivals, IncomingSettings.model_validate(settings), READ, {})


def put(directory: Path, name: str, x: pa.Array, *, nullable: bool = True, first: str = "x") -> Path:
    """A file of two columns."""
    path = directory / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"x": x, "name": pa.array([name] * len(x))}).select([first, *({"x", "name"} - {first})])
    fields = [field.with_nullable(nullable) if field.name == "x" else field for field in table.schema]
    pq.write_table(table.cast(pa.schema(fields)), path)
    return path


USUAL = pa.array([1, 2], pa.int64())
HARMLESS = {
    "all null": pa.nulls(2),
    "all null as pandas has it": pa.array([None, None], pa.float64()),
    "double because of nulls": pa.array([3.0, None]),
    "narrower": pa.array([3, None], pa.int16()),
    "unsigned": pa.array([3, None], pa.uint64()),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_files_are_taken_in(tmp_path, name):
    """They are taken in with the usual files and after them. The type is that of the usual files, in any window."""
    put(tmp_path / "both", "a", USUAL)
    put(tmp_path / "both", "b", HARMLESS[name])
    both = look(tmp_path / "both")
    assert (both.new, both.quarantined) == (2, ())
    put(tmp_path / "later", "a", USUAL)
    ledger = look(tmp_path / "later").ledger
    put(tmp_path / "later", "b", HARMLESS[name], first="name")
    later = look(tmp_path / "later", ledger)
    assert (later.new, later.quarantined) == (1, ())
    last = read(later, last_files=1).rows
    assert last.schema.field("x").type == pa.int64()
    assert last["x"].to_pylist() == [None if v is None else int(v) for v in HARMLESS[name].to_pylist()]
    assert last.column_names == ["x", "name"]
    assert read(later).rows.schema == read(both).rows.schema


def test_a_column_that_was_null_at_first_has_the_type_of_its_first_values(tmp_path):
    """From then on its type is known, and another type is unusual."""
    put(tmp_path, "a", pa.nulls(2))
    first = look(tmp_path)
    put(tmp_path, "b", pa.array(["u", "v"]))
    second = look(tmp_path, first.ledger)
    assert (second.new, second.quarantined) == (1, ())
    put(tmp_path, "c", pa.array([1, 2]))
    third = look(tmp_path, second.ledger)
    assert [file.reason for file in third.quarantined] == ["column 'x' has type int64, expected string"]
    assert read(third).rows["x"].to_pylist() == [None, None, "u", "v"]


def test_a_flag_of_nulls_and_the_order_of_columns_are_harmless(tmp_path):
    """A column may hold nulls where it may in any file."""
    put(tmp_path, "a", USUAL, nullable=False)
    first = look(tmp_path)
    put(tmp_path, "b", USUAL, first="name")
    second = look(tmp_path, first.ledger)
    assert (second.new, second.quarantined) == (1, ())
    assert read(second).rows.schema.field("x").nullable


@pytest.mark.parametrize(
    "odd", [pa.array([1.5, None]), pa.array(["a", "b"]), pa.array([START] * 2), pa.array([2**63, 1], pa.uint64())]
)
def test_other_files_are_quarantined_with_both_types(tmp_path, odd):
    """Fractions among integers are another column, and so are integers that do not fit."""
    put(tmp_path, "a", USUAL)
    put(tmp_path, "b", USUAL)
    put(tmp_path, "c", odd)
    found = look(tmp_path)
    assert [(f.name, f.reason) for f in found.quarantined] == [
        ("c.parquet", f"column 'x' has type {odd.type}, expected int64")
    ]
    assert read(found).rows.num_rows == 4


def test_a_wider_file_widens_the_table(tmp_path):
    """The table widens if the new type holds all earlier values for certain. Later files are compared with it."""
    put(tmp_path, "a", pa.array([1, 2], pa.int16()))
    first = look(tmp_path)
    put(tmp_path, "b", pa.array([2**40, 2]))
    second = look(tmp_path, first.ledger)
    put(tmp_path, "c", pa.array([2**41, 2]))
    third = look(tmp_path, second.ledger)
    assert (second.new, third.new, second.quarantined, third.quarantined) == (1, 1, (), ())
    assert read(third).rows["x"].type == pa.int64()
    assert read(third).notes == ("column 'x' comes as int16 and int64: read as int64",)


def test_a_file_that_is_not_utf8_is_quarantined_and_the_rest_goes_on(tmp_path):
    """The reason quotes nothing of its content."""
    put(tmp_path, "a", pa.array(["good", "text"]))
    put(tmp_path, "b", pa.array([b"secr\xe4t", b"fine"]).view(pa.string()))
    found = look(tmp_path)
    assert [file.name for file in found.quarantined] == ["b.parquet"]
    assert "column 'x' in " in found.quarantined[0].reason
    assert "holds 1 texts that are not UTF-8" in found.quarantined[0].reason
    assert "secr" not in found.quarantined[0].reason
    assert read(found).rows["x"].to_pylist() == ["good", "text"]


def test_the_same_bytes_in_another_folder_are_other_rows(tmp_path):
    """A column that comes from the path belongs to the content."""
    for country in ("DE", "FR"):
        put(tmp_path / f"country={country}", "a", USUAL)
    first = look(tmp_path)
    assert first.new == 2
    assert read(first).rows["country"].to_pylist() == ["DE", "DE", "FR", "FR"]
    assert read(first).notes == ("columns from the paths of the files: 'country' (string)",)
    assert look(tmp_path, first.ledger).new == 0


def test_a_stray_folder_does_not_change_the_type_of_all(tmp_path):
    """A text among the numbers of a column from paths is quarantined, and the numbers stay numbers."""
    for year in ("2024", "2025"):
        put(tmp_path / f"year={year}", "a", USUAL)
    first = look(tmp_path)
    for year in ("2026", "copy"):
        put(tmp_path / f"year={year}", "a", USUAL)
    second = look(tmp_path, first.ledger)
    assert [file.reason for file in second.quarantined] == ["column 'year' has type string, expected int32"]
    assert (second.new, read(second).new["year"].to_pylist()) == (1, [2026, 2026])


def test_a_type_that_is_set_later_brings_files_back(tmp_path):
    """An unusual file is tried again, and no longer reported."""
    put(tmp_path, "a", USUAL)
    ledger = look(tmp_path).ledger
    put(tmp_path, "b", pa.array(["3", "4"]))
    odd = look(tmp_path, ledger)
    assert len(odd.quarantined) == 1
    found = look(tmp_path, odd.ledger, x=ColumnSettings(type="int64"))
    assert (found.new, found.quarantined, found.ledger.quarantined) == (1, (), ())


def test_a_ledger_without_shapes_is_understood(tmp_path):
    """Earlier versions kept only marks, so the columns of known files are read again."""
    put(tmp_path, "a", USUAL)
    old = look(tmp_path).ledger.model_dump(exclude={"shapes", "rules"})
    put(tmp_path, "b", HARMLESS["double because of nulls"])
    found = look(tmp_path, Ledger.model_validate(old))
    assert (found.new, found.quarantined) == (1, ())
