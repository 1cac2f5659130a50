"""A fixed space of features for distances between tables.

Distances such as MMD and the Fréchet distance need rows as points. A `FeatureSpace` is fitted to a table, for
distances between distributions to real rows, so that any two generators are measured with the same rod:

- an ordered column becomes its normal score Φ⁻¹(F(x)), F being the empirical distribution of the table: no unit,
  no heavy tail; a null scores 0 and, where the table has nulls, sets an indicator;
- a nominal column becomes the one-hot of its most frequent labels and of "other", scaled so that the column
  varies as much in total as a number does;
- the principal components of these, at most 64, are the features. Identifiers have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.columns import measure, numbers
from pipeline.columns.base import combined
from pipeline.schema import Schema

Floats = NDArray[np.float64]

DIMENSIONS = 64
KNOTS = 1001  # stored quantiles of an ordered column
LABELS = 32  # one-hot labels of a nominal column, besides "other"
WIDTH = 1024  # one-hot labels of all nominal columns together
LEAST_VARIANCE = 0.1  # a nearly constant column is not blown up to the weight of a number
BLOCK = 8192  # rows expanded to one-hot at a time


@dataclass(frozen=True)
class _Ordered:
    """Normal scores [len(knots)] at ascending values; the weight of the null indicator, 0 for none."""

    name: str
    knots: Floats
    scores: Floats
    null_weight: float

    @classmethod
    def fit(cls, name: str, values: Floats) -> "_Ordered":
        present = values[~np.isnan(values)]
        rate = 1 - len(present) / len(values)
        weight = _weight(np.array([rate, 1 - rate])) if 0 < rate < 1 else 0.0
        if not len(present):
            return cls(name, np.zeros(1), np.zeros(1), weight)
        chances = np.linspace(0.5 / KNOTS, 1 - 0.5 / KNOTS, KNOTS)
        knots, which = np.unique(np.quantile(present, chances, method="closest_observation"), return_inverse=True)
        middle = np.bincount(which, weights=chances) / np.bincount(which)  # a repeated value has its mid-rank
        return cls(name, knots, ndtri(middle), weight)

    def features(self, array: pa.ChunkedArray) -> Floats:
        values = numbers(array)
        null = np.isnan(values)
        scores = np.where(null, 0.0, np.interp(np.where(null, self.knots[0], values), self.knots, self.scores))
        return np.column_stack([scores, self.null_weight * null] if self.null_weight else [scores])


@dataclass(frozen=True)
class _Nominal:
    """The most frequent labels, in that order, and the weight of the column's one-hot."""

    name: str
    labels: pa.Array
    weight: float

    @classmethod
    def fit(cls, name: str, array: pa.ChunkedArray, width: int) -> "_Nominal":
        counted = pc.value_counts(combined(array))
        counts = counted.field("counts").to_numpy(zero_copy_only=False)
        order = np.argsort(-counts, kind="stable")[:width]
        shares = counts[order] / counts.sum()
        weight = _weight(np.append(shares, 1 - shares.sum()))
        return cls(name, counted.field("values").take(pa.array(order)), weight)

    def features(self, array: pa.ChunkedArray) -> Floats:
        found = pc.index_in(combined(array), value_set=self.labels)
        other = len(self.labels)
        place = pc.fill_null(found, other).to_numpy(zero_copy_only=False)
        return np.asarray(self.weight * np.equal(place[:, None], np.arange(other + 1)), np.float64)


@dataclass(frozen=True)
class FeatureSpace:
    """Maps tables of one schema to points.

    Attributes:
        columns: per column, how it becomes raw features.
        centre: mean of the raw features of the table, [raw].
        components: directions of largest variance, [raw, dimensions].
    """

    columns: Sequence[_Ordered | _Nominal]
    centre: Floats
    components: Floats

    @classmethod
    def fit(cls, table: pa.Table, schema: Schema) -> Self:
        """The space of the rows of `table` (at least one)."""
        kinds = {column.name: measure(column) for column in schema.columns}
        width = min(LABELS, max(1, WIDTH // max(1, list(kinds.values()).count("nominal"))))
        columns: list[_Ordered | _Nominal] = []
        for name, kind in kinds.items():
            if kind == "ordered":
                columns.append(_Ordered.fit(name, numbers(table[name])))
            elif kind == "nominal":
                columns.append(_Nominal.fit(name, table[name], width))
        raw = _raw(columns, table.take(np.linspace(0, table.num_rows - 1, min(BLOCK, table.num_rows)).astype(int)))
        centre = raw.mean(axis=0) if columns else np.empty(0)
        return cls(tuple(columns), centre, _principal(raw - centre))

    @property
    def dimensions(self) -> int:
        """Number of features; 0 where nothing in the table varies or can be compared."""
        return int(self.components.shape[1])

    def transform(self, table: pa.Table) -> NDArray[np.float32]:
        """Features of each row, [rows, dimensions]."""
        points = np.empty((table.num_rows, self.dimensions), np.float32)
        for start in range(0, table.num_rows, BLOCK):
            raw = _raw(self.columns, table.slice(start, BLOCK))
            points[start : start + BLOCK] = (raw - self.centre) @ self.components
        return points


def _weight(shares: Floats) -> float:
    """The factor that brings a one-hot's total variance, 1 − Σ share², to 1."""
    return float(1 / np.sqrt(max(1 - (shares**2).sum(), LEAST_VARIANCE)))


def _raw(columns: Sequence[_Ordered | _Nominal], table: pa.Table) -> Floats:
    """Raw features of each row, [rows, raw]."""
    if not columns:
        return np.empty((table.num_rows, 0))
    return np.concatenate([column.features(table[column.name]) for column in columns], axis=1)


def _principal(centred: Floats) -> Floats:
    """Eigenvectors of the largest variances, [raw, at most 64], signs fixed, without those of no variance."""
    if not centred.size:
        return np.empty((centred.shape[1], 0))
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = np.flatnonzero(values > 1e-9 * max(1.0, values.max(initial=0.0)))[::-1][:DIMENSIONS]
    vectors = vectors[:, kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])
    return np.asarray(vectors * signs, np.float64)
