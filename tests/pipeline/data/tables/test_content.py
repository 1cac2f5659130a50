"""Hashes of values of any type."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data import tables
from pipeline.data.tables.content import column_hashes, hashes

LABELS = pa.array(["a", None, "b"])
KINDS = {
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "half": pa.array([np.float16(1), None, np.float16(2)]),
    "decimal32": pa.array([Decimal(1), None, Decimal(2)], pa.decimal32(4, 1)),
    "decimal256": pa.array([Decimal(1), None, Decimal(2)], pa.decimal256(50, 1)),
    "time": pa.array([1, None, 2], pa.time32("s")),
    "duration": pa.array([1, None, 2], pa.duration("ns")),
    "interval": pa.array([pa.MonthDayNano([1, 2, 3]), None, pa.MonthDayNano([1, 2, 4])]),
    "binary": pa.array([b"\xff", None, b"\xfe"]),
    "fixed binary": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "string view": pa.array(["a", None, "b"], pa.string_view()),
    "list": pa.array([[1, None], None, [None, 1]]),
    "large list": pa.array([["a"], None, []], pa.large_list(pa.string())),
    "fixed list": pa.array([[1, 2], None, [2, 1]], pa.list_(pa.int8(), 2)),
    "list view": pa.array([[1], None, [1, 1]], pa.list_view(pa.int64())),
    "list of lists": pa.array([[[1], [2]], None, [[1, 2]]]),
    "struct": pa.array([{"a": 1, "b": None}, None, {"a": None, "b": 1}]),
    "map": pa.array([[("a", 1)], None, [("a", 2)]], pa.map_(pa.string(), pa.int64())),
    "uuid": pa.array([b"a" * 16, None, b"b" * 16], pa.uuid()),
    "dictionary": LABELS.dictionary_encode(),
    "null in a dictionary": pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), LABELS),
    "narrow decimals": pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1]), pa.array([Decimal(1), Decimal(2)], pa.decimal32(4, 1))
    ),
    "dictionary of lists": pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), pa.array([[1], [2]])),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3]), pa.array(["a", None, "b"])),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", None, "c"])]
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_type_has_hashes(name):
    """Different values differ, however the column is cut; a table of such a column has a digest and can be split."""
    array = KINDS[name]
    found = hashes(array)
    assert len(set(found.tolist())) == (1 if name == "null" else 3)
    assert hashes(array.slice(1)).tolist() == found[1:].tolist()
    chunks = pa.table({"x": pa.chunked_array([array.slice(0, 1), array.slice(1)])})
    assert column_hashes(chunks)[0].tolist() == found.tolist()
    assert tables.digest(chunks) == tables.digest(pa.table({"x": array}))
    many = pa.table({"x": pa.chunked_array([array] * 40)})
    assert sum(part.num_rows for part in tables.split(many)) == 120


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dictionary", "null in a dictionary"),
        ("dictionary", "string view"),
        ("dictionary", "runs"),
        ("narrow decimals", "decimal32"),
    ],
)
def test_the_encoding_of_values_does_not_matter(one, other):
    """The place of a row is that of its values, whatever their encoding."""
    assert hashes(KINDS[one]).tolist() == hashes(KINDS[other]).tolist()


def test_hashes_stay_what_they_were():
    """Rows held out of an earlier training are held out of later ones: these numbers must never change."""
    table = pa.table(
        {"i": [1], "f": [0.5], "s": ["ü"], "d": pa.array([Decimal("1.20")]), "t": pa.array([7], pa.date32())}
    )
    assert [int(column[0]) for column in column_hashes(table)] == [
        6238072747940578789,
        306524380890059637,
        6689755093696353227,
        7640912861291398047,
        1346066267577507604,
    ]


@pytest.mark.parametrize("narrow", [pa.decimal32(9, 2), pa.decimal64(18, 2)])
def test_narrow_decimals_are_split_as_wide_ones(narrow):
    """The place of a row is that of its values, whatever the width of their type."""
    wide = pa.table({"price": pa.array([Decimal(i) / 100 for i in range(400)], pa.decimal128(18, 2))})
    parts = [tables.split(table) for table in (wide, wide.cast(pa.schema([("price", narrow)])))]
    assert parts[0].holdout["price"].to_pylist() == parts[1].holdout["price"].to_pylist()


def test_the_digest_of_a_map_is_that_of_its_values():
    """Parquet names the entries of a map after the column, a frame does not."""
    kinds = (pa.map_(pa.string(), pa.int16()), pa.map_(pa.string(), pa.field("x", pa.int16())))
    one, other = (tables.digest(pa.table({"x": pa.array([[("a", 1)], None, []], kind)})) for kind in kinds)
    assert one == other
