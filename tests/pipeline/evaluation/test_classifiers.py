"""Detection, utility and the Inception Score against scikit-learn and SciPy, and on tables whose truth is known."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

from pipeline.columns import infer
from pipeline.evaluation.areas.utility import inceptions, utility
from pipeline.evaluation.detection import two_sample
from pipeline.evaluation.scores import Incomputable
from pipeline.evaluation.views import views
from pipeline.statistics.auc import auc
from pipeline.statistics.certainty import inception


def table(seed: int, rows: int, *, dependent: bool = True) -> pa.Table:
    """Columns that all follow one number, or, with the same marginals, none."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    z, w, v = (x, x, x) if dependent else rng.normal(size=(3, rows))
    return pa.table(
        {
            "x": x,
            "y": 2 * z + rng.normal(0, 0.3, rows),
            "c": np.where(w + rng.normal(0, 0.3, rows) > 0, "up", "down"),
            "flag": (v > 0).astype(np.int64),
        }
    )


REAL, LIKE, UNLIKE = table(1, 600), table(2, 900), table(3, 900, dependent=False)
HOLDOUT, SYNTHETIC, BROKEN = views((REAL, LIKE, UNLIKE), infer(REAL))
ONCE = np.ones((1, HOLDOUT.rows))  # weights of one resample that equals the sample


def test_auc_and_variance():
    """AUC is scikit-learn's with ties, and its variance that of 2,000 bootstraps within 15 % (4.7 sigma)."""
    rng = np.random.default_rng(4)
    positive, negative = rng.normal(0.7, 1, 120).round(1), rng.normal(0, 1, 90).round(1)
    label, score = np.repeat([1, 0], [120, 90]), np.concatenate([positive, negative])
    found = auc(positive, negative)
    draws = [auc(rng.choice(positive, 120), rng.choice(negative, 90)).value for _ in range(2000)]
    assert found.value == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert found.variance == pytest.approx(np.var(draws), rel=0.15)


def test_like_rows_are_not_detected():
    """Rows of the same population score near 1 (a fair classifier's AUC leaves .45–.55 once in 5,000 times)."""
    found = two_sample(HOLDOUT, SYNTHETIC, np.random.default_rng(0))
    assert abs(found.auc - 0.5) < 0.06
    assert found.score > 0.85
    assert found.auc_interval[0] < found.auc < found.auc_interval[1]


def test_the_interval_holds_other_samples():
    """The 95 % interval of an AUC near 0.57 holds its mean in 9 of 10 pairs of samples (false failure: 1e-3).

    Were folds independent, it would do so in 8 of 10.
    """
    rng, found = np.random.default_rng(7), []
    for _ in range(80):
        pair = [pa.table({"x": rng.normal(shift, 1, 150), "y": rng.normal(size=150)}) for shift in (0.0, 0.5)]
        found.append(two_sample(*views(pair, infer(pair[0])), rng))
    mean = np.mean([each.auc for each in found])
    assert np.mean([each.auc_interval[0] <= mean <= each.auc_interval[1] for each in found]) >= 0.88


def test_lost_dependence_is_detected():
    """Rows with right marginals but without the dependence are told apart."""
    found = two_sample(HOLDOUT, BROKEN, np.random.default_rng(0))
    assert found.score < 0.4
    assert found.score == pytest.approx(2 - 2 * found.auc, abs=1e-12)


def test_small_samples_are_still_told_apart():
    """Twenty rows suffice to see a shift of five standard deviations, and nine are refused."""
    x = np.random.default_rng(5).normal(size=20)
    shifted = views((pa.table({"x": x}), pa.table({"x": x + 5})), infer(pa.table({"x": x})))
    assert two_sample(*shifted, np.random.default_rng(0)).auc > 0.9
    few = shifted[0].take(np.arange(9))
    with pytest.raises(Incomputable, match="needs 10 rows of each side, got 9"):
        two_sample(few, shifted[1], np.random.default_rng(0))


@pytest.mark.parametrize("target", ["c", "flag", "y"])
def test_utility_tells_good_rows_from_useless_ones(target):
    """A label, a number of few values and a number of many are predicted from good rows and not from bad ones."""
    good, bad = (utility(rows, HOLDOUT, target, 0, ONCE) for rows in (SYNTHETIC, BROKEN))
    assert good.value > 0.9
    assert good.replicates == pytest.approx([good.value])
    assert bad.value < 0.65
    assert (good.rmse is not None) == (target == "y")


def test_rmse_is_in_units_of_the_target():
    """The regression error is the noise of the table within a fifth, in the target's unit."""
    found = utility(SYNTHETIC, HOLDOUT, "y", 0, ONCE)
    truth = HOLDOUT["y"].array
    assert found.rmse == pytest.approx(0.33, rel=0.2)
    assert found.value == pytest.approx(1 - found.rmse**2 / truth.var())


def test_a_class_never_generated_counts_as_a_coin_toss():
    """Rows of one class only give an AUC of one half."""
    single = SYNTHETIC.take(np.flatnonzero(SYNTHETIC["c"].array == 0))
    assert utility(single, HOLDOUT, "c", 0, ONCE).value == 0.5


def test_inception_score_is_its_definition():
    """It is exp of the mean divergence, which SciPy gives, of each row's chances from their mean."""
    chances = np.random.default_rng(6).dirichlet([0.3, 1.0, 2.0], 50)
    chances[0] = [1, 0, 0]
    expected = np.exp(np.mean([entropy(row, chances.mean(0)) for row in chances]))
    assert inception(chances) == pytest.approx(expected, abs=1e-12)


def test_inception_score_counts_classes():
    """Rows that are certain of one of four equally frequent classes score 4. Rows that are all alike score 1."""
    assert inception(np.tile(np.eye(4), (5, 1))) == pytest.approx(4)
    assert inception(np.tile([[0.7, 0.2, 0.1]], (9, 1))) == pytest.approx(1)


@pytest.mark.parametrize("target", ["c", "flag"])
def test_inception_score_tells_rows_of_one_class(target):
    """Rows like the real ones nearly score the number of classes, and rows of one class only nearly 1."""
    single = SYNTHETIC.take(np.flatnonzero(SYNTHETIC["x"].array > 0.5))
    all_classes, one_class = inceptions((SYNTHETIC, single), HOLDOUT, target, 0)
    assert 1.7 < all_classes <= 2
    assert one_class < 1.15


def test_inception_score_ignores_rows_without_a_class():
    """A target of few numbers may have nulls. Its classes are those of the other rows."""
    flags = [None if row % 7 == 0 else 2.5 * flag for row, flag in enumerate(REAL["flag"].to_pylist())]
    gaps = REAL.set_column(REAL.schema.get_field_index("flag"), "flag", pa.array(flags))
    holdout, synthetic = views((gaps, gaps.slice(100)), infer(gaps))
    assert 1.7 < inceptions((synthetic,), holdout, "flag", 0)[0] <= 2
