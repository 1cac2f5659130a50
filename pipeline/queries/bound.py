"""The ELBO of given rows and its terms.

All values are in nats per row, on rows that training has not seen. With a learned prior, the KL has no closed form and
is estimated at draws from the posterior. The KL of one dimension is that of q(z_j|x) against the prior's marginal
p(z_j). The KLs of the dimensions add up to the total only if the prior's dimensions are independent.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.models.evidence import Evidence
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE, gaussian_log_prob
from pipeline.progress import Progress, part, silent, ticked
from pipeline.randomness import torch_seed
from pipeline.records import Record

ACTIVE = 0.01
"""A unit is active if Var_x(E[z_j|x]) exceeds this (Burda et al. 2016, section 5.2)."""
_BOUND_ROWS = 512
_BOUND_DRAWS = 100


class Bound(Record):
    """The ELBO of rows and its terms, in nats per row.

    Attributes:
        rows: Number of rows.
        elbo: reconstruction − kl.
        reconstruction: E_q[log p(x|z)].
        kl: KL(q(z|x) ‖ p(z)), mean over rows.
        importance_weighted: The bound with K = 100 draws (Burda et al. 2016), on at most 512 rows.
        active_units: Number of latent dimensions whose posterior mean varies with the row.
        kl_per_dimension: KL of each dimension against the prior's marginal.
        deviation: Standard deviation of the ELBO over rows.
        latent_mean: Mean over rows of the posterior mean of each dimension.
        latent_deviation: Its standard deviation over rows.
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


class ColumnReconstruction(Record):
    """How well one column is reconstructed from the z of each row.

    Attributes:
        name: The column.
        cross_entropy: −log p(column | z, columns before it), nats per row.
        mse: Mean squared error of redrawn values, in units of the column's variance. None for nominal columns.
        accuracy: Share of values redrawn exactly. None for ordered columns.
    """

    name: str
    cross_entropy: float
    mse: float | None = None
    accuracy: float | None = None


class ElboReport(Bound):
    """The ELBO of held-out rows and its terms, in nats per row, and how well each column is reconstructed.

    Attributes:
        columns: One record per column, in order.
    """

    columns: tuple[ColumnReconstruction, ...]


class RowScores(NamedTuple):
    """The ELBO of each row in nats, [rows], and its posterior mean, [rows, latent]."""

    elbo: Tensor
    mean: Tensor


class _Draw(NamedTuple):
    """One draw from the posterior of each row.

    Attributes:
        mean: Posterior means, [rows, latent].
        z: The draws, [rows, latent].
        log_q: log q(z_j|x) of every dimension, [rows, latent].
        divergence: log q(z|x) − log p(z), [rows].
        log_likelihood: log p(x_j|z, x_<j), [variables, rows].
    """

    mean: Tensor
    z: Tensor
    log_q: Tensor
    divergence: Tensor
    log_likelihood: Tensor


@torch.no_grad()
def bound(vae: VAE, rows: Rows, *, seed: int, progress: Progress = silent) -> tuple[Bound, tuple[float, ...]]:
    """Score `rows` with one posterior draw each, fixed by `seed`. `progress` is called after every part and draw.

    Returns:
        The bound, and the cross-entropy −log p(x_j | z, x_<j) of each variable in modelling order, mean over rows.
    """
    generator = torch.Generator().manual_seed(torch_seed(seed, "bound"))
    n, latent = len(rows), vae.shape.latent
    cross_entropy = torch.zeros(len(vae.layout), dtype=torch.float64)
    per_dimension = torch.zeros(latent, dtype=torch.float64)
    kl = 0.0
    means, elbos = [], []
    for some in ticked(list(rows.parts()), "bound", part(progress, 0, 0.3)):
        drawn = _draw(vae, some, generator)
        cross_entropy -= drawn.log_likelihood.double().sum(1)
        kl += float(drawn.divergence.sum())
        elbos.append(drawn.log_likelihood.sum(0) - drawn.divergence)
        per_dimension += (drawn.log_q - vae.prior.log_prob_by_dimension(drawn.z)).double().sum(0)
        means.append(drawn.mean)
    latent_deviation, first = torch.cat(means).std(0, correction=0), rows.take(slice(0, _BOUND_ROWS))
    reconstruction = -float(cross_entropy.sum()) / n
    found = Bound(
        rows=n,
        elbo=reconstruction - kl / n,
        reconstruction=reconstruction,
        kl=kl / n,
        importance_weighted=importance_weighted(vae, first, _BOUND_DRAWS, seed=seed, progress=part(progress, 0.3, 1)),
        active_units=int((latent_deviation.square() > ACTIVE).sum()),
        kl_per_dimension=tuple((per_dimension / n).tolist()),
        deviation=float(torch.cat(elbos).std(correction=0)),
        latent_mean=tuple(torch.cat(means).mean(0).tolist()),
        latent_deviation=tuple(latent_deviation.tolist()),
    )
    return found, tuple((cross_entropy / n).tolist())


@torch.no_grad()
def row_scores(vae: VAE, evidence: Evidence, *, seed: int) -> RowScores:
    """Score the known and limited cells of rows with one draw of z each from q(z | known cells), fixed by `seed`."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "look"))
    drawn = [_draw(vae, part.rows, generator, part.limits) for part in evidence.parts()]
    elbo = torch.cat([each.log_likelihood.sum(0) - each.divergence for each in drawn])
    return RowScores(elbo, torch.cat([each.mean for each in drawn]))


@torch.no_grad()
def importance_weighted(vae: VAE, rows: Rows, draws: int, *, seed: int, progress: Progress = silent) -> float:
    """log (1/K) Σ_k p(x, z_k)/q(z_k|x), mean over rows: a bound on log p(x) that rises with K = `draws`."""
    generator = torch.Generator().manual_seed(torch_seed(seed, "importance"))
    mean, log_variance = vae.encoder(rows)
    weights: list[Tensor] = []
    for _ in ticked(range(draws), "bound", progress):
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + noise * (0.5 * log_variance).exp()
        log_joint = vae.log_likelihood(z, rows).sum(0) + vae.prior.log_prob(z)
        weights.append(log_joint - gaussian_log_prob(noise, log_variance))
    return float((torch.logsumexp(torch.stack(weights), 0) - math.log(draws)).mean())


def _draw(vae: VAE, rows: Rows, generator: torch.Generator, limits: Mapping[int, Tensor] | None = None) -> _Draw:
    """Draw z from the posterior of each row, and compute the terms of the ELBO."""
    mean, log_variance = vae.encoder(rows)
    noise = torch.randn(mean.shape, generator=generator)
    z = mean + noise * (0.5 * log_variance).exp()
    log_q = -0.5 * (noise.square() + log_variance + math.log(2 * math.pi))
    divergence = gaussian_log_prob(noise, log_variance) - vae.prior.log_prob(z)
    return _Draw(mean, z, log_q, divergence, vae.log_likelihood(z, rows, limits))
