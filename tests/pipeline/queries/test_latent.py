"""The latent space: posteriors, projections, and the summary without rows."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from samples import mixed
from sklearn.decomposition import PCA

from pipeline.errors import SettingsError, TableError
from pipeline.models.priors import Flow, Mixture, StandardNormal
from pipeline.queries.latent import CELLS, DRAWS, Projection, neighbourly, posterior, rates, summary
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    """A small model of a mixed table."""
    return Synthesizer.fit(mixed(), model=ModelSettings(latent=6, width=32), training=TrainingSettings(epochs=6))


def test_the_mean_of_the_posterior_is_what_encode_gives(synthesizer):
    """Means are those of `encode`, and variances are positive and finite."""
    found = posterior(synthesizer.fitted, mixed(50))
    np.testing.assert_array_equal(found.mean, synthesizer.encode(mixed(50)))
    assert (found.variance > 0).all()
    assert np.isfinite(found.variance).all()


def test_a_hidden_column_leaves_no_trace_in_the_posterior(synthesizer):
    """Rows that differ only in a hidden column have one posterior, and otherwise two."""
    table = mixed(50)
    place = table.column_names.index("active")
    turned = table.set_column(place, table.schema.field(place), pa.compute.invert(table["active"]))
    hidden = [posterior(synthesizer.fitted, each, without=["active"]) for each in (table, turned)]
    shown = [posterior(synthesizer.fitted, each) for each in (table, turned)]
    np.testing.assert_array_equal(hidden[0].mean, hidden[1].mean)
    np.testing.assert_array_equal(hidden[0].variance, hidden[1].variance)
    assert (shown[0].mean != shown[1].mean).any()


def test_a_column_that_would_show_through_another_is_not_hidden():
    """A copy tells what the column holds, so hiding it is refused, as is a column that does not exist."""
    table = mixed(300)
    table = table.append_column("twice", pa.compute.multiply(table["size"], pa.scalar(2, pa.int16())))
    found = Synthesizer.fit(table, model=ModelSettings(latent=2, width=16), training=TrainingSettings(epochs=1))
    with pytest.raises(SettingsError, match="without relations to hide, got 'size'"):
        posterior(found.fitted, table, without=["size"])
    with pytest.raises(SettingsError, match=r"did you mean group\?"):
        posterior(found.fitted, table, without=["gruop"])


def test_the_projection_is_that_of_principal_components():
    """Coordinates agree with scikit-learn's PCA up to the sign, which is fixed."""
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 5)) * [1, 4, 2, 0.5, 3] + [1, 2, 3, 4, 5]
    plane, reference = Projection.of(points), PCA(2).fit(points)
    np.testing.assert_allclose(np.abs(plane(points)), np.abs(reference.transform(points)), atol=1e-9)
    np.testing.assert_allclose(plane.share, reference.explained_variance_ratio_, atol=1e-12)
    assert (plane.axes[[0, 1], np.abs(plane.axes).argmax(1)] > 0).all()


@pytest.mark.parametrize("latent", [1, 2])
def test_one_or_two_dimensions_are_shown_as_they_are(latent):
    """No rotation: the coordinates are the dimensions, and a missing one is 0."""
    points = np.random.default_rng(0).normal(size=(50, latent))
    plane = Projection.of(points)
    np.testing.assert_array_equal(plane(points)[:, :latent], points)
    assert plane.labels == ("z0", "z1")
    assert plane.share.sum() == pytest.approx(1)


def test_the_summary_holds_densities_and_no_row(synthesizer):
    """Both densities count the same number of draws, and the JSON is small however many rows there are."""
    found = summary(synthesizer.fitted, mixed())
    for side in (found.posterior, found.prior):
        counts = np.array(side)
        assert counts.shape == (CELLS, CELLS)
        assert 0.98 * DRAWS < counts.sum() <= DRAWS
    assert len(found.model_dump_json()) <= 20_000
    assert 0 < found.overlap <= 1
    assert found == type(found).model_validate(json.loads(found.model_dump_json()))
    assert found == summary(synthesizer.fitted, mixed())


def test_rates_add_up_as_the_elbo_says(synthesizer):
    """The rate of each dimension is that of the ELBO's report, which is drawn anew: within four standard errors."""
    found, report = summary(synthesizer.fitted, mixed(2000)), synthesizer.elbo(mixed(2000))
    np.testing.assert_allclose(found.rates, report.kl_per_dimension, atol=0.12)
    assert sum(found.active) == report.active_units


def test_rates_follow_the_closed_form_where_there_is_one():
    """Beside a standard normal, the rate is ½(μ² + σ² − 1 − log σ²)."""
    model = Synthesizer.fit(
        mixed(), model=ModelSettings(latent=3, width=16, prior="normal"), training=TrainingSettings(epochs=1)
    )
    found = posterior(model.fitted, mixed(20_000, seed=1))
    closed = 0.5 * (found.mean**2 + found.variance - 1 - np.log(found.variance)).mean(0)
    assert model.vae is not None
    np.testing.assert_allclose(rates(model.vae, found), closed, atol=0.03)


def test_a_table_without_a_network_has_no_latent_space(synthesizer):
    """A table of constants is refused in one line, as are no rows."""
    constant = pa.table({"a": [1] * 40})
    model = Synthesizer.fit(constant)
    with pytest.raises(TableError, match="no latent space"):
        summary(model.fitted, constant)
    with pytest.raises(TableError, match="at least one row"):
        summary(synthesizer.fitted, mixed().slice(0, 0))


@pytest.mark.parametrize("prior", [StandardNormal(3), Mixture(3, 5), Flow(3)])
def test_moments_are_those_of_draws(prior):
    """Mean and deviation of each dimension agree with 100,000 draws, within six standard errors."""
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        z = prior.draw(torch.rand(100_000, generator=generator), torch.randn(100_000, 3, generator=generator))
        mean, deviation = prior.moments()
    tolerance = 0.15 if isinstance(prior, Flow) else 0.03
    torch.testing.assert_close(mean, z.mean(0), atol=tolerance, rtol=0)
    torch.testing.assert_close(deviation, z.std(0), atol=tolerance, rtol=0.03)


def test_near_points_stay_near_on_a_map_by_umap():
    """Three groups of points stay apart, equal points give equal maps, and too few points are refused."""
    pytest.importorskip("umap")
    random = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 30)
    points = 20 * np.eye(3)[group] + random.normal(size=(90, 3))
    found = neighbourly(points)
    centres = np.array([found[group == each].mean(0) for each in range(3)])
    nearest = np.linalg.norm(found[:, None] - centres, axis=2).argmin(1)
    np.testing.assert_array_equal(nearest, group)
    np.testing.assert_array_equal(found, neighbourly(points))
    with pytest.raises(SettingsError, match=r"at least 10 rows, got 9"):
        neighbourly(points[:9])
