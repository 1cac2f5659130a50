"""A fixed feature space for distances between tables.

Distances such as MMD and the Fréchet distance need rows as points. A `FeatureSpace` is fitted to one table, so that all
tables are compared in the same space. The `Measure` of each column defines its raw features
(`pipeline.measures.features`): normal scores for numbers, one-hot vectors for labels, nothing for identifiers. The
principal components of all raw features, at most 64, are the features.

Everything but the centre and the components follows from the summaries of the columns, so a space is saved as `Axes`.

*Random Fourier features* (Rahimi & Recht 2007) turn the mean of a kernel over pairs of rows into the product of two
means over rows, and these add up over shards. The frequencies of 512 waves are drawn so that E[φ(x)·φ(y)] is the mean
of Gaussian kernels of a quarter to four times the median distance. *Traits* are normal scores and indicators of
frequent labels, at most 128 in all. Their correlations show how pairs of columns depend on each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from pipeline import columns
from pipeline.measures import Features, Measure
from pipeline.randomness import stream
from pipeline.schema import Schema
from pipeline.statistics.discrepancy import SCALES
from pipeline.statistics.sketches import Packed, Sketch

Floats = NDArray[np.float64]
Points = NDArray[np.float32]

DIMENSIONS = 64
LABELS = 32  # one-hot labels of a column, besides null and "other"
WIDTH = 1024  # one-hot labels of all columns together
ROWS_AT_ONCE = 8192  # rows that are expanded to one-hot at a time
WAVES = 512
TRAITS = 128
LABEL_TRAITS = 8  # of one column
DISTANCE_ROWS = 500  # for the median distance


class Marginal(NamedTuple):
    """The facts of a column that a space needs.

    Attributes:
        measure: How the column is compared.
        summary: Its summary. None if no row has a value.
        rows: Its number of rows, with nulls.
    """

    measure: Measure[Any]
    summary: Sketch | None
    rows: int

    @property
    def rate(self) -> float:
        """Share of nulls."""
        present = self.summary.rows if self.summary is not None else 0
        return (self.rows - present) / max(1, self.rows)


class Axes(Packed):
    """What a space keeps besides the marginals of its columns.

    Attributes:
        centre: Mean of the raw features, float32 [raw].
        components: Directions of largest variance, float32 [raw, dimensions].
        bandwidth: Median distance of two rows.
    """

    centre: bytes
    components: bytes
    bandwidth: float


@dataclass(frozen=True)
class FeatureSpace:
    """A map from tables of one schema to points.

    Attributes:
        columns: The raw features of each column that takes part, by name.
        centre: Mean of the raw features of the table, [raw].
        components: Directions of largest variance, [raw, dimensions].
        bandwidth: Median distance of two rows.
    """

    columns: Mapping[str, Features]
    centre: Points
    components: Points
    bandwidth: float

    @classmethod
    def fit(cls, table: pa.Table, schema: Schema) -> Self:
        """Fit a space to the rows of `table` (at least one)."""
        marginals = {}
        for column in schema:
            measure = columns.measure(column.kind)
            if measure is not None:
                marginals[column.name] = Marginal(measure, measure.summary(table[column.name]), table.num_rows)
        return cls.span(marginals, table)

    @classmethod
    def span(cls, marginals: Mapping[str, Marginal], table: pa.Table) -> Self:
        """Make a space of columns with these marginals. Its axes fit at most 8192 evenly spaced rows of `table`."""
        taken = _features(marginals)
        rows = np.linspace(0, table.num_rows - 1, min(ROWS_AT_ONCE, table.num_rows)).astype(int)
        raw = _filled(_raw(taken, table.take(rows)))
        centre = raw.mean(axis=0) if taken else np.empty(0)
        components = _principal(raw - centre)
        points = ((raw - centre) @ components)[:: max(1, len(raw) // DISTANCE_ROWS)]
        apart = pdist(points) if points.size and len(points) > 1 else np.ones(1)
        bandwidth = float(np.median(apart)) or float(apart.mean()) or 1.0  # where most rows coincide, the mean
        return cls(taken, centre.astype(np.float32), components.astype(np.float32), bandwidth)

    @classmethod
    def from_axes(cls, marginals: Mapping[str, Marginal], axes: Axes) -> Self:
        """Make a space with these saved `axes`."""
        centre = np.frombuffer(axes.centre, "<f4")
        components = np.frombuffer(axes.components, "<f4").reshape(len(centre), -1 if len(centre) else 0)
        return cls(_features(marginals), centre, components, axes.bandwidth)

    @property
    def axes(self) -> Axes:
        """What is saved of the space besides its marginals."""
        return Axes(
            centre=self.centre.astype("<f4").tobytes(),
            components=self.components.astype("<f4").tobytes(),
            bandwidth=self.bandwidth,
        )

    @property
    def dimensions(self) -> int:
        """Number of features. 0 if nothing in the table varies or can be compared."""
        return int(self.components.shape[1])

    @property
    def width(self) -> int:
        """Number of raw features."""
        return len(self.centre)

    def raw(self, table: pa.Table) -> Floats:
        """Raw features of each row, [rows, raw]. NaN is the score of a null."""
        return _raw(self.columns, table)

    def points(self, raw: Floats) -> Points:
        """Features of rows, given their raw features, [rows, dimensions]."""
        return np.asarray((_filled(raw) - self.centre) @ self.components, np.float32)

    def transform(self, table: pa.Table) -> Points:
        """Features of each row, [rows, dimensions]."""
        points = np.empty((table.num_rows, self.dimensions), np.float32)
        for start in range(0, table.num_rows, ROWS_AT_ONCE):
            points[start : start + ROWS_AT_ONCE] = self.points(self.raw(table.slice(start, ROWS_AT_ONCE)))
        return points

    def waves(self, points: Points) -> Points:
        """Random Fourier features of points, [rows, 2 · 512]. Each row has length 1."""
        angles = points @ self.frequencies
        return np.asarray(np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(WAVES), np.float32)

    @cached_property
    def frequencies(self) -> Points:
        """The frequencies of the waves, [dimensions, 512]. Up to the bandwidth, they depend on the dimensions only."""
        directions = stream(0, "waves").standard_normal((WAVES, DIMENSIONS))[:, : self.dimensions]
        scales = self.bandwidth * np.resize(SCALES, WAVES)
        return np.asarray((directions / scales[:, None]).T, np.float32)

    @cached_property
    def traits(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The column of each trait, and its index among the raw features."""
        most = min(LABEL_TRAITS, max(1, TRAITS // max(1, len(self.columns))))
        starts = np.cumsum([0, *(column.width for column in self.columns.values())])
        found = [
            (name, start + place)
            for (name, column), start in zip(self.columns.items(), starts, strict=False)
            for place in column.traits(most)
        ]
        return tuple(name for name, _ in found[:TRAITS]), np.array([place for _, place in found[:TRAITS]], np.int64)


def _features(marginals: Mapping[str, Marginal]) -> dict[str, Features]:
    """The features of each column. All columns of labels share the largest width."""
    labels = sum(marginal.measure.labels for marginal in marginals.values())
    most = min(LABELS, max(1, WIDTH // max(1, labels)))
    found = {name: each.measure.features(each.summary, each.rate, most) for name, each in marginals.items()}
    return {name: features for name, features in found.items() if features is not None}


def _raw(taken: Mapping[str, Features], table: pa.Table) -> Floats:
    """Raw features of each row, [rows, raw]."""
    if not taken:
        return np.empty((table.num_rows, 0))
    return np.concatenate([features.of(table[name]) for name, features in taken.items()], axis=1)


def _filled(raw: Floats) -> Floats:
    """The raw features with 0 as the score of a null."""
    return np.nan_to_num(raw, nan=0.0)


def _principal(centred: Floats) -> Floats:
    """Eigenvectors of the largest variances, [raw, at most 64], with fixed signs. Zero variances are left out."""
    if not centred.size:
        return np.empty((centred.shape[1], 0))
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = np.flatnonzero(values > 1e-9 * max(1.0, values.max(initial=0.0)))[::-1][:DIMENSIONS]
    vectors = vectors[:, kept]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])
    return np.asarray(vectors * signs)
