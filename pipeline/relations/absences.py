"""Values that are missing exactly where another column says so: the living have no date of death.

The free table has an ordinary value where the rule says null, so the model need not learn the rule, and `bind` takes it
away again. A column that was found to be later than another one is null where that one is too: rows in which the rule
says otherwise are drawn again.
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
    """A column that is null exactly where the source has one of some labels.

    Attributes:
        where: The labels of the source where the target is null. None is null.
        filler: The label of an ordinary value of the target.
    """

    kind: Literal["absent"] = "absent"
    where: tuple[Label, ...]
    filler: str

    @property
    def text(self) -> str:
        """See `Relation.text`. Labels are values of the table, so they are not named."""
        told = self.where == (None,)
        return f"{self.target} is null exactly where {self.sources[0]} {'is null' if told else 'says so'}"

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`."""
        column = schema[self.target].model_copy(update={"nullable": False})
        return changed(schema, column, schema.arrow.field(self.target).type)

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        array = combined(table[self.target])
        filler = labels.values(pa.array([self.filler], pa.string()), array.type)[0]
        filled = pc.if_else(array.is_null(), filler, array).cast(array.type)
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
        return placed(table, schema, self.target, pc.if_else(gone, pa.scalar(None, array.type), array).cast(array.type))

    def shown(self, table: pa.Table) -> Self:
        """See `Relation.shown`. Only labels that occur are kept."""
        found, _ = labels.counted(table[self.sources[0]])
        occur = {None, *found.to_pylist()}
        return self.model_copy(update={"where": tuple(label for label in self.where if label in occur)})

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        null = combined(table[self.target]).is_null().to_numpy(zero_copy_only=False)
        return np.asarray(null != self._gone(table))

    def _gone(self, table: pa.Table) -> Mask:
        """Where the source says null, [rows]."""
        known = pa.array([label for label in self.where if label is not None], pa.string())
        place = labels.places(table[self.sources[0]], known)
        return ((place >= 0) & (place < len(known))) | ((place < 0) & (None in self.where))
