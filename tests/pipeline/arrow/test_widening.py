"""Types that hold the same values: which are tried, and that no value changes."""

import datetime as dt
from decimal import Decimal
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.arrow.widening import candidates, exact, leaves, lossless, related

CODES = pa.dictionary(pa.int8(), pa.string())
JOINS = {
    "null": ([pa.null(), pa.string()], [pa.string()]),
    "only null": ([pa.null()], [pa.null()]),
    "wider": ([pa.int16(), pa.int64(), pa.int8()], [pa.int64()]),
    "signs": ([pa.uint16(), pa.int8()], [pa.int32()]),
    "greatest": ([pa.uint64(), pa.int8()], [pa.int64(), pa.uint64()]),
    "with nulls": ([pa.int32(), pa.float64()], [pa.int32(), pa.float64()]),
    "narrow floats": ([pa.int32(), pa.float32()], [pa.int32(), pa.float32(), pa.float64()]),
    "floats": ([pa.float64(), pa.float32()], [pa.float64()]),
    "texts": ([pa.large_string(), pa.string()], [pa.large_string()]),
    "dictionary": ([CODES, pa.string()], [pa.string()]),
    "dictionaries": ([CODES, pa.dictionary(pa.int32(), pa.string())], [pa.dictionary(pa.int32(), pa.string())]),
    "decimals": ([pa.decimal128(9, 2), pa.decimal128(9, 4)], [pa.decimal128(11, 4)]),
    "wide decimals": ([pa.decimal128(38, 2), pa.decimal128(38, 4)], [pa.decimal256(40, 4)]),
    "narrow decimals": ([pa.decimal32(9, 2), pa.decimal32(4, 3)], [pa.decimal64(10, 3)]),
    "dates": ([pa.date64(), pa.date32()], [pa.date32(), pa.date64()]),
    "units": ([pa.timestamp("us"), pa.timestamp("ns")], [pa.timestamp("ns"), pa.timestamp("us")]),
    "utc": ([pa.timestamp("us", "UTC"), pa.timestamp("us", "+00:00")], [pa.timestamp("us", "UTC")]),
    "times": ([pa.time32("ms"), pa.time64("us")], [pa.time64("us"), pa.time32("ms")]),
    "lists": ([pa.list_(pa.int32()), pa.list_(pa.int64())], [pa.list_(pa.int64())]),
    "structs": (
        [pa.struct([("a", pa.int32())]), pa.struct([("a", pa.int64())])],
        [pa.struct([("a", pa.int64())])],
    ),
    "zones": ([pa.timestamp("us", "Europe/Berlin"), pa.timestamp("us", "UTC")], []),
    "zone or none": ([pa.timestamp("us"), pa.timestamp("us", "UTC")], []),
    "date and time": ([pa.date32(), pa.timestamp("us")], []),
    "number and text": ([pa.int64(), pa.string()], []),
}


@pytest.mark.parametrize("case", JOINS)
def test_the_types_to_try_do_not_depend_on_the_order(case):
    """Each family has its candidates, the best type first. Families are not mixed."""
    kinds, expected = JOINS[case]
    for order in permutations(kinds):
        assert candidates(order) == expected


def moment(text: str, unit: str) -> pa.ChunkedArray:
    """One timestamp."""
    return pa.chunked_array([pa.array([np.datetime64(text, unit)], pa.timestamp(unit))])


