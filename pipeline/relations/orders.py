"""Orders: a column that is never less than another.

A later column becomes its difference from the earlier one, where differences are simpler than values: stays of a few
days, steps of ten minutes. Then durations have the right distribution, and no row is out of order. Otherwise both
columns are modelled as they are, and rows out of order are drawn again.
"""

from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.arrays import combined
from pipeline.relations.base import Mask, Relation, changed, placed
from pipeline.relations.units import Unit, joined
from pipeline.schema import Schema


class Later(Relation):
    """A column that is its source plus a difference of at least 0, which is modelled in its place.

    Attributes:
        scale: The scale of the target.
        origin: The scale of the source.
        begin: The least value of the target that may be shown, in units of both. None if none was seen.
        end: The greatest one.
    """

    binds: ClassVar[bool] = True
    kind: Literal["later"] = "later"
    scale: Unit
    origin: Unit
    begin: int | None = None
    end: int | None = None

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} ≥ {self.sources[0]}"

    @property
    def both(self) -> Unit:
        """The scale of the difference."""
        found = joined([self.scale, self.origin])
        assert found is not None, "both are numbers, or both are times"
        return found

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`. The difference is a column of whole numbers."""
        column = schema[self.target].model_copy(update={"kind": "numeric", "normalization": None})
        return changed(schema, column, pa.int64())

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        both = self.both
        (value, mask), (before, known) = both.units(table[self.target]), both.units(table[self.sources[0]])
        array = pa.array(value - before, pa.int64(), mask=~(mask & known))
        return table.set_column(table.column_names.index(self.target), self.target, array)

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """See `Relation.bind`. A sum beyond the shown values is the nearest of them, but no less than the source."""
        both = self.both
        before, known = both.units(table[self.sources[0]])
        difference = table[self.target]
        mask = known & np.asarray(difference.is_valid().to_numpy())
        units = before + np.asarray(difference.fill_null(0).to_numpy())
        if self.begin is not None and self.end is not None:
            units = np.maximum(units.clip(self.begin, self.end), before)
        values = both.values(units, mask, schema.arrow.field(self.target).type)
        return placed(table, schema, self.target, values)

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        both = self.both
        (value, mask), (before, known) = both.units(table[self.target]), both.units(table[self.sources[0]])
        return np.asarray((mask & known & (value < before)) | (mask & ~known))

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`. No generated value lies beyond the least and the greatest one."""
        units, mask = self.both.units(table[self.target])
        shown = units[mask]
        return self.model_copy(update={"begin": int(shown.min()), "end": int(shown.max())} if len(shown) else {})


class Least(Relation):
    """A column that is never less than its source. Both are modelled as they are."""

    kind: Literal["least"] = "least"
    scale: Unit
    origin: Unit

    @classmethod
    def of(cls, order: "Later | Least") -> Self:
        """The same order between columns as they are."""
        return cls.model_validate(order.model_dump(exclude={"kind", "begin", "end"}))

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} ≥ {self.sources[0]}"

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        both = joined([self.scale, self.origin])
        assert both is not None, "both are numbers, or both are times"
        (value, mask), (before, known) = both.units(table[self.target]), both.units(table[self.sources[0]])
        return np.asarray(mask & known & (value < before))


class Positive(Relation):
    """A column that is computed from the sources and never less than 0."""

    number: ClassVar[int | None] = None
    kind: Literal["positive"] = "positive"

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} ≥ 0"

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        less = pc.less(combined(table[self.target]).cast(pa.float64(), safe=False), 0.0)
        return np.asarray(pc.fill_null(less, False).to_numpy(zero_copy_only=False))  # noqa: FBT003
