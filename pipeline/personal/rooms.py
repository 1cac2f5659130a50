"""Free numbers: those that no real text, number or byte has.

A small space keeps a random part of the numbers that no real value has. A large one keeps wide stretches between real
numbers, with rounded ends. Both reveal next to nothing about single real values, because a number that is left out was
not necessarily taken.

Numbers that fill their range densely are those of a counter. What such a range leaves open may well be taken by a row
that nobody has shown, so the whole range counts as taken (`filled_range`).
"""

import base64
import zlib
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from pipeline.personal.mixing import Ints
from pipeline.records import Record

LIMIT = 2**62
"""No number is greater."""
STRETCHES = 4_096
"""Most stretches that are kept."""
TABLE = 4_096
"""Most combinations of characters in one table."""
_SMALL = 2**23
_PERIOD = 1_000
_COUNTED, _SPREAD = 5, 20
_FULL, _THIN = 2, 64
_AHEAD, _ROOMY = 20, 4
NEAR = 8
"""Numbers this many times the length of a counter's range are near it."""


class Room(Record):
    """Free numbers: a packed bitmap (base64 of zlib), or stretches as (first, length)."""

    bitmap: str = ""
    stretches: tuple[tuple[int, int], ...] = ()

    @classmethod
    def between(cls, taken: Ints, size: int, want: int, least_rows: int, random: np.random.Generator) -> "Room":
        """Free numbers of [0, size), at least `want` if there are as many; `taken` is distinct and sorted.

        Stretches begin and end at round numbers. At least `least_rows` taken numbers lie between any two of them.
        """
        if size > _SMALL:
            return cls(stretches=_stretches(taken, size, least_rows))
        chosen = np.ones(size, dtype=bool)
        chosen[taken] = False
        free = size - len(taken)
        keep = free if not len(taken) else min(max(want, 1), (free + 1) // 2)
        if size > TABLE:
            chosen &= random.random(size) * free < keep
        else:
            chosen[random.permutation(np.flatnonzero(chosen))[keep:]] = False
        return cls._of(chosen)

    @classmethod
    def _of(cls, chosen: NDArray[np.bool_]) -> "Room":
        """The numbers that are chosen."""
        return cls(bitmap=base64.b64encode(zlib.compress(np.packbits(chosen).tobytes(), 6)).decode())

    def without(self, taken: Ints) -> "Room":
        """The free numbers without the `taken` ones (distinct, sorted). A stretch keeps its end or widest gap."""
        if self.bitmap:
            chosen = np.zeros(self.end, dtype=bool)
            chosen[np.setdiff1d(self._numbers, taken)] = True
            return self._of(chosen)
        stretches = []
        for first, length in self.stretches:
            inside = taken[(taken >= first) & (taken < first + length)].tolist()
            start, room = free_stretch(inside, first, first + length) if inside else (first, length)
            stretches += [(start, room)] if room else []
        return type(self)(stretches=tuple(stretches))

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            last = self._numbers[-1:].tolist() if self.bitmap else []
        except (ValueError, zlib.error):
            raise ValueError("free numbers cannot be read") from None
        ends = [first + length for first, length in self.stretches if first >= 0 and length > 0]
        if len(ends) < len(self.stretches) or max(last + ends, default=0) > LIMIT:
            raise ValueError("free numbers are out of range")
        return self

    @property
    def end(self) -> int:
        """One more than the last free number."""
        if self.bitmap:
            return int(self._numbers[-1]) + 1 if len(self._numbers) else 0
        return max((first + length for first, length in self.stretches), default=0)

    @cached_property
    def _numbers(self) -> Ints:
        packed = zlib.decompressobj().decompress(base64.b64decode(self.bitmap), _SMALL // 8)
        return np.flatnonzero(np.unpackbits(np.frombuffer(packed, dtype=np.uint8))).astype(np.int64)

    @cached_property
    def _ends(self) -> Ints:
        return np.cumsum([length for _, length in self.stretches], dtype=np.int64)

    @property
    def size(self) -> int:
        """Number of free numbers."""
        if self.bitmap:
            return len(self._numbers)
        return int(self._ends[-1]) if self.stretches else 0

    def numbers(self, ranks: Ints) -> Ints:
        """The free numbers of these ranks."""
        if self.bitmap:
            return self._numbers[ranks]
        starts = np.array([first for first, _ in self.stretches], dtype=np.int64)
        stretch = np.searchsorted(self._ends, ranks, side="right")
        before = np.concatenate([[0], self._ends])[stretch]
        return np.asarray(starts[stretch] + ranks - before)


def filled_range(taken: Sequence[int] | Ints, low: int, high: int) -> tuple[int, int] | None:
    """The part [first, end) of [low, high) that a counter has reached; None if the numbers are those of no counter.

    A counter fills half of its range. It may fill as little as a 64th if several times as many numbers lie outside. The
    part is wide enough for numbers of other rows at its ends. Its ends are rounded and do not tell the last number.

    Args:
        taken: Distinct numbers in [low, high), sorted.
        low: The least possible number.
        high: The greatest possible number, and one.
    """
    if len(taken) < _COUNTED:
        return None
    span, ahead = int(taken[-1]) - int(taken[0]) + 1, _ahead(taken)
    unit = max(2 ** max(span.bit_length() - 4, 0), ahead)
    first = max((int(taken[0]) - ahead) // unit * unit, low)
    end = min(-(-(int(taken[-1]) + 1 + ahead) // unit) * unit, high)
    if _FULL * len(taken) >= span:
        return first, end
    roomy = first - low + high - end >= _ROOMY * len(taken)
    return (first, end) if len(taken) >= _SPREAD and _THIN * len(taken) >= span and roomy else None


def free_stretch(taken: list[int], low: int, high: int) -> tuple[int, int]:
    """Start and length of the free numbers in [low, high): those after the last taken one, or else the widest gap."""
    if not taken:
        return low, high - low
    reached = filled_range(taken, low, high)
    end = reached[1] if reached is not None else taken[-1] + _ahead(taken)
    fine = len(str(len(taken)))
    for digits in (max(fine, len(str(taken[-1] - taken[0])) - 1), fine):
        unit = 10**digits  # a round number does not reveal the largest real one
        start = -(-end // unit) * unit
        if high - start >= _PERIOD * len(taken):
            return start, high - start
    gaps = [(right - left - 1, left + 1) for left, right in pairwise([low - 1, *taken, high])]
    if reached is not None:
        outside = [(reached[0] - low, low), (high - reached[1], reached[1])]
        gaps = outside if max(outside)[0] >= NEAR * len(taken) else [gaps[0], gaps[-1]]
    room, start = max(gaps)
    return start, room


def _ahead(taken: Sequence[int] | Ints) -> int:
    """How far the numbers of other rows may lie beyond the first and the last one: twenty mean distances."""
    return _AHEAD * -(-(int(taken[-1]) - int(taken[0]) + 1) // len(taken))


def _stretches(taken: Ints, size: int, least_rows: int) -> tuple[tuple[int, int], ...]:
    """Wide gaps between taken numbers, with rounded ends, and with enough taken numbers between any two gaps."""
    bounds = np.concatenate([[-1], taken, [size]])
    widths = np.diff(bounds) - 1
    group = max(2 * least_rows, -(-len(widths) // STRETCHES))
    padded = np.zeros(-(-len(widths) // group) * group, dtype=np.int64)
    padded[: len(widths)] = widths
    ranks = padded.reshape(-1, group)[:, : group // 2].argmax(axis=1) + np.arange(0, len(padded), group)
    widest = int(widths.argmax())
    ranks = np.append(ranks[np.abs(ranks - widest) >= least_rows], widest)
    found = []
    for low, high in zip((bounds[np.sort(ranks)] + 1).tolist(), bounds[np.sort(ranks) + 1].tolist(), strict=True):
        step = 2 ** max((high - low).bit_length() - 5, 0)
        first, end = -(-low // step) * step, high if high == size else high // step * step
        if end - first > step:
            found.append((first, end - first))
    return tuple(found)
