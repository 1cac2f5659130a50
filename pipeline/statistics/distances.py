"""Distances of two distributions of one column, from 0 (equal) to 1 (nothing in common)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def kolmogorov(below_x: Floats, below_y: Floats) -> Floats:
    """Kolmogorov–Smirnov distance of distribution functions evaluated at the same points, [..., points]."""
    return np.asarray(np.abs(below_x - below_y).max(axis=-1, initial=0))


def total_variation(p: Floats, q: Floats) -> Floats:
    """Total variation distance of shares of the same labels, [..., labels]."""
    return np.asarray(np.abs(p - q).sum(axis=-1) / 2)


def kolmogorov_of_samples(x: Floats, y: Floats) -> float:
    """Kolmogorov–Smirnov distance of two samples without NaN, neither of them empty."""
    x, y = np.sort(x), np.sort(y)
    both = np.concatenate([x, y])
    below_x, below_y = (np.searchsorted(side, both, side="right") / len(side) for side in (x, y))
    return float(kolmogorov(below_x, below_y))


def total_variation_of_codes(a: Codes, b: Codes, size: int) -> float:
    """Total variation distance of two samples of codes below `size`, neither of them empty."""
    p, q = (np.bincount(side, minlength=size) / len(side) for side in (a, b))
    return float(total_variation(p, q))
