"""Files of one table that differ harmlessly are one table; others are refused with file, column and both types."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import tables
from pipeline.data.tables import Named, unify
from pipeline.errors import SchemaError
from pipeline.schema import ColumnSettings

OPEN = datetime(9999, 12, 31)  # noqa: DTZ001
START = datetime(2024, 5, 17)  # noqa: DTZ001
CODES = pa.dictionary(pa.int8(), pa.string())

HARMLESS = {
    "all null": (pa.nulls(2), pa.array(["a", "b"]), pa.string()),
    "all null as pandas has it": (pa.array([None, None], pa.float64()), pa.array(["a", "b"]), pa.string()),
    "double because of nulls": (pa.array([1.0, None]), pa.array([2, 3], pa.int32()), pa.int32()),
    "double because of NaN": (pa.array([1.0, float("nan")]), pa.array([2, 3]), pa.int64()),
    "double because of fractions": (pa.array([1.5, None]), pa.array([2, 3]), pa.float64()),
    "wider integers": (pa.array([1, 2], pa.int8()), pa.array([2**40, 3]), pa.int64()),
    "unsigned": (pa.array([1, 2], pa.uint64()), pa.array([-2, 3]), pa.int64()),
    "texts": (pa.array(["a", None]), pa.array(["b", "c"], pa.large_string()), pa.large_string()),
    "views": (pa.array(["a", None]), pa.array(["b", "c"], pa.string_view()), pa.string()),
    "dictionary": (pa.array(["a", None]).dictionary_encode(), pa.array(["b", "c"]), pa.string()),
    "dictionary or null": (
        pa.array(["a", None]).dictionary_encode(),
        pa.nulls(2),
        pa.dictionary(pa.int32(), pa.string()),
    ),
    "units": (
        pa.array([START, None], pa.timestamp("ns")),
        pa.array([START] * 2, pa.timestamp("us")),
        pa.timestamp("ns"),
    ),
    "far times": (
        pa.array([START, None], pa.timestamp("ns")),
        pa.array([OPEN] * 2, pa.timestamp("s")),
        pa.timestamp("us"),
    ),
    "UTC": (
        pa.array([START, None], pa.timestamp("us", "UTC")),
        pa.array([START] * 2, pa.timestamp("us", "+00:00")),
        pa.timestamp("us", "UTC"),
    ),
    "decimals": (
        pa.array([Decimal("1.25"), None], pa.decimal128(5, 2)),
        pa.array([Decimal("12345.5")] * 2, pa.decimal128(9, 1)),
        pa.decimal128(10, 2),
    ),
    "lists": (pa.array([[1], None], pa.list_(pa.int8())), pa.array([[2**40], []]), pa.list_(pa.int64())),
    "nullable": (pa.array([1, 2]), pa.array([3, None]), pa.int64()),
}


def plain(values):
    """Values to compare: NaN is null, and zones are one."""
    return [None if v != v else v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for v in values]  # noqa: PLR0124


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_differences_are_unified_whatever_the_order_of_the_files(tmp_path, name):
    """No value changes, the type is the stated one, and different types are reported."""
    one, other, kind = HARMLESS[name]
    for i, (a, b) in enumerate(permutations([one, other])):
        folder = tmp_path / str(i)
        folder.mkdir()
        pq.write_table(pa.table({"x": a, "y": [1, 2]}), folder / "a.parquet")
        pq.write_table(pa.table({"y": [3, 4], "x": b}), folder / "b.parquet")
        table, notes = tables.load(folder)
        assert table.schema.field("x").type == kind
        assert table.schema.field("x").nullable
        assert plain(table["x"].to_pylist()) == plain(a.to_pylist() + b.to_pylist())
        assert table["y"].to_pylist() == [1, 2, 3, 4]
        assert any(note.startswith("column 'x' comes as ") for note in notes) == (one.type != other.type)


DIFFERENT = {
    "number and text": (pa.array([1, 2]), pa.array(["a", "b"]), "string", "int64"),
    "integers beyond double": (pa.array([2**53 + 1, 1]), pa.array([0.5, 1.0]), "double", "int64"),
    "doubles that lost digits": (pa.array([2.0**60, None]), pa.array([2**60 + 1, 2]), "int64", "double"),
    "date and timestamp": (
        pa.array([date(2024, 1, 1)] * 2),
        pa.array([START] * 2),
        r"timestamp\[us\]",
        r"date32\[day\]",
    ),
    "zone and none": (
        pa.array([START] * 2, pa.timestamp("us")),
        pa.array([START] * 2, pa.timestamp("us", "UTC")),
        r"timestamp\[us, tz=UTC\]",
        r"timestamp\[us\]",
    ),
    "far and fine times": (
        pa.array([1, 2], pa.timestamp("ns")),
        pa.array([OPEN] * 2, pa.timestamp("us")),
        r"timestamp\[us\]",
        r"timestamp\[ns\]",
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_no_type_holds_is_refused(tmp_path, name):
    """One line names the file, the column and both types."""
    a, b, came, expected = DIFFERENT[name]
    pq.write_table(pa.table({"x": a}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": b}), tmp_path / "b.parquet")
    line = rf"column 'x' of .*b\.parquet has type {came}, expected {expected} as in .*a\.parquet, or types"
    with pytest.raises(SchemaError, match=line) as caught:
        tables.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_columns_are_refused_with_their_file(tmp_path):
    """The line names whichever file has fewer columns."""
    pq.write_table(pa.table({"x": [1], "y": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "b.parquet")
    with pytest.raises(SchemaError, match=r"column 'y' is missing in .*b\.parquet, expected it as in .*a\.parquet"):
        tables.read(tmp_path)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "0.parquet")
    with pytest.raises(SchemaError, match=r"column 'y' of .*a\.parquet is missing in .*0\.parquet"):
        tables.read(tmp_path)


def test_a_type_that_is_set_unifies_files(tmp_path):
    """Every file is cast on its own."""
    pq.write_table(pa.table({"x": ["1"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [2]}), tmp_path / "b.parquet")
    table = tables.read(tmp_path, overrides={"x": ColumnSettings(type="int16")})
    assert (table["x"].type, table["x"].to_pylist()) == (pa.int16(), [1, 2])


def test_dictionaries_with_many_labels_get_wide_enough_indices(tmp_path):
    """A hundred labels in each file fit eight bits, those of both do not."""
    for name in "ab":
        labels = pa.array([f"{name}{i}" for i in range(100)]).cast(CODES)
        pq.write_table(pa.table({"x": labels}), tmp_path / f"{name}.parquet")
    table = tables.read(tmp_path)
    assert table["x"].type == pa.dictionary(pa.int32(), pa.string())
    assert len(table["x"].combine_chunks().dictionary) == 200


def test_days_of_pandas_are_one_table(tmp_path):
    """Integers are integers again, and what was null stays null."""
    days = [
        pd.DataFrame({"units": [1, 2], "coupon": ["a", None]}),
        pd.DataFrame({"units": [3, None], "coupon": [None, None]}),
        pd.DataFrame({"coupon": [np.nan, np.nan], "units": [4, 5]}),
    ]
    for i, day in enumerate(days):
        day.to_parquet(tmp_path / f"{i}.parquet", index=False)
    table = tables.read(tmp_path)
    assert table["units"].type == pa.int64()
    assert table["units"].to_pylist() == [1, 2, 3, None, 4, 5]
    assert table["coupon"].to_pylist() == ["a", None, None, None, None, None]


def test_a_table_is_read_as_it_was_before_where_that_holds_its_values(tmp_path):
    """The columns take the types and the order of `like`. A column that does not fit, or differs in encoding, stays."""
    before = pa.schema(
        [
            ("n", pa.int32()),
            ("t", pa.string()),
            ("u", pa.int64()),
            ("c", pa.string()),
            ("w", pa.string()),
            ("o", pa.null()),
        ]
    )
    day = pa.table(
        {
            "o": ["a", "b"],
            "t": pa.nulls(2),
            "n": pa.array([1.0, None]),
            "u": [0.5, 1.0],
            "c": pa.array(["a", "b"]).dictionary_encode(),
            "w": [1, 2],
        }
    )
    pq.write_table(day, tmp_path / "a.parquet")
    table, notes = tables.load(tmp_path, like=before)
    kinds = [pa.int32(), pa.string(), pa.float64(), pa.dictionary(pa.int32(), pa.string()), pa.int64(), pa.string()]
    assert table.column_names == before.names
    assert table.schema.types == kinds
    assert notes == ("column 'n' comes as double: read as int32", "column 't' comes as null: read as string")


def test_a_column_from_paths_is_read_as_it_was_before(tmp_path):
    """Texts that all look like integers on one day stay texts, and a stray text among integers stays a text."""
    for value in ("1", "x"):
        (tmp_path / f"k={value}").mkdir()
        pq.write_table(pa.table({"a": [1]}), tmp_path / f"k={value}" / "a.parquet")
    text, number = (pa.schema([("a", pa.int64()), ("k", kind)]) for kind in (pa.string(), pa.int32()))
    found = tables.files(tmp_path)
    assert tables.load(found[:1], like=text).table["k"].to_pylist() == ["1"]
    assert tables.load(found[:1], like=number).table["k"].to_pylist() == [1]
    assert tables.load(found[1:], like=number).table["k"].to_pylist() == ["x"]


def test_tables_of_any_origin_are_unified():
    """A synthetic table and a real one are unified as files are."""
    day = pa.array([20_000], pa.int32()).cast(pa.date32())
    real = pa.table({"n": pa.array([1], pa.int32()), "s": ["a"], "d": day})
    rows = pa.table({"s": pa.array(["a"], pa.large_string()), "n": [3.0], "d": day.cast(pa.date64())})
    found = unify([Named("real", real), Named("rows", rows)], like=real.schema)
    assert found.tables[0].schema == found.tables[1].schema == real.schema
    assert found.tables[1].to_pylist() == [{"n": 3, "s": "a", "d": day[0].as_py()}]
