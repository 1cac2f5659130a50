"""A fixed space of features for distances between tables.

Distances such as MMD and the Fréchet distance need rows as points. A `FeatureSpace` is fitted to a table, for
distances between distributions to real rows, so that any two generators are measured with the same rod:

- an ordered column becomes its normal score Φ⁻¹(F(x)), F being the empirical distribution of the table: no unit,
  no heavy tail; a null scores 0 and, where the table has nulls, sets an indicator;
- a nominal column becomes the one-hot of its most frequent labels, of null and of "other", scaled so that the column
  varies as much in total as a number does;
- the principal components of these, at most 64, are the features. Identifiers have none.

All but centre and components follows from the sketches of the columns, so a space is kept as its `Axes`.

*Random Fourier features* (Rahimi & Recht 2007) turn the mean of a kernel over pairs of rows into the product of two
means over rows, which add up over shards: 512 waves of frequencies drawn so that E[φ(x)·φ(y)] is the mean of Gaussian
kernels of a quarter to four times the median distance. *Traits* are the normal scores and the indicators of frequent
labels, at most 128 in all, whose correlations say how pairs of columns depend on each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.special import ndtri

from pipeline.arrow.arrays import numbers
from pipeline.columns import measure
from pipeline.randomness import stream
from pipeline.schema import Schema
from pipeline.statistics.sketches import Frequencies, Packed, Quantiles

Floats = NDArray[np.float64]
Points = NDArray[np.float32]

DIMENSIONS = 64
LABELS = 32  # one-hot labels of a nominal column, besides null and "other"
WIDTH = 1024  # one-hot labels of all nominal columns together
LEAST_VARIANCE = 0.1  # a nearly constant column is not blown up to the weight of a number
BLOCK = 8192  # rows expanded to one-hot at a time
WAVES = 512
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
TRAITS = 128
LABEL_TRAITS = 8  # of one nominal column
RAREST = 0.02  # share of a label that is a trait
DISTANCE_ROWS = 500  # for the median distance


class Marginal(NamedTuple):
    """What a space needs to know of a column: its sketch, its nulls and its rows."""

    sketch: Quantiles | Frequencies
    nulls: int
    rows: int


class Axes(Packed):
    """What a space has beyond the marginals of its columns.

    Attributes:
        centre: Mean of the raw features, float32 [raw].
        components: Directions of largest variance, float32 [raw, dimensions].
        bandwidth: Median distance of two rows.
    """

    centre: bytes
    components: bytes
    bandwidth: float


@dataclass(frozen=True)
class _Ordered:
    """Normal scores [len(knots)] at ascending values; the weight of the null indicator, 0 for none."""

    name: str
    knots: Floats
    scores: Floats
    null_weight: float

    @classmethod
    def of(cls, name: str, quantiles: Quantiles, rate: float) -> "_Ordered":
        weight = _weight(np.array([rate, 1 - rate])) if 0 < rate < 1 else 0.0
        weights = quantiles.weights
        if not len(weights):
            return cls(name, np.zeros(1), np.zeros(1), weight)
        middle = (np.cumsum(weights) - weights / 2) / weights.sum()  # a repeated value has its mid-rank
        return cls(name, quantiles.values, ndtri(middle), weight)

    @property
    def width(self) -> int:
        return 2 if self.null_weight else 1

    def traits(self, _most: int) -> range:
        return range(1)

    def features(self, array: pa.ChunkedArray) -> Floats:
        """Score, NaN for null, and null indicator."""
        values = numbers(array)
        scores = np.interp(values, self.knots, self.scores)
        stuck = ~np.isfinite(scores) & ~np.isnan(values)  # knots so close that the slope between them is not finite
        place = np.searchsorted(self.knots, values[stuck], side="right") - 1
        scores[stuck] = self.scores[np.clip(place, 0, None)]
        return np.column_stack([scores, self.null_weight * np.isnan(values)] if self.null_weight else [scores])


@dataclass(frozen=True)
class _Nominal:
    """The labels known by name, of how many of them each is the share, and the weight of the column's one-hot."""

    name: str
    frequencies: Frequencies
    shares: Floats
    weight: float

    @classmethod
    def of(cls, name: str, frequencies: Frequencies, rate: float, most: int) -> "_Nominal":
        counts = np.array(list(frequencies.counts.values())[:most], np.float64)
        shares = counts / max(1, frequencies.rows) * (1 - rate)
        other = max(0.0, 1 - rate - shares.sum())
        return cls(name, frequencies, shares, _weight(np.array([*shares, other, rate])))

    @property
    def width(self) -> int:
        return len(self.shares) + 2

    def traits(self, most: int) -> range:
        """The labels that are frequent, and not nearly all."""
        usual = np.flatnonzero((self.shares >= RAREST) & (self.shares <= 1 - RAREST))
        return range(min(most, len(usual)) if len(usual) and usual[0] == 0 else 0)

    def features(self, array: pa.ChunkedArray) -> Floats:
        """One-hot of labels, others, null."""
        places = self.frequencies.codes(array, len(self.shares)) % self.width
        return np.asarray(self.weight * np.equal(places[:, None], np.arange(self.width)), np.float64)


