"""Embeddings: distances from merged summaries are those of the rows."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.columns import infer
from pipeline.profiles import embedding
from pipeline.profiles.embedding import Embedding
from pipeline.profiles.features import FeatureSpace
from pipeline.statistics.discrepancy import SCALES
from pipeline.statistics.gaussians import Gaussian, frechet
from pipeline.statistics.neighbours import squared_distances

ADULT = pq.read_table(Path(__file__).parents[3] / "data" / "adult_test.parquet").slice(0, 6000)


@cache
def space() -> FeatureSpace:
    """The feature space of all rows."""
    return FeatureSpace.fit(ADULT, infer(ADULT))


def test_waves_are_the_kernel():
    """Products of random Fourier features are the mixture kernel within the error of 512 waves (5 sigma)."""
    points = space().transform(ADULT.slice(0, 200))
    found = space().waves(points) @ space().waves(points).T
    squares = squared_distances(points, points)
    kernel = np.mean([np.exp(-squares / 2 / (space().bandwidth * scale) ** 2) for scale in SCALES], axis=0)
    assert np.abs(found - kernel).max() < 5 / np.sqrt(512)
    assert np.diag(found) == pytest.approx(1, abs=1e-5)


def test_mmd_is_that_of_the_pairs_of_rows():
    """MMD² from two means is the unbiased double sum over the same features, by brute force."""
    one, other = ADULT.slice(0, 300), ADULT.slice(300, 200)
    a, b = (space().waves(space().transform(part)).astype(np.float64) for part in (one, other))
    n, m = len(a), len(b)
    own = [(x @ x.T).sum() - np.trace(x @ x.T) for x in (a, b)]
    expected = own[0] / (n * (n - 1)) + own[1] / (m * (m - 1)) - 2 * (a @ b.T).mean()
    assert Embedding.of(one, space()).mmd2(Embedding.of(other, space())) == pytest.approx(expected, abs=1e-6)


def test_mmd_has_no_bias():
    """Over 200 pairs of samples of one table, MMD² averages to 0 within four standard errors (odds 6e-5)."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        rows = rng.permutation(ADULT.num_rows)[:200]
        halves = (ADULT.take(pa.array(rows[part])) for part in (slice(50), slice(50, 200)))
        one, other = (Embedding.of(half, space()) for half in halves)
        found.append(one.mmd2(other))
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)


def test_frechet_is_that_of_the_rows():
    """The Fréchet distance from moments equals that of the samples, up to the divisor n − 1."""
    one, other = ADULT.slice(0, 3000), ADULT.slice(3000, 3000)
    found = Embedding.of(one, space()).frechet(Embedding.of(other, space()))
    expected = frechet(*(Gaussian.of(space().transform(table)) for table in (one, other)))
    assert found == pytest.approx(expected, rel=0.01)


def test_shards_in_any_order_are_the_whole():
    """Means, covariances, waves and correlations of merged shards are those of the table, in any order (1e-5)."""
    whole = Embedding.of(ADULT, space())
    shards = [Embedding.of(ADULT.slice(*cut), space()) for cut in ((0, 1000), (1000, 4500), (5500, 500))]
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        first, second, third = (shards[i] for i in order)
        merged = first.merge(second).merge(third)
        assert (merged.rows, merged.effective) == (6000, pytest.approx(6000))
        assert merged.gaussian.covariance == pytest.approx(whole.gaussian.covariance, abs=1e-5)
        assert merged.wave_mean == pytest.approx(whole.wave_mean, abs=1e-6)
        assert merged.traits.correlations() == pytest.approx(whole.traits.correlations(), abs=1e-4, nan_ok=True)


def test_a_thinned_shard_counts_in_full(monkeypatch):
    """In a shard thinned to a thousand rows, each row counts sixfold, and the effective number is a thousand."""
    monkeypatch.setattr(embedding, "CELLS", 0)
    monkeypatch.setattr(embedding, "LEAST_ROWS", 1000)
    thinned = Embedding.of(ADULT, space())
    assert (thinned.rows, thinned.effective) == (6000, pytest.approx(1000))
    exact = space().transform(ADULT).mean(axis=0)
    assert thinned.gaussian.mean == pytest.approx(exact, abs=5 / np.sqrt(1000))
    assert np.diag(thinned.traits.matrices[0]).max() == pytest.approx(6000)


def test_no_rows_are_in_it():
    """An embedding of one row or of thousands takes the same space, and comes back from JSON."""
    one, many = Embedding.of(ADULT.slice(0, 1), space()), Embedding.of(ADULT, space())
    assert abs(len(one.model_dump_json()) - len(many.model_dump_json())) < 100
    assert Embedding.model_validate_json(many.model_dump_json()) == many
