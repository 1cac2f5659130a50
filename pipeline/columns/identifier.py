"""Identifiers: one distinct value per record, meaning nothing.

They are not modelled. Generated rows get fresh values of the same type and pattern: row i of a dataset always the
same one, no two rows the same one, and none that a training row had. That last is by construction, so no list of the
real values is kept: fresh numbers come from a stretch that no real one occupied, and texts are made-up codes
(`pipeline.personal`).
"""

import re
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from pipeline.checks import exactly, expect, record
from pipeline.columns import checked
from pipeline.columns.base import (
    Array,
    Codec,
    Discrete,
    Encoded,
    Extension,
    Measure,
    Novel,
    Origin,
    Variable,
    combined,
    is_text,
    unrelated,
)
from pipeline.columns.numeric import masked
from pipeline.errors import TableError
from pipeline.personal import Fake, Recognition, recognise
from pipeline.records import Record
from pipeline.schema import Column, value_type

_NAMED = re.compile(
    r"(^|[^a-z])(id|ids|key|uuid|guid|no|nr|num|index|idx|sku|serial)($|[^a-z])|[a-z](I[dD]|N[or])$"
    r"|(number|nummer|num[eé]ro|n[uú]mero|matricule|codigo|codice|kennung)($|[^a-z])",
    re.IGNORECASE,
)
CODES = ("code", "uuid", "iban", "card", "national id", "mac address", "phone")
"""Shapes of texts that are numbers of a kind."""
_FEW, _MANY = 20, 200
_ROOM = 1_000


_Hexadecimal = Annotated[str, Field(pattern=r"^-?[0-9a-f]+$")]


class _State(Record):
    """The JSON part of a codec's state."""

    start: _Hexadecimal
    room: _Hexadecimal
    fake: Fake | None
    nulls: bool


