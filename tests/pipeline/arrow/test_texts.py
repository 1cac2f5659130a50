"""Texts become values of other types only if nothing is lost."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrow.naming import type_of
from pipeline.arrow.texts import NULLS, fits, guess, guess_dates, parse

US = pa.timestamp("us")


def column(*texts: str | None) -> pa.ChunkedArray:
    """A column of texts in two chunks."""
    return pa.chunked_array([texts[:1], texts[1:]], pa.string())


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("1", None, "-20"), pa.int64()),
        (("1", "", "NA"), pa.int64()),
        (("007", "12"), pa.string()),
        (("+1", "12"), pa.string()),
        (("-0", "1"), pa.string()),
        (("9223372036854775807", "-9223372036854775808"), pa.int64()),
        (("9223372036854775808", "1"), pa.string()),
        (("1.5", "2", "NaN"), pa.float64()),
        (("0.0", "-0.0", "inf", "-inf"), pa.float64()),
        ((".5", "1e-05", "1.5E22", "1e+300"), pa.float64()),
        (("1E5", "2E7"), pa.string()),
        (("0x1F", "0x20"), pa.string()),
        (("1.1", "1.10"), pa.string()),
        (("1", "1.0"), pa.string()),
        (("0.30000000000000004", "0.1"), pa.float64()),
        (("1.000000000000000056e-01", "2.5"), pa.float64()),
        (("12345678901234567.89", "1"), pa.string()),
        (("1e-400", "1.5"), pa.string()),
        (("4.9e-324", "0e+0", "2.2250738585072014e-308"), pa.float64()),
        (("NA", "DE"), pa.string()),
        (("NA", None), pa.string()),
        (("", None), pa.string()),
        ((None, None), pa.null()),
        (("true", "false", ""), pa.bool_()),
        (("True", "NA"), pa.bool_()),
        (("true", "FALSE"), pa.string()),
        (("yes", "no"), pa.string()),
        (("2024-02-29", "", "0001-01-01"), pa.date32()),
        (("2023-02-29", "2024-01-01"), pa.string()),
        (("0000-01-01", "2024-01-01"), pa.string()),
        (("0010-01-01", "0100-01-01", "1000-01-01", "2000-10-10"), pa.date32()),
        (("29.02.2024", "01.03.2024"), pa.string()),
        (("2024-01-01 10:00:00", "9999-12-31 23:59:59.5"), US),
        (("2024-01-01T10:00", "2024-01-02T10:00"), US),
        (("2024-01-01T10:00", "2024-01-02 10:00"), pa.string()),
        (("2024-01-01 10:00:00.123456789",), pa.timestamp("ns")),
        (("9999-01-01 10:00:00.123456789",), pa.string()),
        (("2024-01-01T10:00:00Z", "2024-01-01T10:00:00.5Z"), pa.timestamp("us", "UTC")),
        (("2024-01-01T10:00:00+01:00",), pa.string()),
        (("2024-01-01T10:00:00Z", "2024-01-01T10:00:00"), pa.string()),
        (("10:00:00", "23:59:59.25"), pa.time64("us")),
        (("10:00", "24:00"), pa.string()),
        ((" 1", "2"), pa.string()),
        (("1\n", "2"), pa.string()),
        (("١", "٢"), pa.string()),
    ],
)
def test_guesses(texts, kind):
    """Each of these columns is guessed so."""
    assert guess(column(*texts)).type == kind


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("007", "12"), "leading zeros or signs"),
        (("99999999999999999999",), "integers beyond 64 bits"),
        (("1.1", "1.10"), "numbers that are written in two ways"),
        (("12345678901234567.89",), "more digits than a double holds"),
        (("1,5", "2"), 'a decimal comma: set decimal = "," under [read]'),
        (("a", "2"), ""),
    ],
)
def test_why_numbers_stay_texts(texts, why):
    """The reason is told, and only for texts that look like numbers."""
    assert guess(column(*texts)) == (pa.string(), why)


def test_a_decimal_comma():
    """With it, a point is no part of a number, so thousands are not mistaken for fractions."""
    assert guess(column("1,5", "-2,25", "3"), ",").type == pa.float64()
    assert parse(column("1,5", "NA"), pa.float64(), ",").to_pylist() == [1.5, None]
    assert guess(column("1.500,5", "2"), ",").type == pa.string()
    assert guess(column("1.5", "2"), ",").type == pa.string()


def test_dates_alone():
    """Where a format has numbers and nulls of its own, texts are dates, times or texts."""
    assert guess_dates(column("2024-01-01", None)).type == pa.date32()
    for texts in (("1", "2"), ("2024-01-01", ""), ("NA", "true"), (None, None)):
        assert guess_dates(column(*texts)).type == pa.string()


@given(st.lists(st.one_of(st.none(), st.integers(-(2**66), 2**66)), min_size=1, max_size=20))
def test_integers_come_back(values):
    """Python's own integers come back, as integers or as the same texts."""
    texts = column(*(None if value is None else str(value) for value in values))
    found = parse(texts, guess(texts).type)
    assert [None if value is None else int(value) for value in found.to_pylist()] == values


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20), st.sampled_from(["repr", "%.17g", "%.18e"]))
def test_doubles_come_back(values, form):
    """Doubles that are written with all their digits come back exactly, with a sign only where it is no zero's."""
    texts = column(*(repr(value) if form == "repr" else form % value for value in values))
    found = fits(texts, pa.float64())
    assert found is None or found.to_pylist() == values
    if guess(texts).type == pa.float64():
        assert found.to_pylist() == values


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_no_text_is_lost(texts):
    """Whatever the texts, they stay, or every one that is no null stands for a value of its own."""
    kind = guess(column(*texts)).type
    values = parse(column(*texts), kind).to_pylist()
    told = {text: value for text, value in zip(texts, values, strict=True) if text not in NULLS}
    if kind == pa.string():
        assert values == texts
    else:
        assert None not in told.values()
        assert len({str(value) for value in told.values()}) == len(told)


