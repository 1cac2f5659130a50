"""Labels that follow from a part of a date: the name of a weekday in any language, a season, an opening day."""

from typing import ClassVar, Literal, Self

import pyarrow as pa

from pipeline.arrow.arrays import combined
from pipeline.relations.base import Following, Mask
from pipeline.relations.lookups import Lookup
from pipeline.relations.times import part_of

Part = Literal["quarter", "month", "day_of_week", "hour", "day"]
RECURRING: tuple[Part, ...] = ("quarter", "month", "day_of_week", "hour", "day")
"""Parts of a date that come again, so that labels may follow from them."""


class Season(Following):
    """A label that follows from a part of a date.

    Attributes:
        part: The part.
        lookup: The label for each value of the part, which stands in the place of the date.
    """

    binds: ClassVar[bool] = False
    kind: Literal["season"] = "season"
    part: Part
    lookup: Lookup

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} follows from the {self.part.replace('_', ' ')} of {self.sources[0]}"

    @classmethod
    def of(cls, table: pa.Table, target: str, source: str, part: Part, least_rows: int) -> Self:
        """The labels of a table. See `Lookup.of`."""
        parted = parts_in(table.select([source, target]), source, part)
        lookup = Lookup.of(parted, target, (source,), least_rows)
        return cls(target=target, sources=(source,), support=lookup.support, part=part, lookup=lookup)

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        return self.lookup.follows(self._parted(table), arrow)

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        return self.lookup.broken(self._parted(table))

    def lost(self, table: pa.Table) -> Mask:
        """See `Relation.lost`."""
        return self.lookup.lost(self._parted(table))

    def extended(self, table: pa.Table) -> Self:
        """See `Relation.extended`."""
        return self.model_copy(update={"lookup": self.lookup.extended(self._parted(table))})

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`."""
        return self.model_copy(update={"lookup": self.lookup.shown(self._parted(table))})

    def _parted(self, table: pa.Table) -> pa.Table:
        return parts_in(table, self.sources[0], self.part)


def parts_in(table: pa.Table, name: str, part: Part) -> pa.Table:
    """A table with a part of the dates in the place of the dates."""
    parts = part_of(combined(table[name]), part)
    return table.set_column(table.column_names.index(name), name, parts)
