"""The model's own rows, as the surroundings in which a given row stands out or does not.

Generated rows take the place of real ones, so nothing real is kept for it and there are always enough of them. They
answer two questions about a row:

- *Marginal rarity*, in nats: for each column, −log of twice the share of the model's rows that lie at least as far out
  on the same side, or −log of the share whose label is as rare or rarer. The sum over columns is ECOD's outlier score
  (Li et al. 2022, arXiv 2201.00382). Beyond the model's range the tail goes on exponentially; a label that the model
  never generates, or a null where it has none, is as rare as half a row.
- *Distance*, to the `NEIGHBOURS`-th nearest of the model's rows (Ramaswamy et al. 2000). Numbers are placed by the
  normal score of their rank, labels at the corners of a simplex, so that no unit decides. If a table held anomalies,
  its model generates some too, and they must not vouch for each other: the rows whose marginal rarity is largest are
  left out, as in robust estimators (trimming; Rousseeuw 1984).

Columns that move on with time take no part: later values in later rows are not strange. Neither do columns whose values
cannot be compared (identifiers, made-up texts).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline import columns
from pipeline.arrow import labels
from pipeline.arrow.arrays import Array, numbers
from pipeline.schema import Schema

Floats = NDArray[np.float64]

NEIGHBOURS = 5
TRIMMED = 0.2
"""Share of the model's rows that are left out of the neighbours."""
LABELS = 32
"""Largest number of labels of a column with a corner of their own."""
FARTHEST = 20.0
"""Largest distance of a number from the model's range, in standard deviations, that adds to its place."""
_TAIL = 0.05  # share of the rows that give the scale of the tail beyond the range
_TOGETHER = 1024  # rows whose distances are computed together


class Surrounding(ABC):
    """One column of the model's rows."""

    @abstractmethod
    def rarity(self, array: Array) -> Floats:
        """Marginal rarity of each value, in nats, [rows]."""

    @abstractmethod
    def places(self, array: Array) -> NDArray[np.float32]:
        """The place of each value, [rows, dimensions]."""

    @abstractmethod
    def errors(self, array: Array, again: Array) -> Floats:
        """How far values that were drawn again lie from the given ones, [rows]."""


class Amounts(Surrounding):
    """A column of numbers."""

    def __init__(self, array: Array) -> None:
        values = numbers(array)
        self.rising = np.sort(values[~np.isnan(values)])
        self.nulls = (len(values) - len(self.rising) + 0.5) / (len(values) + 1)
        self.deviation = (float(self.rising.std()) if len(self.rising) else 0.0) or 1.0

    def rarity(self, array: Array) -> Floats:
        """See `Surrounding.rarity`. Both sides of a number count, the rarer one decides."""
        x = numbers(array)
        null = np.isnan(x)
        x = np.where(null, 0.0, x)
        found = np.maximum(_tail(self.rising, x), _tail(-self.rising[::-1], -x))
        return np.asarray(np.where(null, -np.log(self.nulls), np.maximum(found - np.log(2), 0)))

    def places(self, array: Array) -> NDArray[np.float32]:
        """See `Surrounding.places`. A null lies apart, in a second dimension."""
        x, n = numbers(array), len(self.rising)
        null = np.isnan(x)
        found = np.zeros((len(x), 2), dtype=np.float32)
        found[null, 1] = 1
        if n and not null.all():
            x = x[~null]
            middle = (np.searchsorted(self.rising, x, side="left") + np.searchsorted(self.rising, x, side="right")) / 2
            score = ndtri(np.clip(middle / n, 0.5 / n, 1 - 0.5 / n))
            beyond = np.maximum(x - self.rising[-1], 0) - np.maximum(self.rising[0] - x, 0)
            found[~null, 0] = score + np.clip(beyond / self.deviation, -FARTHEST, FARTHEST)
        return found

    def errors(self, array: Array, again: Array) -> Floats:
        """The squared difference in units of the column's variance, at most `FARTHEST` squared; 1 for a null of two."""
        x, y = numbers(array), numbers(again)
        null = np.isnan(x) | np.isnan(y)
        squared = np.minimum(((x - y) / self.deviation) ** 2, FARTHEST**2)
        return np.where(null, (np.isnan(x) != np.isnan(y)).astype(np.float64), squared)


