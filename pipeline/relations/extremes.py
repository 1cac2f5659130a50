"""Columns that are the greatest or the least of others: a best result, the day of the last visit."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Following, Mask
from pipeline.relations.units import Ints, Unit


class Extreme(Following):
    """The greatest or the least of the sources. It is null where a source is.

    Attributes:
        greatest: Whether it is the greatest.
        scale: The scale of all of them.
    """

    number: ClassVar[int | None] = None
    kind: Literal["extreme"] = "extreme"
    greatest: bool
    scale: Unit

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} = the {'greatest' if self.greatest else 'least'} of {', '.join(self.sources)}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        units, mask = self._units(table)
        return self.scale.values(units, mask, arrow)

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        real, known = self.scale.units(table[self.target])
        units, mask = self._units(table)
        return np.asarray(np.where(mask & known, real != units, mask != known))

    def _units(self, table: pa.Table) -> tuple[Ints, Mask]:
        found = [self.scale.units(table[name]) for name in self.sources]
        most = np.maximum if self.greatest else np.minimum
        return most.reduce([units for units, _ in found]), np.logical_and.reduce([mask for _, mask in found])
