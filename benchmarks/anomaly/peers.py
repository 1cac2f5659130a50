"""Published anomaly detectors, from scikit-learn or their formula. This module uses no code of resynth.

Each takes training rows and rows to score, both standardised floats, and returns a score per row: higher is stranger.
`same` says that the rows to score are the training rows, so that no row is its own neighbour.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.covariance import EmpiricalCovariance
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Peer = Callable[[Floats, Floats, int, bool], Floats]


def isolation_forest(train: Floats, rows: Floats, seed: int, same: bool) -> Floats:  # noqa: ARG001, FBT001
    """Isolation Forest (Liu et al. 2008), 100 trees."""
    return -IsolationForest(random_state=seed).fit(train).score_samples(rows)


def ecod(train: Floats, rows: Floats, seed: int, same: bool) -> Floats:  # noqa: ARG001, FBT001
    """ECOD (Li et al. 2022, arXiv 2201.00382), with PyOD's rule of skewness.

    Tails are counted among the training rows; what none reaches counts as half a row. PyOD counts among training rows
    and scored rows together, which is worse if many of the scored rows are anomalies.
    """
    deviation = train.std(0)
    skew = ((train - train.mean(0)) ** 3).mean(0) / np.where(deviation > 0, deviation, 1) ** 3
    rising, n = np.sort(train, axis=0), len(train)
    total = np.zeros(len(rows))
    for j in range(train.shape[1]):
        left = -np.log(np.maximum(np.searchsorted(rising[:, j], rows[:, j], side="right"), 0.5) / n)
        right = -np.log(np.maximum(n - np.searchsorted(rising[:, j], rows[:, j], side="left"), 0.5) / n)
        skewed = -left * np.sign(skew[j] - 1) + right * np.sign(skew[j] + 1)
        total += np.maximum.reduce([left, right, skewed])
    return total


def neighbours(train: Floats, rows: Floats, seed: int, same: bool) -> Floats:  # noqa: ARG001, FBT001
    """Distance to the fifth neighbour (Ramaswamy et al. 2000)."""
    found = NearestNeighbors(n_neighbors=6).fit(train).kneighbors(rows)[0]
    return np.asarray(found[:, 5 if same else 4])


def local_outlier_factor(train: Floats, rows: Floats, seed: int, same: bool) -> Floats:  # noqa: ARG001, FBT001
    """LOF (Breunig et al. 2000), 20 neighbours."""
    if same:
        return -np.asarray(LocalOutlierFactor().fit(train).negative_outlier_factor_)
    return -np.asarray(LocalOutlierFactor(novelty=True).fit(train).score_samples(rows))


def gaussian(train: Floats, rows: Floats, seed: int, same: bool) -> Floats:  # noqa: ARG001, FBT001
    """Mahalanobis distance."""
    return np.asarray(EmpiricalCovariance().fit(train).mahalanobis(rows))


PEERS: Mapping[str, Peer] = {
    "Isolation Forest": isolation_forest,
    "ECOD": ecod,
    "KNN": neighbours,
    "LOF": local_outlier_factor,
    "Gaussian": gaussian,
}


def numbers(train: pd.DataFrame, rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Both tables as standardised floats. Labels are one-hot encoded, and nulls take the median."""
    both = pd.get_dummies(pd.concat([train, rows], ignore_index=True), dtype=float).astype(float)
    both = both.fillna(both[: len(train)].median())
    scaler = StandardScaler().fit(both[: len(train)])
    whole = scaler.transform(both)
    return whole[: len(train)], whole[len(train) :]
