"""Tables in: every doubtful input is refused with one clear line; the split follows the content."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import mixed

from pipeline.data import tables
from pipeline.data.tables import ReadSettings, SplitSettings
from pipeline.errors import SchemaError, TableError
from pipeline.schema import ColumnSettings


def saved(tmp_path, table: pa.Table, name: str = "t.parquet"):
    """The path of a table written to a file."""
    pq.write_table(table, tmp_path / name)
    return tmp_path / name


def test_a_table_is_read_as_it_is(tmp_path):
    """Schema and values come back, NaN as null; metadata and dictionary encoding included."""
    source = mixed()
    table = tables.read(saved(tmp_path, source))
    assert table.schema.equals(source.schema, check_metadata=True)
    assert table.to_pylist() == source.to_pylist()


def test_a_directory_is_one_table(tmp_path):
    """Files of a directory are read in name order; hidden ones are left out."""
    saved(tmp_path, mixed().slice(100), "b.parquet")
    saved(tmp_path, mixed().slice(0, 100), "a.parquet")
    (tmp_path / "_temporary").mkdir()
    saved(tmp_path, mixed(), "_temporary/c.parquet")
    assert tables.read(tmp_path).to_pylist() == mixed().to_pylist()


BAD = {
    "zero rows": (lambda: mixed().slice(0, 0), TableError, "expected rows in .*, got none"),
    "zero columns": (lambda: pa.table({}), SchemaError, "at least one column"),
    "duplicate names": (
        lambda: pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
        SchemaError,
        "distinct column names in .*, got 'a' more than once",
    ),
    "infinite": (lambda: pa.table({"x": [1.0, float("inf")]}), TableError, "'x' holds 1 values that are infinite"),
    "huge text": (lambda: pa.table({"s": ["x" * 10_000_000]}), TableError, "'s' holds a text of 10000000 bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused(tmp_path, case):
    """Each kind of bad table is refused with its column and what was expected."""
    make, error, message = BAD[case]
    with pytest.raises(error, match=message):
        tables.read(saved(tmp_path, make()))


def test_missing_and_damaged_files_are_refused(tmp_path):
    """A missing path, a directory without Parquet, a file of another format, and a cut file are each reported."""
    with pytest.raises(TableError, match="found nothing at"):
        tables.read(tmp_path / "none.parquet")
    with pytest.raises(TableError, match=r"at least one \*\.parquet"):
        tables.read(tmp_path)
    path = saved(tmp_path, mixed())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TableError, match="expected a readable Parquet file"):
        tables.read(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match="expected a readable Parquet file"):
        tables.read(path)


def test_infinities_are_clipped_on_request(tmp_path):
    """`infinite = "clip"` takes them to the ends of the finite values."""
    path = saved(tmp_path, pa.table({"x": [1.0, float("inf"), -float("inf"), 3.0, None, float("nan")]}))
    table = tables.read(path, ReadSettings(infinite="clip"))
    assert table["x"].to_pylist() == [1.0, 3.0, 1.0, 3.0, None, None]


def test_columns_are_cast_on_request(tmp_path):
    """A type override casts; one that cannot is refused by name."""
    path = saved(tmp_path, pa.table({"x": ["1", "2"], "y": ["a", "b"]}))
    assert tables.read(path, overrides={"x": ColumnSettings(type="int32")})["x"].type == pa.int32()
    with pytest.raises(SchemaError, match="'y' of type string cannot be cast to int32"):
        tables.read(path, overrides={"y": ColumnSettings(type="int32")})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([0.1]), "float32"),
        (pa.array([2]), "bool"),
        (pa.array([datetime(2024, 1, 1, 8)]), "date32"),  # noqa: DTZ001
        (pa.array([datetime(9999, 12, 31)], pa.timestamp("us")), "timestamp[ns]"),  # noqa: DTZ001
        (pa.array([1.5]), "int64"),
    ],
)
def test_a_cast_on_request_changes_no_value(tmp_path, values, kind):
    """Digits, times of day and ranges are not lost, though Arrow would lose some of them."""
    path = saved(tmp_path, pa.table({"x": values}))
    with pytest.raises(SchemaError, match=r"'x' of type .* cannot be cast to .* without changing its values"):
        tables.read(path, overrides={"x": ColumnSettings(type=kind)})


def test_one_row_is_a_table(tmp_path):
    """It is read and digested, and only too small to be split."""
    table = tables.read(saved(tmp_path, mixed(1)))
    assert table.num_rows == 1
    assert len(tables.digest(table)) == 64
    with pytest.raises(TableError, match="at least 20 rows to split, got 1"):
        tables.split(table)


ANY = {
    "list": pa.array([[1, 2], None], pa.list_(pa.int64())),
    "struct": pa.array([{"a": 1, "b": "x"}, None]),
    "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"\xff", None]),
    "binary view": pa.array([b"\xff", None], pa.binary_view()),
    "duration": pa.array([5, None], pa.duration("us")),
    "extension": pa.array([b"a" * 16, None], pa.uuid()),
    "list of texts": pa.array([["ü"], None]),
}


@pytest.mark.parametrize("name", ANY)
def test_columns_of_any_type_come_in(tmp_path, name):
    """Whether they can be modelled is decided later; the values are those of the file."""
    table = tables.read(saved(tmp_path, pa.table({"x": ANY[name], "y": [1, 2]})))
    assert table["x"].to_pylist() == ANY[name].to_pylist()


def test_views_of_texts_become_texts_and_it_is_told(tmp_path):
    """Most of Arrow's functions do not take views."""
    views = pa.table(
        {"s": pa.array(["a", None], pa.string_view()), "l": pa.array([["a"], None], pa.list_(pa.string_view()))}
    )
    loaded = tables.load(saved(tmp_path, views))
    assert (loaded.table["s"].type, loaded.table["s"].to_pylist()) == (pa.string(), ["a", None])
    assert loaded.table["l"].to_pylist() == [["a"], None]
    assert loaded.notes[0] == "column 's' comes as string_view: read as string"
    assert loaded.notes[1].endswith("read as list<element: string>")


