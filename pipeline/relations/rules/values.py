"""Values of a rule for all rows of a table: numbers, truths, and values that are only compared.

A `Number` is exact where it can be: whole units of 10^−places, in int64, or in Python's integers where these would
overflow. Dates, times and durations are such numbers too, in seconds. So columns of different types, scales and units
are compared exactly. Floats that lie on no decimal grid are computed as floats and compared with a tolerance.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

TOLERANCE = 1e-9
"""How far floats may lie apart to be equal, as a share of the largest term on either side."""
LIMIT = 2**63
FINEST = 300
"""Most decimal places of exact numbers, and most digits of their units. Others become floats."""
Bools = NDArray[np.bool_]
Test = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Number:
    """Numbers, dates, times or durations.

    Attributes:
        values: Whole units of 10^−places (int64 or Python's integers), or floats, [rows] or [1]. They mean nothing
            where they are unknown.
        known: Which are neither null nor NaN, of the same shape.
        places: Decimal places. None for floats, which lie on no decimal grid.
        largest: Magnitude of the largest term that made each float, of the same shape. None for exact numbers.
    """

    values: NDArray[Any]
    known: Bools
    places: int | None
    largest: NDArray[np.float64] | None = None

    def floats(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The values as floats, and the magnitudes of their largest terms."""
        if self.largest is not None:
            return self.values, self.largest
        exact = self.values.dtype == object  # then Python divides integers of any size
        values = np.asarray(self.values / (10 if exact else 10.0) ** (self.places or 0), dtype=np.float64)
        return values, np.abs(values)


@dataclass(frozen=True)
class Truth:
    """Truths of three-valued logic: where `yes` is true, where `no` is true, and unknown where neither is."""

    yes: Bools
    no: Bools

    @property
    def known(self) -> Bools:
        """Which are true or false."""
        return self.yes | self.no

    def negated(self) -> "Truth":
        """True where this is false, and unknown where this is unknown."""
        return Truth(self.no, self.yes)


@dataclass(frozen=True)
class Plain:
    """Values that are only compared (texts), or only asked whether they are null (other types)."""

    values: pa.ChunkedArray | pa.Scalar
    known: Bools


Value = Number | Truth | Plain


def truth(held: NDArray[Any], known: Bools) -> Truth:
    """`held`, unknown where it is not known."""
    held = np.asarray(held, dtype=bool)
    return Truth(held & known, ~held & known)


def every(truths: list[Truth]) -> Truth:
    """Whether all are true."""
    return Truth(reduce(operator.and_, (t.yes for t in truths)), reduce(operator.or_, (t.no for t in truths)))


def some(truths: list[Truth]) -> Truth:
    """Whether at least one is true."""
    return every([one.negated() for one in truths]).negated()


def whole(units: NDArray[Any], known: Bools, places: int) -> Number:
    """Exact numbers from the whole units of those that are known."""
    wide = units.dtype == object or _reach(units) >= LIMIT
    values = np.zeros(len(known), dtype=object if wide else np.int64)
    values[known] = units.astype(values.dtype)
    return Number(values, known, places)


def constant(units: int, places: int) -> Number:
    """One exact number for all rows."""
    return whole(np.asarray([units], dtype=object if abs(units) >= LIMIT else np.int64), np.ones(1, bool), places)


def real(values: NDArray[np.float64], known: Bools, largest: NDArray[np.float64] | None = None) -> Number:
    """Floats. NaN is unknown."""
    return Number(values, known & ~np.isnan(values), None, np.abs(values) if largest is None else largest)


def times(number: Number, factor: int) -> Number:
    """Numbers multiplied with a whole factor."""
    if number.places is None:
        values, largest = number.floats()
        return real(values * factor, number.known, largest * abs(factor))
    return Number(_times(number.values, factor), number.known, number.places)


def added(one: Number, other: Number) -> Number:
    """Sums."""
    known = one.known & other.known
    if one.places is not None and other.places is not None:
        places = max(one.places, other.places)
        x, y = _roomy(_units(one, places), _units(other, places), 1)
        return Number(x + y, known, places)
    (x, p), (y, q) = one.floats(), other.floats()
    return real(x + y, known, np.maximum(p, q))


def subtracted(one: Number, other: Number) -> Number:
    """Differences."""
    return added(one, times(other, -1))


def multiplied(one: Number, other: Number) -> Number:
    """Products."""
    known = one.known & other.known
    if one.places is not None and other.places is not None:
        reach, places = _reach(one.values) * _reach(other.values), one.places + other.places
        if reach < 10**FINEST and places <= FINEST:
            wide = reach >= LIMIT
            x, y = (number.values.astype(object) if wide else number.values for number in (one, other))
            return Number(x * y, known, places)
    (x, p), (y, q) = one.floats(), other.floats()
    return real(x * y, known, p * q)


def divided(one: Number, other: Number) -> Number:
    """Quotients, as floats. A quotient by zero is unknown."""
    (x, p), (y, _) = one.floats(), other.floats()
    return real(x / y, one.known & other.known & (y != 0), p / np.abs(y))


def compared(test: Test, one: Number, other: Number, products: tuple[int, int] = (0, 0)) -> Truth:
    """Whether `test`, a comparison of the module `operator`, holds.

    Args:
        test: The comparison.
        one: The left side.
        other: The right side.
        products: How many products or quotients are summed on each side, whose sum is rounded to the other side's
            decimal places where these are fewer. 0 where nothing is rounded.
    """
    known = one.known & other.known
    count = products[0] * _finer(one, other) + products[1] * _finer(other, one)
    if one.places is None or other.places is None:
        x, y, near = _floats(one, other)
        if count:
            coarse = one.places if other.places is None else other.places
            assert coarse is not None
            x = np.where(_apart(x, y) <= count * 0.5 * 10.0**-coarse + near, y, x)
        held = np.asarray(test(x, y))
        if test in {operator.eq, operator.le, operator.ge}:
            held |= _apart(x, y) <= near
        elif test is operator.ne:
            held &= _apart(x, y) > near
        return truth(held, known)
    fine = max(one.places, other.places)
    x, y = _roomy(_units(one, fine), _units(other, fine), 2)
    if count:
        x = np.where(2 * np.abs(x - y) <= count * 10 ** abs(one.places - other.places), y, x)
    return truth(test(x, y), known)


def ordered(test: Test, one: Plain, other: Plain) -> Truth:
    """Whether a comparison of texts, in the order of their code points, holds. At least one side is a column."""
    name = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
    held = pc.call_function(name[test.__name__], [one.values, other.values])
    return truth(pc.fill_null(held, False).to_numpy(), one.known & other.known)  # noqa: FBT003


def same(test: Test, one: Truth, other: Truth) -> Truth:
    """Whether truths are equal, or unequal."""
    return truth(test(one.yes, other.yes), one.known & other.known)


def _finer(one: Number, other: Number) -> bool:
    """Whether one side has more decimal places than the other, or none that end."""
    return other.places is not None and (one.places is None or one.places > other.places)


def _floats(one: Number, other: Number) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Both sides as floats, and the distance at which they are equal."""
    (x, p), (y, q) = one.floats(), other.floats()
    largest = np.maximum(p, q)
    return x, y, np.where(np.isfinite(largest), TOLERANCE * largest, 0.0)


def _apart(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances. Equal infinities are no distance apart."""
    return np.where(x == y, 0.0, np.abs(x - y))


def _reach(values: NDArray[Any]) -> int:
    """The largest magnitude."""
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0


def _units(number: Number, places: int) -> NDArray[Any]:
    """The units of exact numbers at as many or more places."""
    assert number.places is not None
    return _times(number.values, 10 ** (places - number.places))


def _times(values: NDArray[Any], factor: int) -> NDArray[Any]:
    if factor == 1:
        return values
    wide = max(_reach(values), 1) * abs(factor) >= LIMIT
    return (values.astype(object) if wide else values) * factor


def _roomy(x: NDArray[Any], y: NDArray[Any], factor: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as they are, or as Python's integers where `factor` times a sum or difference may exceed int64."""
    if factor * (_reach(x) + _reach(y)) < LIMIT:
        return x, y
    return x.astype(object), y.astype(object)
