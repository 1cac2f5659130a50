"""Files and the columns in their paths."""

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from store import Store

from pipeline.data import tables
from pipeline.data.tables import files, footer
from pipeline.errors import SchemaError, TableError
from pipeline.schema import ColumnSettings


def put(directory: Path, *below: str, first: int = 0, **more: pa.Array) -> Path:
    """A file of two rows in a folder."""
    path = directory.joinpath(*below)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"x": [first, first + 1], **more}), path)
    return path


def test_columns_in_paths_are_columns(tmp_path):
    """What Arrow writes with partitions comes back with its types, and the types are reported."""
    table = pa.table(
        {
            "x": list(range(6)),
            "country": ["DE", "FR", None, "DE", "FR", "a/b ü%"],
            "year": pa.array([2024, 2024, 2025, 2025, None, 2025], pa.int32()),
            "id": [2**40, 1, 2, 3, 4, -5],
        }
    )
    keys = ["country", "year", "id"]
    ds.write_dataset(table, tmp_path, format="parquet", partitioning=keys, partitioning_flavor="hive")
    (tmp_path / "_SUCCESS").touch()
    loaded = tables.load(tmp_path)
    assert loaded.table.schema.types == [pa.int64(), pa.string(), pa.int32(), pa.int64()]
    assert loaded.table.sort_by("x").to_pylist() == table.to_pylist()
    assert loaded.notes == ("columns from the paths of the files: 'country' (string), 'year' (int32), 'id' (int64)",)
    assert footer(files(tmp_path)[0]).schema.names == ["x", "country", "year", "id"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], pa.int32()),
        (["1", "-3000000000"], pa.int64()),
        (["1", "99999999999999999999"], pa.string()),
        (["01", "12"], pa.string()),
        (["1", "a"], pa.string()),
        (["1", "__HIVE_DEFAULT_PARTITION__"], pa.int32()),
        (["__HIVE_DEFAULT_PARTITION__"], pa.null()),
        (["2024-01-01", "2024-02-29"], pa.date32()),
        (["2024-01-01", "__HIVE_DEFAULT_PARTITION__"], pa.date32()),
        (["2024-01-01", "2023-02-29"], pa.string()),
    ],
)
def test_types_of_columns_in_paths_lose_nothing(tmp_path, values, kind):
    """Texts become integers or days only if every text is the usual form of one. Leading zeros are kept."""
    for value in values:
        put(tmp_path, f"k={value}", "a.parquet")
    table = tables.read(tmp_path)
    assert table.schema.field("k").type == kind
    found = {str(value) for value in table["k"].to_pylist()}
    assert found == {"None" if value.startswith("__") else value for value in values}


def test_a_type_of_a_column_in_paths_can_be_set(tmp_path):
    """The type can be set as for any other column."""
    put(tmp_path, "day=2024-01-31", "a.parquet")
    table = tables.read(tmp_path, overrides={"day": ColumnSettings(type="timestamp[s]")})
    assert table.schema.field("day").type == pa.timestamp("s")
    assert str(table["day"][0]) == "2024-01-31 00:00:00"


def test_folders_count_from_where_the_user_pointed(tmp_path):
    """Columns come from folders below a directory, or from a pattern's first folder with a wildcard on."""
    path = put(tmp_path, "env=prod", "country=DE", "year=2024", "a.parquet")
    root = tmp_path / "env=prod"
    assert tables.read(root).column_names == ["x", "country", "year"]
    assert tables.read(root / "country=DE").column_names == ["x", "year"]
    assert tables.read(root / "country=*" / "*" / "*.parquet").column_names == ["x", "country", "year"]
    assert tables.read(root / "country=DE" / "year=*" / "*.parquet").column_names == ["x", "year"]
    assert tables.read(path).column_names == ["x"]


def test_a_pattern_may_match_folders(tmp_path):
    """Matching folders stand for the files below them, each once."""
    for year in (2023, 2024, 2025):
        put(tmp_path, f"year={year}", "a.parquet")
    assert tables.read(tmp_path / "year=202[45]")["year"].to_pylist() == [2024, 2024, 2025, 2025]
    assert len(files(tmp_path / "**")) == 3


def test_a_column_of_the_file_wins_over_its_path(tmp_path):
    """The file's own values are kept, and the warning does not name the path as their source."""
    put(tmp_path, "year=2024", "a.parquet", year=pa.array([1, 2]))
    loaded = tables.load(tmp_path)
    assert loaded.table["year"].to_pylist() == [1, 2]
    assert loaded.notes == ()


