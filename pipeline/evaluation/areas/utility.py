"""Utility: train on synthetic rows, test on real ones.

Gradient boosting learns the target column from the rows and is tested on the hold-out. A target with labels, or with at
most ten different values, is classified. Its score is the AUC, and for several classes the mean AUC of one class
against the rest. Any other target is regressed. Its scores are R² and the root mean squared error.

The other way round, the Inception Score takes a classifier of real rows, and asks it about the synthetic ones: do they
clearly belong to classes, and do all classes occur? The classifier learns from the hold-out, so neither the synthetic
rows nor the training rows of the ceiling are known to it. Like the score of images, it sees neither mistakes within a
class nor rows that are clearer than real ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from pipeline.evaluation.areas.base import Area, Found, replicated
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable, Metric, Score
from pipeline.evaluation.views import Codes, Floats, View, known
from pipeline.statistics.auc import auc
from pipeline.statistics.certainty import inception
from pipeline.statistics.resampling import aucs, r2s

CLASSES = 10
MINIMUM_ROWS = 50


class Utility(Area):
    """How well a model that learned from the rows predicts real rows. The ceiling is a model trained on real rows."""

    name = "utility"
    metrics: ClassVar = {
        "utility": Metric("max", "AUC or R² on real rows of a model trained on these rows"),
        "utility_rmse": Metric("min", "root mean squared error on real rows of a model trained on these rows"),
        "inception": Metric(
            "max", "Inception Score: a classifier of real rows is sure of each row, in all classes", 1.0
        ),
    }

    def look(self, samples: Samples) -> Found:
        """See `Area.look`."""
        target = samples.settings.target
        if target is None:
            raise Incomputable("no target column is named in the settings")
        synthetic, train, holdout = samples.views
        state = int(samples.random("utility").integers(2**32))
        w = samples.weights()
        value, ceiling = (utility(rows, holdout, target, state, w) for rows in (synthetic, train))
        scores = [replicated("utility", value.value, ceiling.value, value.replicates)]
        if value.rmse is not None and ceiling.rmse is not None:
            scores.append(Score.of("utility_rmse", value.rmse, ceiling.rmse))
        else:
            found, real = inceptions((synthetic, train), holdout, target, state)
            scores.append(Score.of("inception", found, real))
        return Found(tuple(scores))


class Predicted(NamedTuple):
    """AUC or R² (`value`) and its `replicates`. A regression also has `rmse`, in units of the target."""

    value: float
    replicates: Floats
    rmse: float | None = None


def utility(rows: View, holdout: View, target: str, seed: int, w: Floats) -> Predicted:
    """Measure how well a model trained on `rows` predicts `target` in `holdout`.

    Rows without a number in a target of numbers are left out.

    Args:
        rows: What the model learns from.
        holdout: What the model is tested on.
        target: The column to predict.
        seed: The seed of the model.
        w: Weights of the held-out rows in resamples, [resamples, rows].

    Raises:
        Incomputable: The target cannot be compared, or there are too few rows or classes.
    """
    if target not in rows.values:
        raise Incomputable(f"the target '{target}' is no column that can be compared")
    measure = rows.measures[target]
    y, truth = (measure.classes(view[target]) for view in (rows, holdout))
    if y is not None and truth is not None:
        return _classified(_Task.of(rows, holdout, target, seed), y, truth, w)
    numbers = [measure.numbers(view[target]) for view in (rows, holdout)]
    if numbers[0] is None or numbers[1] is None:
        raise Incomputable(f"the target '{target}' is neither a number nor a label")
    kept = [np.flatnonzero(~np.isnan(own)) for own in (numbers[0], numbers[1])]
    task = _Task.of(rows.take(kept[0]), holdout.take(kept[1]), target, seed)
    return _numbers(task, numbers[0][kept[0]], numbers[1][kept[1]], w[:, kept[1]])


def _numbers(task: "_Task", y: Floats, truth: Floats, w: Floats) -> Predicted:
    """A target of numbers. If there are few different ones, they are classes."""
    classes = np.unique(truth)
    if len(classes) > CLASSES:
        return _regressed(task, y, truth, w)
    # values that the hold-out lacks share one class beyond its own
    labels = np.where(np.isin(y, classes), np.searchsorted(classes, y), len(classes))
    return _classified(task, labels, np.searchsorted(classes, truth), w)


def inceptions(compared: Sequence[View], holdout: View, target: str, seed: int) -> list[float]:
    """The Inception Score of each table, by a classifier that learned the classes of `target` from the hold-out."""
    measure = holdout.measures[target]
    y, numbers = measure.classes(holdout[target]), measure.numbers(holdout[target])
    if y is None and numbers is not None:
        holdout = holdout.take(np.flatnonzero(~np.isnan(numbers)))
        y = np.unique(numbers[~np.isnan(numbers)], return_inverse=True)[1]
    tasks = [_Task.of(holdout, rows, target, seed) for rows in compared]
    model = _classifier(seed).fit(tasks[0].x, y)
    return [inception(model.predict_proba(task.test)) for task in tasks]


@dataclass(frozen=True)
class _Task:
    """The inputs of the model, [rows, columns] without the target: `x` to learn from, `test` to predict for."""

    target: str
    x: Floats
    test: Floats
    seed: int

    @classmethod
    def of(cls, rows: View, holdout: View, target: str, seed: int) -> "_Task":
        if min(rows.rows, holdout.rows) < MINIMUM_ROWS:
            raise Incomputable(f"needs {MINIMUM_ROWS} rows with a target, got {rows.rows} and {holdout.rows} held out")
        x = rows.inputs(without=target)
        if not x.shape[1]:
            raise Incomputable("the table has no column to predict the target from")
        return cls(target, known(x, x), known(holdout.inputs(without=target), x), seed)


def _classified(task: _Task, y: Codes, truth: Codes, w: Floats) -> Predicted:
    """Mean AUC over the classes of the hold-out. A class without training rows counts as a coin toss."""
    present, counts = np.unique(truth, return_counts=True)
    tested = present[(counts > 1) & (counts < len(truth) - 1)]
    if not len(tested):
        raise Incomputable(f"the target '{task.target}' has one class only in the hold-out")
    if len(np.unique(y)) == 1:
        return Predicted(0.5, np.full(len(w), 0.5))
    model = _classifier(task.seed).fit(task.x, y)
    chances = dict(zip(model.classes_, model.predict_proba(task.test).T, strict=True))
    unseen = np.zeros(len(truth))
    scores = [(chances.get(c, unseen), truth == c) for c in tested]
    areas = [auc(p[hit], p[~hit]).value for p, hit in scores]
    return Predicted(float(np.mean(areas)), np.mean([aucs(p, hit.astype(np.int64), w) for p, hit in scores], axis=0))


def _classifier(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed)


def _regressed(task: _Task, y: Floats, truth: Floats, w: Floats) -> Predicted:
    """R² and root mean squared error."""
    model = HistGradientBoostingRegressor(early_stopping=False, random_state=task.seed).fit(task.x, y)
    squared = (truth - model.predict(task.test)) ** 2
    value = 1 - float(squared.mean() / truth.var())
    return Predicted(value, r2s(truth, squared, w), float(np.sqrt(squared.mean())))
