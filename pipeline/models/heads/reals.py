"""Real variables: embedded by smooth steps, with a mixture of Gaussians as likelihood (Bishop 1994).

With one component, the likelihood is the Gaussian whose negative log-likelihood is a scaled squared error. A limit is
the least and the greatest allowed value, [rows, 2].
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.columns.variables import Real, Variable
from pipeline.errors import SettingsError
from pipeline.models.heads.base import Decays, Head, Legacy, Likelihood, Modules, Read, Reader
from pipeline.models.shape import Shape

_BUMPS = 16
_FLOOR = 0.02
"""Least standard deviation of a component, in normalized units."""
_NATS = 3.0
"""Assumed marginal entropy of a real variable, in nats."""


class RealReader(Reader):
    """A weighted sum of smooth steps of the value at fixed places."""

    centres: Tensor

    def __init__(self, count: int, width: int, among: int) -> None:
        super().__init__()
        self.bumps = nn.Parameter(torch.randn(count, _BUMPS, width) / math.sqrt(_BUMPS * among + 1))
        self.register_buffer("centres", torch.linspace(-3, 3, _BUMPS), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Embeddings [variables, rows, width] of values [rows, variables]."""
        return torch.bmm(self.steps(values.T), self.bumps)

    def single(self) -> Read:
        """A function that embeds one variable at a time."""
        return lambda k, values: self.steps(values) @ self.bumps[k]

    def steps(self, values: Tensor) -> Tensor:
        """Smooth steps at fixed places of each value, [..., bumps]."""
        return torch.tanh(values.unsqueeze(-1) - self.centres)

    def decays(self) -> Decays:
        """All weights decay."""
        yield self.bumps, 1.0


class GaussianMixture(Likelihood):
    """Σ_c π_c N(x; μ_c, σ_c²) for every real variable, σ = softplus + floor."""

    def __init__(self, variables: Sequence[Real], shape: Shape) -> None:
        super().__init__()
        self.variables = tuple(variables)
        count, components = len(variables), shape.mixture
        self.weight = nn.Parameter(torch.randn(count, shape.hidden, 3 * components) * 0.01)
        self.bias = nn.Parameter(torch.zeros(count, 1, 3 * components))
        with torch.no_grad():
            self.bias[:, :, components : 2 * components] = torch.linspace(-1.5, 1.5, components)

    def log_prob(self, states: Tensor, values: Tensor) -> Tensor:
        """Log-density, [variables, rows]. See `Likelihood`."""
        logits, means, scales = torch.baddbmm(self.bias, states, self.weight).chunk(3, dim=-1)
        scales = nn.functional.softplus(scales) + _FLOOR
        distance = (values.T.unsqueeze(-1) - means) / scales
        density = -0.5 * distance.square() - scales.log() - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(torch.log_softmax(logits, -1) + density, dim=-1)

    def draw(self, k: int, state: Tensor, uniform: Tensor, normal: Tensor, limit: Tensor | None = None) -> Tensor:
        """Values of the k-th variable, [rows]. See `Likelihood`."""
        logits, means, scales = torch.addmm(self.bias[k], state, self.weight[k]).chunk(3, dim=-1)
        scales = nn.functional.softplus(scales) + _FLOOR
        if limit is not None:
            limit = limit.clamp(self.variables[k].low, self.variables[k].high)
            logits = torch.log_softmax(logits, -1) + _log_between(means, scales, limit)
        cumulative = torch.softmax(logits, -1).cumsum(-1)
        place = (uniform * cumulative[:, -1]).unsqueeze(-1)
        chosen = torch.searchsorted(cumulative, place, right=True).clamp(max=logits.shape[-1] - 1)
        mean, scale = means.gather(-1, chosen).squeeze(-1), scales.gather(-1, chosen).squeeze(-1)
        variable = self.variables[k]
        if limit is None:
            return (mean + normal[0] * scale).clamp(variable.low, variable.high)
        return _truncated(mean, scale, normal[0], limit)

    def log_mass(self, k: int, state: Tensor, limit: Tensor) -> Tensor:
        """log P(value between the two limits), [rows]."""
        logits, means, scales = torch.addmm(self.bias[k], state, self.weight[k]).chunk(3, dim=-1)
        inside = _log_between(means, nn.functional.softplus(scales) + _FLOOR, limit)
        return torch.logsumexp(torch.log_softmax(logits, -1) + inside, dim=-1)

    def decays(self) -> Decays:
        """Weights decay, biases do not."""
        yield self.weight, 1.0
        yield self.bias, 0.0