SAME = [
    (pa.chunked_array([[1.0, None, -3.0]]), pa.int64(), [1, None, -3]),
    (pa.chunked_array([[2**53, None]]), pa.float64(), [2.0**53, None]),
    (pa.chunked_array([[0.5]]), pa.float32(), [0.5]),
    (moment("9999-12-31", "s"), pa.timestamp("us"), [dt.datetime(9999, 12, 31)]),  # noqa: DTZ001
    (moment("2024-01-01", "ns"), pa.timestamp("s"), [dt.datetime(2024, 1, 1)]),  # noqa: DTZ001
    (moment("2024-01-01", "us"), pa.date32(), [dt.date(2024, 1, 1)]),
    (pa.chunked_array([[Decimal("1.20")]]), pa.decimal128(3, 1), [Decimal("1.2")]),
    (pa.chunked_array([["a", None]]), CODES, ["a", None]),
    (pa.chunked_array([["a", None]]).dictionary_encode(), pa.large_string(), ["a", None]),
    (pa.chunked_array([["7"]]), pa.int16(), [7]),
    (pa.chunked_array([[1, 0]]), pa.bool_(), [True, False]),
    (pa.chunked_array([[None, None]], pa.float64()), pa.string(), [None, None]),
    (pa.chunked_array([[None]], pa.string()), pa.null(), [None]),
    (pa.chunked_array([[[1], None]]), pa.large_list(pa.int8()), [[1], None]),
]


@pytest.mark.parametrize(("array", "kind", "expected"), SAME, ids=[str(kind) for _, kind, _ in SAME])
def test_a_cast_that_keeps_every_value_is_made(array, kind, expected):
    """The values come back equal, in the requested type."""
    cast = exact(array, kind)
    assert cast is not None
    assert (cast.type, cast.to_pylist()) == (kind, expected)


CHANGED = [
    (pa.chunked_array([[1.5]]), pa.int64()),
    (pa.chunked_array([[2.0**53 + 2]]), pa.int64()),  # a double does not tell which integer this was
    (pa.chunked_array([[2**53 + 1]]), pa.float64()),
    (pa.chunked_array([[300]]), pa.int8()),
    (pa.chunked_array([[2**63]], pa.uint64()), pa.int64()),
    (pa.chunked_array([[0.1]]), pa.float32()),
    (pa.chunked_array([[2]]), pa.bool_()),
    (moment("9999-12-31", "us"), pa.timestamp("ns")),
    (moment("2024-01-01T00:00:00.000000001", "ns"), pa.timestamp("us")),
    (moment("2024-01-01T08:00", "us"), pa.date32()),
    (pa.chunked_array([[Decimal("1.23")]]), pa.decimal128(3, 1)),
    (pa.chunked_array([[1.239]]), pa.decimal128(9, 2)),
    (pa.chunked_array([["a"]]), pa.int16()),
    (pa.chunked_array([[[1.5]]]), pa.list_(pa.int64())),
]


@pytest.mark.parametrize(("array", "kind"), CHANGED, ids=[f"{a.type} {kind}" for a, kind in CHANGED])
def test_a_cast_that_would_change_a_value_is_not_made(array, kind):
    """Lost digits, exceeded ranges and fractions are each noticed."""
    assert exact(array, kind) is None


def test_a_type_without_its_values_is_widened_only_for_certain():
    """Integers go to wider ones, seconds to microseconds. Integers never become floats, and nothing nanoseconds."""
    assert lossless(pa.int32(), pa.int64())
    assert lossless(pa.uint8(), pa.int16())
    assert lossless(pa.timestamp("s"), pa.timestamp("us"))
    assert lossless(pa.decimal128(9, 2), pa.decimal128(11, 4))
    assert lossless(CODES, pa.large_string())
    assert not lossless(pa.int64(), pa.int32())
    assert not lossless(pa.int8(), pa.float64())
    assert not lossless(pa.timestamp("us"), pa.timestamp("ns"))
    assert not lossless(pa.float64(), pa.float32())
    assert not lossless(pa.string(), pa.int64())
    assert related(pa.null(), pa.int8())
    assert not related(pa.binary(), pa.string())


def test_leaves_are_found_at_any_depth():
    """Inside structs, lists, maps, dictionaries and extensions."""
    kind = pa.struct([("a", pa.list_(pa.map_(pa.string(), pa.int8()))), ("b", pa.dictionary(pa.int8(), pa.uuid()))])
    array = pa.array([{"a": [[("x", 1)]], "b": None}], pa.struct([kind[0]]))
    assert [leaf.to_pylist() for leaf in leaves(array)] == [["x"], [1]]
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([b"a" * 16], pa.uuid()))
    assert [leaf.to_pylist() for leaf in leaves(coded)] == [[b"a" * 16]]