class Names(Surrounding):
    """A column of labels."""

    def __init__(self, array: Array) -> None:
        self.known, counts = labels.counted(array)
        self.rows = len(array)
        self.counts = np.append(counts, len(array) - counts.sum()).astype(np.float64)  # null last

    def rarity(self, array: Array) -> Floats:
        """See `Surrounding.rarity`."""
        rising = np.sort(self.counts[self.counts > 0])
        rarer = np.concatenate([[0.0], np.cumsum(rising)])
        once = float((self.counts == 1).sum())  # an estimate of the rows with unseen labels (Good & Turing)
        counts = np.append(self.counts[:-1], [0.0, self.counts[-1]])[self._index(array)]
        mass = rarer[np.searchsorted(rising, counts, side="right")]
        return np.asarray(-np.log(np.where(counts > 0, mass, max(once, 0.5)) / self.rows))

    def places(self, array: Array) -> NDArray[np.float32]:
        """See `Surrounding.places`. Rare labels share a corner."""
        usual = np.argsort(-self.counts[:-1], kind="stable")[:LABELS]
        corner = np.full(len(self.known) + 2, len(usual))
        corner[usual] = np.arange(len(usual))
        corner[-1] = len(usual) + 1
        found = np.zeros((len(array), len(usual) + 2), dtype=np.float32)
        found[np.arange(len(array)), corner[self._index(array)]] = 1
        return found

    def errors(self, array: Array, again: Array) -> Floats:
        """1 where the label differs, else 0."""
        one, other = labels.coded([array, again])
        return np.asarray(one != other, dtype=np.float64)

    def _index(self, array: Array) -> NDArray[np.int64]:
        """The index of each label, then one for labels that are not known, then one for null."""
        found = labels.places(array, self.known)
        return np.where(found < 0, len(self.known) + 1, found)


class Surroundings:
    """The model's rows, column by column and as points.

    Args:
        schema: The schema of the table.
        rows: Rows that the model has generated.
    """

    def __init__(self, schema: Schema, rows: pa.Table) -> None:
        self.rows = rows
        self.columns: Mapping[str, Surrounding] = dict(_columns(schema, rows))
        self.rarity = self.rarities(rows).sum(1)

    def rarities(self, table: pa.Table) -> Floats:
        """Marginal rarity of each value, in nats, [rows, columns]."""
        found = [column.rarity(table[name]) for name, column in self.columns.items()]
        return np.stack(found, axis=1) if found else np.zeros((table.num_rows, 0))

    def missing(self, table: pa.Table) -> Floats:
        """Nats for a null in a column in which no row of the model has one, [rows]."""
        never = [name for name in self.columns if not self.rows[name].null_count]
        null = np.zeros(table.num_rows, dtype=bool)
        for name in never:
            null |= np.asarray(table[name].is_null().to_numpy())
        return np.asarray(null * np.log(self.rows.num_rows + 2.0))

    def distance(self, table: pa.Table) -> Floats:
        """Distance of each row to the `NEIGHBOURS`-th nearest of the model's ordinary rows, [rows]."""
        known, points = self._points, self._placed(table)
        k, squares = min(NEIGHBOURS, len(known)) - 1, (known**2).sum(1)
        found = np.empty(len(points))
        for start in range(0, len(points), _TOGETHER):
            some = points[start : start + _TOGETHER]
            apart = squares - 2 * (some @ known.T)
            nearest = np.partition(apart, k, axis=1)[:, k]
            found[start : start + len(some)] = nearest + (some**2).sum(1)
        return np.sqrt(np.maximum(found, 0))

    def error(self, table: pa.Table, again: pa.Table) -> Floats:
        """How far rows that were drawn again lie from the given ones: the mean over columns, [rows]."""
        found = [column.errors(table[name], again[name]) for name, column in self.columns.items()]
        return np.mean(found, axis=0) if found else np.zeros(table.num_rows)

    @cached_property
    def _points(self) -> NDArray[np.float32]:
        """The places of the ordinary rows."""
        ordinary = np.flatnonzero(self.rarity <= np.quantile(self.rarity, 1 - TRIMMED))
        return self._placed(self.rows.take(pa.array(ordinary)))

    def _placed(self, table: pa.Table) -> NDArray[np.float32]:
        found = [column.places(table[name]) for name, column in self.columns.items()]
        return np.concatenate(found, axis=1) if found else np.zeros((table.num_rows, 1), dtype=np.float32)


def _columns(schema: Schema, rows: pa.Table) -> Sequence[tuple[str, Surrounding]]:
    """The columns that can be compared, in the order of the schema."""
    found: list[tuple[str, Surrounding]] = []
    for column in schema:
        measure = columns.measure(column.kind)
        if measure is None or measure.moves_on:
            continue
        if measure.orders:
            found.append((column.name, Amounts(rows[column.name])))
        elif measure.labels:
            found.append((column.name, Names(rows[column.name])))
    return found


def _tail(rising: Floats, x: Floats) -> Floats:
    """−log of the share of ascending numbers that are at least as large as each x, with an exponential end."""
    n = len(rising)
    if not n:
        return np.full(len(x), -np.log(0.5))
    reached = n - np.searchsorted(rising, x, side="left")
    start = rising[-max(int(_TAIL * n), 1)]
    excess = rising[rising > start] - start
    scale = max(float(excess.mean()) if len(excess) else 0.0, 1e-3 * float(rising[-1] - rising[0]), 1e-9)
    return np.asarray(-np.log(np.maximum(reached, 0.5) / n) + np.maximum(x - rising[-1], 0) / scale)
