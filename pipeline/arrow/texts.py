"""Texts that stand for values of other types, as in a CSV file.

`guess` finds the type that a column of texts stands for. It loses nothing: a column becomes numbers only if every text
comes back from its number. So `007`, `+1` and integers beyond 64 bits stay texts, and so do numbers of more digits than
a double holds, and columns in which two texts stand for one number, as versions `1.1` and `1.10` do. Dates and times
are read only as ISO 8601 writes them, all in one form, with no zone but UTC.

`parse` reads texts as values of a given type, and `fits` does so only if nothing is lost. Usual spellings of null, such
as `NA`, are null in columns of any type but text.
"""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.widening import is_string, value_type

NULLS = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None")
"""Spellings of null, except in columns of texts."""
INTEGER = r"\A(0|-?[1-9][0-9]*)\z"
DIGITS = r"\A[+-]?[0-9]+\z"
COMMA = 'a decimal comma: set decimal = "," under [read]'
CODES = {
    "leading zeros or signs": r"\A[+-]?[0-9]+(\.[0-9]+)?\z",
    COMMA: r"\A-?[0-9]+(,[0-9]+)?\z",
}
"""Why texts that look like numbers stay texts, by how all of them are written."""
NUMBER = r"\A-?((0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-][0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|(0|[1-9][0-9]*)\.[0-9]*[eE][0-9]+|inf|Infinity)\z"  # noqa: E501 - one expression
"""Numbers as programs write them. A text such as `1E5` is a code: programs write a sign or a point with exponents."""
YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # from 0001 on
DAY = rf"{YEAR}-[0-9]{{2}}-[0-9]{{2}}"
CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?:\.[0-9]{1,9})?)?")
MOMENT = re.compile(rf"{DAY}(?P<between>[ T]){CLOCK.pattern}(?P<zone>Z|[+-]00:?00)?")
BOOLEANS = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
EXACT_DIGITS = {16: 3, 32: 6, 64: 15}  # by bits: a floating type holds every number of so many digits
SMALLEST = {16: 2.0**-14, 32: 2.0**-126, 64: 2.0**-1022}  # by bits: nearer to zero, it holds fewer
MICROSECONDS = 6  # digits
FIRST = 1000  # texts


class Guess(NamedTuple):
    """The type of a column of texts.

    Attributes:
        type: The type; null for a column without any text.
        why: Why texts that look like numbers stay texts; empty if they do not.
    """

    type: pa.DataType
    why: str = ""


def guess(texts: pa.ChunkedArray, decimal: str = ".") -> Guess:  # noqa: PLR0911 - one line for each answer
    """The type that texts stand for."""
    told, rest = _distinct(texts, NULLS)
    if told == 0:
        return Guess(pa.null())
    if not len(rest):
        return Guess(pa.string())
    if any(set(rest.slice(0, 3).to_pylist()) <= set(pair) and len(rest) <= len(pair) for pair in BOOLEANS):
        return Guess(pa.bool_())
    if (kind := _temporal(rest)) is not None:
        return Guess(kind)
    numbers = _pointed(rest, decimal)
    whole = _all(rest, DIGITS)
    if numbers is None or not _all(numbers, INTEGER if whole else NUMBER):
        return Guess(pa.string(), next((why for why, pattern in CODES.items() if _all(rest, pattern)), ""))
    if whole:
        held = _cast(numbers, pa.int64()) is not None
        return Guess(pa.int64()) if held else Guess(pa.string(), "integers beyond 64 bits")
    if why := _lost(numbers):
        return Guess(pa.string(), why)
    return Guess(pa.float64())


def guess_dates(texts: pa.ChunkedArray) -> Guess:
    """The type of texts in a format that has numbers of its own, but no dates: a date, a time, or text."""
    told, rest = _distinct(texts, ())
    return Guess((_temporal(rest) if told else None) or texts.type)


def fits(texts: pa.ChunkedArray, kind: pa.DataType, decimal: str = ".") -> pa.ChunkedArray | None:
    """The values of a type that texts stand for. None if a text is no value of the type, or would not come back."""
    plain = value_type(kind)
    if not is_string(plain):
        _, rest = _distinct(texts, NULLS)
        integers = pa.types.is_integer(plain) or pa.types.is_duration(plain)
        numbers = integers or pa.types.is_floating(plain) or pa.types.is_decimal(plain)
        if numbers and len(rest):
            pointed = rest if integers else _pointed(rest, decimal)
            if pointed is None or not _all(pointed, INTEGER if integers else NUMBER):
                return None
            if pa.types.is_floating(plain) and _rounded(pointed, plain):
                return None
    return parse(texts, kind, decimal)


def parse(texts: pa.ChunkedArray, kind: pa.DataType, decimal: str = ".") -> pa.ChunkedArray | None:
    """The values of a type that texts stand for. None if a text is no value of the type."""
    if pa.types.is_dictionary(kind):
        values = parse(texts, kind.value_type, decimal)
        return None if values is None else _cast(values.dictionary_encode(), kind)
    if is_string(kind):
        return texts.cast(kind)
    known = pc.if_else(pc.is_in(texts, pa.array(NULLS, texts.type)), None, texts)
    if known.null_count == len(known):
        return pa.chunked_array([pa.nulls(len(known), kind)])
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        pointed = _pointed(known, decimal)
        return None if pointed is None else _steps(pointed, _way(kind), kind)
    if pa.types.is_time(kind):
        known = pc.binary_join_element_wise("1970-01-01", known, " ")
        finest = pa.timestamp(kind.unit if kind.unit == "ns" else "us")
        return _steps(known, (finest, pa.time64(finest.unit)), kind)
    return _steps(known, _way(kind), kind)


