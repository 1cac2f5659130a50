"""Likelihoods p(x_j | state): what the decoder says of one variable.

`Softmax` gives discrete variables a categorical distribution (two symbols make it Bernoulli; symbols that are bins of
a number make it a discretised density). `GaussianMixture` gives real variables a density (Bishop 1994); with one
component it is the Gaussian whose negative log-likelihood is a scaled squared error. Both serve all their variables
at once in training and one variable at a time in generation, and both turn uniform numbers into draws.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.columns.base import Discrete, Real
from pipeline.models.layout import Layout
from pipeline.models.networks import HATS, hat_basis

_FLOOR = 0.02
"""Least standard deviation of a component, in normalized units."""
_NEVER = -1e9
_CALIBRATIONS = 5
"""Fixed-point steps in which a bias is brought to the wanted marginal."""


class Softmax(nn.Module):
    """Categorical likelihoods of all discrete variables; similar sizes share a kernel."""

    restore: Tensor
    refining: Tensor

    def __init__(self, layout: Layout, hidden: int) -> None:
        super().__init__()
        self.layout = layout
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.smooth = nn.ParameterList()
        self.place: dict[int, tuple[int, int]] = {}
        for g, group in enumerate(layout.groups):
            count = len(group.members)
            self.weights.append(nn.Parameter(torch.zeros(count, hidden, group.width)))
            self.biases.append(nn.Parameter(torch.zeros(count, 1, group.width)))
            self.smooth.append(nn.Parameter(torch.zeros(count if group.ordered else 0, hidden + 1, HATS)))
            padding = torch.zeros(count, 1, group.width)
            for row, k in enumerate(group.members):
                self.place[k] = (g, row)
                padding[row, :, layout.sizes[k] :] = _NEVER
            hats = [hat_basis(layout.sizes[k], group.width).T for k in group.members]
            self.register_buffer(f"hats{g}", torch.stack(hats), persistent=False)
            self.register_buffer(f"padding{g}", padding, persistent=False)
            self.register_buffer(f"members{g}", torch.tensor(group.members), persistent=False)
        order = torch.tensor([k for group in layout.groups for k in group.members], dtype=torch.long)
        self.register_buffer("restore", torch.argsort(order), persistent=False)
        refining = [self._variable(k).spoken is not None for k in range(len(layout.sizes))]
        self.register_buffer("refining", torch.tensor(refining, dtype=torch.bool), persistent=False)

    def log_prob(self, states: Tensor, codes: Tensor) -> Tensor:
        """log p(code), [D, rows], for states [variables, rows, hidden] in the layout's slots and codes [rows, D].

        A refining variable says nothing (0 nats) where it does not apply.
        """
        parts = []
        pieces = torch.split(states[: codes.shape[1]], [len(group.members) for group in self.layout.groups])
        for g, piece in enumerate(pieces):
            weight, bias = self.affine(g, slice(None))
            logits = torch.baddbmm(bias, piece, weight)
            target = codes[:, getattr(self, f"members{g}")].T
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
            parts.append(-loss.view(target.shape))
        result = torch.cat(parts)[self.restore]
        silent = self.refining.unsqueeze(1) & (codes.T == 0)
        return result.masked_fill(silent, 0.0)

    def affine(self, g: int, which: slice) -> tuple[Tensor, Tensor]:
        """Weights [n, hidden, width] and biases [n, 1, width] of the logits of members `which` of a group.

        Symbols in order share strength: theirs are free values plus a smooth function of the rank.
        """
        weight, bias = self.weights[g][which], self.biases[g][which] + getattr(self, f"padding{g}")[which]
        if not self.layout.groups[g].ordered:
            return weight, bias
        smooth = torch.bmm(self.smooth[g][which], getattr(self, f"hats{g}")[which])
        return weight + smooth[:, :-1], bias + smooth[:, -1:]

    def draw(self, k: int, state: Tensor, uniform: Tensor, before: Tensor | None) -> Tensor:
        """Symbols of the k-th discrete variable, [rows], by inverse transform of `uniform` [rows].

        Args:
            k: Which discrete variable.
            state: Its own state, [rows, hidden].
            uniform: Numbers in [0, 1), [rows].
            before: Symbols of the variable before it, [rows]; used where this one refines it.
        """
        variable = self._variable(k)
        first, size = (0 if variable.missing else 1), variable.size
        cumulative = torch.softmax(self._logits(k, state)[:, first:], dim=-1).cumsum(-1)
        place = (uniform * cumulative[:, -1]).unsqueeze(-1)
        symbol = (torch.searchsorted(cumulative, place, right=True).squeeze(-1) + first).clamp(max=size - 1)
        if variable.spoken is not None and before is not None:
            symbol = symbol * torch.tensor(variable.spoken, device=symbol.device)[before]
        return symbol

    def calibrate(self, k: int, states: Sequence[Tensor], counts: Tensor) -> None:
        """Shift the biases of the k-th variable until its mean probabilities over `states` are those of `counts`.

        A shift by log w makes a row's probabilities o·w / Σ o·w from its odds o: a step is two products of a matrix and
        a vector (iterative proportional fitting: Deming & Stephan 1940), and the exponential is taken once.

        Args:
            k: Which discrete variable.
            states: Its own states where it is generated, each [rows, hidden].
            counts: How often each symbol occurs, [size].
        """
        variable = self._variable(k)
        if variable.spoken is not None:
            return
        first = 0 if variable.missing else 1
        odds, wanted = [_odds(self._logits(k, state)[:, first:]) for state in states], counts[first:]
        scale = wanted.sum() / sum(map(len, states))
        weight = torch.ones_like(wanted)
        for _ in range(_CALIBRATIONS):
            shares = torch.stack([part.T @ (part @ weight).reciprocal() for part in odds]).sum(0)
            weight *= (wanted + 1) / (scale * weight * shares + 1)
        g, row = self.place[k]
        self.biases[g][row, 0, first : variable.size] += weight.log()

    def _logits(self, k: int, state: Tensor) -> Tensor:
        """Logits of the k-th discrete variable alone, [rows, size]."""
        g, row = self.place[k]
        size = self.layout.sizes[k]
        weight, bias = self.affine(g, slice(row, row + 1))
        return torch.addmm(bias[0, :, :size], state, weight[0, :, :size])

    def _variable(self, k: int) -> Discrete:
        variable = self.layout.variables[self.layout.discrete[k]]
        assert isinstance(variable, Discrete)
        return variable


def _odds(logits: Tensor) -> Tensor:
    """exp(logits) in units of each row's largest, [rows, symbols]."""
    return (logits - logits.amax(-1, keepdim=True)).exp_()


