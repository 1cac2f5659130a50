"""The classifier two-sample test (C2ST): can a classifier tell synthetic rows from real ones?

This is the test of Lopez-Paz & Oquab (2017, arXiv 1610.06545) with gradient boosting. A classifier of trees with
three-fold cross-validation sees all columns together, unlike a comparison of marginals or pairs. The area under its ROC
curve (AUC) becomes the score 1 − mean(2·max(½, AUC) − 1) of the published tables, a mean over the folds. The score is 1
if rows are indistinguishable, and 0 if they are always told apart.
"""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from pipeline.evaluation.scores import NORMAL_95, Incomputable
from pipeline.evaluation.views import View, known
from pipeline.statistics.auc import Auc, auc

FOLDS = 3
MINIMUM_ROWS = 10
LEAF_ROWS = 20  # fewer in small samples, in which trees could not split and everything would look real


class TwoSample(NamedTuple):
    """Score (1 is best), mean AUC over the folds with its standard error, and 95 % confidence intervals."""

    score: float
    auc: float
    auc_deviation: float
    score_interval: tuple[float, float]
    auc_interval: tuple[float, float]


def two_sample(real: View, other: View, rng: np.random.Generator) -> TwoSample:
    """Measure how well a classifier tells rows of `other` from rows of `real`.

    Raises:
        Incomputable: A side has fewer than 10 rows, or no column can be compared.
    """
    if not real.values:
        raise Incomputable("the table has no column that can be compared")
    if min(real.rows, other.rows) < MINIMUM_ROWS:
        raise Incomputable(f"needs {MINIMUM_ROWS} rows of each side, got {real.rows} and {other.rows}")
    label = np.repeat([0, 1], [real.rows, other.rows])
    order = rng.permutation(len(label))  # without it, folds would depend on how the tables are sorted
    state = int(rng.integers(2**32))
    given = [real.measures[name].contrast(values, other[name], rng) for name, values in real.values.items()]
    x, label = np.concatenate(given, axis=1)[order], label[order]
    if not x.shape[1]:
        raise Incomputable("the table has no column that a classifier could be given")
    leaf = min(LEAF_ROWS, min(real.rows, other.rows) // 5)
    aucs = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=state).split(x, label):
        model = HistGradientBoostingClassifier(early_stopping=False, min_samples_leaf=leaf, random_state=state)
        model.fit(known(x[train], x[train]), label[train])
        scores = model.decision_function(known(x[test], x[train]))
        aucs.append(auc(scores[label[test] == 1], scores[label[test] == 0]))
    return _summary(aucs)


def _summary(aucs: list[Auc]) -> TwoSample:
    """Means over the folds, and twice the variance of a mean of independent AUCs.

    Folds test different rows, but the classifier that one fold tests has learned from the rows of the others. What two
    folds have in common by chance helps in both. For like rows and a classifier that is linear in them, this doubles
    the variance, for any number of folds. `benchmarks/fidelity/intervals.py` finds nearly the same with trees.
    """
    mean = float(np.mean([a.value for a in aucs]))
    deviation = float(np.sqrt(2 * np.sum([a.variance for a in aucs]))) / len(aucs)
    margin = NORMAL_95 * deviation
    score = 1 - float(np.mean([2 * max(0.5, a.value) - 1 for a in aucs]))
    interval = (max(0.0, mean - margin), min(1.0, mean + margin))
    return TwoSample(score, mean, deviation, (max(0.0, score - 2 * margin), min(1.0, score + 2 * margin)), interval)
