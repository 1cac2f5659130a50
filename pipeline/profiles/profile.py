"""A summary of a table without its rows.

A `Profile` is a frozen record of bounded size (under 2 MB for 100 columns). It holds row and null counts, the summary
of each column by its `Measure` (`pipeline.measures`) and, if a feature space is given, how the columns depend on each
other. It is made in one pass, it round-trips through JSON, and two profiles merge into the profile of both tables.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any, Self

import pyarrow as pa
from pydantic import SerializeAsAny, ValidationInfo, field_validator

from pipeline import columns
from pipeline.errors import SchemaError, TableError
from pipeline.frames import Frame, to_arrow
from pipeline.measures import Measure
from pipeline.profiles.embedding import Embedding
from pipeline.profiles.features import FeatureSpace
from pipeline.records import Record
from pipeline.schema import Column, Schema, value_type
from pipeline.statistics.sketches import Sketch


class ColumnProfile(Record):
    """The profile of one column.

    Attributes:
        name: Its name.
        kind: Its kind in the schema.
        type: Its Arrow value type, as text.
        nulls: Number of rows without a value.
        summary: The summary by its measure. None if no row has a value, or the kind has no measure.
    """

    name: str
    kind: str
    type: str
    nulls: int
    summary: SerializeAsAny[Sketch] | None = None

    @field_validator("summary", mode="before")
    @classmethod
    def _of_kind(cls, summary: object, info: ValidationInfo) -> object:
        """Read a summary from JSON with the sketch that the kind's measure uses."""
        if not isinstance(summary, Mapping):
            return summary
        kind = columns.KINDS.get(info.data.get("kind", ""))
        if kind is None or kind.measure is None:
            raise ValueError("expected a summary only of a kind that is compared")
        return kind.measure.sketch.model_validate(summary)

    @classmethod
    def of(cls, column: Column, array: pa.ChunkedArray) -> Self:
        """Profile the values of a column."""
        measure, nulls, summary = columns.measure(column.kind), array.null_count, None
        if measure is not None:
            summary = measure.summary(array)
            nulls = len(array) - (summary.rows if summary is not None else 0)
        return cls(name=column.name, kind=column.kind, type=str(value_type(array.type)), nulls=nulls, summary=summary)

    @property
    def measure(self) -> Measure[Any] | None:
        """How the column is compared."""
        return columns.measure(self.kind)

    def merge(self, other: Self) -> Self:
        """The profile of the column of both tables."""
        summary = self.summary or other.summary
        if self.summary is not None and other.summary is not None:
            summary = self.summary.merge(other.summary)
        return self.model_copy(update={"nulls": self.nulls + other.nulls, "summary": summary})


class Profile(Record):
    """A table, summarised without its rows.

    Attributes:
        rows: Number of rows.
        columns: Its columns, in order.
        embedding: Its rows in a feature space, if one was given.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Profile, infer
        >>> frame = pd.DataFrame({"age": [20, 30, 40, None], "member": [True, False, True, True]})
        >>> profile = Profile.of(frame, infer(frame))
        >>> profile["age"].nulls, profile["age"].summary.mean
        (1, 30.0)
        >>> profile.merge(profile).rows  # as if both tables had been one
        8
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    embedding: Embedding | None = None

    @classmethod
    def of(cls, table: Frame, schema: Schema, space: FeatureSpace | None = None) -> Self:
        """Profile a table of `schema`. Columns are summarised in parallel."""
        table = to_arrow(table)
        with ThreadPoolExecutor(pa.cpu_count()) as pool:
            found = pool.map(lambda column: ColumnProfile.of(column, table[column.name]), schema.columns)
            return cls(
                rows=table.num_rows,
                columns=tuple(found),
                embedding=Embedding.of(table, space) if space is not None else None,
            )

    @classmethod
    def of_batches(cls, batches: Iterable[pa.Table], schema: Schema, space: FeatureSpace | None = None) -> Self:
        """Profile a table that comes in batches. One batch is in memory at a time.

        Raises:
            TableError: There are no batches.
        """
        # each merge may move quantiles a little, so neighbours merge in a tree and every row is in few merges
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
        merged = tuple(mine.merge(theirs) for mine, theirs in zip(self.columns, other.columns, strict=True))
        return type(self)(rows=self.rows + other.rows, columns=merged, embedding=both)

    def __getitem__(self, name: str) -> ColumnProfile:
        """The column called `name`. Raises KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
