"""Sketches: exact where they say so, within their stated error elsewhere, and merging as one."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.statistics.frequencies import LABELS, Frequencies
from pipeline.statistics.products import Products
from pipeline.statistics.quantiles import POINTS, Quantiles


def frequencies(labels) -> Frequencies:
    """The sketch of a list of labels."""
    return Frequencies.of(pa.chunked_array([pa.array(labels)]))


def distance(sketch: Quantiles, values) -> float:
    """Largest error of the distribution function, in rows."""
    points = np.union1d(values, sketch.values)
    return np.abs(
        sketch.below(points) - np.searchsorted(np.sort(values), points, side="right") / len(values)
    ).max() * len(values)


def test_few_distinct_values_are_exact():
    """Up to 512 distinct values nothing is lost, in merging either."""
    rng = np.random.default_rng(0)
    x, y = (rng.integers(0, 300, n).astype(float) for n in (2000, 1000))
    merged = Quantiles.of(x).merge(Quantiles.of(y))
    assert merged == Quantiles.of(np.concatenate([x, y]))
    assert merged.error == 0
    assert distance(merged, np.concatenate([x, y])) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tail", [1.0, 8.0])
def test_many_values_keep_to_the_bound(tail):
    """With 50,000 values, some repeated often, the error is below 1/512 and within the stated one."""
    rng = np.random.default_rng(1)
    x = np.exp(tail * rng.normal(size=50_000))
    x[rng.random(50_000) < 0.3] = 0
    sketch = Quantiles.of(x)
    assert len(sketch.values) <= POINTS
    assert distance(sketch, x) <= sketch.error + 1e-6
    assert sketch.error <= 50_000 / POINTS
    assert sketch.rows == 50_000


def test_merged_parts_keep_to_the_bound():
    """Thirty-two shards of different ranges, merged pairwise, stay within the stated error, below 1.5 %."""
    rng = np.random.default_rng(2)
    shards = [rng.normal(i, 1, 3000) for i in range(32)]
    sketches = [Quantiles.of(shard) for shard in shards]
    while len(sketches) > 1:
        sketches = [a.merge(b) for a, b in zip(sketches[::2], sketches[1::2], strict=True)]
    everything = np.concatenate(shards)
    assert distance(sketches[0], everything) <= sketches[0].error + 1e-6
    assert sketches[0].error < 0.015 * len(everything)


def test_quantiles_are_numpys():
    """Quantiles of exactly kept values are NumPy's inverted distribution function."""
    x = np.random.default_rng(3).integers(0, 100, 777).astype(float)
    for share in (0.01, 0.25, 0.5, 0.99, 1.0):
        assert Quantiles.of(x).quantile(share) == np.quantile(x, share, method="inverted_cdf")
    with pytest.raises(ValueError, match="at least one row"):
        Quantiles.of(np.empty(0)).quantile(0.5)


def test_labels_are_counted():
    """Few labels are counted exactly, nulls are not labels."""
    found = frequencies(["b", "a", "b", None])
    assert found.counts == {"b": 2, "a": 1}
    assert (found.rest, found.missed, found.distinct, found.rows) == (0, 0, 2, 3)
    assert frequencies([True, False, True]).counts == {"true": 2, "false": 1}


def test_merged_labels_miss_no_more_than_stated():
    """Heavy labels spread over shards with thousands of others are counted within the stated error."""
    rng = np.random.default_rng(4)
    shards = [[f"v{int(i)}" for i in rng.zipf(1.3, 3000) if i < 10**6] for _ in range(4)]
    merged = frequencies(shards[0])
    for shard in shards[1:]:
        merged = merged.merge(frequencies(shard))
    truth = frequencies([label for shard in shards for label in shard])
    assert len(merged.counts) == LABELS
    assert merged.rows == truth.rows == sum(map(len, shards))
    assert all(0 <= truth.counts.get(k, v) - v <= merged.missed for k, v in merged.counts.items())
    assert merged.counts["v1"] == truth.counts["v1"]


