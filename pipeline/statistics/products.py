"""How columns hang together: sums of products, and Pearson's correlation of them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.sketches import Packed

Floats = NDArray[np.float64]

CONSTANT = 1e-14  # relative to a column's size: spread below it is rounding


class Correlation(NamedTuple):
    """A correlation, and the spreads (sums of squares about the mean) of both sides; arrays of one shape."""

    rho: Floats
    first: Floats
    second: Floats


def pearson(
    n: Floats | float, sums: tuple[Floats, Floats], squares: tuple[Floats, Floats], both: Floats
) -> Correlation:
    """The correlation of x and y by Σ 1, (Σ x, Σ y), (Σ x², Σ y²) and Σ xy; not finite where one is constant."""
    (x, y), (xx, yy) = sums, squares
    first, second = xx - x**2 / n, yy - y**2 / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return Correlation((both - x * y / n) / np.sqrt(first * second), first, second)


def correlations(x: Floats) -> Floats:
    """Pearson's correlation of every pair of columns of `x` [rows, columns] over the rows where both are present.

    NaN is null in `x`, and a correlation that is undefined in the result, [columns, columns].
    """
    present = ~np.isnan(x)
    centre = np.nansum(x, axis=0) / np.maximum(present.sum(axis=0), 1)
    mask = present.astype(np.float64)
    x = np.where(present, x - centre, 0.0)
    spread = np.sqrt((x**2).mean(axis=0))
    constant = spread <= CONSTANT * np.maximum(np.abs(centre), np.finfo(float).tiny)
    x = x / np.where(spread > 0, spread, 1.0)
    n = np.maximum(mask.T @ mask, 1)
    total, square = x.T @ mask, (x**2).T @ mask
    found = pearson(n, (total, total.T), (square, square.T), x.T @ x)
    undefined = (found.first <= CONSTANT * n) | constant[:, None]
    return np.where(undefined | undefined.T, np.nan, np.clip(found.rho, -1, 1))


class Products(Packed):
    """Sums of products of features of order one, each over the rows in which both features have a value.

    Entry [i, j] of each matrix, [features, features], belongs to features i and j. Rows may count more than once.

    Attributes:
        names: The column that each feature is made of.
        sums: Float32 matrices of Σ 1, Σ x_i, Σ x_i² and Σ x_i·x_j over the rows that have both, one after the other.
    """

    names: tuple[str, ...]
    sums: bytes

    @classmethod
    def of(cls, names: tuple[str, ...], x: NDArray[np.floating], weight: float = 1.0) -> Self:
        """The sums over the rows of `x`, [rows, features]; NaN is null; each row counts `weight` times."""
        present = ~np.isnan(x)
        mask = present.astype(x.dtype)
        x = np.where(present, x, 0)
        return cls._from(names, weight * np.array([mask.T @ mask, x.T @ mask, (x * x).T @ mask, x.T @ x]))

    def merge(self, other: Self) -> Self:
        """The sums over the rows of both."""
        return self._from(self.names, self.matrices + other.matrices)

    @property
    def matrices(self) -> Floats:
        """The four matrices, [4, features, features]."""
        size = len(self.names)
        return np.frombuffer(self.sums, "<f4").reshape(4, size, size).astype(np.float64)

    def correlations(self) -> Floats:
        """Pearson's correlation of each pair, [features, features]; NaN where a feature does not vary."""
        n, s, q, p = self.matrices
        found = pearson(np.maximum(n, 1), (s, s.T), (q, q.T), p)
        varies = found.first > 1e-5 * np.maximum(q, np.finfo(float).tiny)  # below it is rounding
        return np.where(varies & varies.T, np.clip(found.rho, -1, 1), np.nan)

    def pair_rows(self) -> Floats:
        """Rows that have both features of each pair, [features, features]."""
        return np.asarray(self.matrices[0])

    @classmethod
    def _from(cls, names: tuple[str, ...], matrices: NDArray[np.floating]) -> Self:
        return cls(names=names, sums=matrices.astype("<f4").tobytes())