def not_utf8(*texts: bytes) -> pa.Array:
    """Texts whatever their bytes."""
    return pa.array(texts, pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (not_utf8(b"good", b"secr\xe4t", b"\xed\xa0\x80"), "2 texts"),
        (pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), not_utf8(b"good", b"secr\xe4t")), "labels"),
        (pa.ListArray.from_arrays([0, 1, 1, 2], not_utf8(b"good", b"secr\xe4t")), "1 texts"),
    ],
)
def test_texts_that_are_not_utf8_are_refused(tmp_path, column, found):
    """One line names the column and the number of texts, at any depth, without a value."""
    path = saved(tmp_path, pa.table({"name": column, "x": [1, 2, 3]}))
    with pytest.raises(TableError, match=f"'name' in .*t.parquet holds {found} that are not UTF-8") as caught:
        tables.read(path)
    assert "secr" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_name_that_is_not_utf8_is_refused(tmp_path):
    """It is refused in one line, like everything in a file that cannot be read."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"abcdefgh": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abcd\xff\xfegh"))
    with pytest.raises(TableError, match=r"expected column names in UTF-8 in .*t.parquet, got other bytes"):
        tables.read(path)


def test_the_split_partitions_and_meets_its_shares():
    """Every row is in exactly one part, and the shares are as requested within four standard deviations."""
    table = mixed(5_000).drop_columns(["key"])
    parts = tables.split(table, SplitSettings(validation=0.1, holdout=0.2))
    assert sorted(map(str, pa.concat_tables(parts).to_pylist())) == sorted(map(str, table.to_pylist()))
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert abs(part.num_rows - share * 5_000) < 4 * np.sqrt(5_000 * share * (1 - share))


def test_a_held_out_row_stays_held_out():
    """Shuffling and growing a table, or encoding it otherwise, moves no row from one part to another."""
    table = mixed(2_000)
    order = np.random.default_rng(0).permutation(2_000)
    grown = pa.concat_tables([table.take(order), mixed(500, seed=9)], promote_options="default")
    grown = grown.set_column(1, "group", grown["group"].cast(pa.string()))
    held = {str(row) for row in tables.split(table).holdout.to_pylist()}
    assert held <= {str(row) for row in tables.split(grown).holdout.to_pylist()}


def test_equal_rows_are_spread():
    """A table with two distinct rows gives every part both of them, because copies are distinguished by rank."""
    parts = tables.split(pa.table({"x": [0, 1] * 500}))
    assert all(len(part["x"].unique()) == 2 for part in parts)


def test_small_tables_split_or_say_why_not():
    """Twenty rows give each part a handful; nineteen are refused."""
    parts = tables.split(mixed(20))
    assert min(part.num_rows for part in parts) >= 4
    with pytest.raises(TableError, match="at least 20 rows to split, got 19"):
        tables.split(mixed(19))


def test_the_digest_follows_the_values():
    """Chunks and dictionary encoding do not change the digest; one value does."""
    table = mixed()
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    assert tables.digest(chunked) == tables.digest(table)
    changed = table.set_column(2, table.schema.field(2), pa.array([99, *table["size"].to_pylist()[1:]], pa.int16()))
    assert tables.digest(changed) != tables.digest(table)
