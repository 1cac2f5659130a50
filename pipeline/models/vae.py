"""The variational autoencoder and its objective.

z says what kind of record a row is and the decoder, variable after variable, says the rest. Training maximises the
evidence lower bound (Kingma & Welling 2014)

    ELBO = E_q(z|x)[log p(x|z)] − KL(q(z|x) ‖ p(z)),

with the KL estimated at the sampled z, for a learned prior has no closed form. A decoder as strong as this one would
ignore z (posterior collapse), so the encoder pays for the KL only above a stated rate of *free bits* (Kingma et al.
2016, here on the batch's total), after a linear warm-up of the weight β (Higgins et al. 2017). The prior always
learns to match the posterior: only the encoder's share of the KL is waived.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.columns.base import Discrete
from pipeline.errors import ResynthError
from pipeline.models.layout import Layout
from pipeline.models.likelihoods import GaussianMixture, Softmax
from pipeline.models.networks import Decoder, Encoder
from pipeline.models.priors import make_prior
from pipeline.records import Record
from pipeline.settings import Activation, PriorName
from pipeline.threads import one_thread

CHUNK = 1024
"""Rows that are generated together."""


Size = Annotated[int, Field(ge=1, le=2**16)]


class Shape(Record):
    """Everything that fixes the sizes of a VAE.

    Attributes:
        latent: Dimensions of z.
        width: Width of the encoder and of the decoder's running state.
        hidden: Width of each variable's own state.
        components: Components of the mixture prior.
        mixture: Components of the likelihood of a real variable.
        dropout: Dropout probability in encoder and decoder.
        blank: Probability that the decoder does not see an earlier variable, in training.
        activation: Nonlinearity of encoder and decoder.
        prior: Which p(z).
        decoder: Whether p(x|z) has edges between variables.
    """

    latent: Size
    width: Size
    hidden: Size
    components: Size
    mixture: Size
    dropout: Annotated[float, Field(ge=0, lt=1)]
    blank: Annotated[float, Field(ge=0, lt=1)] = 0.0
    activation: Activation = "silu"
    prior: PriorName
    decoder: Literal["autoregressive", "factorised"]


class Terms(NamedTuple):
    """The parts of the ELBO for each row, in nats.

    Attributes:
        reconstruction: log p(x|z), [rows].
        kl: log q(z|x) − log p(z) at the sampled z, [rows].
        loss: What training minimises, a scalar.
    """

    reconstruction: Tensor
    kl: Tensor
    loss: Tensor


class VAE(nn.Module):
    """Encoder, decoder, likelihoods and prior over a layout of variables."""

    def __init__(self, layout: Layout, shape: Shape) -> None:
        super().__init__()
        self.layout, self.shape = layout, shape
        self.prior = make_prior(shape.prior, shape.latent, shape.components)
        self.encoder = Encoder(
            layout, width=shape.width, latent=shape.latent, dropout=shape.dropout, activation=shape.activation
        )
        self.decoder = Decoder(
            layout,
            width=shape.width,
            hidden=shape.hidden,
            latent=shape.latent,
            dropout=shape.dropout,
            blank=shape.blank,
            autoregressive=shape.decoder == "autoregressive",
            activation=shape.activation,
        )
        self.softmax = Softmax(layout, shape.hidden)
        self.density = GaussianMixture(layout, shape.hidden, shape.mixture)

    def forward(self, codes: Tensor, reals: Tensor, noise: Tensor, *, beta: float, free_bits: float) -> Terms:
        """The ELBO of rows at z = mean + noise·std, and the loss.

        Args:
            codes: Symbols, [rows, D].
            reals: Real values, [rows, R].
            noise: Standard normals, [rows, latent].
            beta: Weight of the KL.
            free_bits: Rate in nats per row below which the encoder does not pay.
        """
        mean, log_variance = self.encoder(codes, reals)
        z = mean + noise * (0.5 * log_variance).exp()
        reconstruction = self.log_likelihood(z, codes, reals).sum(0)
        log_q = gaussian_log_prob(noise, log_variance)
        log_p = self.prior.log_prob(z)
        kl = log_q - log_p
        weight = beta if float(kl.detach().mean()) > free_bits else 0.0
        # scaling z's gradient makes the encoder pay its share while the prior learns in full
        shared = weight * z + (1 - weight) * z.detach() if weight != 1 else z
        priced = log_p if weight == 1 else self.prior.log_prob(shared)
        return Terms(reconstruction, kl, weight * log_q.mean() - priced.mean() - reconstruction.mean())

    def log_likelihood(self, z: Tensor, codes: Tensor, reals: Tensor, seen: Tensor | None = None) -> Tensor:
        """log p(x_j | z, x_<j) in nats of every variable, discrete ones first, [D + R, rows]; `seen`: see `Encoder`."""
        states = self.decoder(z, codes, reals, seen)
        discrete = self.softmax.log_prob(states, codes)
        if not self.layout.real:
            return discrete
        return torch.cat([discrete, self.density.log_prob(states, codes, reals)])

    @one_thread()
    @torch.no_grad()
    def generate(self, z: Tensor, uniform: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Draw rows given z, one variable after the other.

        Args:
            z: [rows, latent].
            uniform: Numbers in [0, 1), [variables, rows].
            noise: Standard normals, [R, rows].

        Returns:
            Symbols [rows, D] and real values [rows, R].

        Raises:
            ResynthError: Some number is not finite.
        """
        table = self.decoder.inputs.weights()
        codes, reals = [], []
        for part in self._parts(z, uniform, noise):
            for i in range(len(self.layout)):
                self._draw(part, i, self._state(part, i), table)
            codes.append(part.codes)
            reals.append(part.reals)
        found = torch.cat(codes), torch.cat(reals)
        if not (torch.isfinite(z).all() and torch.isfinite(found[1]).all()):
            raise ResynthError("expected the network to generate finite numbers, it does not; train it afresh")
        return found

    @torch.no_grad()
    def calibrate(self, counts: Sequence[Tensor], z: Tensor, uniform: Tensor, noise: Tensor) -> None:
        """Make the marginals of generated symbols those of the training rows.

        A network that is sure of its training rows is a little wrong on rows of its own making, and the error grows
        along the variables. One generation corrects it, variable after variable, by the bias of each softmax.

        Args:
            counts: How often each symbol of each discrete variable occurs, D tensors of [size].
            z: See `generate`, as the rest.
            uniform: See `generate`.
            noise: See `generate`.
        """
        table = self.decoder.inputs.weights()
        parts = list(self._parts(z, uniform, noise))
        for i, variable in enumerate(self.layout.variables):
            states = [self._state(part, i) for part in parts]
            if isinstance(variable, Discrete):
                k = self.layout.places[i]
                self.softmax.calibrate(k, states, counts[k])
            for part, state in zip(parts, states, strict=True):
                self._draw(part, i, state, table)

    def _parts(self, z: Tensor, uniform: Tensor, noise: Tensor) -> Iterator["_Part"]:
        """Rows that are not yet generated, `CHUNK` at a time."""
        for start in range(0, len(z), CHUNK):
            rows = slice(start, start + CHUNK)
            running = self.decoder.start(z[rows])
            codes = torch.zeros(len(running), len(self.layout.discrete), dtype=torch.long, device=z.device)
            reals = torch.zeros(len(running), len(self.layout.real), device=z.device)
            yield _Part(running, codes, reals, uniform[:, rows], noise[:, rows])

    def _state(self, part: "_Part", i: int) -> Tensor:
        """Own states of the i-th variable given those before it, [rows, hidden]."""
        return self.decoder.own_state(part.running, self.layout.slots[i])

    def _draw(self, part: "_Part", i: int, state: Tensor, table: Tensor) -> None:
        """Draw the i-th variable from its own states, and tell it to the variables after it."""
        variable, k = self.layout.variables[i], self.layout.places[i]
        if isinstance(variable, Discrete):
            before = part.codes[:, k - 1] if k else None
            part.codes[:, k] = self.softmax.draw(k, state, part.uniform[i], before)
            embedded = self.decoder.inputs.symbol(k, part.codes[:, k], table)
        else:
            value = self.density.draw(k, state, part.uniform[i], part.noise[k])
            if variable.flagged:  # a null leaves the real at 0, as in training
                value = value.masked_fill(part.codes[:, self.layout.places[i - 1]] == 0, 0.0)
            part.reals[:, k] = value
            embedded = self.decoder.inputs.real(k, value)
        if self.decoder.autoregressive:
            part.running.add_(embedded)


def tensors(layout: Layout, shape: Shape) -> dict[str, tuple[int, ...]]:
    """Names and sizes of the weights of a VAE, none of which is allocated."""
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in VAE(layout, shape).state_dict().items()}


class _Part(NamedTuple):
    """Rows while they are generated, few enough for their states to stay in the processor's cache.

    Attributes:
        running: Running state of the decoder, [rows, width]; changes with every variable.
        codes: Symbols, [rows, D]; those not yet drawn are 0.
        reals: Real values, [rows, R]; likewise.
        uniform: See `VAE.generate`.
        noise: See `VAE.generate`.
    """

    running: Tensor
    codes: Tensor
    reals: Tensor
    uniform: Tensor
    noise: Tensor


def gaussian_log_prob(noise: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mean, exp(log_variance)) at z = mean + noise·std, [rows]."""
    return -0.5 * (noise.square() + log_variance + math.log(2 * math.pi)).sum(-1)
