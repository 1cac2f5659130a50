"""Numbered texts of fixed layouts, so that new texts can be made that are not real ones.

A *layout* is a length and the characters that each place may have. Every text of a layout has a number. The *room* of a
layout is its free numbers (`pipeline.personal.rooms`).

`Layouts` distributes rows over several layouts in proportion to their shares of the real rows. Every row has its own
number, so no two rows have equal texts. A full layout leaves its rows to the others. Layouts without a share are used
when all others are full. If all are full, texts become longer than any real one: their number gets more digits.
"""

import math
import string
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.personal.checksums import CHECKS, Texts
from pipeline.personal.mixing import Ints, below, permuted
from pipeline.personal.rooms import LIMIT, NEAR, STRETCHES, TABLE, Room, filled_range
from pipeline.records import Record

_PERIOD = 1_000
_ENDLESS = 2**40
_DIGITS = frozenset(string.digits)


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

    @property
    def number(self) -> tuple[int, int]:
        """The first place of the run of digits that varies most, and the place after it; the end if nothing varies."""
        sizes = [(math.prod(map(len, self.alphabets[first:end])), first, end) for first, end in runs(self.alphabets)]
        most, first, end = max(sizes, default=(1, 0, 0))
        return (first, end) if most > 1 else (self.width, self.width)

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
            if tables and len(last) * len(letters) <= TABLE:
                left, right = np.repeat(last, len(letters), axis=0), np.tile(letters, (len(last), 1))
                tables[-1] = np.concatenate([left, right], axis=1)
            else:
                tables.append(letters)
        return tables


def _points(alphabet: str) -> NDArray[np.uint32]:
    return np.array([ord(c) for c in alphabet], dtype=np.uint32)


def runs(alphabets: tuple[str, ...]) -> list[tuple[int, int]]:
    """The runs of places that hold digits only: the first place of each, and the place after it."""
    digits = [False, *(_DIGITS.issuperset(alphabet) for alphabet in alphabets), False]
    edges = [place for place, (left, right) in enumerate(pairwise(digits)) if left != right]
    return list(zip(edges[::2], edges[1::2], strict=True))


def beyond(taken: Ints, alphabets: tuple[str, ...], run: tuple[int, int]) -> tuple[Room, Room] | None:
    """The free numbers of a layout whose run of digits is a counter: those near its range, and all others.

    None if the run is no counter, or if not all places are countable. The number of a counter varies more than the rest
    of the text does.

    Args:
        taken: The distinct numbers of real texts, sorted.
        alphabets: The characters of each place.
        run: The first place of the run, and the place after it.
    """
    first, end = run
    before, size, after = (
        math.prod(map(len, part)) for part in (alphabets[:first], alphabets[first:end], alphabets[end:])
    )
    if before * size * after > LIMIT or before > STRETCHES // 2:
        return None
    numbers = np.unique(taken // after % size)
    others = np.unique(taken // (after * size) * after + taken % after)
    reached = filled_range(numbers, 0, size) if len(others) <= len(numbers) else None
    if reached is None:
        return None
    low, high = reached
    least, most = max(low - NEAR * (high - low), 0), min(high + NEAR * (high - low), size)

    def room(*parts: tuple[int, int]) -> Room:
        starts = [number * size for number in range(before)]
        stretches = [((start + at) * after, (to - at) * after) for start in starts for at, to in parts if to > at]
        return Room(stretches=tuple(stretches))

    return room((least, low), (high, most)), room((0, least), (most, size))


def compact_places(alphabets: tuple[str, ...]) -> NDArray[np.int64]:
    """The places of letters and digits."""
    return np.flatnonzero([alphabet[0].isalnum() for alphabet in alphabets])


def countable(alphabets: tuple[str, ...]) -> int:
    """Number of rightmost places whose combinations can be counted."""
    product, places = 1, 0
    for alphabet in reversed(alphabets):
        product *= len(alphabet)
        if product > LIMIT:
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

    @property
    def room(self) -> int:
        """Number of texts until they get longer."""
        return sum(min(layout.room.size, _ENDLESS) for layout in self.layouts)

    @cached_property
    def _phases(self) -> list[tuple[int, Ints, Ints]]:
        """For each phase: rows until its end, rows per period and layout, and ranks used before."""
        rooms = np.array([min(layout.room.size, _ENDLESS) for layout in self.layouts], dtype=np.int64)
        weights = np.array([layout.weight for layout in self.layouts], dtype=np.float64)
        used, phases, end = np.zeros(len(rooms), dtype=np.int64), [], 0
        while (rooms > used).any():
            left: NDArray[np.float64] = (rooms > used).astype(np.float64)
            counts = _counts(weights * left if (weights * left).any() else left, rooms - used)
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
        """Texts longer than any real one: those of the heaviest layout, whose number gets more digits."""
        layout = max(self.layouts, key=lambda layout: layout.weight)
        first, end = layout.number
        base = "".join(alphabet[0] for alphabet in layout.alphabets)
        width = end - first + max(self.longest + 1 - len(base), 1)
        zeros = first == end or "0" in layout.alphabets[first]
        least = 0 if zeros else 10 ** (width - 1)
        return pa.array([f"{base[:first]}{rank + least:0{width}d}{base[end:]}" for rank in ranks.tolist()], pa.string())


def _counts(weights: NDArray[np.float64], rooms: Ints) -> Ints:
    """Rows of each layout in a period of at most a thousand rows, each within its room."""
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
