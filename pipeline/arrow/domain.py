"""Domains of numbers: the sets from which columns of numbers take their values.

A `Grid` is base + k·step for whole k ≥ 0: integers, decimals, floats with a fixed number of decimal places, dates and
timestamps of a granularity. Its arithmetic is exact over the full 64-bit range. A `Line` holds all floats. Codecs
compute with *positions* in the domain (k, or the float itself). They never see types or units.
"""

from decimal import Context, Decimal
from math import gcd
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import PositiveInt

from pipeline.errors import SchemaError
from pipeline.records import Record

PLACES = 9
"""Most decimal places at which floats are recognised as fixed-point."""
_EXACT = 2**53
_WIDE = Context(prec=100)  # the default context would round decimals of more than 28 digits


class Grid(Record):
    """Values base + k·step in units of 10^−places. The position k is a uint64."""

    base: int
    step: PositiveInt
    places: int = 0

    def positions(self, array: pa.Array) -> NDArray[Any]:
        """Positions of the non-null values of `array`. A value off the grid gets the position of a neighbour."""
        units = whole_units(array, self.places)
        if units.dtype == object:
            return np.asarray([max(0, (int(u) - self.base) // self.step) for u in units], dtype=np.uint64)
        below = units < self.base
        # modular arithmetic: the difference of two int64 fits uint64 whatever their signs
        offset = units.astype(np.uint64) - np.uint64(self.base % 2**64)
        return np.where(below, np.uint64(0), offset // np.uint64(self.step))

    def values(self, positions: NDArray[Any], arrow: pa.DataType) -> pa.Array:
        """Arrow array of type `arrow` with the values at `positions`."""
        if pa.types.is_decimal(arrow):
            exact = (Decimal(self.base + int(k) * self.step) for k in positions)
            return pa.array([_WIDE.scaleb(value, -arrow.scale) for value in exact], type=arrow)
        if pa.types.is_floating(arrow):
            whole = self.base + positions.astype(np.float64) * self.step
            return pa.array(_rounded(whole / 10.0**self.places, arrow), type=arrow)
        units = positions.astype(np.uint64) * np.uint64(self.step) + np.uint64(self.base % 2**64)
        if pa.types.is_unsigned_integer(arrow):
            return pa.array(units, type=pa.uint64()).cast(arrow)
        return _from_ticks(units.astype(np.int64), arrow)


class Line(Record):
    """All floats. Positions are the values themselves."""

    def positions(self, array: pa.Array) -> NDArray[Any]:
        """The non-null values as float64."""
        return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)

    def values(self, positions: NDArray[Any], arrow: pa.DataType) -> pa.Array:
        """Arrow array of type `arrow` with these values."""
        return pa.array(_rounded(positions.astype(np.float64), arrow), type=arrow)


Domain = Grid | Line


def domain_of(array: pa.Array) -> Domain:
    """The smallest domain that holds the non-null `array` exactly (floats: up to rounding).

    Raises:
        SchemaError: The values span more than 64 bits.
    """
    arrow = array.type
    places = arrow.scale if pa.types.is_decimal(arrow) else 0
    if pa.types.is_floating(arrow):
        found = _places(np.asarray(array.to_numpy(zero_copy_only=False)))
        if found is None:
            return Line()
        places = found
    units = whole_units(array, places)
    if len(units) == 0:
        return Grid(base=0, step=1, places=places)
    base, top = int(units.min()), int(units.max())
    if top - base >= 2**64:
        raise SchemaError(f"values of type {arrow} span more than 64 bits, expected at most 2^64 distinct steps")
    if units.dtype == object:
        step = int(np.gcd.reduce(np.asarray([int(u) - base for u in units], dtype=object)))
    else:
        step = int(np.gcd.reduce(units.astype(np.uint64) - np.uint64(base % 2**64)))
    return Grid(base=base, step=max(step, 1), places=places)


def joined(known: Domain, known_last: int, came: Domain, came_last: int) -> Domain:
    """The smallest domain that holds two others, given the last used position of each.

    Raises:
        SchemaError: Together they span more than 64 bits.
    """
    if isinstance(known, Line) or isinstance(came, Line):
        return Line()
    places = max(known.places, came.places)
    bases, steps, tops = [], [], []
    for grid, last in ((known, known_last), (came, came_last)):
        unit = 10 ** (places - grid.places)
        bases.append(grid.base * unit)
        steps.append(grid.step * unit if last else 0)  # the step of a single value means nothing
        tops.append((grid.base + grid.step * last) * unit)
    base, top = min(bases), max(tops)
    if known.places != came.places and max(abs(base), abs(top)) >= _EXACT // 8:
        return Line()
    if top - base >= 2**64:
        raise SchemaError(
            "values span more than 64 bits with those of the earlier training, expected at most 2^64 steps"
        )
    return Grid(base=base, step=gcd(*steps, bases[0] - bases[1]) or 1, places=places)


def moved(positions: NDArray[Any], known: Domain, new: Domain) -> NDArray[Any]:
    """Convert positions of the domain `known`, whole or in between, to positions of `new`, which holds `known`."""
    if isinstance(known, Line) or known == new:
        return positions
    if isinstance(new, Line):
        return np.asarray((known.base + positions.astype(np.float64) * known.step) / 10.0**known.places)
    unit = 10 ** (new.places - known.places)
    offset = (known.base * unit - new.base) // new.step
    if positions.dtype == np.float64:
        return np.asarray(positions * (known.step * unit / new.step) + offset)
    return np.asarray(positions * np.uint64(known.step * unit // new.step) + np.uint64(offset))


def whole_units(array: pa.Array, places: int) -> NDArray[Any]:
    """Non-null values as whole multiples of 10^−places: int64, uint64, or Python integers for wide decimals."""
    arrow = array.type
    if pa.types.is_decimal(arrow):
        units = [int(_WIDE.scaleb(value, arrow.scale)) for value in array.to_pylist()]
        small = all(-(2**63) <= u < 2**63 for u in units)
        return np.asarray(units, dtype=np.int64 if small else object)
    if pa.types.is_floating(arrow):
        return np.rint(Line().positions(array) * 10.0**places).astype(np.int64)
    if pa.types.is_integer(arrow):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    return np.asarray(ticks(array).to_numpy(zero_copy_only=False))


def ticks(array: pa.Array) -> pa.Array:
    """Dates, times, timestamps and durations as int64 in their own unit."""
    width = array.type.bit_width
    return array.view(pa.int32()).cast(pa.int64()) if width == 32 else array.view(pa.int64())  # noqa: PLR2004


def _from_ticks(units: NDArray[np.int64], arrow: pa.DataType) -> pa.Array:
    if pa.types.is_integer(arrow):
        return pa.array(units).cast(arrow)
    return pa.array(units.astype(np.int32) if arrow.bit_width == 32 else units).view(arrow)  # noqa: PLR2004


def _rounded(values: NDArray[np.float64], arrow: pa.DataType) -> NDArray[Any]:
    return values.astype(arrow.to_pandas_dtype())


def _places(values: NDArray[np.floating[Any]]) -> int | None:
    """The decimal places that write every value of a float array exactly. None if there is no such number."""
    values = np.unique(values)
    wide = values.astype(np.float64)
    for places in range(PLACES + 1):
        scaled = wide * 10.0**places
        if np.abs(scaled).max(initial=0.0) >= _EXACT / 8:
            return None
        if np.array_equal((np.rint(scaled) / 10.0**places).astype(values.dtype), values):
            return places
    return None


def is_number(arrow: pa.DataType) -> bool:
    """Whether the type is an integer, a float or a decimal."""
    return bool(pa.types.is_integer(arrow) or pa.types.is_floating(arrow) or pa.types.is_decimal(arrow))


def valid(array: pa.Array) -> NDArray[np.bool_]:
    """Which entries hold a value: neither null nor NaN, [rows]."""
    mask = pc.is_valid(array)
    if pa.types.is_floating(array.type):
        mask = pc.and_(mask, pc.invert(pc.fill_null(pc.is_nan(array), True)))  # noqa: FBT003
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool)
