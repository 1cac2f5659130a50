"""What the model itself says of rows: the ELBO and its parts.

Everything is in nats per row, on rows that training has not seen. With a learned prior the KL has no closed form and is
estimated at draws from the posterior. The KL of one dimension is that of q(z_j|x) against the prior's marginal
p(z_j); they add up to the total only where the prior's dimensions are independent.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.models.vae import VAE, gaussian_log_prob
from pipeline.randomness import torch_seed
from pipeline.records import Record
from pipeline.training.optimization import Rows

ACTIVE = 0.01
"""A unit is active when Var_x(E[z_j|x]) exceeds this (Burda et al. 2016, section 5.2)."""
_BOUND_ROWS = 512
_BOUND_DRAWS = 100


class ColumnReconstruction(Record):
    """How well rows come back from their own z, for one column.

    Attributes:
        name: The column.
        cross_entropy: −log p(column | z, columns before it), nats per row.
        mse: Mean squared error of redrawn values, in units of the column's variance; None for nominal columns.
        accuracy: Share of values redrawn exactly; None for ordered columns.
    """

    name: str
    cross_entropy: float
    mse: float | None = None
    accuracy: float | None = None


class ElboReport(Record):
    """The ELBO of held-out rows and its parts, in nats per row.

    Attributes:
        rows: Rows measured.
        elbo: reconstruction − kl.
        reconstruction: E_q[log p(x|z)].
        kl: KL(q(z|x) ‖ p(z)), mean over rows.
        importance_weighted: The bound with K = 100 draws (Burda et al. 2016), on at most 512 rows.
        active_units: Latent dimensions whose posterior mean varies with the row.
        kl_per_dimension: KL of each dimension against the prior's marginal.
        deviation: Standard deviation of the ELBO over rows.
        latent_mean: Mean over rows of the posterior mean of each dimension.
        latent_deviation: Its standard deviation over rows.
        columns: Per column, in order.
    """

    rows: int
    elbo: float
    reconstruction: float
    kl: float
    importance_weighted: float
    active_units: int
    kl_per_dimension: tuple[float, ...]
    deviation: float
    latent_mean: tuple[float, ...]
    latent_deviation: tuple[float, ...]
    columns: tuple[ColumnReconstruction, ...]


class Bound(Record):
    """The network's part of an `ElboReport`; `cross_entropy` is per variable, discrete ones first."""

    reconstruction: float
    kl: float
    importance_weighted: float
    active_units: int
    kl_per_dimension: tuple[float, ...]
    deviation: float
    latent_mean: tuple[float, ...]
    latent_deviation: tuple[float, ...]
    cross_entropy: tuple[float, ...]


@torch.no_grad()
def bound(vae: VAE, rows: Rows, *, seed: int) -> Bound:
    """Measure `rows` under `vae` with one posterior draw a row, fixed by `seed`."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "bound"))
    n, latent = len(rows), vae.shape.latent
    cross_entropy = torch.zeros(len(vae.layout), dtype=torch.float64)
    per_dimension = torch.zeros(latent, dtype=torch.float64)
    kl = 0.0
    means, elbos = [], []
    for part in rows.parts():
        mean, log_variance = vae.encoder(*part)
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + noise * (0.5 * log_variance).exp()
        log_likelihood = vae.log_likelihood(z, *part)
        divergence = gaussian_log_prob(noise, log_variance) - vae.prior.log_prob(z)
        cross_entropy -= log_likelihood.double().sum(1)
        kl += float(divergence.sum())
        elbos.append(log_likelihood.sum(0) - divergence)
        log_q = -0.5 * (noise.square() + log_variance + math.log(2 * math.pi))
        per_dimension += (log_q - vae.prior.log_prob_by_dimension(z)).double().sum(0)
        means.append(mean)
    latent_deviation = torch.cat(means).std(0, correction=0)
    return Bound(
        reconstruction=-float(cross_entropy.sum()) / n,
        kl=kl / n,
        importance_weighted=importance_weighted(vae, rows.take(slice(0, _BOUND_ROWS)), _BOUND_DRAWS, seed=seed),
        active_units=int((latent_deviation.square() > ACTIVE).sum()),
        kl_per_dimension=tuple((per_dimension / n).tolist()),
        deviation=float(torch.cat(elbos).std(correction=0)),
        latent_mean=tuple(torch.cat(means).mean(0).tolist()),
        latent_deviation=tuple(latent_deviation.tolist()),
        cross_entropy=tuple((cross_entropy / n).tolist()),
    )


class Look(NamedTuple):
    """A glance at rows: the ELBO of each in nats, [rows], and its posterior mean, [rows, latent]."""

    elbo: Tensor
    mean: Tensor


@torch.no_grad()
def look(vae: VAE, rows: Rows, seen: Tensor, *, seed: int) -> Look:
    """Look at `rows` with one posterior draw a row, and away from the variables for which `seen` [variables] is 0.

    Neither encoder nor decoder is told them, and they do not count in the ELBO: the decoder has learned to do without
    single variables, the encoder has not, so compare a look with a look.
    """
    generator = torch.Generator().manual_seed(torch_seed(seed, "look"))
    counted = seen[torch.tensor([*vae.layout.discrete, *vae.layout.real])].unsqueeze(1)
    elbos, means = [], []
    for part in rows.parts():
        mean, log_variance = vae.encoder(*part, seen)
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + noise * (0.5 * log_variance).exp()
        log_likelihood = (vae.log_likelihood(z, *part, seen) * counted).sum(0)
        elbos.append(log_likelihood - gaussian_log_prob(noise, log_variance) + vae.prior.log_prob(z))
        means.append(mean)
    return Look(torch.cat(elbos), torch.cat(means))


@torch.no_grad()
def importance_weighted(vae: VAE, rows: Rows, draws: int, *, seed: int) -> float:
    """log (1/K) Σ_k p(x, z_k)/q(z_k|x), mean over rows: a bound on log p(x) that rises with K = `draws`."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "importance"))
    mean, log_variance = vae.encoder(*rows)
    weights: list[Tensor] = []
    for _ in range(draws):
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + noise * (0.5 * log_variance).exp()
        log_joint = vae.log_likelihood(z, *rows).sum(0) + vae.prior.log_prob(z)
        weights.append(log_joint - gaussian_log_prob(noise, log_variance))
    return float((torch.logsumexp(torch.stack(weights), 0) - math.log(draws)).mean())


def per_column(cross_entropy: Sequence[float], owners: Sequence[int], columns: int) -> list[float]:
    """Sum the cross-entropies of each column's variables, given the column that owns each variable."""
    sums = [0.0] * columns
    for value, owner in zip(cross_entropy, owners, strict=True):
        sums[owner] += value
    return sums
