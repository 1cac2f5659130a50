"""Arrow values as JSON."""

import json

import pyarrow as pa
import pytest

from pipeline.arrow.jsonable import records, values


@pytest.mark.parametrize(
    ("ticks", "unit", "text"),
    [
        (0, "s", "PT0S"),
        (-90, "s", "-PT90S"),
        (1500, "ms", "PT1.5S"),
        (-1, "ns", "-PT0.000000001S"),
        (2**62, "us", "PT4611686018427.387904S"),
    ],
)
def test_a_duration_is_seconds_with_all_digits(ticks: int, unit: str, text: str) -> None:
    """No digit is lost, whatever the unit and the sign."""
    assert values(pa.array([ticks, None], pa.duration(unit))) == [text, None]


def test_times_have_the_digits_of_their_unit() -> None:
    """Nanoseconds stay, and days outside of Python's calendar are written too."""
    assert values(pa.array([1], pa.time64("ns"))) == ["00:00:00.000000001"]
    assert values(pa.array([-1, None], pa.timestamp("ns"))) == ["1969-12-31T23:59:59.999999999", None]
    assert values(pa.array([10**7], pa.int32()).cast(pa.date32())) == ["29349-01-26"]
    assert values(pa.array([1_720_000_000], pa.timestamp("s", "Asia/Tokyo"))) == ["2024-07-03T09:46:40Z"]


def test_what_is_inside_of_values_is_written_too() -> None:
    """Slices and chunks of nested values keep their places. Nulls inside of them stay."""
    inner = pa.list_(pa.struct({"at": pa.date32(), "x": pa.float64()}))
    array = pa.array([None, [], [{"at": None, "x": float("nan")}, None], [{"at": 0, "x": 0.5}]], inner)
    expected = [None, [], [{"at": None, "x": None}, None], [{"at": "1970-01-01", "x": 0.5}]]
    assert values(array) == expected
    assert values(array.slice(2)) == expected[2:]
    assert values(pa.chunked_array([array.slice(3), array])) == [expected[3], *expected]
    fixed = pa.array([[1, 2], None, [3, None]], pa.list_(pa.duration("s"), 2))
    assert values(fixed) == [["PT1S", "PT2S"], None, ["PT3S", None]]
    assert values(fixed.slice(1)) == [None, ["PT3S", None]]
    assert values(pa.array([{}, None], pa.struct([]))) == [{}, None]


def test_rows_are_valid_json() -> None:
    """No NaN and no infinity is written as a number, since JSON has neither. A table without rows has no records."""
    table = pa.table({"x": [float("nan"), float("-inf"), 1e308], "n": pa.nulls(3)})
    assert json.loads(json.dumps(records(table), allow_nan=False)) == [
        {"x": None, "n": None},
        {"x": "-Infinity", "n": None},
        {"x": 1e308, "n": None},
    ]
    assert records(table.slice(0, 0)) == []
