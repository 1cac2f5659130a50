"""Priors, against SciPy and brute force."""

import numpy as np
import pytest
import torch
from scipy import stats

from pipeline.models.priors import Flow, Mixture, StandardNormal


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
    marginal = prior.log_prob_by_dimension(torch.tensor([[at, 0.0]])).detach()[0, 0].exp()
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


def flow() -> Flow:
    """A flow prior in two dimensions, away from the identity."""
    torch.manual_seed(3)
    prior = Flow(2)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return prior


@torch.no_grad()
def test_the_flows_density_integrates_to_one():
    """∫ p(z) dz over a wide square is 1."""
    axis = torch.linspace(-9, 9, 601)
    z = torch.cartesian_prod(axis, axis)
    total = flow().log_prob(z).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(total) == pytest.approx(1, abs=0.01)


@torch.no_grad()
def test_the_flow_draws_from_its_density():
    """Shares of draws in the quadrants match the integrals of the density (5 standard errors, odds 1 in 400,000)."""
    prior, n = flow(), 40_000
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(0))
    z = prior.draw(noise[:, 0], noise)
    axis = torch.linspace(-9, 9, 901)
    grid = torch.cartesian_prod(axis, axis)
    mass = prior.log_prob(grid).exp() * (axis[1] - axis[0]) ** 2
    for x, y in ((0, 0), (0.5, -0.5), (-1, 1)):
        expected = float(mass[(grid[:, 0] > x) & (grid[:, 1] > y)].sum())
        seen = float(((z[:, 0] > x) & (z[:, 1] > y)).float().mean())
        assert abs(seen - expected) < 5 * (expected * (1 - expected) / n) ** 0.5 + 0.005


@torch.no_grad()
def test_the_flows_marginals_are_near_those_of_its_joint():
    """The kernel estimate of a marginal is within 15 % of the integral of the joint, where there is mass."""
    prior = flow()
    axis = torch.linspace(-9, 9, 2001)
    for at in (-0.5, 0.0, 0.8):
        joint = prior.log_prob(torch.stack([torch.full_like(axis, at), axis], 1)).exp().sum() * (axis[1] - axis[0])
        estimate = prior.log_prob_by_dimension(torch.tensor([[at, 0.0]]))[0, 0].exp()
        assert float(estimate) == pytest.approx(float(joint), rel=0.15)
