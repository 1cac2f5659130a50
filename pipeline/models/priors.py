"""Priors p(z), learned jointly with the rest of the ELBO.

A prior gives log-densities and turns random numbers into draws, so that a row's z is a function of its random stream.
`StandardNormal` is N(0, I). `Mixture` is Σ_k w_k N(m_k, diag s_k²) (the learned counterpart of VampPrior, Tomczak &
Welling 2018, with free components instead of pseudo-inputs). `Flow` is a neural spline flow (Durkan et al. 2019) from
zuko, which is imported only if this prior is chosen.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pipeline.errors import SettingsError
from pipeline.settings import PriorName

_PSEUDO = 1.0
"""Weight of a component's old parameters in a refit, in rows."""
_TOGETHER = 1024
"""Number of rows that a refit processes together. It is small, so that their shares stay in the processor's cache."""
_DRAWS = 2048
"""Number of draws from which the marginals and moments of a flow are estimated."""


class StandardNormal(nn.Module):
    """p(z) = N(z; 0, I)."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, [rows], for z [rows, latent]."""
        return self.log_prob_by_dimension(z).sum(-1)

    def log_prob_by_dimension(self, z: Tensor) -> Tensor:
        """log p(z_j) of every dimension, [rows, latent]."""
        return -0.5 * (z.square() + math.log(2 * math.pi))

    def draw(self, choice: Tensor, noise: Tensor) -> Tensor:
        """z [rows, latent] from uniforms `choice` [rows] and standard normals `noise` [rows, latent]."""
        del choice
        return noise

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every dimension, each [latent]."""
        return torch.zeros(self.latent), torch.ones(self.latent)


class Mixture(nn.Module):
    """p(z) = Σ_k softmax(weights)_k N(z; means_k, diag exp(log_scales_k)²).

    Args:
        latent: Dimensions of z.
        components: Number of Gaussians K.
    """

    def __init__(self, latent: int, components: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, latent))
        self.log_scales = nn.Parameter(torch.full((components, latent), -0.5))

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, [rows], for z [rows, latent]."""
        return torch.logsumexp(self._joint(z), dim=-1)

    def _joint(self, z: Tensor) -> Tensor:
        """log of weight times density of every component at z, [rows, K]."""
        # Σ_d ((z − m)/s)² expanded, so that two matrix products replace a [rows, K, latent] tensor
        precision = torch.exp(-2 * self.log_scales)
        square = (
            z.square() @ precision.T - 2 * z @ (precision * self.means).T + (precision * self.means.square()).sum(-1)
        )
        constant = self.log_scales.sum(-1) + 0.5 * self.means.shape[1] * math.log(2 * math.pi)
        return torch.log_softmax(self.weights, 0) - 0.5 * square - constant

    @torch.no_grad()
    def refit(self, batches: Iterable[Tensor]) -> None:
        """Take one step of expectation maximisation on all z in `batches`, each [rows, latent]."""
        mass, first, second = self.weights * 0, self.means * 0, self.means * 0
        for z in (part for batch in batches for part in torch.split(batch, _TOGETHER)):
            share = torch.softmax(self._joint(z), dim=-1)
            mass += share.sum(0)
            first += share.T @ z
            second += share.T @ z.square()
        held = (mass + _PSEUDO).unsqueeze(-1)
        mean = (first + _PSEUDO * self.means) / held
        kept = _PSEUDO * (self.means.square() + torch.exp(2 * self.log_scales))
        variance = (second + kept) / held - mean.square()
        self.weights.copy_((mass + _PSEUDO).log())
        self.means.copy_(mean)
        self.log_scales.copy_(0.5 * variance.clamp(min=1e-4).log())

    def log_prob_by_dimension(self, z: Tensor) -> Tensor:
        """log p(z_j) of every dimension's marginal mixture, [rows, latent]."""
        distance = (z.unsqueeze(1) - self.means) * torch.exp(-self.log_scales)
        density = -0.5 * (distance.square() + math.log(2 * math.pi)) - self.log_scales
        return torch.logsumexp(torch.log_softmax(self.weights, 0).unsqueeze(-1) + density, dim=1)

    def draw(self, choice: Tensor, noise: Tensor) -> Tensor:
        """z [rows, latent] from uniforms `choice` [rows] and standard normals `noise` [rows, latent]."""
        cumulative = torch.softmax(self.weights.double(), 0).cumsum(0)
        k = torch.searchsorted(cumulative, choice.double()).clamp(max=len(cumulative) - 1)
        return self.means[k] + noise * self.log_scales[k].exp()

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every dimension, each [latent]."""
        weights = torch.softmax(self.weights, 0)
        mean = weights @ self.means
        square = weights @ (self.means.square() + torch.exp(2 * self.log_scales))
        return mean, (square - mean.square()).clamp(min=1e-12).sqrt()


class Flow(nn.Module):
    """p(z) of z = f⁻¹(u), u ~ N(0, I), with f a coupling of rational-quadratic splines.

    Args:
        latent: Dimensions of z.

    Raises:
        SettingsError: zuko is not installed.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        try:
            from zuko.flows import NSF  # noqa: PLC0415 - an extra, imported where it is used
        except ImportError as error:
            raise SettingsError("prior 'flow': expected zuko to be installed (pip install 'resynth[flow]')") from error
        self.latent = latent
        with torch.device("cpu"):  # zuko needs memory to make a flow, which is small
            self.flow = NSF(features=latent, transforms=2, hidden_features=(64, 64))

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, [rows], for z [rows, latent]."""
        result: Tensor = self.flow().log_prob(z)
        return result

    def log_prob_by_dimension(self, z: Tensor) -> Tensor:
        """log p(z_j) of every dimension, [rows, latent], by a kernel estimate (Silverman's rule) from fixed draws."""
        draws = self._draws(z.device)
        width = 1.06 * draws.std(0) * _DRAWS**-0.2
        distance = (z.unsqueeze(1) - draws) / width
        density = -0.5 * (distance.square() + math.log(2 * math.pi)) - width.log()
        return torch.logsumexp(density, dim=1) - math.log(_DRAWS)

    def draw(self, choice: Tensor, noise: Tensor) -> Tensor:
        """z [rows, latent] from standard normals `noise` [rows, latent]."""
        del choice
        result: Tensor = self.flow().transform.inv(noise)
        return result

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every dimension, each [latent], estimated from fixed draws."""
        draws = self._draws(torch.device("cpu"))
        return draws.mean(0), draws.std(0)

    def _draws(self, device: torch.device) -> Tensor:
        """Fixed draws, [_DRAWS, latent]."""
        noise = torch.randn(_DRAWS, self.latent, generator=torch.Generator().manual_seed(0)).to(device)
        return self.draw(noise[:, 0], noise)


Prior = StandardNormal | Mixture | Flow


def make_prior(name: PriorName, latent: int, components: int) -> Prior:
    """Make the prior called `name`."""
    if name == "flow":
        return Flow(latent)
    return StandardNormal(latent) if name == "normal" else Mixture(latent, components)
