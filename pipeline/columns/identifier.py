"""Identifiers: one distinct value per record, meaning nothing.

They are not modelled. Generated rows get fresh values of the same type and pattern: row i of a dataset always the
same one, no two rows the same one, and none that a training row had. That last is by construction, so no list
of the real values is kept: every identifier that fits the pattern has a number, and fresh ones come from a stretch
of numbers that no real one occupied.
"""

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

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
    unrelated,
)
from pipeline.columns.numeric import masked
from pipeline.errors import TableError
from pipeline.records import Record
from pipeline.schema import Column, value_type

_NAMED = re.compile(r"(^|[^a-z])(id|ids|key|uuid|guid|no|nr|index|idx|sku|serial)($|[^a-z])|[a-z]I[dD]$", re.IGNORECASE)
_FEW, _MANY = 20, 200
_LONGEST = 2**20  # characters; arithmetic with longer numbers would not end
_ROOM = 1_000


class Pattern(Record):
    """Texts of one length: which characters each position may have, and how long real ones get."""

    alphabets: tuple[Annotated[str, Field(min_length=1)], ...]
    longest: NonNegativeInt

    @property
    def size(self) -> int:
        """How many texts fit."""
        return math.prod(len(alphabet) for alphabet in self.alphabets)

    def number(self, text: str) -> int:
        """The number of a text that fits; raises ValueError where it does not."""
        number = 0
        for character, alphabet in zip(text, self.alphabets, strict=True):
            number = number * len(alphabet) + alphabet.index(character)
        return number

    def fits(self, text: str) -> bool:
        """Whether a text has a number."""
        return len(text) == len(self.alphabets) and all(c in a for c, a in zip(text, self.alphabets, strict=True))

    def text(self, number: int) -> str:
        """The text of a number; numbers beyond `size` get longer texts than any real one."""
        overflow, number = divmod(number, self.size)
        characters = []
        for alphabet in reversed(self.alphabets):
            number, digit = divmod(number, len(alphabet))
            characters.append(alphabet[digit])
        text = "".join(reversed(characters))
        return text if not overflow else text + str(overflow).rjust(self.longest + 1 - len(text), "0")


_Hexadecimal = Annotated[str, Field(pattern=r"^-?[0-9a-f]+$")]


class _State(Record):
    """The JSON part of a codec's state."""

    start: _Hexadecimal
    room: _Hexadecimal
    pattern: Pattern | None
    nulls: bool


