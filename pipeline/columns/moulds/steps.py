"""Made-up numbers and times: positions on the grid of the real ones that no real value has.

Fresh ones come in order from a stretch without real ones, after the last real one if possible. They keep clear of the
whole range of a counter, and none is negative if no real one is and there is room. Others come from the range of the
real ones. A few rows at either end do not count for the range, and it is rounded outwards. If little of
the range is free, it is widened. Floats without a fixed number of decimal places are put on a grid fine enough for
their size. If all values of a type are real ones, as with booleans, values are drawn from the whole type, and this
reveals nothing about anybody.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import model_validator

from pipeline.arrow.domain import Grid, Line, domain_of, is_number, whole_units
from pipeline.arrow.labels import years
from pipeline.checks import expect
from pipeline.columns import checked
from pipeline.columns.moulds.leaf import ENDLESS, Leaf, Wanted
from pipeline.personal.folding import secret
from pipeline.personal.mixing import Ints, below
from pipeline.personal.rooms import NEAR, Room, filled_range, free_stretch

_WANT = 20_000
_PLENTY = 1_000
_PLACES = 9
_DIGITS = {16: 2, 32: 6, 64: 12}
_REACH = {16: 2**9, 32: 2**22, 64: 2**50}
_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_WHOLE_DAY = _DAY["ms"]


class Steps(Leaf):
    """Numbers, times and booleans.

    Attributes:
        grid: The grid of the values.
        spare: Positions that may be used.
        fresh: Whether they are used in order.
        free: Whether none of these positions is a real value.
    """

    kind: Literal["steps"] = "steps"
    grid: Grid
    spare: Room
    fresh: bool
    free: bool

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.spare.size:
            raise ValueError("no positions")
        return self

    @classmethod
    def fit(cls, values: pa.Array, wanted: Wanted, known: Self | None = None) -> Self:
        """Find free positions beside real values. Fresh ones stay among those of `known`, if given."""
        if pa.types.is_boolean(values.type):
            both = Room(stretches=((0, 2),))
            return cls(grid=Grid(base=0, step=1), spare=both, fresh=wanted.fresh, free=False)
        if wanted.fresh and known is not None and known.fresh and known.free:
            return known.narrowed(values)
        scale = Scale.of(values)
        found = scale.stretch(wanted.least_rows) if wanted.fresh else scale.scattered(wanted.least_rows)
        pool = wanted.pool(len(scale.taken))
        return cls(grid=found.grid, spare=found.spare, fresh=wanted.fresh, free=found.free, pool=pool)

    def narrowed(self, values: pa.Array) -> Self:
        """The same mould without the positions of these values, and without the range of a counter."""
        found = np.unique(_whole(values, self.grid.places)).tolist()
        end, numbers = self.spare.end, sorted({(number - self.grid.base) // self.grid.step for number in found})
        taken = {number for number in numbers if 0 <= number < end}
        reached = filled_range(numbers, min(numbers[0], 0), max(numbers[-1] + 1, end))
        if reached is not None:
            taken.update(range(max(reached[0], 0), min(reached[1], end)))
        spare = self.spare.without(np.array(sorted(taken), dtype=np.int64))
        return self.model_copy(update={"spare": spare if spare.size else self.spare, "free": spare.size > 0})

    @property
    def room(self) -> int:
        """Number of positions that may be used, if they are free."""
        return self.spare.size if self.fresh and self.free else 0

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Numbers or times."""
        size = self.spare.size
        number = self.pooled(index, seed)
        ranks = number % size if self.fresh else below(number, size, seed, "step")
        positions = self.spare.numbers(ranks)
        if pa.types.is_boolean(arrow):
            return pa.array(positions > 0)
        return self.grid.values(positions.astype(np.uint64), arrow)

    def check(self, arrow: pa.DataType) -> None:
        """Expect a type of numbers or times that holds every position."""
        if pa.types.is_boolean(arrow):
            expect(self.grid == Grid(base=0, step=1) and self.spare.end == 2, "both booleans")  # noqa: PLR2004
            return
        expect(is_number(arrow) or bool(pa.types.is_temporal(arrow)), "made-up numbers for numbers or times")
        checked.domain_fits(self.grid, 0, self.spare.end - 1, arrow)
        first, last = self.grid.base, self.grid.base + (self.spare.end - 1) * self.grid.step
        if not pa.types.is_floating(arrow):
            low, high = limits(arrow)
            expect(low <= first and last <= high, f"values of type {arrow}")
        whole = _WHOLE_DAY if pa.types.is_date64(arrow) else 1
        expect(first % whole == 0 and self.grid.step % whole == 0, "whole days")


class Free(NamedTuple):
    """Positions for made-up values, and whether they are free of real ones."""

    grid: Grid
    spare: Room
    free: bool