class Identifier(Codec):
    """The kind of columns that name a record.

    Args:
        arrow: The column's type.
        start: First fresh number.
        room: How many fresh numbers there are.
        fake: Makes texts; None for integers.
        nulls: Whether nulls were seen in training.
    """

    kind: ClassVar[str] = "identifier"
    measure: ClassVar[Measure] = "none"

    def __init__(self, arrow: pa.DataType, start: int, room: int, fake: Fake | None, *, nulls: bool) -> None:
        self.arrow, self.start, self.room, self.fake, self.nulls = arrow, start, room, fake, nulls

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Integers and strings."""
        return is_text(arrow) or bool(pa.types.is_integer(value_type(arrow)))

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Texts of one pattern, all distinct; integers that are named, numbered or spaced like identifiers."""
        values = combined(array).drop_null() if cls.supports(array.type) else ()
        if len(values) < _FEW:
            return None
        counts = pc.value_counts(values).field("counts").to_numpy()
        if is_text(array.type):
            return "every value is different" if len(counts) == len(values) else None
        rare = int(counts[counts < least_rows].sum()) / len(values)
        if _NAMED.search(name) is not None and 2 * rare > 1:
            return f"the name says so, and {rare:.0%} of the rows share their value with few others or none"
        return "the rows are numbered" if len(counts) == len(values) and _numbered(values) else None

    @classmethod
    def fit(cls, array: Array, column: Column) -> Self:
        """See `Codec.fit`."""
        values = combined(array).drop_null()
        nulls = len(values) < len(array)
        if is_text(array.type):
            fake = Fake.fit(values.cast(pa.string()), _shape(column.name, values), column.least_rows)
            return cls(array.type, 0, 0, fake, nulls=nulls)
        limits = np.iinfo(value_type(array.type).to_pandas_dtype())
        numbers = values.to_numpy(zero_copy_only=False)
        start, room = _free_stretch(np.unique(numbers), int(limits.min), int(limits.max) + 1)
        return cls(array.type, start, room, None, nulls=nulls)

    def extend(self, array: Array, column: Column, novel: Novel) -> Extension:  # noqa: ARG002
        """See `Codec.extend`; fresh numbers keep clear of the identifiers of either training, texts of the last."""
        grown = self.fit(array, column)
        grown.nulls = grown.nulls or self.nulls
        if grown.fake is None:
            values = combined(array).drop_null().to_pylist()
            taken = sorted({number for number in values if 0 <= number - self.start < self.room})
            grown.start, grown.room = self.start, self.room
            if taken:
                grown.start, grown.room = _free_stretch(taken, self.start, self.start + self.room)
        same = self.nulls or not grown.nulls
        return Extension(
            grown, (Origin(0, np.arange(2)),) * len(grown.variables) if same else unrelated(grown.variables)
        )

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A null flag where nulls occur."""
        return (Discrete(2, missing=True),) if self.nulls else ()

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`; the identity of a record is left out on purpose."""
        mask = np.asarray(combined(array).is_valid().to_numpy(zero_copy_only=False))
        return Encoded((mask.astype(np.int64),) if self.nulls else (), np.arange(len(array)))

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`: the number of the row; nothing is random."""
        del values, random
        return index

    def decode(self, encoded: Encoded) -> pa.Array:
        """Fresh identifiers for the rows numbered `rest`; raises TableError where the type has no room for them."""
        index = np.asarray(encoded.rest, dtype=np.int64)
        mask = np.asarray(encoded.values[0]) > 0 if self.nulls else np.ones(len(index), dtype=bool)
        if self.fake is not None:
            return masked(self.fake.make(index, 0).cast(value_type(self.arrow)), mask).cast(self.arrow)
        if len(index) and int(index.max()) >= self.room:
            raise TableError(f"an identifier column of type {self.arrow} has room for {self.room} fresh values only")
        numbers = pa.array([self.start + int(row) for row in index], value_type(self.arrow))
        return masked(numbers, mask).cast(self.arrow)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`; big integers travel as hexadecimal text."""
        fake = self.fake.state() if self.fake is not None else None
        return {"start": f"{self.start:x}", "room": f"{self.room:x}", "fake": fake, "nulls": self.nulls}, {}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        exactly(arrays, ())
        state = record(_State, json)
        start, room, fake = int(state.start, 16), int(state.room, 16), state.fake
        expect((fake is not None) == is_text(arrow), "made-up codes for texts, and only for them")
        low, high = checked.limits(value_type(arrow)) if fake is None else (0, 0)
        expect(room >= 0 and low <= start and start + room <= high + 1, "fresh values of the column's type")
        return cls(arrow, start, room, fake, nulls=state.nulls)


def _numbered(values: pa.Array) -> bool:
    """Whether many distinct integers rise or fall from row to row, or lie close together."""
    numbers = values.to_numpy(zero_copy_only=False)
    rising = bool((numbers[1:] > numbers[:-1]).all() or (numbers[1:] < numbers[:-1]).all())
    return len(numbers) >= _MANY and (rising or int(numbers.max()) - int(numbers.min()) < 2 * len(numbers))


def _shape(name: str, values: pa.Array) -> Recognition:
    """What the texts look like: codes, of a standard form where they have one."""
    found = recognise(name, values)
    return found if found is not None and found.shape in CODES else Recognition(shape="code", reason="")


def _free_stretch(taken: Any, low: int, high: int) -> tuple[int, int]:  # noqa: ANN401
    """Start and length of the numbers to use in [low, high): after the last taken one, else the widest gap."""
    numbers = [int(number) for number in taken]
    if not numbers:
        return max(low, 1), high - max(low, 1)
    after = high - numbers[-1] - 1
    if after >= _ROOM * len(numbers):
        unit = 10 ** len(str(len(numbers)))  # a round number does not tell the greatest real one
        start = (numbers[-1] // unit + 1) * unit
        return start, high - start
    bounds = [low - 1, *numbers, high]
    gaps = [(right - left - 1, left + 1) for left, right in pairwise(bounds)]
    room, start = max(gaps)
    return start, room
