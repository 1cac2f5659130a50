"""Groups of flags of which at most one is set: one-hot columns become one label."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.arrays import combined
from pipeline.relations.base import Mask, Relation, changed, placed, without
from pipeline.schema import Schema

NONE = "none"


class Exclusive(Relation):
    """Flags of which each row sets exactly one, or at most one: the target and the sources.

    The free table has one label in the place of the first flag: the number of the flag that is set.

    Attributes:
        always: Whether exactly one is set.
    """

    number: ClassVar[int | None] = None
    binds: ClassVar[bool] = True
    kind: Literal["exclusive"] = "exclusive"
    always: bool

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags of the group."""
        return (self.target, *self.sources)

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{'exactly' if self.always else 'at most'} one of {', '.join(self.flags)}"

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`."""
        rows = max(schema[name].least_rows for name in self.flags)
        update = {"kind": "categorical", "nullable": False, "normalization": None, "least_rows": rows}
        return changed(without(schema, *self.sources), schema[self.target].model_copy(update=update), pa.string())

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        flags = np.stack([_set(table[name]) for name in self.flags])
        which = np.where(flags.any(axis=0), flags.argmax(axis=0), len(flags))
        labels = pa.array([*map(str, range(len(flags))), NONE]).take(pa.array(which))
        table = table.set_column(table.column_names.index(self.target), self.target, labels)
        return table.drop_columns(list(self.sources))

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """See `Relation.bind`."""
        label = combined(table[self.target])
        for i, name in enumerate(self.flags):
            table = placed(table, schema, name, pc.equal(label, str(i)).cast(schema.arrow.field(name).type))
        return table

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        number = np.sum([_set(table[name]) for name in self.flags], axis=0)
        nulls = [combined(table[name]).is_null().to_numpy(zero_copy_only=False) for name in self.flags]
        missing = np.any(nulls, axis=0)
        return np.asarray(missing | (number != 1 if self.always else number > 1))


def _set(array: pa.ChunkedArray) -> Mask:
    """Where a flag is set, [rows]."""
    whole = combined(array).cast(pa.int64()).fill_null(0)
    return np.asarray(whole.to_numpy(zero_copy_only=False) != 0)