class Identifier(Codec):
    """The kind of columns that name a record.

    Args:
        arrow: The column's type.
        start: First fresh number.
        room: How many fresh numbers there are; texts continue with longer ones.
        pattern: How numbers are written, for texts.
        nulls: Whether nulls were seen in training.
    """

    kind: ClassVar[str] = "identifier"
    measure: ClassVar[Measure] = "none"

    def __init__(self, arrow: pa.DataType, start: int, room: int, pattern: Pattern | None, *, nulls: bool) -> None:
        self.arrow, self.start, self.room, self.pattern, self.nulls = arrow, start, room, pattern, nulls

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Integers and strings."""
        return _is_text(arrow) or bool(pa.types.is_integer(value_type(arrow)))

    @classmethod
    def claims(cls, array: Array, name: str) -> bool:
        """Strings all distinct; integers all distinct that are named, numbered or spaced like identifiers."""
        if not cls.supports(array.type) or len(array) < _FEW:
            return False
        present = combined(array).drop_null()
        if len(present) < _FEW or len(present.unique()) < len(present):
            return False
        if _is_text(array.type) or _NAMED.search(name):
            return True
        numbers = present.to_numpy(zero_copy_only=False)
        rising = bool((numbers[1:] > numbers[:-1]).all() or (numbers[1:] < numbers[:-1]).all())
        dense = int(numbers.max()) - int(numbers.min()) < 2 * len(numbers)
        return len(numbers) >= _MANY and (rising or dense)

    @classmethod
    def fit(cls, array: Array, column: Column) -> Self:  # noqa: ARG003
        """See `Codec.fit`."""
        present = combined(array).drop_null()
        nulls = len(present) < len(array)
        if not _is_text(array.type):
            limits = np.iinfo(value_type(array.type).to_pandas_dtype())
            numbers = present.to_numpy(zero_copy_only=False)
            start, room = _free_stretch(np.unique(numbers), int(limits.min), int(limits.max) + 1)
            return cls(array.type, start, room, None, nulls=nulls)
        texts = present.to_pylist()
        pattern = _pattern(texts)
        width = len(pattern.alphabets)
        taken = sorted(pattern.number(text) for text in texts if len(text) == width)
        start, room = _free_stretch(taken, 0, pattern.size)
        if room < len(texts):  # the pattern is nearly full: only longer texts are left
            room = 0
        return cls(array.type, start, room, pattern, nulls=nulls)

    def extend(self, array: Array, column: Column, novel: Novel) -> Extension:  # noqa: ARG002
        """See `Codec.extend`; fresh numbers keep clear of the identifiers of either training."""
        present = combined(array).drop_null()
        values, pattern = present.to_pylist(), self.pattern
        numbers = values
        if pattern is not None:
            pattern = pattern.model_copy(update={"longest": max([pattern.longest, *map(len, values)])})
            numbers = [pattern.number(text) for text in values if pattern.fits(text)]
        taken = sorted({number for number in numbers if 0 <= number - self.start < self.room})
        start, room = self.start, self.room
        if taken:
            start, room = _free_stretch(taken, start, start + room)
        grown = Identifier(array.type, start, room, pattern, nulls=self.nulls or len(present) < len(array))
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
        if self.pattern is None and len(encoded.rest) and int(encoded.rest.max()) >= self.room:
            raise TableError(f"an identifier column of type {self.arrow} has room for {self.room} fresh values only")
        numbers = [self._number(int(row)) for row in encoded.rest]
        mask = np.asarray(encoded.values[0]) > 0 if self.nulls else np.ones(len(numbers), dtype=bool)
        written = numbers if self.pattern is None else [self.pattern.text(number) for number in numbers]
        array = masked(pa.array(written, value_type(self.arrow)), mask)
        return array.cast(self.arrow)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`; big integers travel as hexadecimal text."""
        pattern = self.pattern.model_dump() if self.pattern else None
        return {"start": f"{self.start:x}", "room": f"{self.room:x}", "pattern": pattern, "nulls": self.nulls}, {}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        exactly(arrays, ())
        state = record(_State, json)
        start, room, pattern = int(state.start, 16), int(state.room, 16), state.pattern
        expect((pattern is not None) == _is_text(arrow), "a pattern for texts, and only for them")
        expect(pattern is None or len(pattern.alphabets) <= pattern.longest <= _LONGEST, "a pattern of usual length")
        low, high = checked.limits(value_type(arrow)) if pattern is None else (0, pattern.size - 1)
        expect(room >= 0 and low <= start and start + room <= high + 1, "fresh values of the column's type")
        return cls(arrow, start, room, pattern, nulls=state.nulls)

    def _number(self, row: int) -> int:
        """One to one: in sequence for integers; spread over the free stretch, then longer, for texts."""
        if self.pattern is None:
            return self.start + row
        if row >= self.room:
            return self.pattern.size + row - self.room
        stride = self.room * 618_033_988_749_895 // 10**15 | 1
        while math.gcd(stride, self.room) > 1:
            stride += 2
        return self.start + (row + 1) * stride % self.room  # not from the first on, which follows a real one


def _is_text(arrow: pa.DataType) -> bool:
    inner = value_type(arrow)
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _pattern(texts: list[str]) -> Pattern:
    """The pattern of the commonest length."""
    lengths = Counter(map(len, texts))
    width = max(lengths, key=lambda length: (lengths[length], length), default=0)
    usual = [text for text in texts if len(text) == width]
    alphabets = tuple(_alphabet(set(place)) for place in zip(*usual, strict=True))
    return Pattern(alphabets=alphabets, longest=max(lengths, default=0))


def _alphabet(characters: set[str]) -> str:
    """The characters a position may have: those seen; where all are digits and not always one, every digit."""
    return "0123456789" if len(characters) > 1 and characters <= set("0123456789") else "".join(sorted(characters))


def _free_stretch(taken: Any, low: int, high: int) -> tuple[int, int]:  # noqa: ANN401
    """Start and length of the numbers to use in [low, high): after the last taken one, else the widest gap."""
    numbers = [int(number) for number in taken]
    if not numbers:
        return max(low, 1), high - max(low, 1)
    after = high - numbers[-1] - 1
    if after >= _ROOM * len(numbers):
        return numbers[-1] + 1, after
    bounds = [low - 1, *numbers, high]
    gaps = [(right - left - 1, left + 1) for left, right in pairwise(bounds)]
    room, start = max(gaps)
    return start, room
