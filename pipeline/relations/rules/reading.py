"""Columns of a table and literals of a rule, read as values.

A *sort* says what values can be compared and computed with: a date and a timestamp without a zone are of one sort, a
number and a text are not. Arrow's widths, scales and units are no part of a sort.
"""

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.domain import Line, domain_of, is_number, valid, whole_units
from pipeline.arrow.widening import DECIMALS, decoded, is_string, value_type
from pipeline.relations.rules.syntax import Refused
from pipeline.relations.rules.values import Bools, Number, Plain, Value, constant, real, times, truth, whole

PLACES = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""Decimal places of seconds in Arrow's units of time."""
DAY = 86_400
ISO = re.compile(
    r"(?:(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?=\d)|$))?"
    r"(?:(?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)


class Sort(StrEnum):
    """What values can be compared and computed with. The text is for messages."""

    NUMBER = "a number"
    TRUTH = "a boolean"
    TEXT = "a text"
    MOMENT = "a date or timestamp without a zone"
    ZONED = "a timestamp with a zone"
    CLOCK = "a time of day"
    DURATION = "a duration"
    OTHER = "a value of another type"


DATED = {Sort.MOMENT, Sort.ZONED, Sort.CLOCK}
"""Sorts of which texts in ISO form are literals."""


def sort_of(kind: pa.DataType) -> Sort:
    """The sort of the values of an Arrow type."""
    kind = value_type(kind)
    types = pa.types
    tests = {
        Sort.NUMBER: is_number,
        Sort.TRUTH: types.is_boolean,
        Sort.TEXT: is_string,
        Sort.ZONED: lambda kind: types.is_timestamp(kind) and kind.tz is not None,
        Sort.MOMENT: lambda kind: types.is_timestamp(kind) or types.is_date(kind),
        Sort.CLOCK: types.is_time,
        Sort.DURATION: types.is_duration,
    }
    return next((sort for sort, test in tests.items() if test(kind)), Sort.OTHER)


def read(column: pa.ChunkedArray) -> Value:
    """The values of a column, [rows]."""
    sort = sort_of(column.type)
    if sort is Sort.OTHER:
        return Plain(column, valid(column))
    column = decoded(column)
    known = valid(column)
    if sort is Sort.TEXT:
        return Plain(column.cast(pa.large_string()), known)
    if sort is Sort.TRUTH:
        return truth(pc.fill_null(column, False).to_numpy(), known)  # noqa: FBT003
    return _number(column.combine_chunks(), known)


def moment(text: str, sort: Sort, zone: str | None) -> Number:
    """A text in ISO form as a date, timestamp or time of day, in seconds.

    Args:
        text: The text.
        sort: One of `DATED`.
        zone: The zone of the column that it is compared with. A timestamp without an offset is local there.

    Raises:
        Refused: The text has another form, no such day or time exists, or it has an offset that the column lacks.
    """
    form = {
        Sort.MOMENT: "a date such as '2024-01-31' or '2024-01-31T10:00'",
        Sort.ZONED: "a timestamp such as '2024-01-31', '2024-01-31T10:00' or '2024-01-31T10:00+01:00'",
        Sort.CLOCK: "a time such as '10:00'",
    }[sort]
    refused = Refused(f"expected {form} to compare with {sort}, got {text!r}")
    match = ISO.fullmatch(text)
    if match is None or bool(match["day"]) is (sort is Sort.CLOCK) or not (match["day"] or match["minute"]):
        raise refused
    if match["zone"] and sort is not Sort.ZONED:
        raise refused
    shown = f"{match['day'] or '1970-01-01'}T{match['minute'] or '00:00'}:{match['second'] or '00'}"
    try:
        at = dt.datetime.fromisoformat(shown + (match["zone"] or "+00:00"))
    except ValueError:
        raise refused from None
    seconds = (at - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(seconds=1)
    if zone is not None and not match["zone"]:
        local = pa.scalar(seconds, pa.timestamp("s"))
        try:
            seconds = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").value
        except pa.ArrowInvalid as error:
            raise Refused(f"expected a zone that this machine knows, got {zone!r}") from error
    fraction = match["fraction"] or ""
    return constant(seconds * 10 ** len(fraction) + int(fraction or 0), len(fraction))


def exact(number: Decimal) -> Number:
    """A decimal as a number."""
    numerator, denominator = number.as_integer_ratio()
    places = max(0, -int(number.as_tuple().exponent))
    return constant(numerator * 10**places // denominator, places)


def _number(array: pa.Array, known: Bools) -> Number:
    """Numbers, dates, times and durations."""
    kind, some = array.type, array.filter(pa.array(known))
    if pa.types.is_floating(kind):
        domain = domain_of(some)
        if isinstance(domain, Line):
            values = np.zeros(len(known))
            values[known] = domain.positions(some)
            return real(values, known)
        return whole(whole_units(some, domain.places), known, domain.places)
    if pa.types.is_decimal(kind):
        return whole(_decimal_units(some), known, kind.scale)
    if pa.types.is_integer(kind):
        return whole(whole_units(some, 0), known, 0)
    if pa.types.is_date32(kind):
        return times(whole(whole_units(some, 0), known, 0), DAY)
    return whole(whole_units(some, 0), known, 3 if pa.types.is_date64(kind) else PLACES[kind.unit])


def _decimal_units(array: pa.Array) -> NDArray[Any]:
    """The same as `whole_units`, without a `Decimal` per value."""
    kind = array.type
    plain, digits = next((make, most) for make, most in DECIMALS if make(1, 0).bit_width == kind.bit_width)
    units = pa.Array.from_buffers(plain(digits, 0), len(array), array.buffers(), offset=array.offset)
    units = units.cast(pa.decimal256(76, 0))
    try:
        return np.asarray(units.cast(pa.int64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:  # a value needs more than 64 bits
        words = np.frombuffer(units.buffers()[1], "<i8").reshape(-1, 4)[units.offset :][: len(units)].T
        *lower, highest = words[: max(1, kind.bit_width // 64)]  # the highest has the sign
        wide: NDArray[Any] = highest.astype(object)
        for word in reversed(lower):
            wide = wide * 2**64 + word.view("<u8").astype(object)
        return wide
