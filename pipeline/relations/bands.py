"""Labels that follow from where a number lies: paid > 0, an age group, a grade, a price band."""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.arrow import labels
from pipeline.relations.base import Following, Mask
from pipeline.relations.units import Unit
from pipeline.schema import value_type

Label = str | None


class Band(Following):
    """A column with one value for each interval of its source.

    Attributes:
        scale: The unit of the source.
        edges: Least value of each interval but the first, in units, ascending, [intervals − 1].
        gaps: For each edge, the greatest value that was seen below it and the least one above. Between them, nothing is
            known of where the label changes.
        entries: The label of the target for each interval, and last for null, [intervals + 1]. None is null.
    """

    number: ClassVar[int | None] = None
    kind: Literal["band"] = "band"
    scale: Unit
    edges: tuple[float, ...]
    gaps: tuple[tuple[float, float], ...]
    entries: tuple[Label, ...]

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} follows from the range of {self.sources[0]}"

    def _sized(self) -> bool:
        return len(self.sources) == 1 and len(self.edges) == len(self.gaps) == len(self.entries) - 2 > 0

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. A value in a gap breaks nothing."""
        units, mask = self.scale.units(table[self.sources[0]])
        above, below = np.asarray([high for _, high in self.gaps]), np.asarray([low for low, _ in self.gaps])
        place = np.searchsorted(above, units, side="right")  # the first gap that does not end below the value
        inside = (place < len(below)) & (units > below[np.minimum(place, len(below) - 1)])
        return np.asarray(super().broken(table) & ~(inside & mask))

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        units, mask = self.scale.units(table[self.sources[0]])
        place = np.searchsorted(np.asarray(self.edges), units, side="right").clip(max=len(self.entries) - 2)
        entries = pa.array(self.entries, pa.string()).dictionary_encode()
        values = labels.values(entries.dictionary, value_type(arrow))
        index = entries.indices.take(pa.array(np.where(mask, place, len(self.entries) - 1)))
        if not pa.types.is_dictionary(arrow):
            return values.take(index)
        return pa.DictionaryArray.from_arrays(index.cast(arrow.index_type), values, ordered=arrow.ordered)
