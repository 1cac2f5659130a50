"""Tables as the metrics see them: each column in the form that its measure compares.

`views` converts several tables at once, because values must mean the same in all of them. Columns without a measure
(identifiers) are left out.
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
    """The comparable columns of a table, all of length `rows`.

    Attributes:
        rows: Number of rows.
        values: The columns by name; those that have an order stand first.
        measures: How they are compared.
    """

    rows: int
    values: Mapping[str, Values]
    measures: Mapping[str, Measure[Any]]

    def __getitem__(self, name: str) -> Values:
        """The column called `name`; raises KeyError when there is none."""
        return self.values[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that can be compared, those that have an order first."""
        return tuple(self.values)

    def inputs(self, *, without: str) -> Floats:
        """What a model that predicts the column `without` is given, [rows, any number]."""
        found = [self.measures[name].inputs(values) for name, values in self.values.items() if name != without]
        return np.concatenate([np.empty((self.rows, 0)), *found], axis=1)

    def without(self, names: Collection[str]) -> "View":
        """The view of the other columns."""
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
    """`rows` different row numbers below `available`, ascending; all of them where there are no more."""
    if rows >= available:
        return np.arange(available)
    return np.sort(rng.choice(available, size=rows, replace=False))


def known(x: Floats, train: Floats) -> Floats:
    """`x` [rows, columns] with 0 in every column of which `train` knows no value: trees cannot take such a column."""
    return np.where(np.isnan(train).all(axis=0), 0.0, x)


def views(tables: Sequence[pa.Table], schema: Schema) -> tuple[View, ...]:
    """The views of tables that share `schema`, with values that mean the same in all of them."""
    measures = {column.name: found for column in schema if (found := columns.measure(column.kind)) is not None}
    ordered = sorted(measures, key=lambda name: not measures[name].orders)
    seen = {name: measures[name].views([table[name] for table in tables]) for name in ordered}
    return tuple(
        View(table.num_rows, {name: own[i] for name, own in seen.items()}, measures) for i, table in enumerate(tables)
    )
