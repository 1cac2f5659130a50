"""Numbers and times as whole units, in which sums and differences are exact.

A column of numbers with p decimal places counts units of 10^−p. A column of times counts ticks. Two columns are brought
to one `Unit` before they are compared, so that a cent stays a cent and a day is as many seconds. Floats of any size
have no such unit: what is computed from them is equal but for the error of floats.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, combined, masked, numbers
from pipeline.arrow.domain import Grid, domain_of, is_number, ticks, valid, whole_units
from pipeline.errors import SchemaError
from pipeline.records import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
HALF = 0.5 + 1e-6
"""How far a rounded value may lie from the exact one, in units."""
ERRORS = {pa.float16(): 4e-3, pa.float32(): 1e-6, pa.float64(): 1e-11}
"""Relative errors of values that are computed in floats of a type."""
LARGEST = 2.0**52
"""Units beyond this are not exact in every computation, so such columns have no scale."""
_TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY = 86_400 * 10**9


class Unit(Record):
    """What a unit stands for.

    Attributes:
        places: Decimal places of a column of numbers.
        tick: Nanoseconds of a tick of a column of times. 0 for numbers.
        loose: Relative error of floats of any size, whose unit is 1. 0 if all values are whole units.
    """

    places: int = 0
    tick: int = 0
    loose: float = 0.0

    def units(self, array: Array) -> tuple[Any, Mask]:
        """Units of each value and which rows have one, [rows]: integers unless the scale is loose. 0 for no value."""
        array = combined(array)
        mask = valid(array)
        found = np.zeros(len(array), dtype=np.float64 if self.loose else np.int64)
        present = array.filter(pa.array(mask))
        found[mask] = numbers(present) if self.loose else self._whole(present)
        return found, mask

    def whole(self, exact: Floats | Ints) -> Floats | Ints:
        """What was computed, in whole units if the scale has them. A half is rounded away from zero, as people do."""
        if self.loose or exact.dtype == np.int64:
            return exact
        away = np.sign(exact) * np.floor(np.abs(exact) + 0.5 + 1e-9)
        return np.asarray(away, dtype=np.int64)

    def floats(self, array: Array) -> Floats:
        """The values as floats, [rows]. 0 for no value."""
        units, _ = self.units(array)
        return np.asarray(units / 10.0**self.places)

    def binary(self, values: Floats) -> Floats | Ints:
        """What was computed in floats, in whole units, as NumPy rounds: a half to the even one."""
        return values if self.loose else np.rint(values * 10.0**self.places).astype(np.int64)

    def near(self, real: Floats | Ints, exact: Floats | Ints, size: Floats | Ints | None = None) -> Mask:
        """Where a value is what was computed, to within rounding either way, [rows].

        Args:
            real: The value, in units.
            exact: What was computed.
            size: Size of the terms that were added up; by default, that of their sum.
        """
        if self.loose:
            return np.asarray(np.abs(real - exact) <= self.loose * np.abs(exact if size is None else size))
        return np.asarray(np.abs(real - exact) <= HALF + 1e-12 * np.abs(exact))

    def values(self, units: Floats | Ints, mask: Mask, arrow: pa.DataType) -> pa.Array:
        """The inverse of `units`, as an array of a type."""
        units = np.where(mask, units, 0)
        if self.loose:
            return masked(pa.array(units.astype(arrow.to_pandas_dtype())), mask)
        if self.tick:
            units = units * self.tick // _tick(arrow)
            return masked(Grid(base=0, step=1).values(units.astype(np.uint64), arrow), mask)
        if pa.types.is_integer(arrow):
            whole = np.rint(units / 10**self.places).astype(np.int64) if self.places else units
            return masked(pa.array(whole).cast(arrow), mask)
        if pa.types.is_decimal(arrow):
            return masked(_decimals(units * 10 ** (arrow.scale - self.places), arrow), mask)
        return masked(pa.array((units / 10.0**self.places).astype(arrow.to_pandas_dtype())), mask)

    def _whole(self, present: pa.Array) -> Ints:
        arrow = present.type
        if pa.types.is_boolean(arrow):
            present, arrow = present.cast(pa.int8()), pa.int8()
        if self.tick:
            return np.asarray(ticks(present).to_numpy(zero_copy_only=False), dtype=np.int64) * (
                _tick(arrow) // self.tick
            )
        if pa.types.is_floating(arrow):
            exact = np.asarray(present.cast(pa.float64()).to_numpy(zero_copy_only=False)) * 10.0**self.places
            return np.rint(np.clip(exact, -(2.0**62), 2.0**62)).astype(np.int64)
        own = arrow.scale if pa.types.is_decimal(arrow) else 0
        whole = np.asarray(whole_units(present, own)).astype(np.int64)
        return np.asarray(whole * 10 ** max(self.places - own, 0), dtype=np.int64)


def scale_of(array: Array) -> Unit | None:
    """The scale of a column. None if it has none: texts, booleans, numbers that are too large."""
    array = combined(array)
    if pa.types.is_temporal(array.type) and not pa.types.is_interval(array.type):
        scale = Unit(tick=_tick(array.type))
    elif is_number(array.type):
        try:
            domain = domain_of(array.filter(pa.array(valid(array))))
        except SchemaError:
            return None
        if not isinstance(domain, Grid):
            return Unit(loose=ERRORS[array.type])
        scale = Unit(places=array.type.scale if pa.types.is_decimal(array.type) else domain.places)
    else:
        return None
    try:
        most = np.abs(scale.units(array)[0].astype(np.float64)).max(initial=0.0)
    except (OverflowError, ValueError):
        return None
    if pa.types.is_floating(array.type) and most >= 2.0 ** (np.finfo(array.type.to_pandas_dtype()).nmant + 1):
        return Unit(loose=ERRORS[array.type])  # floats of the type are no finer than these units
    return scale if most < LARGEST else None


def value_of(coefficient: float, source: Unit, target: Unit) -> float:
    """A coefficient of numbers as one of their values, and not of their units: the simplest number, or part of one."""
    exact = coefficient * 10.0 ** (source.places - target.places)
    ways = [float(f"{exact:.12g}"), *([1 / float(f"{1 / exact:.12g}")] if exact else [])]
    return min(ways, key=lambda value: abs(value - exact))


def joined(scales: list[Unit]) -> Unit | None:
    """The scale that counts all these exactly. None for numbers beside times."""
    if len({bool(scale.tick) for scale in scales}) > 1:
        return None
    if scales[0].tick:
        return Unit(tick=min(scale.tick for scale in scales))
    if loose := max(scale.loose for scale in scales):
        return Unit(loose=loose)
    return Unit(places=max(scale.places for scale in scales))


def _tick(arrow: pa.DataType) -> int:
    """Nanoseconds of a tick of a type of times."""
    if pa.types.is_date32(arrow):
        return _DAY
    return _TICKS["ms" if pa.types.is_date64(arrow) else arrow.unit]


def _decimals(units: Ints, arrow: pa.DataType) -> pa.Array:
    """Decimals with these unscaled values."""
    words = np.stack([units, units >> 63], axis=1)  # 128 bits, the lower half first
    wide = pa.decimal128(38, arrow.scale)
    return pa.Array.from_buffers(wide, len(units), [None, pa.py_buffer(np.ascontiguousarray(words).tobytes())]).cast(
        arrow
    )
