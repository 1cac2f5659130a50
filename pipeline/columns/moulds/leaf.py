"""The base of all moulds, and the simplest of them.

A mould is fitted to real values and holds none of them. Its values are a function of its state, a seed and an index:

- *made up* values are like the real ones, and none of them is real. Where rows share real values, and inside other
  types, there are about as many different values as real ones. So an agent keeps several rows, and tags look like tags;
- *fresh* values are made up, and every index below the mould's `room` has a value of its own.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.personal import Words
from pipeline.personal.mixing import Ints, below
from pipeline.records import Record

ENDLESS = 2**62
"""The room of a mould that never runs out of values."""


@dataclass(frozen=True)
class Wanted:
    """Requirements on made-up values.

    Attributes:
        fresh: Whether every index has a value of its own.
        least_rows: Facts that fewer rows share are not kept.
        few: Whether to make about as many different values as there were, for many rows to share. Otherwise every
            index has a value.
        besides: Real words of other columns. No made-up value contains them.
        fake: What the settings choose for made-up texts. None if they do not.
        locale: The locale of these texts, if one is chosen.
    """

    fresh: bool
    least_rows: int
    few: bool = False
    besides: Words | None = None
    fake: str | None = None
    locale: str | None = None

    def pool(self, distinct: int) -> int:
        """How many different values to make. 0 means one per index."""
        return 2 ** round(np.log2(max(distinct, 1))) if self.few and not self.fresh else 0


class Leaf(Record):
    """The base of leaves.

    Attributes:
        nulls: Nulls per thousand values inside another type.
        pool: Number of different values. 0 means one per index.
    """

    nulls: int = Field(default=0, ge=0, le=1000)
    pool: int = Field(default=0, ge=0, le=ENDLESS)

    def pooled(self, index: Ints, seed: int) -> Ints:
        """The number of the value of each index."""
        return below(index, self.pool, seed, "pool") if self.pool else index & (ENDLESS - 1)


class Nothing(Record):
    """Only null."""

    kind: Literal["nothing"] = "nothing"
    nulls: Literal[1000] = 1000
    room: Literal[0] = 0

    def make(self, index: Ints, seed: int, arrow: pa.DataType) -> pa.Array:  # noqa: ARG002
        """Nulls."""
        return pa.nulls(len(index), arrow)

    def check(self, arrow: pa.DataType) -> None:
        """Every type."""


def lengths_of(sizes: NDArray[Any], least_rows: int) -> list[tuple[int, int]]:
    """Lengths and their weights. A length that fewer than `least_rows` values have is not among them.

    Rare lengths are joined in groups of at least `least_rows` values and a twentieth of all values. The length of such
    a group is the mean of its lengths, rounded.
    """
    groups: list[list[int]] = []
    rows = total = 0
    enough = max(least_rows, len(sizes) // 20)
    for size, count in zip(*(part.tolist() for part in np.unique(sizes, return_counts=True)), strict=True):
        if count >= least_rows:
            if rows >= least_rows:
                groups.append([_rounded(total / rows), rows])
                rows = 0
            groups.append([size, count + rows])
            rows = total = 0
            continue
        rows, total = rows + count, total + size * count
        if rows >= enough:
            groups.append([_rounded(total / rows), rows])
            rows = total = 0
    if rows >= least_rows:
        groups.append([_rounded(total / rows), rows])
    elif groups:
        groups[-1][1] += rows
    merged: dict[int, int] = {}
    for size, count in groups or [[1, 1]]:
        merged[size] = merged.get(size, 0) + max(1, round(1000 * count / max(len(sizes), 1)))
    return sorted(merged.items())


def _rounded(mean: float) -> int:
    """Round a length to about an eighth of itself."""
    step = 2 ** max(int(mean).bit_length() - 3, 0)
    return max(int(round(mean / step) * step), 1)
