"""How strongly columns of codes depend on each other: χ² and Cramér's V."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Association(NamedTuple):
    """The association of every pair of columns.

    Attributes:
        phi2: χ² per row of each pair, [columns, columns].
        sizes: Number of codes of each column, [columns].
        rows: Number of rows.
    """

    phi2: Floats
    sizes: Codes
    rows: int

    @property
    def freedom(self) -> Floats:
        """Degrees of freedom of each pair, [columns, columns]."""
        return np.outer(self.sizes - 1, self.sizes - 1).astype(np.float64)

    @property
    def levels(self) -> Floats:
        """χ² in standard deviations above its mean; −∞ on the diagonal. Every column must have at least two codes."""
        levels = (self.rows * self.phi2 - self.freedom) / np.sqrt(2 * self.freedom)
        np.fill_diagonal(levels, -np.inf)
        return levels

    @property
    def v(self) -> Floats:
        """Cramér's V of each pair, from 0 (independent) to 1. 0 if a column has one code only."""
        least = np.minimum.outer(self.sizes, self.sizes) - 1
        return np.sqrt(np.where(least > 0, self.phi2 / np.maximum(least, 1), 0.0))

    @property
    def corrected_v(self) -> Floats:
        """Cramér's V corrected for its bias (Bergsma 2013); 0 on the diagonal."""
        n = max(self.rows - 1, 1)
        sizes = self.sizes - (self.sizes - 1) ** 2 / n
        v2 = np.maximum(0.0, self.phi2 - self.freedom / n) / np.maximum(np.minimum.outer(sizes, sizes) - 1, 1e-9)
        np.fill_diagonal(v2, 0.0)
        return np.asarray(np.sqrt(v2))


def association(columns: list[Codes]) -> Association:
    """The association of every pair of columns [rows]. Each column has codes from 0 without gaps."""
    n = len(columns[0])
    sizes = np.array([int(codes.max()) + 1 for codes in columns])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    indicators = np.zeros((n, starts[-1]), np.float32)
    for codes, start in zip(columns, starts, strict=False):
        indicators[np.arange(n), start + codes] = 1
    shares = indicators.mean(axis=0, dtype=np.float64)
    together = (indicators.T @ indicators).astype(np.float64) / n
    independent = np.outer(shares, shares)
    excess = (together - independent) ** 2 / independent
    phi2 = np.add.reduceat(np.add.reduceat(excess, starts[:-1], axis=0), starts[:-1], axis=1)
    return Association(phi2, sizes, n)