class GaussianMixture(nn.Module):
    """Σ_c π_c N(x; μ_c, σ_c²) for every real variable, σ = softplus + floor."""

    flagged: Tensor
    flags: Tensor

    def __init__(self, layout: Layout, hidden: int, components: int) -> None:
        super().__init__()
        self.layout = layout
        count = len(layout.real)
        self.weight = nn.Parameter(torch.randn(count, hidden, 3 * components) * 0.01)
        self.bias = nn.Parameter(torch.zeros(count, 1, 3 * components))
        with torch.no_grad():
            self.bias[:, :, components : 2 * components] = torch.linspace(-1.5, 1.5, components)
        flags = [variable.flagged for variable in layout.variables if isinstance(variable, Real)]
        self.register_buffer("flagged", torch.tensor(flags, dtype=torch.bool), persistent=False)
        flag = {i: k for k, i in enumerate(layout.discrete)}
        columns = [flag.get(i - 1, 0) for i in layout.real]
        self.register_buffer("flags", torch.tensor(columns, dtype=torch.long), persistent=False)

    def log_prob(self, states: Tensor, codes: Tensor, reals: Tensor) -> Tensor:
        """Log-density, [R, rows]; 0 where the flag before the variable says null."""
        own = states[len(self.layout.discrete) :]
        logits, means, scales = torch.baddbmm(self.bias, own, self.weight).chunk(3, dim=-1)
        scales = nn.functional.softplus(scales) + _FLOOR
        distance = (reals.T.unsqueeze(-1) - means) / scales
        density = -0.5 * distance.square() - scales.log() - 0.5 * math.log(2 * math.pi)
        result = torch.logsumexp(torch.log_softmax(logits, -1) + density, dim=-1)
        if not bool(self.flagged.any()):
            return result
        return result.masked_fill(self.flagged.unsqueeze(1) & (codes[:, self.flags].T == 0), 0.0)

    def draw(self, k: int, state: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Values of the k-th real variable, [rows], from uniforms and standard normals, each [rows]."""
        logits, means, scales = torch.addmm(self.bias[k], state, self.weight[k]).chunk(3, dim=-1)
        cumulative = torch.softmax(logits, -1).cumsum(-1)
        place = (uniform * cumulative[:, -1]).unsqueeze(-1)
        chosen = torch.searchsorted(cumulative, place, right=True).clamp(max=logits.shape[-1] - 1)
        value = (
            means.gather(-1, chosen)
            + noise.unsqueeze(-1) * (nn.functional.softplus(scales.gather(-1, chosen)) + _FLOOR)
        ).squeeze(-1)
        variable = self.layout.variables[self.layout.real[k]]
        assert isinstance(variable, Real)
        return value.clamp(variable.low, variable.high)
