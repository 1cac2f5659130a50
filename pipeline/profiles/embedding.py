"""The rows of a table in a feature space, summarised without the rows.

Sums of the points, of their products and of their random Fourier features give the Fréchet distance and the MMD of two
tables. Sums of products of traits give the correlations of pairs of columns. All sums add up over shards. A large shard
is thinned to evenly spaced rows, and each of them then counts for several.
"""

from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.profiles.features import FeatureSpace
from pipeline.statistics.discrepancy import unbiased
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.products import Products
from pipeline.statistics.sketches import Packed

Floats = NDArray[np.float64]

CELLS = 2**21  # raw features of one shard
MOST_ROWS = 16_384
LEAST_ROWS = 1_024


class Embedding(Packed):
    """A table in the space of a reference.

    Attributes:
        rows: Number of rows of the table.
        squares: Σ of the squared weights of the sampled rows. The effective number of rows is rows² / squares.
        sums: Float64 Σ of points [d].
        products: Float64 Σ of products of points [d, d].
        waves: Float64 Σ of random Fourier features [1024].
        traits: Products of traits.
    """

    rows: int
    squares: float
    sums: bytes
    products: bytes
    waves: bytes
    traits: Products

    @classmethod
    def of(cls, table: pa.Table, space: FeatureSpace) -> Self:
        """Summarise a table. It uses at most 16,384 evenly spaced rows, and fewer of wide tables."""
        most = int(np.clip(CELLS // max(1, space.width), LEAST_ROWS, MOST_ROWS))
        rows = table.num_rows
        chosen = np.linspace(0, rows - 1, min(rows, most)).round().astype(np.int64)
        weight = rows / max(1, len(chosen))
        raw = space.raw(table.take(pa.array(chosen)))
        points = space.points(raw)
        names, places = space.traits
        return cls(
            rows=rows,
            squares=weight * rows,
            sums=_packed(weight * points.sum(axis=0, dtype=np.float64)),
            products=_packed(weight * (points.T.astype(np.float64) @ points)),
            waves=_packed(weight * space.waves(points).sum(axis=0, dtype=np.float64)),
            traits=Products.of(names, raw[:, places].astype(np.float32), weight),
        )

    def merge(self, other: Self) -> Self:
        """The summary of both tables together."""
        return type(self)(
            rows=self.rows + other.rows,
            squares=self.squares + other.squares,
            sums=_added(self.sums, other.sums),
            products=_added(self.products, other.products),
            waves=_added(self.waves, other.waves),
            traits=self.traits.merge(other.traits),
        )

    @property
    def effective(self) -> float:
        """Number of equally weighted rows with the same information."""
        return self.rows**2 / self.squares if self.rows else 0.0

    @property
    def gaussian(self) -> Gaussian:
        """Mean and covariance of the points."""
        mean = np.frombuffer(self.sums, "<f8") / max(1, self.rows)
        second = np.frombuffer(self.products, "<f8").reshape(len(mean), len(mean)) / max(1, self.rows)
        return Gaussian(mean, second - np.outer(mean, mean))

    @property
    def wave_mean(self) -> Floats:
        """Mean random Fourier feature, [1024]."""
        return np.asarray(np.frombuffer(self.waves, "<f8") / max(1, self.rows))

    def mmd2(self, other: Self) -> float:
        """Unbiased squared maximum mean discrepancy. It may be below 0."""
        return float(unbiased(self.wave_mean, other.wave_mean, self.effective, other.effective))

    def frechet(self, other: Self) -> float:
        """Fréchet distance of both Gaussians."""
        return frechet(self.gaussian, other.gaussian)


def _packed(values: Floats) -> bytes:
    return values.astype("<f8").tobytes()


def _added(one: bytes, other: bytes) -> bytes:
    return _packed(np.frombuffer(one, "<f8") + np.frombuffer(other, "<f8"))
