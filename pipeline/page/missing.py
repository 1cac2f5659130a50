"""Which values are missing together: the sets of columns that are null in one row, by their shares of rows.

A set that fewer real rows share than a label must have is not named. It counts among the others.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.assumptions import named
from pipeline.schema import Schema

MOST = 10
"""Most sets that are listed."""
NAMED = 4
"""Most names in a set."""


class MissingPattern(NamedTuple):
    """A set of columns that are null together, and the share of either side's rows with exactly these nulls."""

    columns: tuple[str, ...]
    real: float
    synthetic: float

    @property
    def text(self) -> str:
        """The columns, of which some are named."""
        if not self.columns:
            return "nothing missing"
        more = f" and {len(self.columns) - NAMED:,} more" if len(self.columns) > NAMED else ""
        return ", ".join(map(named, self.columns[:NAMED])) + more


class Missing(NamedTuple):
    """What is missing in either side.

    Attributes:
        columns: Columns with a null in either side, with the shares of nulls, most frequent in the real rows first.
        patterns: The most frequent sets, the most frequent in the real rows first.
        other: Share of either side's rows with another set.
    """

    columns: tuple[tuple[str, float, float], ...]
    patterns: tuple[MissingPattern, ...]
    other: tuple[float, float]


def missing(real: pa.Table, synthetic: pa.Table, schema: Schema) -> Missing:
    """What is missing in two tables of one schema."""
    sides = [np.column_stack([_nulls(table[name]) for name in schema.names]) for table in (real, synthetic)]
    rates = [side.mean(axis=0) if len(side) else np.zeros(len(schema.names)) for side in sides]
    holed = [i for i in np.argsort(-rates[0], kind="stable") if rates[0][i] or rates[1][i]]
    columns = tuple((schema.names[i], float(rates[0][i]), float(rates[1][i])) for i in holed)
    counts = [Counter(row.tobytes() for row in np.packbits(side, axis=1)) for side in sides]
    rows = [max(1, len(side)) for side in sides]
    least = max((column.least_rows for column in schema), default=1)
    common = [key for key, count in counts[0].most_common(MOST) if count >= least]
    patterns = tuple(
        MissingPattern(_names(key, schema), counts[0][key] / rows[0], counts[1][key] / rows[1]) for key in common
    )
    other = [1 - sum(counts[i][key] for key in common) / rows[i] for i in (0, 1)]
    return Missing(columns, patterns, (max(0.0, other[0]), max(0.0, other[1])))


def _nulls(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether each value is null. Not a number counts as null, as everywhere in an evaluation."""
    return np.asarray(pc.is_null(column, nan_is_null=pa.types.is_floating(column.type)).to_numpy())


def _names(key: bytes, schema: Schema) -> tuple[str, ...]:
    bits = np.unpackbits(np.frombuffer(key, np.uint8), count=len(schema.names))
    return tuple(name for name, bit in zip(schema.names, bits, strict=True) if bit)
