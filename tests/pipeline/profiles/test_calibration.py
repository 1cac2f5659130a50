"""Calibration: the levels of chance in tables whose chance is known."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kurtosis

from pipeline.columns import infer
from pipeline.profiles.calibration import correlation_variance, heaviness
from pipeline.profiles.reference import Reference


def calibrated(table: pa.Table, seed: int = 0):
    """The calibration of a table."""
    return Reference.of(table, infer(table), seed=seed).calibration


def test_one_number_has_kolmogorovs_level():
    """The level that one continuous column exceeds in 5 % of divisions is that of Kolmogorov's law, ln(2 / 0.05).

    The quantile of 600 divisions, which overlap, scatters by about 8 %; 25 % is three times that.
    """
    found = calibrated(pa.table({"x": np.random.default_rng(0).normal(size=8000)}))
    assert found.level("numbers", 0.05, 1000) == pytest.approx(np.log(2 / 0.05), rel=0.25)


def test_equal_columns_count_once():
    """Ten copies of a column have the threshold of one column, and ten independent columns a higher one."""
    x = np.random.default_rng(1).normal(size=(10, 4000))
    copies = calibrated(pa.table({f"x{i}": x[0] for i in range(10)}))
    different = calibrated(pa.table({f"x{i}": x[i] for i in range(10)}))
    assert copies.level("numbers", 0.05, 1000) == pytest.approx(
        calibrated(pa.table({"x": x[0]})).level("numbers", 0.05, 1000)
    )
    assert different.level("numbers", 0.05, 1000) > 1.2 * copies.level("numbers", 0.05, 1000)


def test_what_cannot_vary_has_the_level_of_one_test():
    """Without nulls, no split differs in nulls, and later nulls are judged by the analytic bound."""
    found = calibrated(pa.table({"x": np.arange(1000.0)}))
    assert found.level("nulls", 0.01, 1000) == pytest.approx(np.log(2 / 0.01))


def test_heaviness_is_scipys():
    """Fourth moments are SciPy's, over the values present, and at least a normal variable's."""
    x = np.random.default_rng(2).standard_t(5, (1000, 2))
    x[::7, 1] = np.nan
    expected = kurtosis(x, axis=0, fisher=False, nan_policy="omit")
    assert heaviness(x) == pytest.approx(np.maximum(expected, 3), rel=1e-6)
    assert heaviness(np.random.default_rng(3).uniform(size=(1000, 1))) == pytest.approx([3])


def test_correlations_scatter_no_more_than_stated():
    """The variance of correlations of independent heavy-tailed samples, over 500 of them, is below the bound."""
    rng = np.random.default_rng(4)
    x = rng.standard_t(6, (500, 2, 200))
    rho = [np.corrcoef(*pair)[0, 1] for pair in x]
    heavy = heaviness(x.transpose(0, 2, 1).reshape(-1, 2))
    assert np.var(rho) < correlation_variance(heavy, np.full((2, 2), 200.0))[0, 1]
