"""Statistics of many resamples of a sample at once. Each resample is a row of weights, `w` [resamples, rows]."""

import numpy as np
from numpy.typing import NDArray

from pipeline.statistics import distances
from pipeline.statistics.products import pearson

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def means(values: Floats, w: Floats) -> Floats:
    """Weighted mean of each resample, [resamples]."""
    return np.asarray(w @ values / np.maximum(w.sum(axis=1), 1))


def kolmogorov(x: Floats, y: Floats, w: Floats) -> Floats:
    """Kolmogorov–Smirnov distance of the sample y and each resample of the sample x. Neither is empty or has NaN."""
    order = np.argsort(x, kind="stable")
    y = np.sort(y)
    last = np.flatnonzero(np.append(np.diff(x[order]) != 0, True))
    below = np.cumsum(w[:, order], axis=1)[:, last]
    below = below / np.maximum(below[:, -1:], 1)
    points = x[order][last]
    at, before = (np.searchsorted(y, points, side=side) / len(y) for side in ("right", "left"))
    steps = np.concatenate([np.zeros((len(w), 1)), below[:, :-1]], axis=1)
    return np.maximum(distances.kolmogorov(below, at), distances.kolmogorov(steps, before))


def total_variation(a: Codes, b: Codes, w: Floats) -> Floats:
    """Total variation distance of the codes b and each resample of the codes a."""
    order = np.argsort(a, kind="stable")
    first = np.flatnonzero(np.diff(a[order], prepend=-1))
    counts = np.add.reduceat(w[:, order], first, axis=1)
    size = int(max(a.max(), b.max())) + 1
    other = np.bincount(b, minlength=size) / len(b)
    known = other[a[order][first]]
    shares = counts / np.maximum(w.sum(axis=1, keepdims=True), 1)
    return np.asarray(distances.total_variation(shares, known) + 1 / 2 - known.sum() / 2)


def correlations(x: Floats, y: Floats, w: Floats) -> Floats:
    """Pearson's correlation in each resample of the pairs x, y without NaN. An undefined correlation is 0."""
    if not len(x):
        return np.zeros(len(w))
    x, y = ((side - side.mean()) / (side.std() or 1.0) for side in (x, y))
    total = np.maximum(w.sum(axis=1), 1)
    a, b, aa, bb, ab = (w @ np.column_stack([x, y, x * x, y * y, x * y]) / total[:, None]).T
    found = pearson(1.0, (a, b), (aa, bb), ab)
    return np.where(found.first * found.second > 0, found.rho, 0.0)


def aucs(scores: Floats, truth: Codes, w: Floats) -> Floats:
    """Area under the ROC curve in each resample. `truth` is 0 or 1, and high `scores` mean 1, [rows]."""
    order = np.argsort(scores, kind="stable")
    first = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    hits = w[:, order] * truth[order]
    won = np.add.reduceat(hits, first, axis=1)
    lost = np.add.reduceat(w[:, order] - hits, first, axis=1)
    below = np.cumsum(lost, axis=1) - lost / 2  # a tie counts one half
    pairs = won.sum(axis=1) * lost.sum(axis=1)
    return np.where(pairs > 0, (won * below).sum(axis=1) / np.maximum(pairs, 1), 0.5)


def r2s(truth: Floats, squared: Floats, w: Floats) -> Floats:
    """R² in each resample, given the squared error of each row."""
    mean = means(truth, w)
    variance = means(truth**2, w) - mean**2
    return np.asarray(1 - means(squared, w) / np.where(variance > 0, variance, 1.0))
