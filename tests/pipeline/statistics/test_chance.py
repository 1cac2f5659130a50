"""Chance: bounds, their inverses, and tails of largest levels."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from pipeline.statistics import chance
from pipeline.statistics.chance import Noise, Tail


@pytest.mark.parametrize("noise", [Noise(0.1, 0.02, 0.0), Noise(0.0, 0.02, 0.003), Noise(0.01, 0.0, 0.5)])
def test_level_and_effect_are_inverse(noise):
    """`level` is the inverse of `at`, and an expected effect has level 0."""
    for level in (0.5, 3.0, 12.0):
        assert float(noise.level(float(noise.at(level)))) == pytest.approx(level)
    assert float(noise.level(noise.expected)) == 0


def test_kolmogorovs_level_is_that_of_its_law():
    """A KS distance with p-value p by SciPy's asymptotic law, which knows a little of n, has the level ln(2 / p)."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=4000), rng.normal(0.062, 1, 4000)
    found = ks_2samp(x, y, method="asymp")
    assert found.pvalue < 0.01
    level = float(chance.kolmogorov(1 / 4000 + 1 / 4000).level(float(found.statistic)))
    assert 2 * np.exp(-level) == pytest.approx(found.pvalue, rel=0.1)


def test_bounds_hold():
    """Of 4,000 pairs of samples, for a rare event and for twenty labels, at most 5 % exceed the 95 % bound."""
    rng = np.random.default_rng(1)
    level, n, m = chance.LEVEL_95, 300, 900
    spread = 1 / n + 1 / m
    a, b = rng.binomial(n, 0.01, 4000), rng.binomial(m, 0.01, 4000)
    beyond = np.abs(a / n - b / m) > chance.share((a + b) / (n + m), spread).at(level)
    assert beyond.mean() <= 0.05
    shares = np.full(20, 0.05)
    a, b = rng.multinomial(n, shares, 4000), rng.multinomial(m, shares, 4000)
    distance = np.abs(a / n - b / m).sum(1) / 2
    noise = chance.total_variation((a + b) / (n + m), spread)
    assert (distance > noise.at(level)).mean() <= 0.05
    assert np.mean(noise.expected) == pytest.approx(distance.mean(), rel=0.02)


@pytest.mark.parametrize("rows", [5, 20, 100])
def test_lost_labels_are_within_their_bound(rows):
    """Of 20,000 samples, few lack labels with a larger total share than the bound, even if no label occurs once.

    This is the 1 % bound. If it came from the variance alone, 1.5 % of samples of 20 rows would lack a label of 19 %.
    """
    shares = np.array([0.5, 0.3, 0.19, 0.01])
    counts = np.random.default_rng(3).multinomial(rows, shares, 20_000)
    lost = np.where(counts == 0, shares, 0).sum(axis=1)
    noise = chance.unseen((counts == 1).sum(axis=1) / rows, rows, 10_000)
    assert (lost > noise.at(np.log(2 / 0.01))).mean() <= 0.01


def test_a_tail_extrapolates():
    """A tail fitted to 600 maxima of ten exponential levels finds the level of 1 in 10,000 within 15 %.

    The exact level is ln(10 / 1e-4) = 11.5. The estimate has a standard error of 0.6, so a failure is a 3-sigma event.
    """
    maxima = np.random.default_rng(2).exponential(size=(600, 10)).max(axis=1)
    assert Tail.of(maxima).level(1e-4) == pytest.approx(np.log(10 / 1e-4), rel=0.15)
    assert Tail.bound(5).level(0.01) == pytest.approx(np.log(10 / 0.01))
