"""Labels: equal exactly if values are equal, and invertible."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from strategies import arrays

from pipeline.arrow.labels import can_label, coded, counted, labels, places, values
from pipeline.errors import TableError
from pipeline.schema import value_type


def texts(array: pa.Array | pa.ChunkedArray) -> list[str | None]:
    """The labels of an array."""
    return labels(array).dictionary_decode().to_pylist()


@given(arrays())
def test_labels_lead_back_to_the_values(array):
    """This holds for every type, in slices and in chunks, with nulls inside and outside."""
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    back = values(labels(array).dictionary_decode(), value_type(array.type))
    back.validate(full=True)
    assert back.type == plain.type
    assert texts(back) == texts(array)
    assert "dictionary" in str(plain.type) or back.equals(plain)  # a dictionary may list its values otherwise
    for start in (0, 1, len(array) // 2):
        assert texts(array.slice(start, 3)) == texts(array)[start : start + 3]
    whole = pa.chunked_array([array.slice(0, 2), array.slice(2)], array.type)
    assert texts(whole) == texts(array)


@given(arrays())
def test_codes_and_counts_are_those_of_the_labels(array):
    """Counts, places and codes agree with Python's own counting of labels."""
    found, counts = counted(array)
    expected = [text for text in texts(array) if text is not None]
    assert dict(zip(found.to_pylist(), counts.tolist(), strict=True)) == {t: expected.count(t) for t in expected}
    place = {text: i for i, text in enumerate(found.to_pylist())} | {None: -1}
    assert places(array, found).tolist() == [place[text] for text in texts(array)]
    assert set(places(array, found.slice(0, 0)).tolist()) <= {-1, 0}
    one, other = coded([array, array.slice(1)])
    assert one[1:].tolist() == other.tolist()
    assert len(set(one.tolist())) == len(set(texts(array)))


def test_what_is_equal_has_one_label():
    """There is one zero. NaN is null, except inside other values. Encodings and widths of offsets do not matter."""
    assert texts(pa.array([0.0, -0.0, np.nan, None, 1e300])) == ["0", "0", None, None, "1e+300"]
    assert texts(pa.array([[-0.0, np.nan, None]], pa.list_(pa.float16()))) == ["[0,NaN,null]"]
    rows = [["a", 'b"\\\n'], [], None, [None], ["null"]]
    expected = ['["a","b\\"\\\\\\n"]', "[]", None, "[null]", '["null"]']
    for kind in (pa.list_, pa.large_list, pa.list_view):
        for inner in (pa.string(), pa.large_string()):
            assert texts(pa.array(rows, kind(inner))) == expected
    listed = pa.array(["x", None, "x", "y"])
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), listed)
    assert [each.tolist() for each in coded([twice])] == [[0, 2, 0, 1, 2]]


def test_labels_are_readable():
    """Dates, times, bytes and maps are written as people read them, and values beyond the calendar as numbers."""
    day = pa.array([0, 2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32())
    assert texts(day) == ["1970-01-01", "2147483647", "-2147483648"]
    zoned = pa.array([dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)], pa.timestamp("ms", "Europe/Berlin"))
    assert texts(zoned) == ["2024-07-01 12:00:00.000Z"]
    assert texts(pa.array([b"\x00\xff"])) == ["00ff"]
    pairs = pa.array([[("k", b"v")]], pa.map_(pa.string(), pa.binary()))
    assert texts(pairs) == ['[{"key":"k","value":"76"}]']
    far = pa.array([2**62, -(2**62)], pa.timestamp("s", "UTC"))
    assert values(labels(far).dictionary_decode(), far.type).equals(far)


@pytest.mark.parametrize("text", ["[1", "{}", "[[1]]", '["a"]', "[true]", "null", "7", '{"x":1}', "[" * 9999])
def test_other_texts_are_refused(text):
    """The error is one line without the text."""
    with pytest.raises(TableError, match="expected labels of values of type list") as caught:
        values(pa.array([text]), pa.list_(pa.int32()))
    assert text not in str(caught.value) or len(text) < 3


def test_types_that_no_file_holds_have_no_labels():
    """Unions, run-end encoded types and intervals have no labels."""
    assert not can_label(pa.list_(pa.month_day_nano_interval()))
    assert not can_label(pa.run_end_encoded(pa.int32(), pa.string()))
    assert not can_label(pa.struct([("a", pa.string_view())]))
    assert can_label(pa.list_(pa.struct([("a", pa.map_(pa.binary(2), pa.float16()))])))
