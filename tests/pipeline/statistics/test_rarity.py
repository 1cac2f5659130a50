"""The law of a score: conformal p-values, nats on a common footing, thresholds."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from pipeline.statistics.rarity import KEPT, Rarity


def counted(sample: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Conformal p-values by counting."""
    return np.array([(1 + (sample >= value).sum()) / (len(sample) + 1) for value in x])


@pytest.mark.parametrize("rows", [1, 7, KEPT, 20_000])
def test_p_values_are_counted(rows):
    """Within the sample, p-values equal counts with one added: exactly for few numbers, at most 3 % above for many."""
    random = np.random.default_rng(rows)
    sample = random.normal(size=rows).round(2)
    x = np.minimum(np.concatenate([sample, random.normal(size=200)]), sample.max())
    ratio = Rarity.of(sample).p_value(x) / counted(sample, x)
    assert ratio.min() >= 1 - 1e-12
    assert ratio.max() <= (1 + 1e-12 if rows <= KEPT else 1.031)


def test_p_values_are_valid_for_rows_of_the_same_law():
    """A share of at most α of new numbers has a p-value of at most α, also beyond the sample.

    Over 100 samples of 200 numbers, the share of 0.01 has a standard error of 0.0007, so 1.15 · α fails once in 50.
    The seed is fixed.
    """
    random = np.random.default_rng(0)
    for level in (0.1, 0.01):
        hits = [
            np.mean(Rarity.of(random.exponential(size=200)).p_value(random.exponential(size=2000)) <= level)
            for _ in range(100)
        ]
        assert np.mean(hits) < level * 1.15


def test_nats_put_any_unit_on_one_footing():
    """Nats of an exponential law are its own values, whatever their unit, and they go on beyond the sample."""
    sample = np.random.default_rng(1).exponential(size=50_000)
    for unit in (1.0, 1e-6, 1e6):
        law = Rarity.of(unit * sample)
        x = np.array([0.5, 1.0, 3.0, 8.0, 30.0])
        np.testing.assert_allclose(law.nats(unit * x), -stats.expon.logsf(x), rtol=0.06)
        assert abs(law.nats(unit * sample).mean() - 1) < 0.05


@pytest.mark.parametrize("level", [0.5, 0.1, 0.01, 1e-4])
def test_thresholds_belong_to_p_values(level):
    """From the threshold on, p-values are at most the level; a little below they are not."""
    sample = np.random.default_rng(2).normal(size=999)
    law = Rarity.of(sample)
    limit = law.threshold(level)
    assert law.p_value(np.array([limit + 1e-9]))[0] <= level * 1.000001
    assert law.p_value(np.array([limit - 0.1]))[0] > level


def test_equal_numbers_are_no_reason_to_fail():
    """A sample of one value has a law: that value is ordinary, a larger one is not."""
    law = Rarity.of(np.full(50, 3.0))
    assert law.p_value(np.array([3.0]))[0] == 1
    assert law.p_value(np.array([3.1]))[0] < 1 / 50


def test_a_law_that_cannot_be_is_refused():
    """Values that rise, counts that fall or numbers that are not finite are no law."""
    good = Rarity.of(np.arange(10.0)).model_dump()
    for changed in (
        {"values": good["values"][::-1]},
        {"counts": good["counts"][::-1]},
        {"values": (float("nan"), *good["values"][1:])},
        {"scale": 0.0},
        {"rows": 3},
    ):
        with pytest.raises(ValidationError):
            Rarity.model_validate(good | changed)