KINDS = {
    pa.decimal32(9, 2): ["1.50", "-99999.25"],
    pa.decimal64(18, 4): ["1.5", "99999999999999.9999"],
    pa.decimal128(38, 10): ["12345678901234567890123456.1234567891", "0"],
    pa.float16(): ["1.5", "2"],
    pa.duration("ms"): ["1500", "-3"],
    pa.uint64(): ["18446744073709551615", "0"],
    pa.date64(): ["2024-02-29"],
    pa.time32("ms"): ["10:00:00.5"],
    pa.timestamp("ms", "Europe/Berlin"): ["2024-01-01 10:00:00.001Z"],
    pa.dictionary(pa.int8(), pa.int64()): ["7", "8", "7"],
    pa.dictionary(pa.int8(), pa.string()): ["NA", ""],
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_texts_of_a_known_type_are_read_exactly(kind):
    """Decimals do not go through doubles. A null spelled out is null, except in texts."""
    found = fits(column(*KINDS[kind], None), kind)
    expected = {
        pa.decimal128(38, 10): [Decimal("12345678901234567890123456.1234567891"), Decimal(0)],
        pa.uint64(): [2**64 - 1, 0],
        pa.duration("ms"): [dt.timedelta(milliseconds=1500), dt.timedelta(milliseconds=-3)],
        pa.time32("ms"): [dt.time(10, 0, 0, 500_000)],
        pa.dictionary(pa.int8(), pa.string()): ["NA", ""],
    }
    assert found.type == kind
    assert found.to_pylist()[-1] is None
    assert found.to_pylist()[:-1] == expected.get(kind, found.to_pylist()[:-1])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("007", pa.int64()),
        ("1.005", pa.decimal128(12, 2)),
        ("300", pa.uint8()),
        ("abc", pa.float64()),
        ("0x1F", pa.int64()),
        ("2024-01-01", pa.timestamp("us", "UTC")),
        ("maybe", pa.bool_()),
    ],
)
def test_texts_that_do_not_fit(text, kind):
    """A text that would not come back, or is no value of the type, fits no earlier type."""
    assert fits(column(text), kind) is None


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ms", "Europe/Berlin"), pa.decimal64(18, 4), pa.date32(), pa.float64(), pa.string()], ids=str
)
def test_types_have_names(kind):
    """What `str` writes of a type leads back to it, and a wrong name is an error."""
    assert type_of(str(kind)) == kind
    assert type_of("decimal(12, 2)") == pa.decimal128(12, 2)
    with pytest.raises(ValueError, match="No type alias"):
        type_of("number")
    with pytest.raises(ValueError, match="Nowhere"):
        type_of("timestamp[us, tz=Nowhere/X]")


@pytest.mark.parametrize(
    ("text", "kind", "held"),
    [
        ("0.1", pa.float64(), True),
        ("12345678901234567890.5", pa.float64(), False),
        ("9007199254740993", pa.float64(), False),
        ("9007199254740992", pa.float64(), True),
        ("1e-400", pa.float64(), False),
        ("0.1", pa.float32(), True),
        ("16777217", pa.float32(), False),
        ("0.09997559", pa.float16(), True),
        ("0.123", pa.float16(), True),
        ("0.12345", pa.float16(), False),
    ],
)
def test_an_earlier_floating_type_does_not_round_a_number(text, kind, held):
    """Whatever a column was before, a text that its type would change keeps all digits."""
    assert (fits(column(text, "0"), kind) is not None) == held
