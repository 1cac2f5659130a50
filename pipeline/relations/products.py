"""Columns that are products or ratios of two others, rounded.

Examples are quantity × price, price × (1 − discount) and part / whole.
"""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Following, Mask
from pipeline.relations.sums import HALF, rounded
from pipeline.relations.units import Floats, Unit


class Product(Following):
    """target = first · (shift + factor · second), or first / second · factor, rounded to the target's units.

    It is null where a source is, and where the second source of a ratio is 0.

    Attributes:
        factor: See above, in units.
        shift: See above, in units of the target per unit of the first source. 0 for a ratio.
        ratio: Whether it is a ratio.
        scale: The scale of the target.
        scales: The scales of the two sources.
    """

    number: ClassVar[int | None] = 2
    kind: Literal["product"] = "product"
    factor: float
    shift: float = 0.0
    ratio: bool = False
    scale: Unit
    scales: tuple[Unit, Unit]

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        first, second = self.sources
        if self.ratio:
            return f"{self.target} = {first} / {second}"
        return f"{self.target} = {first} × " + (f"(a + b · {second})" if self.shift else second)

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        exact, mask = self.exact(table)
        return self.scale.values(rounded(np.where(mask, exact, 0.0)), mask, arrow)

    def exact(self, table: pa.Table) -> tuple[Floats, Mask]:
        """The target in units before it is rounded, and which rows have one, [rows]."""
        (first, one), (second, other) = (
            scale.units(table[name]) for scale, name in zip(self.scales, self.sources, strict=True)
        )
        mask = one & other & ((second != 0) | (not self.ratio))
        if self.ratio:
            return first / np.where(second == 0, 1, second) * self.factor, mask
        return first * (self.shift + self.factor * second), mask

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. A value that was rounded either way holds."""
        real, mask = self.scale.units(table[self.target])
        exact, known = self.exact(table)
        near = np.abs(real - exact) <= HALF + 1e-12 * np.abs(exact)
        return np.where(mask & known, ~near, mask != known)
