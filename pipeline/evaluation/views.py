"""Tables as the metrics see them: arrays of numbers, and arrays of codes.

A `View` holds an ordered column (number, date) as float64 with NaN for null, and a nominal one (category) as
integer codes. `views` converts several tables at once, because codes must mean the same in all of them: code 0
is the most frequent label of all the tables together, and null is a label like any other. Identifiers have
nothing to compare and are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import numbers
from pipeline.arrow.labels import coded
from pipeline.columns import measure
from pipeline.schema import Schema

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """The comparable columns of a table, all of length `rows`.

    Attributes:
        rows: number of rows.
        ordered: float64 values by column name, NaN where null.
        nominal: codes by column name, from 0 to below `sizes` of that name.
        sizes: number of labels of each nominal column, over all tables viewed together.
    """

    rows: int
    ordered: Mapping[str, Floats]
    nominal: Mapping[str, Codes]
    sizes: Mapping[str, int]

    def matrix(self, *, without: str | None = None) -> Floats:
        """Ordered columns, then codes of nominal ones, as [rows, columns]; `without` names one to leave out."""
        columns = [v for name, v in (*self.ordered.items(), *self.nominal.items()) if name != without]
        return np.column_stack(columns).astype(np.float64) if columns else np.empty((self.rows, 0))

    def without(self, names: Collection[str]) -> "View":
        """The view of the other columns."""
        ordered = {name: values for name, values in self.ordered.items() if name not in names}
        nominal = {name: codes for name, codes in self.nominal.items() if name not in names}
        return View(self.rows, ordered, nominal, self.sizes)

    def only(self, name: str) -> "View":
        """The view of one column."""
        return self.without([other for other in self.names if other != name])

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that can be compared, ordered ones first."""
        return (*self.ordered, *self.nominal)

    def take(self, rows: NDArray[np.int64]) -> "View":
        """The view of the given rows only."""
        ordered = {name: values[rows] for name, values in self.ordered.items()}
        nominal = {name: codes[rows] for name, codes in self.nominal.items()}
        return View(len(rows), ordered, nominal, self.sizes)

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
    """The views of tables that share `schema`, with codes that mean the same in all of them."""
    ordered: list[dict[str, Floats]] = [{} for _ in tables]
    nominal: list[dict[str, Codes]] = [{} for _ in tables]
    sizes: dict[str, int] = {}
    for column in schema.columns:
        kind = measure(column)
        columns = [table[column.name] for table in tables]
        if kind == "ordered":
            for view, array in zip(ordered, columns, strict=True):
                view[column.name] = numbers(array)
        elif kind == "nominal":
            codes, sizes[column.name] = _codes(columns)
            for target, values in zip(nominal, codes, strict=True):
                target[column.name] = values
    return tuple(View(t.num_rows, o, n, sizes) for t, o, n in zip(tables, ordered, nominal, strict=True))


def _codes(columns: Sequence[pa.ChunkedArray]) -> tuple[list[Codes], int]:
    """Codes of each column over the labels of all of them, most frequent first, and the number of labels."""
    codes = coded(columns)
    counts = np.bincount(np.concatenate(codes))
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return [rank[own] for own in codes], len(counts)
