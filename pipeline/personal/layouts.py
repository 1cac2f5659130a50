"""Numbered texts of fixed layouts, so that new texts can be made that are not real ones.

A *layout* is a length and the characters that each place may have. Every text of a layout has a number. The *room* of a
layout is its free numbers. A small layout keeps a random part of the numbers that no real text has. A large one keeps
wide stretches between real numbers, with rounded ends. Both reveal next to nothing about single real texts, because a
number that is left out was not necessarily taken.

`Layouts` distributes rows over several layouts in proportion to their shares of the real rows. Every row has its own
number, so no two rows have equal texts. A full layout leaves its rows to the others. If all are full, texts become
longer than any real one.
"""

import base64
import math
import zlib
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.personal.checksums import CHECKS, Texts
from pipeline.personal.mixing import Ints, below, permuted
from pipeline.records import Record

_SMALL = 2**23
_LIMIT = 2**62
_STRETCHES = 4_096
_PERIOD = 1_000
_TABLE = 4_096
_ENDLESS = 2**40


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
        if size > _TABLE:
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
        if len(ends) < len(self.stretches) or max(last + ends, default=0) > _LIMIT:
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


def free_stretch(taken: list[int], low: int, high: int) -> tuple[int, int]:
    """Start and length of the free numbers in [low, high): those after the last taken one, or else the widest gap."""
    if not taken:
        return low, high - low
    fine = len(str(len(taken)))
    for digits in (max(fine, len(str(taken[-1] - taken[0])) - 1), fine):
        unit = 10**digits  # a round number does not reveal the largest real one
        start = (taken[-1] // unit + 1) * unit
        if high - start >= _PERIOD * len(taken):
            return start, high - start
    bounds = [low - 1, *taken, high]
    gaps = [(right - left - 1, left + 1) for left, right in pairwise(bounds)]
    room, start = max(gaps)
    return start, room


def _stretches(taken: Ints, size: int, least_rows: int) -> tuple[tuple[int, int], ...]:
    """Wide gaps between taken numbers, with rounded ends, and with enough taken numbers between any two gaps."""
    bounds = np.concatenate([[-1], taken, [size]])
    widths = np.diff(bounds) - 1
    group = max(2 * least_rows, -(-len(widths) // _STRETCHES))
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


class Pattern(Record):
    """Texts of one length, its share of the real rows, and its free numbers.

    Attributes:
        alphabets: The characters that each place may have.
        weight: Share of the rows, in thousandths.
        check: Name of the check whose characters complete a text; empty for none.
        room: Free numbers of the rightmost places, as many as have countable combinations. Other places are random.
    """

    alphabets: tuple[str, ...] = Field(min_length=1, max_length=400)
    weight: int = Field(ge=0)
    check: str = ""
    room: Room

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not all(self.alphabets) or self.room.end > combinations(self.alphabets):
            raise ValueError("more free numbers than texts")
        if self.check and self.check not in CHECKS:
            raise ValueError("an unknown check")
        return self

    @property
    def width(self) -> int:
        """The length of the texts."""
        return len(self.alphabets)

    def texts(self, ranks: Ints, seed: int) -> Texts:
        """The texts with the free numbers of these ranks."""
        numbers = self.room.numbers(ranks)
        points = np.empty((len(ranks), self.width), dtype=np.uint32)
        end = self.width
        for table in reversed(self._tables):  # each table holds several places
            numbers, rest = np.divmod(numbers, len(table))
            points[:, end - table.shape[1] : end] = table[rest]
            end -= table.shape[1]
        for place in range(end):
            letters = _points(self.alphabets[place])
            points[:, place] = letters[below(ranks, len(letters), seed, f"place {place}")]
        if self.check:
            compact = compact_places(self.alphabets)
            points[:, compact] = CHECKS[self.check].written(points[:, compact])
        return points

    @cached_property
    def _tables(self) -> list[Texts]:
        """The code points of neighbouring countable places for each of their combinations, [combinations, places]."""
        tables: list[Texts] = []
        for alphabet in self.alphabets[self.width - countable(self.alphabets) :]:
            letters = _points(alphabet)[:, None]
            last = tables[-1] if tables else letters[:0]
            if tables and len(last) * len(letters) <= _TABLE:
                left, right = np.repeat(last, len(letters), axis=0), np.tile(letters, (len(last), 1))
                tables[-1] = np.concatenate([left, right], axis=1)
            else:
                tables.append(letters)
        return tables


def _points(alphabet: str) -> NDArray[np.uint32]:
    return np.array([ord(c) for c in alphabet], dtype=np.uint32)


def compact_places(alphabets: tuple[str, ...]) -> NDArray[np.int64]:
    """The places of letters and digits."""
    return np.flatnonzero([alphabet[0].isalnum() for alphabet in alphabets])


def countable(alphabets: tuple[str, ...]) -> int:
    """Number of rightmost places whose combinations can be counted."""
    product, places = 1, 0
    for alphabet in reversed(alphabets):
        product *= len(alphabet)
        if product > _LIMIT:
            break
        places += 1
    return places


def combinations(alphabets: tuple[str, ...]) -> int:
    """Number of combinations of the countable places."""
    return math.prod(len(alphabet) for alphabet in alphabets[len(alphabets) - countable(alphabets) :])


class Layouts(Record):
    """Several layouts, and the length of the longest real text."""

    layouts: tuple[Pattern, ...] = Field(min_length=1, max_length=512)
    longest: int = Field(ge=0)

    @cached_property
    def _phases(self) -> list[tuple[int, Ints, Ints]]:
        """For each phase: rows until its end, rows per period and layout, and ranks used before."""
        rooms = np.array([min(layout.room.size, _ENDLESS) for layout in self.layouts], dtype=np.int64)
        weights = np.array([max(layout.weight, 1) for layout in self.layouts], dtype=np.float64)
        used, phases, end = np.zeros(len(rooms), dtype=np.int64), [], 0
        while (counts := _counts(weights * (rooms > used), rooms - used)).any():
            periods = int(((rooms - used)[counts > 0] // counts[counts > 0]).min())
            end += periods * int(counts.sum())
            phases.append((end, counts, used.copy()))
            used = used + periods * counts
        return phases

    def make(self, index: Ints, seed: int) -> pa.Array:
        """The text of each row. Different rows have different texts."""
        which, ranks = self._dealt(index, seed)
        parts, order = [], []
        for layout in np.unique(which).tolist():
            rows = np.flatnonzero(which == layout)
            order.append(rows)
            if layout < 0:
                parts.append(self._longer(ranks[rows]))
            else:
                made = self.layouts[layout]
                parts.append(strings(made.texts(permuted(ranks[rows], made.room.size, seed, f"{layout}"), seed)))
        if not parts:
            return pa.array([], pa.string())
        return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(order), kind="stable")))

    def _dealt(self, index: Ints, seed: int) -> tuple[Ints, Ints]:
        """The layout of each row (−1 for longer texts), and the row's rank in it."""
        which, ranks = np.full(len(index), -1, dtype=np.int64), index.copy()
        start = 0
        for phase, (end, counts, used) in enumerate(self._phases):
            here = (index >= start) & (index < end)
            period, place = np.divmod(index[here] - start, counts.sum())
            owners = np.repeat(np.arange(len(counts)), counts)
            slot = permuted(place, int(counts.sum()), seed, f"phase {phase}")
            which[here] = owners[slot]
            within = slot - (np.cumsum(counts) - counts)[owners[slot]]
            ranks[here] = used[owners[slot]] + period * counts[owners[slot]] + within
            start = end
        ranks[which < 0] -= start
        return which, ranks

    def _longer(self, ranks: Ints) -> pa.Array:
        """Texts longer than any real one: the heaviest layout's first characters, then a number."""
        layout = max(self.layouts, key=lambda layout: layout.weight)
        base = "".join(alphabet[0] for alphabet in layout.alphabets)
        width = max(self.longest + 1 - len(base), 1)
        return pa.array([f"{base}{rank:0{width}d}" for rank in ranks.tolist()], pa.string())


def _counts(weights: NDArray[np.float64], rooms: Ints) -> Ints:
    """Rows of each layout in a period of at most a thousand rows, each within its room."""
    if not weights.any():
        return np.zeros(len(weights), dtype=np.int64)
    shares, active = weights / weights.sum(), weights > 0
    period = max(int(min((rooms[active] / shares[active]).min(), _PERIOD)), 1)
    counts = np.round(shares * period).astype(np.int64)
    counts[np.argmax(weights)] += not counts.any()
    least: Ints = np.minimum(counts, rooms)
    return least


def strings(points: Texts) -> pa.Array:
    """Rows of code points as an Arrow array of strings."""
    rows, width = points.shape
    if not rows or not width or (points >= 128).any():  # noqa: PLR2004
        return pa.array(points.view(f"<U{max(width, 1)}").ravel().tolist() if width else [""] * rows, pa.string())
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(points.astype(np.uint8))
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
