"""Columns that are products or ratios of others, rounded.

Examples are quantity × price, quantity × price × (1 − discount) and part / whole.
"""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Mask, Rounded
from pipeline.relations.units import Floats, Unit, value_of


class Product(Rounded):
    """target = first · … · (shift + factor · last), or first / last · factor, rounded to the target's units.

    It is null where a source is, and where the last source of a ratio is 0.

    Attributes:
        factor: See above, in units.
        shift: See above, in units of the target per unit of the other sources' product. 0 for a ratio.
        ratio: Whether it is a ratio.
        scales: The scales of the sources, two or three, of a ratio two.
    """

    number: ClassVar[int | None] = None
    kind: Literal["product"] = "product"
    factor: float
    shift: float = 0.0
    ratio: bool = False
    scales: tuple[Unit, ...]

    def _sized(self) -> bool:
        return len(self.sources) == len(self.scales) in ({2} if self.ratio else {2, 3})

    @property
    def text(self) -> str:
        """See `Relation.text`. Constants are those of the values, not of their units."""
        *others, last = self.sources
        first = " × ".join(others)
        if self.ratio:
            return f"{self.target} = {first} / {last}"
        shift, factor = self._of_values
        times = last if f"{abs(factor):.9g}" == "1" else f"{abs(factor):.9g} · {last}"
        if shift:
            return f"{self.target} = {first} × ({shift:.9g} {'−' if factor < 0 else '+'} {times})"
        return f"{self.target} = {first} × {'−' if factor < 0 else ''}{times}"

    @property
    def _of_values(self) -> tuple[float, float]:
        """The shift and the factor for values, and not for their units."""
        first = Unit(places=sum(scale.places for scale in self.scales[:-1]))
        last = Unit(places=first.places + (-1 if self.ratio else 1) * self.scales[-1].places)
        return value_of(self.shift, first, self.scale), value_of(self.factor, last, self.scale)

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        exact, mask = self.exact(table)
        units = self.scale.whole(np.where(mask, exact, 0.0))
        if self.arithmetic != "decimal":
            *others, last = (own.floats(table[name]) for own, name in zip(self.scales, self.sources, strict=True))
            first, (shift, factor) = np.prod(others, axis=0), self._of_values
            found = first / np.where(last == 0, 1, last) * factor if self.ratio else first * (shift + factor * last)
            units = self.scale.binary(np.where(mask, found, 0.0))
        return self.scale.values(units, mask, arrow)

    def exact(self, table: pa.Table) -> tuple[Floats, Mask]:
        """The target in units before it is rounded, and which rows have one, [rows]."""
        found = [scale.units(table[name]) for scale, name in zip(self.scales, self.sources, strict=True)]
        *others, last = (units.astype(np.float64) for units, _ in found)
        mask = np.logical_and.reduce([own for _, own in found]) & ((last != 0) | (not self.ratio))
        first = np.prod(others, axis=0)
        if self.ratio:
            return first / np.where(last == 0, 1, last) * self.factor, mask
        return first * (self.shift + self.factor * last), mask

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. A value that was rounded either way holds."""
        real, mask = self.scale.units(table[self.target])
        exact, known = self.exact(table)
        return np.where(mask & known, ~self.scale.near(real, exact), mask != known)