class Reals(Head):
    """The head of `Real` variables."""

    def order(self, variables: Sequence[Variable]) -> tuple[int, ...]:
        """The order of the variables themselves."""
        return tuple(range(len(variables)))

    def reader(self, variables: Sequence[Variable], width: int, among: int) -> RealReader:
        """See `Head`."""
        return RealReader(len(variables), width, among)

    def likelihood(self, variables: Sequence[Variable], shape: Shape) -> GaussianMixture:
        """See `Head`."""
        return GaussianMixture([variable for variable in variables if isinstance(variable, Real)], shape)

    def check(self, variable: Variable, limit: Tensor) -> None:
        """The ends must be in order, and some of the training range must lie between them."""
        assert isinstance(variable, Real)
        low, high = limit.unbind(-1)
        if bool((low > high).any()) or bool((low > variable.high).any()) or bool((high < variable.low).any()):
            raise SettingsError("expected a limit that a value of the training range can meet, got another")

    def tally(self, variable: Variable, values: Tensor) -> Tensor:
        """Count nothing: a density has no bias to correct."""
        del variable
        return torch.zeros(0, device=values.device)

    def nats(self, tally: Tensor) -> float:
        """A constant, the same for every variable."""
        del tally
        return _NATS

    def inherit(self, new: Modules, old: Modules | None, legacies: Sequence[Legacy]) -> None:
        """Copy whole variables. A new variable starts untrained, and its embedding is 0."""
        for k, legacy in enumerate(legacies):
            encoder, decoder, density = _own(new)
            encoder.bumps[k] = decoder.bumps[k] = 0
            if legacy.source is not None and old is not None:
                before = _own(old)
                encoder.bumps[k] = before[0].bumps[legacy.source]
                decoder.bumps[k] = before[1].bumps[legacy.source]
                density.weight[k] = before[2].weight[legacy.source]
                density.bias[k] = before[2].bias[legacy.source]


def _own(modules: Modules) -> tuple[RealReader, RealReader, GaussianMixture]:
    encoder, decoder, density = modules
    assert isinstance(encoder, RealReader)
    assert isinstance(decoder, RealReader)
    assert isinstance(density, GaussianMixture)
    return encoder, decoder, density


def _log_between(means: Tensor, scales: Tensor, limit: Tensor) -> Tensor:
    """log P(low ≤ x ≤ high) under each component, [rows, components]."""
    low, high = ((end.unsqueeze(-1) - means) / scales for end in limit.unbind(-1))
    low, high, _ = _mirrored(low, high)
    until = torch.special.log_ndtr(high)
    gap = (torch.special.log_ndtr(low) - until).clamp(max=0)
    between: Tensor = until + torch.log((-torch.expm1(gap)).clamp(min=1e-30))
    return between


def _truncated(mean: Tensor, scale: Tensor, normal: Tensor, limit: Tensor) -> Tensor:
    """Draw N(mean, scale²) between the limits by inverse transform, [rows]."""
    low, high = limit.unbind(-1)
    a, b, sign = _mirrored(*((end - mean).double() / scale for end in (low, high)))
    below, until = torch.special.ndtr(a), torch.special.ndtr(b)
    place = below + torch.special.ndtr(normal.double()) * (until - below)
    value = (mean + scale * sign * torch.special.ndtri(place).clamp(a, b)).to(mean.dtype)
    return torch.minimum(torch.maximum(value, low), high)


def _mirrored(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """An interval of standard normals and a sign. An interval in the upper tail is mirrored into the lower tail.

    Floats distinguish small probabilities, but not those near one.
    """
    upper = low + high > 0
    return torch.where(upper, -high, low), torch.where(upper, -low, high), torch.where(upper, -1.0, 1.0)
