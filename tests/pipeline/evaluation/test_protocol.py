"""Shape and Trend against values that SDMetrics 0.24.0 gave for the same tables.

Own bins are those of its `QualityReport`, common bins those of its `ContingencySimilarity` with ten bins.
"""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp, pearsonr

from pipeline.columns import infer
from pipeline.evaluation.areas.marginals import shape_errors
from pipeline.evaluation.areas.pairs import column_pairs, trend_errors
from pipeline.evaluation.views import View, views
from pipeline.measures import NOMINAL, ORDERED, Values
from pipeline.schema import PrivacySettings
from pipeline.statistics.distances import kolmogorov_of_samples
from pipeline.statistics.products import correlations

ALL = PrivacySettings(least_rows=1)
"""Every label may be shown."""

SHAPE = {"x": 0.2495, "y": 0.18, "k": 0.04, "c": 0.1455, "b": 0.0245}
TREND_OWN_BINS = {
    ("x", "y"): 0.033413095600386744,
    ("x", "k"): 0.004417606498073878,
    ("x", "c"): 0.273,
    ("x", "b"): 0.209,
    ("y", "k"): 0.04175104881238789,
    ("y", "c"): 0.2225,
    ("y", "b"): 0.2245,
    ("k", "c"): 0.1695,
    ("k", "b"): 0.1195,
    ("c", "b"): 0.1455,
}
TREND = TREND_OWN_BINS | {("x", "c"): 0.242, ("x", "b"): 0.2355, ("y", "c"): 0.225, ("y", "b"): 0.2055}


def made(seed: int, rows: int, shift: float) -> pa.Table:
    """Dependent numbers and categories."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    y = x + rng.normal(0, 1 + shift, rows)
    k = rng.integers(0, 12, rows).astype(float)
    c = np.where(x + rng.normal(0, 1, rows) > 0, "a", np.where(k > 6, "b", "c"))
    b = np.where(rng.random(rows) < 0.3 + shift / 5, "u", "v")
    return pa.table({"x": x, "y": y, "k": k, "c": c, "b": b})


@pytest.fixture(scope="module")
def both() -> tuple[View, View]:
    """A real table and one that differs from it."""
    real, other = made(7, 400, 0.0), made(8, 500, 0.4)
    return views((real, other), infer(real, privacy=ALL))


def viewed(*tables: dict) -> tuple[View, ...]:
    """Views of tables given as columns."""
    arrow = [pa.table(table) for table in tables]
    return views(arrow, infer(pa.concat_tables(arrow), privacy=ALL))


def test_shape_is_that_of_sdmetrics(both):
    """Without nulls, every column's error equals the reference."""
    assert shape_errors(*both) == pytest.approx(SHAPE, abs=1e-9)


def test_trend_is_that_of_sdmetrics(both):
    """Without nulls, every pair's error equals the reference, with both kinds of bins."""
    found = trend_errors(*both, column_pairs(both[0], 100, np.random.default_rng(0)))
    assert {(t.first, t.second): t.error_own_bins for t in found} == pytest.approx(TREND_OWN_BINS, abs=1e-9)
    assert {(t.first, t.second): t.error for t in found} == pytest.approx(TREND, abs=1e-9)


def test_kolmogorov_is_scipys_with_ties():
    """The statistic agrees with SciPy where values repeat within and across samples."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 9, 200).astype(float), rng.integers(2, 12, 70).astype(float)
    assert kolmogorov_of_samples(x, y) == pytest.approx(ks_2samp(x, y).statistic, abs=1e-12)


def test_a_lost_null_rate_is_an_error():
    """Equal values with half of them null on one side err by one half; all null on both sides do not err."""
    x = np.arange(10.0)
    whole, halved = Values(x), Values(np.where(x % 2 == 0, x, np.nan))
    nothing = Values(np.full(10, np.nan))
    assert ORDERED.error(whole, halved) == pytest.approx(0.5)
    assert ORDERED.error(nothing, nothing) == 0
    assert ORDERED.error(nothing, whole) == 1


def test_null_is_a_label():
    """A category column whose nulls all became one label errs by their share."""
    real, other = viewed(
        {"c": ["a", "a", None, "b"], "n": [1, 2, 3, 4]}, {"c": ["a", "a", "b", "b"], "n": [1, 2, 3, 4]}
    )
    assert shape_errors(real, other)["c"] == pytest.approx(0.25)


def test_correlations_are_scipys_over_the_rows_both_have():
    """Large offsets and nulls do not change a correlation; a constant column has none."""
    rng = np.random.default_rng(2)
    x = 1.7e18 + 1e12 * rng.normal(size=300)
    y = (x - 1.7e18) / 1e12 + rng.normal(size=300)
    x[:40], y[30:60] = np.nan, np.nan
    rho = correlations(np.column_stack([x, y, np.full(300, 3.0)]))
    keep = ~np.isnan(x) & ~np.isnan(y)
    assert rho[0, 1] == pytest.approx(pearsonr(x[keep] - 1.7e18, y[keep]).statistic, abs=1e-9)
    assert np.isnan(rho[:, 2]).all()


def test_collapse_to_a_constant_costs():
    """A generator that outputs a constant pays half the real correlation; a constant real column is left out."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    real, other = viewed({"x": x, "y": x}, {"x": x, "y": np.zeros(200)})
    assert trend_errors(real, other, [("x", "y")])[0].error == pytest.approx(0.5)
    assert trend_errors(other, real, [("x", "y")]) == []


def test_many_labels_need_no_table_of_cells():
    """Two columns of thousands of labels compare in memory bounded by the rows, and exactly."""
    labels = [f"v{i}" for i in range(4000)]
    table = {"a": labels, "b": labels[::-1]}
    real, other = viewed_nominal(table, table)
    assert trend_errors(real, other, [("a", "b")])[0].error == 0


def viewed_nominal(*tables: dict) -> tuple[View, ...]:
    """Views of tables of 4,000 labels each in the same order."""
    arrow = [pa.table({name: pa.array(v).dictionary_encode() for name, v in table.items()}) for table in tables]
    codes = {name: arrow[0][name].combine_chunks().indices.to_numpy().astype(np.int64) for name in tables[0]}
    values = {name: Values(own, 4000) for name, own in codes.items()}
    return tuple(View(4000, values, dict.fromkeys(codes, NOMINAL)) for _ in tables)


def test_pairs_are_bounded():
    """Of more pairs than the limit, as many different pairs as the limit are chosen."""
    (view,) = viewed({f"c{i}": [1.0, 2.0, 3.0] for i in range(20)})
    pairs = column_pairs(view, 30, np.random.default_rng(0))
    assert len(set(pairs)) == 30


def test_codes_mean_the_same_in_all_tables():
    """Codes of labels are shared and ordered by frequency, whatever the order of the rows or dictionaries."""
    one = pa.table({"c": pa.array(["z", "y", "y", None]).dictionary_encode()})
    two = pa.table({"c": pa.array(["y", "z", "x"]).dictionary_encode()})
    first, second = views((one, two), infer(one, privacy=ALL))
    assert first["c"].array[1] == second["c"].array[0] == 0
    assert first["c"].array[0] == second["c"].array[1] == 1
    assert first["c"].size == 4