def _way(kind: pa.DataType) -> tuple[pa.DataType, ...]:
    """Types on the way from a text to a type, where Arrow cannot go in one step."""
    if pa.types.is_float16(kind):
        return (pa.float32(),)
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return (pa.decimal128(kind.precision, kind.scale),)
    if pa.types.is_duration(kind):
        return (pa.int64(),)
    return (pa.date32(),) if pa.types.is_date64(kind) else ()


def _steps(texts: pa.ChunkedArray, steps: Sequence[pa.DataType], kind: pa.DataType) -> pa.ChunkedArray | None:
    found: pa.ChunkedArray | None = texts
    for step in (*steps, kind):
        found = None if found is None else _cast(found, step)
    return found


def _cast(array: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _distinct(texts: pa.ChunkedArray, nulls: Sequence[str]) -> tuple[int, pa.Array]:
    """The number of different texts, and those that spell no null."""
    distinct = texts.unique().drop_null()
    if not nulls:
        return len(distinct), distinct
    return len(distinct), distinct.filter(pc.invert(pc.is_in(distinct, pa.array(nulls, distinct.type))))


def _all(texts: pa.Array, pattern: str) -> bool:
    """Whether all texts match. Most columns that do not differ in their first texts."""
    return all(pc.all(pc.match_substring_regex(some, pattern)).as_py() for some in (texts.slice(0, FIRST), texts))


def _pointed(texts: pa.Array | pa.ChunkedArray, decimal: str) -> pa.Array | pa.ChunkedArray | None:
    """Numbers with a decimal point. None if a point stands in a text although another mark is agreed on."""
    if decimal == ".":
        return texts
    if pc.any(pc.match_substring(texts, ".")).as_py():
        return None
    return pc.replace_substring(texts, decimal, ".")


def _lost(numbers: pa.Array) -> str:
    """What a double would lose of numbers; empty if it loses nothing."""
    floats = numbers.cast(pa.float64())
    zeros = pc.sum(pc.equal(floats, 0)).as_py()
    if pc.count_distinct(pc.add(floats, 0.0)).as_py() < len(numbers) - max(0, zeros - 1):
        return "numbers that are written in two ways"
    return "more digits than a double holds" if _rounded(numbers, pa.float64()) else ""


def _rounded(numbers: pa.Array, kind: pa.DataType) -> bool:
    """Whether a floating type would change a number, written with as many digits. Infinity is refused elsewhere."""
    held = parse(pa.chunked_array([numbers]), kind)
    if held is None:
        return True
    wide = held.cast(pa.float32() if pa.types.is_float16(kind) else kind)
    mantissa = pc.replace_substring_regex(numbers, r"[eE].*|[-.]", "")
    digits = pc.utf8_length(pc.replace_substring_regex(mantissa, r"\A0+", ""))
    many = pc.and_(pc.greater(digits, EXACT_DIGITS[kind.bit_width]), pc.not_equal(numbers, wide.cast(numbers.type)))
    small = pc.and_(pc.greater(digits, 0), pc.less(pc.abs(wide), SMALLEST[kind.bit_width]))
    doubtful = pc.or_(many, small)
    pairs = zip(pc.filter(numbers, doubtful).to_pylist(), wide.filter(doubtful).to_pylist(), strict=True)
    return not all(_comes_back(number, float(value)) for number, value in pairs)


def _comes_back(number: str, value: float) -> bool:
    """Whether a value, written with as many digits as a text, is the number of the text."""
    told = Decimal(number)
    if not told.is_finite() or math.isinf(value):
        return True
    return Decimal(f"{value:.{len(told.as_tuple().digits) - 1}e}") == told


def _temporal(texts: pa.Array) -> pa.DataType | None:
    """The type of dates, timestamps or times of day that are all written in one form. None if they are none."""
    first = texts[0].as_py()
    forms: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], pa.DataType]], ...] = (
        (re.compile(DAY), lambda *_: pa.date32()),
        (MOMENT, lambda found, unit: pa.timestamp(unit, "UTC" if found["zone"] else None)),
        (CLOCK, lambda _, unit: pa.time64(unit)),
    )
    for form, kind in forms:
        if (found := form.fullmatch(first)) is None:
            continue
        if not _all(texts, _like(found)):
            return None
        fraction = pc.utf8_length(pc.replace_substring_regex(texts, r"\A[^.]*\.?|(Z|[+-]00:?00)\z", ""))
        unit = "ns" if (pc.max(fraction).as_py() or 0) > MICROSECONDS else "us"
        wanted = kind(found, unit)
        return wanted if parse(pa.chunked_array([texts]), wanted) is not None else None
    return None


def _like(found: re.Match[str]) -> str:
    """The expression of texts that are written like a date or time, whatever their fraction of a second."""
    given = found.groupdict()
    clock = ""
    if "seconds" in given:
        clock = r"[0-9]{2}:[0-9]{2}" + (r":[0-9]{2}(\.[0-9]{1,9})?" if given["seconds"] else "")
    if "between" not in given:
        return rf"\A{clock or DAY}\z"
    return rf"\A{DAY}{given['between']}{clock}{re.escape(given['zone'] or '')}\z"
