"""The feature space: scale, nulls, labels, bounds."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kstest

from pipeline.columns import infer
from pipeline.profiles.features import DIMENSIONS, FeatureSpace


def points(table: pa.Table, other: pa.Table | None = None) -> np.ndarray:
    """Features of `other` (or of the table) in the space of the table."""
    return FeatureSpace.fit(table, infer(table)).transform(table if other is None else other)


def test_numbers_become_normal_whatever_their_tails():
    """A log-normal column has one feature, standard normal (Kolmogorov–Smirnov below .01)."""
    x = np.exp(3 * np.random.default_rng(0).normal(size=3000))
    found = points(pa.table({"x": x}))
    assert found.shape == (3000, 1)
    assert found.dtype == np.float32
    assert kstest(found[:, 0] * np.sign(np.corrcoef(found[:, 0], np.log(x))[0, 1]), "norm").statistic < 0.01


def test_units_do_not_matter():
    """An increasing transformation of a column leaves all distances as they are."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 500))
    one, two = points(pa.table({"x": x, "y": y})), points(pa.table({"x": np.exp(x), "y": 1e6 * y}))
    assert np.allclose(one @ one.T, two @ two.T, atol=1e-4)


def test_a_category_varies_as_much_as_a_number():
    """The total variance of a column of labels is one, however many labels there are."""
    rng = np.random.default_rng(2)
    for labels in (2, 5, 30):
        table = pa.table({"c": [f"v{i}" for i in rng.integers(0, labels, 2000)]})
        assert points(table).var(axis=0).sum() == pytest.approx(1, abs=0.01)


def test_nulls_are_a_place_of_their_own():
    """Null rows are apart from the rows in the middle of the distribution."""
    x = np.where(np.arange(400) % 4 == 0, np.nan, np.random.default_rng(3).normal(size=400))
    found = points(pa.table({"x": pa.array(x, from_pandas=True)}))
    null = np.isnan(x)
    middle = ~null & (np.abs(x) < 0.1)
    assert found.shape[1] == 2
    assert np.linalg.norm(found[null][0] - found[middle].mean(axis=0)) > 1


def test_unknown_values_stay_finite():
    """Values beyond the real range go to its ends, and unknown labels and nulls to existing points."""
    real = pa.table({"x": np.arange(100.0), "c": ["a", "b"] * 50})
    other = pa.table({"x": pa.array([1e300, -1e300, None]), "c": pa.array(["new", None, "a"])})
    found = points(real, other)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 5


def test_dimensions_are_bounded():
    """A thousand labels and a hundred numbers give at most 64 features."""
    rng = np.random.default_rng(4)
    columns = {f"x{i}": rng.normal(size=300) for i in range(100)}
    table = pa.table(columns | {"c": [f"v{i % 97}" for i in range(300)]})
    assert points(table).shape == (300, DIMENSIONS)


def test_nothing_to_compare_has_no_dimensions():
    """Constants and all-null columns span no space."""
    table = pa.table({"x": np.ones(20), "y": pa.nulls(20, pa.float64()), "c": ["same"] * 20})
    assert FeatureSpace.fit(table, infer(table)).dimensions == 0


def test_values_nearer_than_a_slope_can_tell_keep_their_scores():
    """Subnormal numbers have the scores that the same numbers have in another unit."""
    steps = np.random.default_rng(0).permutation(300)
    plain, tiny = (pa.table({"x": steps * unit}) for unit in (1.0, 5e-324))
    spaces = [FeatureSpace.fit(table, infer(table)) for table in (plain, tiny)]
    points = [space.raw(table) for space, table in zip(spaces, (plain, tiny), strict=True)]
    assert np.isfinite(points[1]).all()
    assert points[1] == pytest.approx(points[0])
