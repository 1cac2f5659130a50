"""Tables in: every doubtful input is refused with one clear line; the split follows the content."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import mixed

from pipeline import tables
from pipeline.errors import SchemaError, TableError
from pipeline.schema import ColumnSettings
from pipeline.tables import ReadSettings, SplitSettings


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
    "nested": (lambda: pa.table({"tags": [[1, 2]]}), SchemaError, "'tags' .* nested type list<.*>, not supported yet"),
    "string view": (
        lambda: pa.table({"s": pa.array(["a"], pa.string_view())}),
        SchemaError,
        "'s' .* type string_view, expected string or large_string",
    ),
    "infinite": (lambda: pa.table({"x": [1.0, float("inf")]}), TableError, "'x' holds 1 infinite values"),
    "huge text": (lambda: pa.table({"s": ["x" * 10_000_000]}), TableError, "'s' holds a text of 10000000 bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused(tmp_path, case):
    """Each kind of bad table is refused with its column and what was expected."""
    make, error, message = BAD[case]
    with pytest.raises(error, match=message):
        tables.read(saved(tmp_path, make()))


def test_missing_and_damaged_files_are_refused(tmp_path):
    """Nothing there, no Parquet in a directory, not Parquet, and cut short are each told."""
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


def test_files_that_disagree_are_refused(tmp_path):
    """A directory whose files have different columns names the file that differs."""
    saved(tmp_path, mixed(), "a.parquet")
    saved(tmp_path, mixed().drop_columns(["size"]), "b.parquet")
    with pytest.raises(SchemaError, match=r"b\.parquet"):
        tables.read(tmp_path)


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


def test_the_split_partitions_and_meets_its_shares():
    """Every row lands in exactly one part; shares are as asked within four standard deviations."""
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
    """A table with two distinct rows still gives every part some of both, for copies are told apart by rank."""
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


@pytest.mark.parametrize("narrow", [pa.decimal32(9, 2), pa.decimal64(18, 2)])
def test_narrow_decimals_are_split_as_wide_ones(narrow):
    """The place of a row is that of its values, whatever the width of their type."""
    wide = pa.table({"price": pa.array([Decimal(i) / 100 for i in range(400)], pa.decimal128(18, 2))})
    parts = [tables.split(table) for table in (wide, wide.cast(pa.schema([("price", narrow)])))]
    assert parts[0].holdout["price"].to_pylist() == parts[1].holdout["price"].to_pylist()
