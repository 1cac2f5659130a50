"""The density inside a leaf, against SciPy and brute force."""

import numpy as np
import pytest
from scipy import stats

from pipeline.columns.forms.places import mean_places, places, rates

UNIFORM = (np.arange(200_000) + 0.5) / 200_000
MEANS = [0.001, 0.07, 0.3, 0.5, 0.61, 0.97]


@pytest.mark.parametrize("mean", MEANS)
def test_the_density_is_a_truncated_exponential_of_the_mean(mean: float) -> None:
    """Places follow SciPy's truncated exponential of the same rate, and their mean is the wanted one."""
    (rate,) = rates(np.array([mean]), np.array([np.inf]))
    drawn = places(np.full(len(UNIFORM), rate), UNIFORM)
    assert drawn.mean() == pytest.approx(mean, rel=1e-3)
    if rate:
        reference = stats.truncexpon(abs(rate), scale=1 / abs(rate))
        assert stats.kstest(drawn if rate < 0 else 1 - drawn, reference.cdf).statistic < 1e-4
    else:
        assert stats.kstest(drawn, "uniform").statistic < 1e-4


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("steps", [1, 2, 9, 5_000])
def test_on_a_grid_it_is_geometric(mean: float, steps: int) -> None:
    """The probability of each step is a geometric one, and the mean over all steps is the wanted one."""
    (rate,) = rates(np.array([mean]), np.array([float(steps)]))
    weights = np.exp(rate * np.arange(steps + 1) / (steps + 1) - max(rate, 0))
    expected = weights / weights.sum()
    assert (expected * np.arange(steps + 1)).sum() / steps == pytest.approx(mean, rel=1e-6)
    drawn = np.minimum((places(np.full(len(UNIFORM), rate), UNIFORM) * (steps + 1)).astype(int), steps)
    np.testing.assert_allclose(np.bincount(drawn, minlength=steps + 1) / len(drawn), expected, atol=2e-5)


def test_means_at_the_ends_and_outside_any_precision() -> None:
    """A mean at an end puts every row there."""
    ends = rates(np.array([0.0, 1.0, 1e-14]), np.full(3, np.inf))
    for rate, place in zip(ends, (0.0, 1.0, 0.0), strict=True):
        np.testing.assert_allclose(places(np.full(9, rate), np.linspace(0.05, 0.95, 9)), place, atol=1e-12)


def test_means_of_leaves_are_means_of_their_rows() -> None:
    """Means are those of the rows, also of positions that no float holds exactly."""
    distinct = np.array([3, 5, 9, 2**63 + 1, 2**63 + 2, 2**63 + 5], dtype=np.uint64)
    means = mean_places(distinct, np.array([1, 2, 1, 5, 1, 2]), np.array([0, 3]))
    np.testing.assert_allclose(means, [(0 + 2 * 2 + 6) / 4 / 6, (1 + 2 * 4) / 8 / 4])
    assert mean_places(np.array([7.5]), np.array([4]), np.array([0])) == 0