def test_distinct_labels_are_estimated():
    """Twenty thousand labels are estimated within 40 % (three standard errors), and merging shards of them as well."""
    one, two = (frequencies([f"id{i}" for i in part]) for part in (range(12_000), range(8_000, 20_000)))
    assert one.merge(two).distinct == pytest.approx(20_000, rel=0.4)
    assert one.merge(one).distinct == one.distinct


def test_long_labels_are_cut_and_still_differ():
    """Two labels of a million characters that differ at the end stay two, in little space."""
    found = frequencies(["x" * 10**6 + "a", "x" * 10**6 + "b"])
    assert len(found.counts) == 2
    assert len(found.model_dump_json()) < 1000


def test_labels_have_places():
    """Codes are places among the most frequent labels, their number for others, -1 for null, in any encoding."""
    found = frequencies(["b", "a", "b", None, "c", "c", "c"])
    array = pa.chunked_array([pa.array(["a", "c", None, "new", "b"])])
    assert found.codes(array, 2).tolist() == [2, 0, -1, 2, 1]
    assert found.codes(pa.chunked_array([array.combine_chunks().dictionary_encode()]), 3).tolist() == [2, 0, -1, 3, 1]
    assert frequencies([True, True, False]).codes(pa.chunked_array([pa.array([False, None])])).tolist() == [1, -1]
    long = frequencies(["x" * 100, "a"])
    assert long.codes(pa.chunked_array([pa.array(["x" * 100, "a"])])).tolist() == [LABELS, long_place(long)]


def long_place(found: Frequencies) -> int:
    """The place of "a" among the labels that can be looked up."""
    return [label for label in found.counts if "…" not in label].index("a")


def test_points_have_places():
    """Codes are the first point that is not below a value, the last one's for values beyond."""
    assert Quantiles.of(np.array([1.0, 2.0, 4.0])).codes(np.array([0.0, 1.0, 3.0, 9.0])).tolist() == [0, 0, 2, 2]


def test_products_merge_to_numpys_correlations():
    """Correlations of merged parts with nulls are those of the whole over the rows that have both."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(size=400), rng.normal(2, 1, 300)])
    y = x + rng.normal(size=700)
    y[rng.random(700) < 0.2] = np.nan
    columns = np.column_stack([x, y, rng.normal(size=700), np.ones(700)]).astype(np.float32)
    parts = [Products.of(("x", "y", "z", "flat"), columns[part], 2.0) for part in (slice(400), slice(400, 700))]
    merged = parts[0].merge(parts[1])
    rho = merged.correlations()
    keep = ~np.isnan(y)
    assert rho[0, 1] == pytest.approx(np.corrcoef(x[keep], y[keep])[0, 1], abs=1e-5)
    assert rho[0, 2] == pytest.approx(np.corrcoef(columns[:, 0], columns[:, 2])[0, 1], abs=1e-5)
    assert np.isnan(rho[3]).all()
    assert merged.pair_rows()[0, 1] == 2 * keep.sum()


def test_json_is_bounded():
    """A quantile sketch of a million different values takes less than 12 kB of JSON."""
    sketch = Quantiles.of(np.random.default_rng(6).normal(size=1_000_000))
    assert len(sketch.model_dump_json()) < 12_000


@pytest.mark.parametrize("kind", ["normal", "heavy", "integers", "two values", "huge"])
def test_counted_in_cells_or_sorted(kind):
    """Values in such numbers that they are counted in cells keep to the stated bound, below 1/300, and to exactness."""
    rng = np.random.default_rng(7)
    x = {
        "normal": rng.normal(size=40_000),
        "heavy": np.exp(6 * rng.normal(size=40_000)),
        "integers": rng.integers(-50, 400, 40_000).astype(float),
        "two values": np.where(rng.random(40_000) < 0.1, 1e-9, 5.0),
        "huge": rng.uniform(-1, 1, 40_000) * 1.7e308,
    }[kind]
    sketch = Quantiles.of(x)
    assert distance(sketch, x) <= sketch.error + 1e-6
    assert sketch.error <= len(x) / 300
    assert np.isin(sketch.values, x).all()
    if len(np.unique(x)) <= POINTS:
        assert sketch.error == 0
        assert np.array_equal(sketch.values, np.unique(x))
