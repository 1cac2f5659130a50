"""Rows that are alike: groups of rows, within which a row may take the label of another.

A text takes the groups of the column that tells most about it, by mutual information. A code
(`pipeline.columns.codes`) takes intervals of its own numbers, since codes near each other often begin with the same
digits.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.arrow.arrays import numbers
from pipeline.arrow.domain import is_number
from pipeline.columns import measure
from pipeline.schema import Column, Schema, value_type

SAMPLE = 20_000
"""Rows that are used to find the column that tells most about withheld labels."""
PARTNERS = 32
"""Largest number of columns that are tried."""
LABELS, BINS = 63, 16
"""Number of labels of such a column that are distinguished, and of intervals of numbers."""
NEAR, MOST_NEAR = 20, 1024
"""Rows of an interval of codes, and the largest number of intervals."""
TELLING = 0.02
"""Mutual information in nats. A column with less tells nothing."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coder:
    """Assigns rows of any table to a few groups by one column: by its frequent labels, or by intervals of numbers.

    Attributes:
        name: The column.
        labels: The labels with a group of their own. None for a column of numbers.
        edges: Edges of the intervals of numbers.
    """

    name: str
    labels: pa.Array | None
    edges: Floats

    def codes(self, table: pa.Table) -> Codes:
        """Group of each row. Null has a group of its own."""
        if self.labels is None:
            values = numbers(table[self.name])
            return np.where(np.isnan(values), 0, np.searchsorted(self.edges, values, side="right") + 1)
        found = labels.places(table[self.name], self.labels)
        return np.where(found < 0, len(self.labels), found)


def alike(table: pa.Table, schema: Schema, name: str, label: Codes) -> Coder | None:
    """Groups of rows that are alike in the labels of a column. None if nothing tells anything about them.

    Args:
        table: The rows.
        schema: Their schema.
        name: The column.
        label: A code for the label of each row, −1 where it is withheld, [rows].
    """
    rows = np.flatnonzero(label >= 0)
    if is_number(value_type(table.schema.field(name).type)):
        return _near(table[name].take(pa.array(rows)), name)
    return _partner(table, schema, name, label, rows)


def _partner(table: pa.Table, schema: Schema, name: str, label: Codes, rows: Codes) -> Coder | None:
    """The column that tells most about the labels of some rows. None if no column tells anything."""
    rows = rows[np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int)] if len(rows) else rows
    seen = {column.name: measure(column.kind) for column in schema if column.name != name}
    others = [name for name, found in seen.items() if found is not None and (found.labels or found.orders)]
    some = [others[i] for i in np.unique(np.linspace(0, len(others) - 1, PARTNERS).astype(int))] if others else []
    best, most = None, TELLING
    sample = table.select(some).take(pa.array(rows))
    for other in some:
        coder = _coder(sample, schema[other])
        told = _mutual_information(label[rows], coder.codes(sample))
        if told > most:
            best, most = coder, told
    return best


def _near(lenders: pa.ChunkedArray, name: str) -> Coder:
    """Groups codes by their own numbers, into intervals with about `NEAR` lenders or more."""
    groups = min(MOST_NEAR, max(len(lenders) // NEAR, 1))
    values = numbers(lenders)
    edges = np.quantile(values, np.linspace(0, 1, groups + 1)[1:-1]) if len(values) else np.zeros(0)
    return Coder(name, None, np.unique(edges))


def _coder(sample: pa.Table, column: Column) -> Coder:
    seen = measure(column.kind)
    if seen is not None and seen.labels:
        found, counts = labels.counted(sample[column.name])
        usual = np.argsort(-counts, kind="stable")[:LABELS]
        return Coder(column.name, found.take(pa.array(usual)), np.zeros(0))
    present = numbers(sample[column.name])
    present = present[~np.isnan(present)]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])) if len(present) else np.zeros(0)
    return Coder(column.name, None, edges)


def _mutual_information(a: Codes, b: Codes) -> float:
    """Mutual information of two columns of codes in nats, corrected for its bias (Miller 1955)."""
    if not len(a):
        return 0.0
    joint = np.unique(a * (b.max() + 1) + b, return_counts=True)[1] / len(a)
    sides = [np.unique(x, return_counts=True)[1] / len(x) for x in (a, b)]
    entropies = [-float((p * np.log(p)).sum()) for p in (*sides, joint)]
    bias = (len(joint) - len(sides[0]) - len(sides[1]) + 1) / (2 * len(a))
    return entropies[0] + entropies[1] - entropies[2] - bias
