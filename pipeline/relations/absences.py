"""Values that are missing, or 0, exactly where another column says so: the living have no date of death.

The free table has an ordinary value where the rule says null or 0, so the model need not learn the rule, and `bind`
takes it away again. A column that was found to be later than another one is null where that one is too: rows in which
the rule says otherwise are drawn again.
"""

from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow import labels
from pipeline.arrow.arrays import combined
from pipeline.relations.base import Mask, Relation, changed, placed
from pipeline.schema import Schema

Label = str | None


class Absent(Relation):
    """A column that is null, or 0, exactly where the source has one of some labels.

    Attributes:
        value: The label that the target has there, of a 0. None is null.
        where: The labels of the source where it has this label. None is null.
        filler: The label of an ordinary value of the target.
    """

    kind: Literal["absent"] = "absent"
    value: Label = None
    where: tuple[Label, ...]
    filler: str

    @property
    def text(self) -> str:
        """See `Relation.text`. Labels are values of the table, so they are not named."""
        told = self.where == (None,)
        what = "null" if self.value is None else "0"
        return f"{self.target} is {what} exactly where {self.sources[0]} {'is null' if told else 'says so'}"

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`."""
        own = schema[self.target]
        column = own.model_copy(update={"nullable": own.nullable and self.value is not None})
        return changed(schema, column, schema.arrow.field(self.target).type)

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        array = combined(table[self.target])
        filled = pc.if_else(self._has(array), _of(self.filler, array.type), array).cast(array.type)
        place = table.column_names.index(self.target)
        if pa.types.is_dictionary(table.schema.field(place).type):
            filled = filled.dictionary_encode().cast(table.schema.field(place).type)
        return table.set_column(place, self.target, filled)

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """See `Relation.bind`."""
        array = table[self.target].unify_dictionaries().combine_chunks()
        gone = pa.array(self._gone(table))
        if pa.types.is_dictionary(array.type):
            index = pc.if_else(gone, pa.scalar(None, array.indices.type), array.indices)
            return placed(table, schema, self.target, pa.DictionaryArray.from_arrays(index, array.dictionary))
        filled = pc.if_else(gone, _of(self.value, array.type), array).cast(array.type)
        return placed(table, schema, self.target, filled)

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`. Only labels that occur are kept."""
        found, _ = labels.counted(table[self.sources[0]])
        occur = {None, *found.to_pylist()}
        return self.model_copy(update={"where": tuple(label for label in self.where if label in occur)})

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        has = self._has(combined(table[self.target])).to_numpy(zero_copy_only=False)
        return np.asarray(has != self._gone(table))

    def _has(self, array: pa.Array) -> pa.Array:
        """Where the target has the label, [rows]."""
        if self.value is None:
            return array.is_null()
        return pc.fill_null(pc.equal(array, _of(self.value, array.type)), False)  # noqa: FBT003

    def _gone(self, table: pa.Table) -> Mask:
        """Where the source says null, [rows]."""
        known = pa.array([label for label in self.where if label is not None], pa.string())
        place = labels.places(table[self.sources[0]], known)
        return ((place >= 0) & (place < len(known))) | ((place < 0) & (None in self.where))


def _of(label: Label, arrow: pa.DataType) -> pa.Scalar:
    """The value of a label."""
    return pa.scalar(None, arrow) if label is None else labels.values(pa.array([label], pa.string()), arrow)[0]
