"""Sums of products of columns, and Pearson's correlation from them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics.sketches import Packed

Floats = NDArray[np.float64]

CONSTANT = 1e-14  # relative to a column's size; a smaller spread is rounding error


class Correlation(NamedTuple):
    """A correlation, and the sums of squares about the mean of both sides. The arrays have one shape."""

    rho: Floats
    first: Floats
    second: Floats


def pearson(
    n: Floats | float, sums: tuple[Floats, Floats], squares: tuple[Floats, Floats], both: Floats
) -> Correlation:
    """The correlation of x and y. It is not finite if x or y is constant.

    Args:
        n: Number of rows, Σ 1.
        sums: Σ x and Σ y.
        squares: Σ x² and Σ y².
        both: Σ xy.
    """
    (x, y), (xx, yy) = sums, squares
    first, second = xx - x**2 / n, yy - y**2 / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return Correlation((both - x * y / n) / np.sqrt(first * second), first, second)


def correlations(x: Floats) -> Floats:
    """Pearson's correlation of every pair of columns of `x` [rows, columns], over the rows in which both have a value.

    NaN in `x` is null. NaN in the result [columns, columns] is an undefined correlation.
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
    """Sums of products of features of order one. Each sum is over the rows in which both features have a value.

    Entry [i, j] of each matrix, [features, features], belongs to features i and j. Rows may have a weight.

    Attributes:
        names: The column of each feature.
        sums: Float32 matrices of Σ 1, Σ x_i, Σ x_i² and Σ x_i·x_j, one after the other.
    """

    names: tuple[str, ...]
    sums: bytes

    @classmethod
    def of(cls, names: tuple[str, ...], x: NDArray[np.floating], weight: float = 1.0) -> Self:
        """Sum over the rows of `x`, [rows, features]. NaN is null, and each row counts `weight` times."""
        present = ~np.isnan(x)
        mask = present.astype(x.dtype)
        x = np.where(present, x, 0)
        return cls._from(names, weight * np.array([mask.T @ mask, x.T @ mask, (x * x).T @ mask, x.T @ x]))

    def merge(self, other: Self) -> Self:
        """The sums over the rows of both sides."""
        return self._from(self.names, self.matrices + other.matrices)

    @property
    def matrices(self) -> Floats:
        """The four matrices, [4, features, features]."""
        size = len(self.names)
        return np.frombuffer(self.sums, "<f4").reshape(4, size, size).astype(np.float64)

    def correlations(self) -> Floats:
        """Pearson's correlation of each pair, [features, features]. NaN if a feature does not vary."""
        n, s, q, p = self.matrices
        found = pearson(np.maximum(n, 1), (s, s.T), (q, q.T), p)
        varies = found.first > 1e-5 * np.maximum(q, np.finfo(float).tiny)  # a smaller variation is rounding error
        return np.where(varies & varies.T, np.clip(found.rho, -1, 1), np.nan)

    def pair_rows(self) -> Floats:
        """Number of rows in which both features of a pair have a value, [features, features]."""
        return np.asarray(self.matrices[0])

    @classmethod
    def _from(cls, names: tuple[str, ...], matrices: NDArray[np.floating]) -> Self:
        return cls(names=names, sums=matrices.astype("<f4").tobytes())
