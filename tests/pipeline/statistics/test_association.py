"""Association of columns of codes against SciPy."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association as reference

from pipeline.statistics.association import association


def crossed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The contingency table of two columns."""
    table = np.zeros((a.max() + 1, b.max() + 1), int)
    np.add.at(table, (a, b), 1)
    return table


def test_cramers_v_is_scipys():
    """Every pair's V agrees with SciPy and is 0 for a constant."""
    rng = np.random.default_rng(3)
    a = rng.integers(0, 4, 500)
    b = (a + rng.integers(0, 3, 500)) % 5
    found = association([a, b, np.zeros(500, int)])
    assert found.v[0, 1] == found.v[1, 0] == pytest.approx(reference(crossed(a, b), method="cramer"))
    assert found.v[0, 2] == 0


def test_chi_squared_is_scipys():
    """Levels are χ² in standard deviations, √(2 · freedom), above its mean; the corrected V is the smaller one."""
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 4, 2000), rng.integers(0, 3, 2000)
    found = association([a, b])
    expected = chi2_contingency(crossed(a, b), correction=False)
    assert found.levels[0, 1] == pytest.approx((expected.statistic - 6) / np.sqrt(12))
    assert found.corrected_v[0, 1] < found.v[0, 1]
    assert found.corrected_v[0, 0] == 0
