"""The variational autoencoder and its objective.

z holds the kind of record that a row is, and the decoder adds the rest, variable after variable. Training maximises the
evidence lower bound (Kingma & Welling 2014)

    ELBO = E_q(z|x)[log p(x|z)] − KL(q(z|x) ‖ p(z)).

The KL is estimated at the sampled z, because a learned prior has no closed form. A decoder as strong as this one would
ignore z (posterior collapse). So the encoder pays for the KL only above a rate of *free bits* (Kingma et al. 2016, here
on the batch's total), after a warm-up of the weight β (Higgins et al. 2017). Free bits waive only the encoder's share
of the KL: the prior always learns to match the posterior.

If only some cells of a row are known, the ELBO is a bound on the likelihood of these cells. Encoder and decoder see no
others, and no others are counted.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.models.heads import HEADS, Likelihood
from pipeline.models.heads.base import Decays
from pipeline.models.layout import Layout
from pipeline.models.networks import Decoder, Encoder
from pipeline.models.priors import make_prior
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape


class Terms(NamedTuple):
    """The terms of the ELBO for each row, in nats.

    Attributes:
        reconstruction: log p(x|z), [rows].
        kl: log q(z|x) − log p(z) at the sampled z, [rows].
        loss: The loss that training minimises, a scalar.
    """

    reconstruction: Tensor
    kl: Tensor
    loss: Tensor


class VAE(nn.Module):
    """Encoder, decoder, likelihoods and prior over a layout of variables."""

    restore: Tensor
    applicable: Tensor

    def __init__(self, layout: Layout, shape: Shape) -> None:
        super().__init__()
        self.layout, self.shape = layout, shape
        self.prior = make_prior(shape.prior, shape.latent, shape.components)
        self.encoder = Encoder(layout, shape)
        self.decoder = Decoder(layout, shape)
        self.likelihoods = nn.ModuleDict(
            {sort: HEADS[sort].likelihood(layout.of(sort), shape) for sort in layout.positions}
        )
        self.register_buffer("restore", torch.tensor(layout.order, dtype=torch.long), persistent=False)
        self.register_buffer("applicable", _applicable(layout), persistent=False)

    def forward(self, rows: Rows, noise: Tensor, *, beta: float, free_bits: float) -> Terms:
        """The ELBO of rows at z = mean + noise·std, and the loss.

        Args:
            rows: The rows.
            noise: Standard normals, [rows, latent].
            beta: Weight of the KL.
            free_bits: Rate in nats per row up to which the encoder does not pay. For rows with gaps it is reduced in
                proportion to the share of known cells.
        """
        if rows.known is not None:
            free_bits *= float(rows.known.mean())
        mean, log_variance = self.encoder(rows)
        z = mean + noise * (0.5 * log_variance).exp()
        reconstruction = self.log_likelihood(z, rows).sum(0)
        log_q = gaussian_log_prob(noise, log_variance)
        log_p = self.prior.log_prob(z)
        kl = log_q - log_p
        weight = beta if float(kl.detach().mean()) > free_bits else 0.0
        # scaling z's gradient makes the encoder pay its share while the prior learns from all of it
        shared = weight * z + (1 - weight) * z.detach() if weight != 1 else z
        priced = log_p if weight == 1 else self.prior.log_prob(shared)
        return Terms(reconstruction, kl, weight * log_q.mean() - priced.mean() - reconstruction.mean())

    def log_likelihood(self, z: Tensor, rows: Rows, limits: Mapping[int, Tensor] | None = None) -> Tensor:
        """log p(x_j | z, x_<j) in nats of every variable in modelling order, [variables, rows].

        It is 0 for an open cell, and for a refining variable that does not apply. For a limited cell it is
        log P(x_j within its limit | z, x_<j).

        Args:
            z: Latent vectors, [rows, latent].
            rows: The rows.
            limits: Limits of cells that are not known; see `Evidence`.
        """
        states = self.decoder(z, rows)
        parts = [self.of(sort).log_prob(states[span], rows.values[sort]) for sort, span in self.layout.spans.items()]
        result = parts[0] if len(parts) == 1 else torch.cat(parts)[self.restore]
        if self.layout.refining:
            result = result.masked_fill(self._silent(rows), 0.0)
        if rows.known is None:
            return result
        result = result * rows.known.T
        for i, mass in self._masses(states, limits or {}).items():
            result[i] = torch.where(rows.known[:, i] > 0, result[i], mass)
        return result

    def _masses(self, states: Tensor, limits: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """log P(value within its limit) of the limited variables, each [rows]."""
        layout = self.layout
        return {
            i: self.of(layout.variables[i].sort).log_mass(layout.places[i], states[layout.slots[i]], limit)
            for i, limit in limits.items()
        }

    def of(self, sort: str) -> Likelihood:
        """The likelihood of a sort."""
        likelihood = self.likelihoods[sort]
        assert isinstance(likelihood, Likelihood)
        return likelihood

    def applies(self, i: int, before: Tensor) -> Tensor:
        """Whether the i-th variable applies, given symbols of the variable before it, which it refines, [rows]."""
        return self.applicable[self.layout.refining.index(i)][before]

    def decays(self) -> Decays:
        """Every parameter, with its weight decay relative to the one in the settings. It is 0 for the prior."""
        yield from ((parameter, 0.0) for parameter in self.prior.parameters())
        yield from self.encoder.decays()
        yield from self.decoder.decays()
        for sort in self.layout.positions:
            yield from self.of(sort).decays()

    def _silent(self, rows: Rows) -> Tensor:
        """Cells of refining variables that do not apply, [variables, rows]."""
        silent = torch.zeros(len(self.layout), len(rows), dtype=torch.bool, device=rows.device)
        for i in self.layout.refining:
            sort, place = self.layout.variables[i - 1].sort, self.layout.places[i - 1]
            silent[i] = ~self.applies(i, rows.values[sort][:, place])
        return silent


def tensors(layout: Layout, shape: Shape) -> dict[str, Tensor]:
    """Names, sizes and types of the weights of a VAE, as tensors without memory."""
    with torch.device("meta"):
        return dict(VAE(layout, shape).state_dict())


def gaussian_log_prob(noise: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mean, exp(log_variance)) at z = mean + noise·std, [rows]."""
    return -0.5 * (noise.square() + log_variance + math.log(2 * math.pi)).sum(-1)


def _applicable(layout: Layout) -> Tensor:
    """For each refining variable and each symbol of the one before it, whether it applies, [refining, symbols]."""
    rules = [layout.variables[i].applies or () for i in layout.refining]
    table = torch.zeros(len(rules), max(map(len, rules), default=0), dtype=torch.bool)
    for row, rule in zip(table, rules, strict=True):
        row[: len(rule)] = torch.tensor(rule)
    return table
