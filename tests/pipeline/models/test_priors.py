"""Priors, against SciPy and brute force."""

import numpy as np
import pytest
import torch
from scipy import stats

from pipeline.models.priors import Mixture, StandardNormal


def mixture(latent: int = 2, components: int = 3) -> Mixture:
    """A mixture with all parameters away from their initial values."""
    torch.manual_seed(0)
    prior = Mixture(latent, components)
    with torch.no_grad():
        prior.weights.normal_()
        prior.log_scales.normal_(std=0.3)
    return prior


def reference(prior: Mixture, z: np.ndarray) -> np.ndarray:
    """log p(z) by a plain double loop over SciPy's normal."""
    weights = torch.softmax(prior.weights, 0).tolist()
    densities = np.zeros(len(z))
    for weight, mean, scale in zip(weights, prior.means.tolist(), prior.log_scales.exp().tolist(), strict=True):
        densities += weight * stats.multivariate_normal(mean, np.diag(np.square(scale))).pdf(z)
    return np.log(densities)


def test_mixture_density_is_scipys():
    """log p(z) of the mixture equals the sum of SciPy densities."""
    prior, z = mixture(), torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(prior.log_prob(z).detach(), reference(prior, z.numpy()), rtol=1e-4, atol=1e-4)


def test_marginals_are_those_of_the_joint():
    """The one-dimensional marginal of a two-dimensional mixture is its integral over the other dimension."""
    prior = mixture()
    grid = np.linspace(-12, 12, 4_001)
    at = 0.7
    z = torch.tensor(np.stack([np.full_like(grid, at), grid], 1), dtype=torch.float32)
    integral = np.trapezoid(prior.log_prob(z).exp().detach().numpy(), grid)
    marginal = prior.log_prob_by_dimension(torch.tensor([[at, 0.0]]))[0, 0].exp()
    assert integral == pytest.approx(float(marginal), rel=1e-3)


def test_standard_normal_is_scipys():
    """log p(z) of N(0, I)."""
    z = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))
    expected = stats.norm.logpdf(z.numpy()).sum(1)
    np.testing.assert_allclose(StandardNormal(4).log_prob(z), expected, rtol=1e-5)


def test_draws_follow_the_density():
    """Draws' moments are the mixture's, within five standard errors (odds of failure below 1 in 100,000)."""
    prior, n = mixture(), 100_000
    generator = torch.Generator().manual_seed(2)
    z = prior.draw(torch.rand(n, generator=generator), torch.randn(n, 2, generator=generator)).detach().numpy()
    weights = torch.softmax(prior.weights, 0).detach().numpy()
    mean = weights @ prior.means.detach().numpy()
    assert (np.abs(z.mean(0) - mean) < 5 * z.std(0) / np.sqrt(n)).all()
    # E[−log p] under the draws is the entropy: compare with a second, independent estimate by component
    entropy = -prior.log_prob(torch.tensor(z)).mean().item()
    again = prior.draw(torch.rand(n, generator=generator), torch.randn(n, 2, generator=generator))
    assert entropy == pytest.approx(-prior.log_prob(again).mean().item(), abs=0.03)
