"""The bootstrap: weighted scores are those of repeated rows, and intervals cover."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from pipeline.columns import infer
from pipeline.evaluation import bootstrap, evaluate
from pipeline.evaluation.areas.marginals import shape_errors, shape_replicates
from pipeline.evaluation.areas.pairs import REPLICATED, column_pairs, trend_errors, trend_replicates
from pipeline.evaluation.views import views
from pipeline.measures import NOMINAL, ORDERED, Measure, Values
from pipeline.settings import EvaluationSettings
from pipeline.statistics import resampling

ADULT = pq.read_table(Path(__file__).parents[3] / "data" / "adult_test.parquet")
SCHEMA = infer(ADULT)
RNG = np.random.default_rng(0)
ONCE = np.ones((1, 400))


def repeated(measure: Measure, real: Values, other: Values, w: np.ndarray) -> np.ndarray:
    """The default of a measure without a faster way: the rows are repeated."""
    return Measure.errors(measure, real, other, w)


def test_ordered_errors_are_those_of_repeated_rows():
    """A weighted error is the error of the sample in which each row occurs as often as its weight."""
    for decimals in (0, 6):
        x, y = (np.round(RNG.normal(shift, 2, size), decimals) for shift, size in ((0, 400), (0.3, 700)))
        x[::9] = np.nan
        w = bootstrap.weights(400, RNG)[:5]
        assert ORDERED.errors(Values(x), Values(y), w) == pytest.approx(repeated(ORDERED, Values(x), Values(y), w))


def test_nominal_errors_are_those_of_repeated_rows():
    """The same for labels, some of which only one side has."""
    a, b = Values(RNG.integers(0, 6, 400), 9), Values(RNG.integers(2, 9, 300), 9)
    w = bootstrap.weights(400, RNG)[:5]
    assert NOMINAL.errors(a, b, w) == pytest.approx(repeated(NOMINAL, a, b, w))


def test_unweighted_replicates_are_the_scores():
    """With weights of one the replicates of Shape and Trend on Adult are the scores themselves."""
    real, other = views((ADULT.slice(0, 400), ADULT.slice(400, 600)), SCHEMA)
    shape = np.mean(list(shape_errors(real, other).values()))
    assert shape_replicates(real, other, ONCE) == pytest.approx([shape])
    trends = trend_errors(real, other, column_pairs(real, 100, RNG))
    assert len(trends) <= REPLICATED
    found = trend_replicates(real, other, trends, ONCE)
    assert found == pytest.approx([np.mean([t.error for t in trends])], abs=1e-9)


def test_areas_and_r2_are_sklearns():
    """Weighted AUC, with ties, and R² agree with scikit-learn's."""
    scores, truth = np.round(RNG.normal(size=400), 1), RNG.integers(0, 2, 400)
    w = bootstrap.weights(400, RNG)[:3]
    expected = [roc_auc_score(truth, scores, sample_weight=row) for row in w]
    assert resampling.aucs(scores, truth, w) == pytest.approx(expected)
    y = scores + RNG.normal(size=400)
    expected = [r2_score(y, scores, sample_weight=row) for row in w]
    assert resampling.r2s(y, (y - scores) ** 2, w) == pytest.approx(expected)


def test_the_spread_is_that_of_new_samples():
    """The replicates of a Shape error scatter as the errors of new hold-outs do (within 30 %; 400 hold-outs)."""
    other = Values(RNG.normal(0.5, 1, 2000))
    fresh = [ORDERED.error(Values(RNG.normal(size=500)), other) for _ in range(400)]
    replicates = [
        np.std(ORDERED.errors(Values(RNG.normal(size=500)), other, bootstrap.weights(500, RNG))) for _ in range(5)
    ]
    assert np.mean(replicates) == pytest.approx(np.std(fresh), rel=0.3)


def test_two_generators_are_judged_on_the_same_resamples():
    """Replicates of two evaluations are paired: most of their scatter cancels, in Shape, Trend and utility."""
    holdout, train = ADULT.slice(0, 1000), ADULT.slice(1000, 3000)
    settings = EvaluationSettings(target="income", detection_rows=200, distance_rows=100, permutations=20)
    one, other = (
        evaluate(rows, holdout=holdout, train=train, schema=SCHEMA, settings=settings, seed=1)
        for rows in (ADULT.slice(4000, 3000), ADULT.slice(7000, 3000))
    )
    for name in ("shape_error", "trend_error", "utility"):
        a, b = (np.array(found[name].replicates) for found in (one, other))
        assert len(a) == bootstrap.RESAMPLES
        assert np.std(a - b) < np.hypot(np.std(a), np.std(b)), name
        assert one[name].low < one[name].value < one[name].high