@dataclass(frozen=True)
class FeatureSpace:
    """Maps tables of one schema to points.

    Attributes:
        columns: per column, how it becomes raw features.
        centre: mean of the raw features of the table, [raw].
        components: directions of largest variance, [raw, dimensions].
        bandwidth: median distance of two rows.
    """

    columns: Sequence[_Ordered | _Nominal]
    centre: Points
    components: Points
    bandwidth: float

    @classmethod
    def fit(cls, table: pa.Table, schema: Schema) -> Self:
        """The space of the rows of `table` (at least one)."""
        marginals = {}
        for column in schema.columns:
            if measure(column) == "ordered":
                values = numbers(table[column.name])
                present = values[~np.isnan(values)]
                marginals[column.name] = Marginal(Quantiles.of(present), len(values) - len(present), len(values))
            elif measure(column) == "nominal":
                frequencies = Frequencies.of(table[column.name])
                marginals[column.name] = Marginal(frequencies, table.num_rows - frequencies.rows, table.num_rows)
        return cls.span(marginals, table)

    @classmethod
    def span(cls, marginals: Mapping[str, Marginal], table: pa.Table) -> Self:
        """The space of columns with these marginals, its axes fitted to at most 8192 evenly spaced rows of `table`."""
        columns = _columns(marginals)
        rows = np.linspace(0, table.num_rows - 1, min(BLOCK, table.num_rows)).astype(int)
        raw = _filled(_raw(columns, table.take(rows)))
        centre = raw.mean(axis=0) if columns else np.empty(0)
        components = _principal(raw - centre)
        points = ((raw - centre) @ components)[:: max(1, len(raw) // DISTANCE_ROWS)]
        apart = pdist(points) if points.size and len(points) > 1 else np.ones(1)
        bandwidth = float(np.median(apart)) or float(apart.mean()) or 1.0  # where most rows coincide, the mean
        return cls(columns, centre.astype(np.float32), components.astype(np.float32), bandwidth)

    @classmethod
    def from_axes(cls, marginals: Mapping[str, Marginal], axes: Axes) -> Self:
        """The space that has these `axes`."""
        centre = np.frombuffer(axes.centre, "<f4")
        components = np.frombuffer(axes.components, "<f4").reshape(len(centre), -1 if len(centre) else 0)
        return cls(_columns(marginals), centre, components, axes.bandwidth)

    @property
    def axes(self) -> Axes:
        """What is kept of the space, besides its marginals."""
        return Axes(
            centre=self.centre.astype("<f4").tobytes(),
            components=self.components.astype("<f4").tobytes(),
            bandwidth=self.bandwidth,
        )

    @property
    def dimensions(self) -> int:
        """Number of features; 0 where nothing in the table varies or can be compared."""
        return int(self.components.shape[1])

    @property
    def width(self) -> int:
        """Number of raw features."""
        return len(self.centre)

    def raw(self, table: pa.Table) -> Floats:
        """Raw features of each row, [rows, raw]; NaN is the score of a null."""
        return _raw(self.columns, table)

    def points(self, raw: Floats) -> Points:
        """Features of rows with these raw features, [rows, dimensions]."""
        return np.asarray((_filled(raw) - self.centre) @ self.components, np.float32)

    def transform(self, table: pa.Table) -> Points:
        """Features of each row, [rows, dimensions]."""
        points = np.empty((table.num_rows, self.dimensions), np.float32)
        for start in range(0, table.num_rows, BLOCK):
            points[start : start + BLOCK] = self.points(self.raw(table.slice(start, BLOCK)))
        return points

    def waves(self, points: Points) -> Points:
        """Random Fourier features of points, [rows, 2 · 512], each row of length 1."""
        angles = points @ self.frequencies
        return np.asarray(np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(WAVES), np.float32)

    @cached_property
    def frequencies(self) -> Points:
        """Of the waves, [dimensions, 512]: the same for every space of as many dimensions, up to the bandwidth."""
        directions = stream(0, "waves").standard_normal((WAVES, DIMENSIONS))[:, : self.dimensions]
        scales = self.bandwidth * np.resize(SCALES, WAVES)
        return np.asarray((directions / scales[:, None]).T, np.float32)

    @cached_property
    def traits(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The column of each trait, and its place among the raw features."""
        most = min(LABEL_TRAITS, max(1, TRAITS // max(1, len(self.columns))))
        starts = np.cumsum([0, *(column.width for column in self.columns)])
        found = [
            (column.name, start + place)
            for column, start in zip(self.columns, starts, strict=False)
            for place in column.traits(most)
        ]
        return tuple(name for name, _ in found[:TRAITS]), np.array([place for _, place in found[:TRAITS]], np.int64)


def _columns(marginals: Mapping[str, Marginal]) -> tuple[_Ordered | _Nominal, ...]:
    nominal = sum(isinstance(marginal.sketch, Frequencies) for marginal in marginals.values())
    most = min(LABELS, max(1, WIDTH // max(1, nominal)))
    columns: list[_Ordered | _Nominal] = []
    for name, (sketch, nulls, rows) in marginals.items():
        rate = nulls / max(1, rows)
        if isinstance(sketch, Quantiles):
            columns.append(_Ordered.of(name, sketch, rate))
        else:
            columns.append(_Nominal.of(name, sketch, rate, most))
    return tuple(columns)


def _weight(shares: Floats) -> float:
    """The factor that brings a one-hot's total variance, 1 − Σ share², to 1."""
    return float(1 / np.sqrt(max(1 - (shares**2).sum(), LEAST_VARIANCE)))


def _raw(columns: Sequence[_Ordered | _Nominal], table: pa.Table) -> Floats:
    """Raw features of each row, [rows, raw]."""
    if not columns:
        return np.empty((table.num_rows, 0))
    return np.concatenate([column.features(table[column.name]) for column in columns], axis=1)


def _filled(raw: Floats) -> Floats:
    """The raw features with 0 as the score of a null."""
    return np.nan_to_num(raw, nan=0.0)


def _principal(centred: Floats) -> Floats:
    """Eigenvectors of the largest variances, [raw, at most 64], signs fixed, without those of no variance."""
    if not centred.size:
        return np.empty((centred.shape[1], 0))
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = np.flatnonzero(values > 1e-9 * max(1.0, values.max(initial=0.0)))[::-1][:DIMENSIONS]
    vectors = vectors[:, kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])
    return np.asarray(vectors * signs)