def test_a_folder_with_an_underscore_and_an_equals_sign_is_no_hidden_one(tmp_path):
    """Spark hides `_temporary`, but not `_year=2024`."""
    put(tmp_path, "_year=2024", "a.parquet")
    put(tmp_path, "_temporary", "b.parquet")
    assert tables.read(tmp_path)["_year"].to_pylist() == [2024, 2024]


def test_paths_that_say_too_much_or_too_little_are_refused(tmp_path):
    """A column twice, bytes that are not UTF-8, and a column that only some paths have."""
    put(tmp_path / "twice", "a=1", "a=2", "x.parquet")
    put(tmp_path / "bytes", "a=%FF", "x.parquet")
    put(tmp_path / "some", "a=1", "x.parquet")
    put(tmp_path / "some", "y.parquet")
    with pytest.raises(SchemaError, match=r"every column once in the path a=1/a=2/x.parquet, got 'a' more than once"):
        tables.read(tmp_path / "twice")
    with pytest.raises(SchemaError, match=r"expected UTF-8 in the path of x.parquet"):
        tables.read(tmp_path / "bytes")
    with pytest.raises(SchemaError, match=r"column 'a' is missing in .*y\.parquet"):
        tables.read(tmp_path / "some")


def test_objects_have_columns_in_their_paths_too(store: Store, tmp_path: Path):
    """Objects have columns in their paths, as files do, and the footer of an object shows them."""
    path = put(tmp_path, "a.parquet")
    store.put("hive/country=DE/day=1/a.parquet", path)
    store.put("hive/country=F%20R/day=2/a.parquet", path)
    loaded = tables.load("s3://incoming/hive")
    assert loaded.table["country"].to_pylist() == ["DE", "DE", "F R", "F R"]
    assert loaded.table["day"].type == pa.int32()
    assert footer(files("s3://incoming/hive")[0]).schema.names == ["x", "country", "day"]
    assert tables.read("s3://incoming/hive/country=DE").column_names == ["x", "day"]


FORMATS = {
    "Iceberg": ("metadata/v1.metadata.json", "data/a.parquet", "an Apache Iceberg table"),
    "Hudi": (".hoodie/hoodie.properties", "a.parquet", "an Apache Hudi table"),
    "Delta": ("_delta_log/0.json", "a.parquet", "a Delta Lake table"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_a_table_format_are_never_read_as_plain_ones(tmp_path, name):
    """They are refused under any name: a directory above the table, its own, one inside, a pattern, a file."""
    mark, data, called = FORMATS[name]
    table = tmp_path / "lake" / "t"
    file = put(table, *data.split("/"))
    (table / mark).parent.mkdir()
    (table / mark).touch()
    put(tmp_path, "lake", "plain.parquet")
    places = [tmp_path / "lake", tmp_path / "lake" / "*" / "**" / "*.parquet", file.parent / "*.parquet", file]
    places += [] if name == "Delta" else [table]
    for place in places:
        with pytest.raises(TableError, match=f"found {called} at .*lake/t; it keeps deleted rows") as caught:
            files(place)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_objects_of_a_table_format_are_never_read_as_plain_ones(store: Store, tmp_path: Path, name):
    """Objects are refused as files are."""
    mark, data, called = FORMATS[name]
    path = put(tmp_path, "a.parquet")
    store.put(f"lake-{name}/t/{mark}", b"{}")
    store.put(f"lake-{name}/t/{data}", path)
    inside = f"t/{data.rpartition('/')[0]}".rstrip("/")
    places = [f"lake-{name}", f"lake-{name}/t/{data}", *([] if name == "Delta" else [f"lake-{name}/{inside}"])]
    for place in places:
        with pytest.raises(TableError, match=f"found {called} at s3://incoming/lake-{name}/t; "):
            files(f"s3://incoming/{place}")


def test_a_folder_called_metadata_is_no_table_format(tmp_path):
    """A folder counts as an Iceberg table only if its files are named as Iceberg names them."""
    put(tmp_path, "a.parquet")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "notes.json").touch()
    assert tables.read(tmp_path).num_rows == 2


def test_exports_below_the_place_are_no_data(tmp_path):
    """Made-up rows are not read by accident. A path that points at them reads them."""
    real, export = tmp_path / "real.parquet", tmp_path / "exports" / "twin"
    for file in (real, export / "part-0.parquet", export / "country=DE" / "part-0.parquet"):
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": [1]}), file)
    (export / "_manifest.parquet").touch()
    assert tables.files(tmp_path) == [real]
    assert tables.files(tmp_path / "**" / "*.parquet") == [real]
    assert len(tables.files(export)) == len(tables.files(export / "[pc]*")) == 2
    real.unlink()
    with pytest.raises(TableError, match="found exports of resynth only"):
        tables.files(tmp_path)
