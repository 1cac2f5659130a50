"""Arrow files of every form give the table that Parquet gives."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from pyarrow import feather
from samples import mixed
from strategies import arrays

from pipeline.data import tables
from pipeline.data.tables import files, footer, names
from pipeline.errors import TableError

FORMS = {
    "feather": feather.write_feather,
    "arrow": lambda table, path: feather.write_feather(table, path, compression="uncompressed", chunksize=100),
    "ipc": lambda table, path: _ipc(pa.ipc.new_file, table, path),
    "arrows": lambda table, path: _ipc(pa.ipc.new_stream, table, path),
}


def _ipc(make, table, path):
    with pa.OSFile(path, "wb") as sink, make(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_is_read_as_parquet_is(tmp_path, suffix):
    """With types, nullability, metadata, names and the number of rows."""
    pq.write_table(mixed(), tmp_path / "t.parquet")
    FORMS[suffix](mixed(), str(tmp_path / f"t.{suffix}"))
    reference, found = tables.load(tmp_path / "t.parquet"), tables.load(tmp_path / f"t.{suffix}")
    assert found.table.equals(reference.table, check_metadata=True)
    assert found.notes == reference.notes
    file = files(tmp_path / f"t.{suffix}")[0]
    assert footer(file) == footer(files(tmp_path / "t.parquet")[0])
    assert names(file) == mixed().column_names
    assert tables.digest(found.table) == tables.digest(reference.table)


def test_the_first_version_of_feather(tmp_path):
    """It is recognised and read."""
    path = tmp_path / "old.feather"
    feather.write_feather(pa.table({"x": [1, 2], "y": ["a", None]}), path, version=1)
    assert tables.read(path).to_pydict() == {"x": [1, 2], "y": ["a", None]}
    assert footer(files(path)[0]).rows == 2


@given(arrays())
def test_any_type_comes_as_from_parquet(tmp_path_factory, array):
    """What Parquet holds otherwise, such as timestamps in seconds, comes as Parquet holds it."""
    if pa.types.is_fixed_size_list(array.type) and array.null_count:
        return  # Arrow cannot read these from Parquet
    directory = tmp_path_factory.mktemp("any")
    table = pa.table({"x": array, "n": range(len(array))})
    pq.write_table(table, directory / "t.parquet")
    feather.write_feather(table, str(directory / "t.feather"))
    expected, found = (tables.read(directory / f"t.{suffix}") for suffix in ("parquet", "feather"))
    assert found.schema.equals(expected.schema)
    assert found.equals(expected)
    assert tables.digest(found) == tables.digest(expected) == tables.digest(tables.read(table))


@pytest.mark.parametrize("suffix", FORMS)
def test_a_file_that_is_cut_short_is_told(tmp_path, suffix):
    """In one line."""
    path = tmp_path / f"t.{suffix}"
    FORMS[suffix](mixed(), str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(TableError, match="expected a readable Arrow file at") as caught:
        tables.read(path)
    assert "\n" not in str(caught.value)
