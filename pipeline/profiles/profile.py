"""What a table looks like, without its rows.

A `Profile` is a frozen summary of bounded size (under 2 MB for 100 columns): row and null counts, moments and
quantiles of ordered columns, frequent labels of nominal ones and, in a given feature space, how the columns hang
together. It is made in one pass, two of them merge into that of both tables, and it round-trips through JSON.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import FiniteFloat

from pipeline.arrow.arrays import numbers
from pipeline.columns import measure
from pipeline.errors import SchemaError, TableError
from pipeline.profiles.embedding import Embedding
from pipeline.profiles.features import FeatureSpace
from pipeline.records import Record
from pipeline.schema import Column, Schema, value_type
from pipeline.statistics.sketches import Frequencies, Quantiles


class OrderedProfile(Record):
    """Distribution of the values of an ordered column; at least one is present.

    Attributes:
        low: Least value.
        high: Greatest value.
        mean: Mean.
        deviation: Standard deviation, of the population (divisor n).
        quantiles: The distribution function.
    """

    low: FiniteFloat
    high: FiniteFloat
    mean: FiniteFloat
    deviation: FiniteFloat
    quantiles: Quantiles

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """The profile of values without NaN, at least one."""
        low, high = float(values.min()), float(values.max())
        unit = 2.0 ** (int(np.frexp(max(abs(low), abs(high)))[1]) - 1)  # squares of huge values would overflow
        scaled = values / unit
        mean = float(scaled.mean())
        centred = scaled - mean
        return cls(
            low=low,
            high=high,
            mean=unit * mean,
            deviation=unit * float(np.sqrt(centred @ centred / len(values))) if low < high else 0.0,
            quantiles=Quantiles.of(values),
        )

    def merge(self, other: Self) -> Self:
        """The profile of both."""
        sides = self, other
        shares = np.array([side.quantiles.rows for side in sides]) / sum(side.quantiles.rows for side in sides)
        mean = float(shares @ [side.mean for side in sides])
        about_mean = [np.hypot(side.deviation, side.mean - mean) for side in sides]
        return type(self)(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            mean=mean,
            deviation=float(np.hypot(*(np.sqrt(shares) * about_mean))),
            quantiles=self.quantiles.merge(other.quantiles),
        )


class ColumnProfile(Record):
    """One column.

    Attributes:
        name: Its name.
        kind: Its kind in the schema.
        type: Its Arrow value type, as text.
        nulls: Rows without a value.
        ordered: The summary of an ordered column that has values.
        nominal: The summary of a nominal column.
    """

    name: str
    kind: str
    type: str
    nulls: int
    ordered: OrderedProfile | None = None
    nominal: Frequencies | None = None

    def merge(self, other: Self) -> Self:
        """The profile of both tables' column."""
        parts = [part for part in (self.ordered, other.ordered) if part is not None]
        return self.model_copy(
            update={
                "nulls": self.nulls + other.nulls,
                "ordered": parts[0].merge(parts[1]) if len(parts) == 2 else next(iter(parts), None),  # noqa: PLR2004
                "nominal": self.nominal.merge(other.nominal) if self.nominal and other.nominal else None,
            }
        )


class Profile(Record):
    """A table.

    Attributes:
        rows: Number of rows.
        columns: Its columns in order.
        embedding: Its rows in a feature space, if one was given.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    embedding: Embedding | None = None

    @classmethod
    def of(cls, table: pa.Table, schema: Schema, space: FeatureSpace | None = None) -> Self:
        """The profile of a table of `schema`; columns are summarised in parallel."""
        with ThreadPoolExecutor(pa.cpu_count()) as pool:
            columns = pool.map(lambda column: _column(column, table[column.name]), schema.columns)
            return cls(
                rows=table.num_rows,
                columns=tuple(columns),
                embedding=Embedding.of(table, space) if space is not None else None,
            )

    @classmethod
    def of_batches(cls, batches: Iterable[pa.Table], schema: Schema, space: FeatureSpace | None = None) -> Self:
        """The profile of a table that comes in batches, of which one is in memory at a time.

        Raises:
            TableError: There are none.
        """
        # neighbours are merged in a tree, so that a row is in few merges: each may move quantiles a little
        waiting: list[tuple[int, Self]] = []
        for batch in batches:
            height, made = 0, cls.of(batch, schema, space)
            while waiting and waiting[-1][0] == height:
                height, made = height + 1, waiting.pop()[1].merge(made)
            waiting.append((height, made))
        if not waiting:
            raise TableError("profile: expected at least one batch of rows, got none")
        return reduce(lambda later, earlier: earlier.merge(later), [made for _, made in reversed(waiting)])

    def merge(self, other: Self) -> Self:
        """The profile of both tables, one after the other.

        Raises:
            SchemaError: Their columns differ.
        """
        if [(c.name, c.kind, c.type) for c in self.columns] != [(c.name, c.kind, c.type) for c in other.columns]:
            raise SchemaError("profiles merge only if names, kinds and types of their columns are the same, in order")
        both = self.embedding and other.embedding and self.embedding.merge(other.embedding)
        columns = tuple(mine.merge(theirs) for mine, theirs in zip(self.columns, other.columns, strict=True))
        return type(self)(rows=self.rows + other.rows, columns=columns, embedding=both)

    def __getitem__(self, name: str) -> ColumnProfile:
        """The column called `name`; raises KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _column(column: Column, array: pa.ChunkedArray) -> ColumnProfile:
    nulls, ordered, nominal = array.null_count, None, None
    if measure(column) == "ordered":
        values = numbers(array)
        present = values[~np.isnan(values)]
        nulls = len(values) - len(present)
        ordered = OrderedProfile.of(present) if len(present) else None
    elif measure(column) == "nominal":
        nominal = Frequencies.of(array)
    kind = str(value_type(array.type))
    return ColumnProfile(name=column.name, kind=column.kind, type=kind, nulls=nulls, ordered=ordered, nominal=nominal)
