"""Tables as the metrics see them: each column in the form that its `Measure` compares.

`views` converts several tables together, so that a code or number means the same in all of them. Columns without a
`Measure`, such as identifiers, are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.measures import Measure, Values
from pipeline.schema import Schema

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """The comparable columns of a table.

    Attributes:
        rows: Number of rows.
        values: The columns by name, each of length `rows`. Columns with an order stand first.
        measures: The `Measure` of each column.
    """

    rows: int
    values: Mapping[str, Values]
    measures: Mapping[str, Measure[Any]]

    def __getitem__(self, name: str) -> Values:
        """The column called `name`. Raises KeyError if there is none."""
        return self.values[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns. Columns with an order stand first."""
        return tuple(self.values)

    def inputs(self, *, without: str | None = None) -> Floats:
        """The features for a model that may predict the column `without`, [rows, any number]."""
        found = [self.measures[name].inputs(values) for name, values in self.values.items() if name != without]
        return np.concatenate([np.empty((self.rows, 0)), *found], axis=1)

    def without(self, names: Collection[str]) -> "View":
        """The view without these columns."""
        return View(self.rows, {name: own for name, own in self.values.items() if name not in names}, self.measures)

    def only(self, name: str) -> "View":
        """The view of one column."""
        return View(self.rows, {name: self[name]}, self.measures)

    def take(self, rows: NDArray[np.int64]) -> "View":
        """The view of the given rows only."""
        return View(len(rows), {name: values.take(rows) for name, values in self.values.items()}, self.measures)

    def sample(self, rows: int, rng: np.random.Generator) -> "View":
        """At most `rows` rows, drawn without replacement."""
        return self if rows >= self.rows else self.take(chosen(self.rows, rows, rng))


def chosen(available: int, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`rows` different row numbers below `available`, ascending. All of them if `available` is not larger."""
    if rows >= available:
        return np.arange(available)
    return np.sort(rng.choice(available, size=rows, replace=False))


def known(x: Floats, train: Floats) -> Floats:
    """`x` [rows, columns] with 0 in each column in which `train` is all NaN: trees cannot take such a column."""
    return np.where(np.isnan(train).all(axis=0), 0.0, x)


def views(tables: Sequence[pa.Table], schema: Schema) -> tuple[View, ...]:
    """Views of tables that share `schema`, with codes and numbers that mean the same in all of them."""
    measures = {column.name: found for column in schema if (found := columns.measure(column.kind)) is not None}
    ordered = sorted(measures, key=lambda name: not measures[name].orders)
    seen = {name: measures[name].views([table[name] for table in tables]) for name in ordered}
    return tuple(
        View(table.num_rows, {name: own[i] for name, own in seen.items()}, measures) for i, table in enumerate(tables)
    )
