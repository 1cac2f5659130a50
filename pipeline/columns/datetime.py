"""Dates, times, timestamps (with and without zone) and durations.

A point in time is a number on the grid of its granularity, so that daily data stay daily. A timestamp finer than a day
becomes two numbers, the date and the time of day, because the two have different distributions. If a zone's wall clock
is simpler (for example, all times are local midnights), the wall clock is modelled.
"""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from pipeline.arrow.arrays import Array, combined, masked
from pipeline.arrow.domain import Domain, Grid, domain_of, ticks
from pipeline.checks import expect, record
from pipeline.columns import checked, forms
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel
from pipeline.columns.forms import FORMS, Form, form_of
from pipeline.columns.variables import Variable
from pipeline.measures import MOVING, Moving
from pipeline.records import Record
from pipeline.schema import Column

_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class Datetime(Codec):
    """The kind of columns of points in time.

    Args:
        parts: One number (the time), or two (date, time of day).
        day: Ticks in a day if there are two parts, else 0.
        local: Whether the wall clock of the column's zone is modelled.
        ends: First and last tick in training. Empty if no value was seen.
        arrow: The column's type.
    """

    kind: ClassVar[str] = "datetime"
    measure: ClassVar[Moving] = MOVING
    forms: ClassVar[tuple[str, ...]] = tuple(FORMS)

    def __init__(
        self, parts: tuple[Form, ...], *, day: int, local: bool, ends: tuple[int, ...], arrow: pa.DataType
    ) -> None:
        self.parts, self.day, self.local, self.ends, self.arrow = parts, day, local, ends, arrow

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Dates, times, timestamps, durations."""
        return bool(pa.types.is_temporal(arrow)) and not pa.types.is_interval(arrow)

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Claim every column of such a type."""
        return "points in time" if cls.supports(array.type) else None

    @classmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:  # noqa: ARG003
        """See `Codec.fit`."""
        form = form_of(column)
        array = combined(array)
        present = array.drop_null()
        nulls = array.null_count > 0
        local = _wall_clock_is_simpler(present)
        units = _numpy(_to_wall(present) if local else present)
        day = _ticks_per_day(array.type)
        split = (units // day, units % day) if day and len(np.unique(units % day)) > 1 else (units,)
        parts = []
        for part in split:
            domain = domain_of(pa.array(part))
            positions = domain.positions(pa.array(part))
            parts.append(form.fit(domain, positions, nulls=nulls, least_rows=column.least_rows))
        return cls(tuple(parts), day=day if len(parts) > 1 else 0, local=local, ends=_ends(units), arrow=array.type)

    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:  # noqa: ARG002
        """See `Codec.extend`. The number of parts and the choice of the wall clock stay."""
        array = combined(array).cast(self.arrow)
        parts, origins, before = [], [], 0
        for part, piece in zip(self.parts, self._pieces(array), strict=True):
            grown, own = part.extend(pa.array(piece), nulls=array.null_count > 0, least_rows=column.least_rows)
            parts.append(grown)
            origins += [o if o.variable is None else o._replace(variable=o.variable + before) for o in own]
            before += len(part.variables)
        present = array.drop_null()
        units = _numpy(_to_wall(present) if self.local else present)
        ends = _ends(np.append(units, np.asarray(self.ends, dtype=np.int64)))
        codec = Datetime(tuple(parts), day=self.day, local=self.local, ends=ends, arrow=self.arrow)
        return Extension(codec, tuple(origins))

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`. A moment is at most as common as its day, and as its time of day."""
        return min(part.commonest for part in self.parts)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of the parts, in order."""
        return tuple(variable for part in self.parts for variable in part.variables)

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`."""
        array = combined(array).cast(self.arrow)
        mask = np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
        encoded = [
            part.encode(part.domain.positions(pa.array(piece)), mask)
            for part, piece in zip(self.parts, self._pieces(array), strict=True)
        ]
        values = tuple(value for piece in encoded for value in piece.values)
        return Encoded(values, np.stack([*(piece.rest for piece in encoded), np.zeros(len(mask), np.uint64)], axis=1))

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`. The last entry moves times of the first and last day into the training range."""
        pieces = zip(self.parts, self._split(values), strict=True)
        rests = [part.draw(piece, random, index) for part, piece in pieces]
        units, _ = self._units(Encoded(values, np.stack(rests, axis=1)))
        move = np.clip(units, self.ends[0], self.ends[1]) - units if self.ends else np.zeros(len(units), dtype=np.int64)
        return np.stack([*rests, move.astype(np.uint64)], axis=1)

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`. A row is null if a part is null."""
        units, mask = self._units(encoded)
        return masked(self._from_units(units + encoded.rest[:, -1].astype(np.uint64).astype(np.int64)), mask)

    def _units(self, encoded: Encoded) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Ticks of every row from its parts, and which rows hold a value."""
        units = np.zeros(len(encoded.rest), dtype=np.int64)
        mask = np.ones(len(encoded.rest), dtype=bool)
        scales = (self.day, 1) if self.day else (1,)
        for i, (part, values) in enumerate(zip(self.parts, self._split(encoded.values), strict=True)):
            positions, known = part.decode(Encoded(values, encoded.rest[:, i]))
            mask &= known
            whole = part.domain.values(np.where(known, positions, 0), pa.int64())
            units += whole.to_numpy() * scales[i]
        return units, mask

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        states = [forms.state(part) for part in self.parts]
        json = {"parts": [state[0] for state in states], "day": self.day, "local": self.local, "ends": self.ends}
        arrays = {f"{i}.{name}": array for i, state in enumerate(states) for name, array in state[1].items()}
        return json, arrays

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        state = record(_State, json)
        day = _ticks_per_day(arrow) if len(state.parts) > 1 else 0
        expect(state.day == day, "two parts where times are split into day and time of day")
        expect(not state.local or (pa.types.is_timestamp(arrow) and arrow.tz is not None), "a zone for a wall clock")
        expect(len(state.ends) in {0, 2} and state.ends == tuple(sorted(state.ends)), "two ends in order, or none")
        low, high = _range(arrow)
        expect(all(low <= end <= high for end in state.ends), f"ends of type {arrow}")
        kept = [f"{i}." for i in range(len(state.parts))]
        expect(all(name[:2] in kept for name in arrays), "arrays of the parts")
        parts = tuple(
            forms.load(part, {name[2:]: array for name, array in arrays.items() if name[:2] == own}, pa.int64())
            for own, part in zip(kept, state.parts, strict=True)
        )
        expect(all(len(part.arrays["ends"]) == len(state.ends) for part in parts), "ends of all parts, or of none")
        codec = cls(parts, day=day, local=state.local, ends=state.ends, arrow=arrow)
        codec._from_units(np.asarray(state.ends, dtype=np.int64))  # raises if the zone has no such times
        return codec

    def _pieces(self, array: pa.Array) -> tuple[NDArray[np.int64], ...]:
        """The non-null values in ticks, one array per part."""
        present = array.drop_null()
        units = _numpy(_to_wall(present) if self.local else present)
        return (units // self.day, units % self.day) if self.day else (units,)

    def _split(self, values: tuple[NDArray[Any], ...]) -> list[tuple[NDArray[Any], ...]]:
        first = len(self.parts[0].variables)
        return [values[:first], values[first:]][: len(self.parts)]

    def _from_units(self, units: NDArray[np.int64]) -> pa.Array:
        ends: Domain = Grid(base=0, step=1)
        if not self.local:
            return ends.values(units.astype(np.uint64), self.arrow)
        wall = ends.values(units.astype(np.uint64), pa.timestamp(self.arrow.unit))
        return pc.assume_timezone(wall, self.arrow.tz, ambiguous="earliest", nonexistent="earliest").cast(self.arrow)


class _State(Record):
    """The JSON part of a codec's state."""

    parts: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=2)]
    day: int
    local: bool
    ends: tuple[int, ...]


def _range(arrow: pa.DataType) -> tuple[int, int]:
    """The first and the last tick of a type. A time of day ends with the day."""
    if pa.types.is_time(arrow):
        return 0, _PER_DAY[arrow.unit] - 1
    return checked.limits(arrow)


def _ends(units: NDArray[np.int64]) -> tuple[int, ...]:
    return (int(units.min()), int(units.max())) if len(units) else ()


def _numpy(array: pa.Array) -> NDArray[np.int64]:
    return np.asarray(ticks(array).to_numpy(zero_copy_only=False), dtype=np.int64)


def _to_wall(array: pa.Array) -> pa.Array:
    """Wall-clock time in the column's zone."""
    return pc.local_timestamp(array)


def _ticks_per_day(arrow: pa.DataType) -> int:
    """Ticks in a day for timestamps and date64. 0 for types that are not split into date and time."""
    if pa.types.is_timestamp(arrow):
        return _PER_DAY[arrow.unit]
    return _PER_DAY["ms"] if pa.types.is_date64(arrow) else 0


def _wall_clock_is_simpler(present: pa.Array) -> bool:
    """Whether there are fewer local times of day than UTC ones, and local times give back the same instants."""
    arrow = present.type
    if not pa.types.is_timestamp(arrow) or arrow.tz is None or not len(present):
        return False
    day = _PER_DAY[arrow.unit]
    wall = _to_wall(present)
    if len(np.unique(_numpy(wall) % day)) >= len(np.unique(_numpy(present) % day)):
        return False
    back = pc.assume_timezone(wall, arrow.tz, ambiguous="earliest", nonexistent="earliest")
    return bool(pc.all(pc.equal(back, present)).as_py())
