"""Nearest real rows: is the generator closer to what it saw than to what it did not?

A synthetic row that is drawn from the population is nearer to a training row as often as to a held-out row, if
there are equally many of both. A share above one half is memorising. (It passes models that attacks break,
arXiv 2505.01524: necessary, not sufficient.)
"""

from typing import NamedTuple

import numpy as np

from pipeline.evaluation.distances import Features, squared_distances

BLOCK = 1024  # synthetic rows at a time: bounds the distance matrix
TIE = 1e-9
CONFIDENCE = 1.959964  # normal quantile of a two-sided 95 % interval


class Share(NamedTuple):
    """Share of rows nearer to training rows, and its 95 % confidence interval."""

    value: float
    interval: tuple[float, float]


def nearer_to_train(synthetic: Features, train: Features, holdout: Features) -> Share:
    """Share of synthetic rows nearer to `train` than to `holdout` (as many rows each); ties count one half.

    The interval is binomial for as many rows as there are independent ones: the fewer of synthetic and real rows.
    """
    wins = 0.0
    for start in range(0, len(synthetic), BLOCK):
        rows = synthetic[start : start + BLOCK]
        difference = squared_distances(rows, train).min(1) - squared_distances(rows, holdout).min(1)
        wins += float(np.sum(difference < -TIE) + np.sum(np.abs(difference) <= TIE) / 2)
    share = wins / len(synthetic)
    margin = CONFIDENCE * float(np.sqrt(share * (1 - share) / min(len(synthetic), len(train))))
    return Share(share, (max(0.0, share - margin), min(1.0, share + margin)))
