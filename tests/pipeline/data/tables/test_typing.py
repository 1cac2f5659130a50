"""Types that files do not tell follow from the settings, an earlier schema, or the rows of all files together."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import tables
from pipeline.errors import SchemaError
from pipeline.schema import ColumnSettings


def put(directory: Path, **files: str) -> Path:
    """Files of one column."""
    for name, texts in files.items():
        (directory / f"{name}.csv").write_text(
            "".join(f"{line}\n" for line in ["x,n", *(f"{t},1" for t in texts.split())])
        )
    return directory


@pytest.mark.parametrize(
    ("first", "second", "kind", "values"),
    [
        ("1 2", "3.5", pa.float64(), [1.0, 2.0, 3.5]),
        ("1 2", "NA", pa.int64(), [1, 2, None]),
        ("123 456", "007", pa.string(), ["123", "456", "007"]),
        ("NA", "DE", pa.string(), ["NA", "DE"]),
        ("2024-01-01", "soon", pa.string(), ["2024-01-01", "soon"]),
        ("1.1", "1.10", pa.string(), ["1.1", "1.10"]),
    ],
)
def test_all_files_count(tmp_path, first, second, kind, values):
    """In either order, and each column by itself."""
    for names, told in (("ab", values), ("ba", [*values[len(first.split()) :], *values[: len(first.split())]])):
        directory = tmp_path / names
        directory.mkdir()
        table = tables.read(put(directory, **{names[0]: first, names[1]: second}))
        assert table.schema.types == [kind, pa.int64()]
        assert table["x"].to_pylist() == told


@pytest.mark.parametrize(
    ("texts", "earlier", "kind"),
    [
        ("1 2", pa.string(), pa.string()),
        ("1 2", pa.float64(), pa.float64()),
        ("1 2", pa.int16(), pa.int16()),
        ("007 8", pa.int64(), pa.string()),
        ("1.5 2", pa.int64(), pa.float64()),
        ("1.5 2", pa.decimal128(12, 3), pa.decimal128(12, 3)),
        ("a b", pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int8(), pa.string())),
        ("18446744073709551615", pa.uint64(), pa.uint64()),
        ("2024-01-01", pa.timestamp("us"), pa.timestamp("us")),
        ("2024-01-01", pa.null(), pa.date32()),
        ("abc", pa.int64(), pa.string()),
    ],
)
def test_an_earlier_type_wins_where_it_loses_nothing(tmp_path, texts, earlier, kind):
    """Else the type is guessed, so that the difference is seen."""
    like = pa.schema([("x", earlier), ("n", pa.int32())])
    found = tables.gather(put(tmp_path, a=texts), like=like)
    assert found.loaded.table.schema.types == [kind, pa.int32()]
    assert ("x" in found.guessed) == (kind != earlier)


def test_the_settings_win(tmp_path):
    """Over an earlier type and over what would be guessed. A text that is no such value is told, without quoting it."""
    like = pa.schema([("x", pa.float64()), ("n", pa.int64())])
    directory = put(tmp_path, a="007 8", b="12")
    found = tables.gather(directory, overrides={"x": ColumnSettings(type="int32")}, like=like)
    assert found.loaded.table["x"].to_pylist() == [7, 8, 12]
    assert found.loaded.table["x"].type == pa.int32()
    with pytest.raises(SchemaError, match="column 'x': expected texts that are values of type int8, got others"):
        tables.read(put(tmp_path, a="secret"), overrides={"x": ColumnSettings(type="int8")})
    with pytest.raises(SchemaError, match="expected an Arrow type name, got 'number'"):
        tables.read(directory, overrides={"x": ColumnSettings(type="number")})


def test_types_with_arguments_can_be_set(tmp_path):
    """Decimals and zones, as they are shown."""
    for kind in ("decimal128(10, 2)", "decimal(10, 2)"):
        assert tables.read(put(tmp_path, a="1.5 2"), overrides={"x": ColumnSettings(type=kind)})[
            "x"
        ].type == pa.decimal128(10, 2)
    (tmp_path / "a.csv").write_text("x\n2024-01-01 10:00:00Z\n")
    zoned = tables.read(tmp_path, overrides={"x": ColumnSettings(type="timestamp[ms, tz=Europe/Berlin]")})
    assert str(zoned["x"][0]) == "2024-01-01 11:00:00+01:00"


def test_formats_may_meet_in_a_pattern(tmp_path):
    """What Parquet tells and what CSV is guessed to be are unified."""
    put(tmp_path, a="1 2")
    pq.write_table(pa.table({"x": [2.5], "n": [1]}), tmp_path / "b.parquet")
    assert tables.read(tmp_path / "*")["x"].to_pylist() == [1.0, 2.0, 2.5]


def test_a_long_note_is_cut(tmp_path):
    """Many columns are not all told."""
    names = [f"c{i}" for i in range(40)]
    (tmp_path / "a.csv").write_text(f"{','.join(names)}\n{','.join('1' * 40)}\n")
    (note,) = tables.load(tmp_path).notes
    assert "'c7' (int64) and 32 more" in note
    assert len(note) < 300