@dataclass(frozen=True)
class Scale:
    """Real values as whole numbers.

    Attributes:
        taken: The distinct values, ascending; at least one.
        rows: Number of rows of each value.
        step: A common divisor of all differences.
        unit: The size of one, in units of 10^−places.
        places: Decimal places.
        low: Least possible number.
        high: Greatest possible number.
    """

    taken: list[int]
    rows: list[int]
    step: int
    unit: int
    places: int
    low: int
    high: int

    @classmethod
    def of(cls, values: pa.Array) -> Self:
        """The scale of values that are neither null nor NaN, at least one."""
        arrow, unit, places = values.type, 1, 0
        if pa.types.is_floating(arrow):
            unit, places = _resolution(values)
            reach = min(_REACH[arrow.bit_width], int(np.finfo(arrow.to_pandas_dtype()).max) * 10**places // unit // 2)
            low, high = -reach, reach
        else:
            places = arrow.scale if pa.types.is_decimal(arrow) else 0
            low, high = limits(arrow)
        numbers, rows = np.unique(_whole(values, places, unit), return_counts=True)
        taken = [int(number) for number in numbers]
        apart = reduce(math.gcd, [number - taken[0] for number in taken], 0)
        whole = _WHOLE_DAY if pa.types.is_date64(arrow) else 1
        step = 1 if pa.types.is_integer(arrow) else max(apart, whole)
        return cls(taken, rows.tolist(), step, unit, places, low, high)

    def stretch(self, least_rows: int) -> Free:
        """The positions after the last real one, or else in the widest gap, or in many gaps if these have more room."""
        if self.taken[0] >= 0 > self.low:
            upper = replace(self, low=0).stretch(least_rows)
            if upper.free and upper.spare.size >= NEAR * len(self.taken):
                return upper
        numbers, least, most = [n for n in self._numbers if self._least <= n <= self._most], self._least, self._most
        start, room = free_stretch(numbers, least, most + 1)
        size = most - least + 1
        scattered = filled_range(numbers, least, most + 1) is None
        if scattered and _PLENTY * len(numbers) > room and size <= ENDLESS:
            taken = np.array(numbers, dtype=object) - least
            many = Room.between(taken.astype(np.int64), size, size, least_rows, self._random)
            if many.size > room:
                return Free(self._grid(least), many, free=True)
        return Free(self._grid(start), _whole_room(room), free=True) if room else self._all()

    def scattered(self, least_rows: int) -> Free:
        """Positions between real ones, in about their range."""
        numbers, least, most = self._numbers, self._least, self._most
        if self.taken[0] >= 0:
            least = max(least, 0)
        low, high = self._range(numbers, least_rows)
        while True:
            low, high = (max(low, least), min(high, most)) if low <= most and least <= high else (least, most)
            wide = max(1, -(-(high - low + 1) // ENDLESS))
            inside = [(n - low) // wide for n in numbers if low <= n <= high and (n - low) % wide == 0]
            size = (high - low) // wide + 1
            if size - len(inside) > len(inside) // 2:
                taken = np.array(inside, dtype=np.int64)
                spare = Room.between(taken, size, max(_WANT, 2 * len(numbers)), least_rows, self._random)
                if spare.size:
                    return Free(self._grid(low, wide), spare, free=True)
            if (low, high) == (least, most):
                return self._all()
            low, high = 2 * low - high - 1, 2 * high - low + 1

    def _range(self, numbers: list[int], least_rows: int) -> tuple[int, int]:
        """The range of the values without a few rows at either end, rounded outwards."""
        until = np.cumsum(self.rows)
        few = min(least_rows, (int(until[-1]) + 1) // 2)
        low = numbers[int(np.searchsorted(until, few))]
        high = numbers[int(np.searchsorted(until, until[-1] - few, side="right"))]
        low, high = min(low, high), max(low, high)
        coarse = 2 ** max((high - low).bit_length() - 4, 0)
        return low // coarse * coarse, -(-(high + 1) // coarse) * coarse - 1

    @cached_property
    def _random(self) -> np.random.Generator:
        return secret(pa.array([str(number) for number in self.taken]), "steps")

    @cached_property
    def _residue(self) -> int:
        return self.taken[0] % self.step

    @cached_property
    def _numbers(self) -> list[int]:
        """The distinct values in steps."""
        return [(number - self._residue) // self.step for number in self.taken]

    @property
    def _least(self) -> int:
        return -((self._residue - self.low) // self.step)

    @property
    def _most(self) -> int:
        return (self.high - self._residue) // self.step

    def _all(self) -> Free:
        """Every position, free or not."""
        return Free(self._grid(self._least), _whole_room(self._most - self._least + 1), free=False)

    def _grid(self, first: int, every: int = 1) -> Grid:
        """The grid of every `every`-th step from the first one on."""
        base = (self._residue + first * self.step) * self.unit
        return Grid(base=base, step=every * self.step * self.unit, places=self.places)


def limits(arrow: pa.DataType) -> tuple[int, int]:
    """The least and the greatest made-up value of a type that is no float, in its own units."""
    if pa.types.is_date(arrow) or pa.types.is_timestamp(arrow):
        low, high = years(arrow)
        return (
            (-(-low // _WHOLE_DAY) * _WHOLE_DAY, high // _WHOLE_DAY * _WHOLE_DAY)
            if pa.types.is_date64(arrow)
            else (low, high)
        )
    if pa.types.is_time(arrow):
        return 0, _DAY[arrow.unit] - 1
    return checked.limits(arrow)


def _resolution(values: pa.Array) -> tuple[int, int]:
    """The unit and the decimal places of a grid for floats."""
    found, greatest = domain_of(values), float(np.abs(Line().positions(values)).max())
    if not isinstance(found, Line) and greatest * 10.0**found.places < _REACH[values.type.bit_width]:
        return 1, found.places
    digits = _DIGITS[values.type.bit_width] - math.ceil(math.log10(greatest))
    return 10 ** max(-digits, 0), min(max(digits, 0), _PLACES)


def _whole(values: pa.Array, places: int, unit: int = 1) -> NDArray[Any]:
    """Values as whole numbers of a unit of 10^−places."""
    if pa.types.is_floating(values.type):
        scaled = np.rint(Line().positions(values) * 10.0**places / unit)
        return scaled.clip(-(2.0**62), 2.0**62).astype(np.int64)
    return whole_units(values, places)


def _whole_room(size: int) -> Room:
    return Room(stretches=((0, min(size, ENDLESS)),))
