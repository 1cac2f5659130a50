"""Can a classifier tell rows from real ones?

The classifier two-sample test (Lopez-Paz & Oquab 2017, arXiv 1610.06545) with gradient boosting. A three-fold
cross-validated classifier of trees sees columns together, as no comparison of marginals or pairs does. Its mean
area under the ROC curve (AUC) becomes the score 1 − mean(2·max(½, AUC) − 1) of the published tables: 1 for
indistinguishable, 0 for always told apart.

Trees see the rank of a label by how often it occurs in both samples together, labels of equal count in random order.
So a classifier learns nothing from ranks if both samples are of one population, however rare the labels are.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from pipeline.evaluation.scores import NORMAL_95, Incomputable
from pipeline.evaluation.views import Floats, View, known

FOLDS = 3
MINIMUM_ROWS = 10
LEAF_ROWS = 20  # fewer in small samples, where trees could not split and everything would look real


class TwoSample(NamedTuple):
    """Score (1 is best) and mean AUC over the folds, with 95 % confidence intervals, and the AUC's standard error."""

    score: float
    auc: float
    auc_deviation: float
    score_interval: tuple[float, float]
    auc_interval: tuple[float, float]


class Auc(NamedTuple):
    """An area under the ROC curve and the variance of its estimate."""

    value: float
    variance: float


def two_sample(real: View, other: View, rng: np.random.Generator) -> TwoSample:
    """How well rows of `other` are told from rows of `real`.

    Raises:
        Incomputable: a side has fewer than 10 rows, or no column can be compared.
    """
    if not (real.ordered or real.nominal):
        raise Incomputable("the table has no column that can be compared")
    if min(real.rows, other.rows) < MINIMUM_ROWS:
        raise Incomputable(f"needs {MINIMUM_ROWS} rows of each side, got {real.rows} and {other.rows}")
    label = np.repeat([0, 1], [real.rows, other.rows])
    order = rng.permutation(len(label))  # folds of given order would depend on how the tables are sorted
    state = int(rng.integers(2**32))
    x, label = _matrix(real, other, rng)[order], label[order]
    leaf = min(LEAF_ROWS, min(real.rows, other.rows) // 5)
    aucs = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=state).split(x, label):
        model = HistGradientBoostingClassifier(early_stopping=False, min_samples_leaf=leaf, random_state=state)
        model.fit(known(x[train], x[train]), label[train])
        scores = model.decision_function(known(x[test], x[train]))
        aucs.append(auc(scores[label[test] == 1], scores[label[test] == 0]))
    return _summary(aucs)


def _matrix(real: View, other: View, rng: np.random.Generator) -> Floats:
    """Rows of both, one below the other, labels as ranks, [rows, columns]."""
    columns: list[Floats] = [np.concatenate([x, other.ordered[name]]) for name, x in real.ordered.items()]
    for name, codes in real.nominal.items():
        both = np.concatenate([codes, other.nominal[name]])
        counts = np.bincount(both, minlength=real.sizes[name])
        rank = np.empty(len(counts))
        rank[np.lexsort([rng.permutation(len(counts)), -counts])] = np.arange(len(counts))
        columns.append(rank[both])
    return np.column_stack(columns)


def auc(positive: Floats, negative: Floats) -> Auc:
    """AUC and its variance (DeLong et al. 1988, through ranks: Sun & Xu 2014)."""
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    return Auc(float(above.mean()), float(above.var(ddof=1) / m + below.var(ddof=1) / n))


def _summary(aucs: list[Auc]) -> TwoSample:
    """Means over folds; folds test different rows, so their variances add."""
    mean = float(np.mean([a.value for a in aucs]))
    deviation = float(np.sqrt(np.sum([a.variance for a in aucs]))) / len(aucs)
    margin = NORMAL_95 * deviation
    score = 1 - float(np.mean([2 * max(0.5, a.value) - 1 for a in aucs]))
    interval = (max(0.0, mean - margin), min(1.0, mean + margin))
    return TwoSample(score, mean, deviation, (max(0.0, score - 2 * margin), min(1.0, score + 2 * margin)), interval)
