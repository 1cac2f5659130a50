"""Distances of samples against brute force, POT and SciPy."""

import numpy as np
import ot
import pytest
from scipy.linalg import sqrtm

from pipeline.evaluation.areas.privacy import nearer_to_train
from pipeline.statistics.discrepancy import SCALES, discrepancy
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.neighbours import Pooled, squared_distances


def between(x, y):
    """The Fréchet distance of two samples."""
    return frechet(Gaussian.of(x), Gaussian.of(y))


def brute_mmd2(x, y):
    """The definition, pair by pair."""
    both = np.concatenate([x, y])
    between = [np.linalg.norm(a - b) for i, a in enumerate(both) for b in both[i + 1 :]]
    median = np.median(between)

    def k(a, b):
        return np.mean([np.exp(-np.sum((a - b) ** 2) / (2 * (s * median) ** 2)) for s in SCALES])

    m, n = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (m * n)


def test_mmd_is_its_definition():
    """MMD² equals the double loop over all pairs, for unequal sizes."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(0.5, 1, size=(17, 3))
    found = discrepancy(Pooled.of(x, y), permutations=20, rng=rng)
    assert found.mmd2 == pytest.approx(brute_mmd2(x, y), abs=1e-12)


def test_mmd_p_is_uniform_for_like_samples():
    """Like samples are rejected at 10 % in about a tenth of 100 trials (false failure: 4e-4, binomial above 20 %)."""
    rng = np.random.default_rng(1)
    trials = [
        discrepancy(Pooled.of(*(rng.normal(size=(n, 2)) for n in (20, 30))), permutations=49, rng=rng).p
        for _ in range(100)
    ]
    assert np.mean(np.array(trials) <= 0.1) <= 0.2
    assert 0.35 < np.mean(trials) < 0.65


def test_mmd_sees_a_shift():
    """A shift by one standard deviation is beyond all permutations."""
    rng = np.random.default_rng(2)
    apart = Pooled.of(rng.normal(size=(150, 2)), rng.normal(1, 1, size=(150, 2)))
    found = discrepancy(apart, permutations=99, rng=rng)
    assert found.p == 0.01
    assert found.mmd2 > 0.05


def test_mmd_of_one_repeated_point_is_zero():
    """Samples without any spread do not divide by zero."""
    points = np.ones((15, 2))
    found = discrepancy(Pooled.of(points, points), permutations=20, rng=np.random.default_rng(0))
    assert found.mmd2 == pytest.approx(0, abs=1e-12)
    assert found.p == 1


def test_frechet_is_pots_and_sqrtms():
    """The distance agrees with POT's Bures–Wasserstein distance and with the matrix square root."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5))
    y = rng.normal(0.3, 1, size=(80, 5)) @ rng.normal(size=(5, 5))
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    bures = ot.gaussian.bures_wasserstein_distance(x.mean(0), y.mean(0), s1, s2)
    assert between(x, y) == pytest.approx(root, rel=1e-6)
    assert between(x, y) == pytest.approx(float(bures) ** 2, rel=1e-6)


def test_frechet_bias_falls_with_one_over_n():
    """Real against real is 2d/n + d(d + 1)/2n for unit covariances, the first order of its expansion.

    Odds of false failure below 1e-6: the error of each mean is 1.3 %, and the next order is another 3 %.
    """
    rng, d = np.random.default_rng(4), 8
    for n in (400, 800):
        average = np.mean([between(rng.normal(size=(n, d)), rng.normal(size=(n, d))) for _ in range(30)])
        assert average == pytest.approx((2 * d + d * (d + 1) / 2) / n, rel=0.1)


def test_one_feature_is_enough():
    """The distance of one-dimensional samples is (μ₁ − μ₂)² + (σ₁ − σ₂)²."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(50, 1)), rng.normal(2, 3, size=(70, 1))
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert between(x, y) == pytest.approx(expected)


def test_squared_distances_are_never_negative():
    """Rounding of far points does not make a distance of equal rows negative."""
    x = np.full((3, 4), 1e4 / 3)
    assert (squared_distances(x, x) >= 0).all()


def test_fresh_rows_are_as_near_to_the_holdout():
    """Rows of the population score one half though training rows are many more (false failure below 1e-4)."""
    rng = np.random.default_rng(7)
    share = nearer_to_train(rng.normal(size=(2000, 3)), rng.normal(size=(4000, 3)), rng.normal(size=(400, 3)))
    assert share.value == pytest.approx(0.5, abs=0.1)
    assert share.interval[0] < 0.5 < share.interval[1]


def test_repeated_rows_share_the_credit():
    """On a table of few distinct rows ties are split by how many real rows tie (false failure below 1e-4)."""
    rng = np.random.default_rng(8)
    synthetic, train, holdout = (rng.integers(0, 3, (n, 2)).astype(float) for n in (1000, 900, 100))
    assert nearer_to_train(synthetic, train, holdout).value == pytest.approx(0.5, abs=0.1)


def test_a_copier_is_found():
    """Rows copied from the training table score one."""
    rng = np.random.default_rng(9)
    train, holdout = rng.normal(size=(500, 3)), rng.normal(size=(60, 3))
    share = nearer_to_train(train[:300], train, holdout)
    assert share.value == 1
    assert share.interval[0] > 0.75
