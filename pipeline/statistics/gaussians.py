"""The Fréchet distance of two samples, each approximated by a Gaussian (Heusel et al. 2017, arXiv 1706.08500)."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Gaussian(NamedTuple):
    """Mean [d] and covariance [d, d] of points."""

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, points: NDArray[np.floating]) -> Self:
        """The Gaussian of points, [rows, d]. The covariance has the divisor rows − 1."""
        points = np.asarray(points, np.float64)
        return cls(points.mean(0), np.atleast_2d(np.cov(points, rowvar=False)))


def frechet(x: Gaussian, y: Gaussian) -> float:
    """‖μ₁ − μ₂‖² + tr(S₁ + S₂) − 2 Σ √eig(S₁^½ S₂ S₁^½), by symmetric eigenvalues in float64."""
    values, vectors = np.linalg.eigh(x.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ y.covariance @ root)
    traces = np.trace(x.covariance) + np.trace(y.covariance)
    return float(((x.mean - y.mean) ** 2).sum() + traces - 2 * np.sqrt(np.maximum(inner, 0)).sum())
