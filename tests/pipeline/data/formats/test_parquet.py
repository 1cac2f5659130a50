"""INT96 timestamps are read without a change, or not at all."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import tables
from pipeline.data.tables import files, footer
from pipeline.errors import TableError

OPEN, START = datetime(9999, 12, 31), datetime(2024, 5, 17, 8, 30)  # noqa: DTZ001
JULIAN_1970 = 2_440_588


def int96(path: Path, times: pa.Array, *, store_schema: bool = False) -> Path:
    """A file as Spark writes it."""
    table = pa.table({"x": range(len(times)), "valid to": times})
    options = {"use_dictionary": False, "compression": "none", "write_statistics": False}
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=store_schema, **options)
    return path


def patched(path: Path, nanoseconds: int, days: int, become: tuple[int, int]) -> None:
    """Replace one INT96 value (nanoseconds of the day, days since 1970) by another, which Arrow would not write."""
    old, new = (np.uint64(n).tobytes() + np.uint32(d + JULIAN_1970).tobytes() for n, d in ((nanoseconds, days), become))
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


WRAPS = {
    "plain": (pa.timestamp("us"), lambda time: time),
    "list": (pa.list_(pa.timestamp("us")), lambda time: [time]),
    "struct": (pa.struct([("t.u", pa.timestamp("us"))]), lambda time: {"t.u": time}),
}


@pytest.mark.parametrize("store_schema", [False, True])
@pytest.mark.parametrize("name", WRAPS)
def test_times_beyond_nanoseconds_keep_their_year(tmp_path, store_schema, name):
    """9999-12-31 and the first year stay what they are, nested ones too; the footer tells the same type."""
    kind, wrap = WRAPS[name]
    values = pa.array([wrap(time) for time in (OPEN, None, START, datetime(1, 1, 1))], kind)  # noqa: DTZ001
    path = int96(tmp_path / "a.parquet", values, store_schema=store_schema)
    table = tables.read(path)
    assert table["valid to"].to_pylist() == values.to_pylist()
    assert table.schema.field("valid to").type == footer(files(path)[0]).schema.field("valid to").type


def test_times_finer_than_a_microsecond_keep_their_digits(tmp_path):
    """They come as nanoseconds, as Impala and pandas wrote them."""
    times = pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns"))
    table = tables.read(int96(tmp_path / "a.parquet", times))
    assert table["valid to"].type == pa.timestamp("ns")
    assert table["valid to"].cast(pa.int64()).to_pylist() == [1_700_000_000_123_456_789, None]


def test_times_that_no_unit_holds_are_refused(tmp_path):
    """A time is refused if it is both far away and finer than a microsecond, or beyond the years of microseconds."""
    path = int96(tmp_path / "a.parquet", pa.array([OPEN, START], pa.timestamp("us")))
    days = (OPEN - datetime(1970, 1, 1)).days  # noqa: DTZ001
    patched(path, 0, days, (1, days))
    with pytest.raises(TableError, match=r"'valid to' of .*a.parquet holds INT96 times finer than a microsecond"):
        tables.read(path)
    path = int96(tmp_path / "b.parquet", pa.array([OPEN, START], pa.timestamp("us")))
    patched(path, 0, days, (0, 2_000_000_000))
    with pytest.raises(TableError, match=r"'valid to' of .*b.parquet holds INT96 times"):
        tables.read(path)
