"""Made-up bytes, numbered by their first seven.

For every length that enough real values have, the beginnings of real values are left out, together with others by
chance (`pipeline.personal.rooms.Room`). Bytes after the seventh are random.
"""

from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from pipeline.arrow.widening import is_bytes
from pipeline.checks import expect
from pipeline.columns.moulds.leaf import Leaf, Wanted, lengths_of
from pipeline.personal.folding import secret
from pipeline.personal.mixing import Ints, below, bits, chosen, permuted
from pipeline.personal.rooms import Room

LONGEST = 2**16
"""Largest number of bytes of a value."""
_WANT = 20_000
_ROOMY = 2**32
_LENGTH = 8
_HEAD = 7


class Octets(Leaf):
    """Bytes.

    Attributes:
        lengths: Possible numbers of bytes.
        weights: The weight of each length.
        spare: For each length, numbers of first bytes that no real value of that length has.
        fresh: Whether every index has a number of its own.
        free: Whether there are such numbers. If not, any numbers are used.
    """

    kind: Literal["octets"] = "octets"
    lengths: tuple[int, ...] = Field(min_length=1)
    weights: tuple[int, ...]
    spare: tuple[Room, ...]
    fresh: bool
    free: bool

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not len(self.lengths) == len(self.weights) == len(self.spare) or len(set(self.lengths)) < len(self.lengths):
            raise ValueError("lengths and what belongs to them differ")
        if not all(0 <= length <= LONGEST for length in self.lengths) or not all(0 < w < 2**40 for w in self.weights):
            raise ValueError("impossible lengths")
        if any(
            not room.size or room.end > _heads(length) for length, room in zip(self.lengths, self.spare, strict=True)
        ):
            raise ValueError("more free numbers than bytes")
        return self

    @classmethod
    def fit(cls, values: pa.Array, wanted: Wanted) -> Self:
        """Learn the lengths of real values, and leave out their beginnings."""
        fixed = values.type.byte_width if pa.types.is_fixed_size_binary(values.type) else None
        distinct = values.dictionary_encode().dictionary.to_pylist()
        random = secret(pa.array(sorted(value[:64].hex() for value in distinct)), "bytes")
        sizes = pc.binary_length(values).to_numpy(zero_copy_only=False)
        found: dict[int, tuple[int, Room]] = {}
        for length, weight in lengths_of(sizes, wanted.least_rows):
            size = min(max(length, 1), LONGEST) if fixed is None else fixed
            room = _spare([value for value in distinct if len(value) == size], size, wanted, random)
            if room.size and (fixed is not None or not wanted.fresh or room.size >= _ROOMY):
                found[size] = (weight + (found[size][0] if size in found else 0), room)
        free = bool(found) or fixed is None
        if not found:  # use more bytes than any real value, or any bytes if the size is fixed
            size = fixed if fixed is not None else (max(map(len, distinct)) // _LENGTH + 1) * _LENGTH
            found[size] = (1, Room(stretches=((0, _heads(size)),)))
        return cls(
            lengths=tuple(found),
            weights=tuple(weight for weight, _ in found.values()),
            spare=tuple(room for _, room in found.values()),
            fresh=wanted.fresh,
            free=free,
            pool=wanted.pool(len(distinct)),
        )

    @property
    def room(self) -> int:
        """The fewest free numbers of any length, if there are free numbers."""
        return min(room.size for room in self.spare) if self.fresh and self.free else 0

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:
        """Bytes."""
        index = self.pooled(index, seed)
        which, parts, order = chosen(index, self.weights, seed, "length"), [], []
        for i, (length, room) in enumerate(zip(self.lengths, self.spare, strict=True)):
            rows = np.flatnonzero(which == i)
            if self.fresh:
                ranks = permuted(index[rows] % room.size, room.size, seed, f"bytes {length}")
            else:
                ranks = below(index[rows], room.size, seed, f"bytes {length}")
            parts.append(_bytes(room.numbers(ranks), index[rows], length, seed, arrow))
            order.append(rows)
        return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(order), kind="stable")))

    def check(self, arrow: pa.DataType) -> None:
        """Expect a type of bytes, and equal lengths if its size is fixed."""
        expect(is_bytes(arrow), "made-up bytes for bytes")
        if pa.types.is_fixed_size_binary(arrow):
            expect(self.lengths == (arrow.byte_width,), f"bytes of type {arrow}")


def _heads(length: int) -> int:
    """How many different first bytes there are."""
    return int(256 ** min(length, _HEAD))


def _spare(values: list[bytes], length: int, wanted: Wanted, random: np.random.Generator) -> Room:
    """Numbers of first bytes that no value has."""
    taken = np.unique(np.array([int.from_bytes(value[:_HEAD], "big") for value in values], dtype=np.int64))
    return Room.between(taken, _heads(length), max(_WANT, 2 * len(values)), wanted.least_rows, random)


def _bytes(numbers: Ints, index: Ints, length: int, seed: int, arrow: pa.DataType) -> pa.Array:
    """Bytes that begin with these numbers and go on at random."""
    head = min(length, _HEAD)
    whole = np.empty((len(numbers), length), dtype=np.uint8)
    whole[:, :head] = numbers.astype(">u8")[:, None].view(np.uint8)[:, 8 - head :]
    for start in range(head, length, 8):
        more = bits(index, seed, f"bytes {length} {start}")[:, None].view(np.uint8)
        whole[:, start : start + 8] = more[:, : length - start]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(length), len(numbers), [None, pa.py_buffer(whole.tobytes())])
    return fixed if fixed.type == arrow else fixed.cast(pa.binary()).cast(arrow)
