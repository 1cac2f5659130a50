"""Categorical likelihoods of all discrete variables.

With two symbols, the softmax is a Bernoulli likelihood. With symbols that are bins of a number, it is a discretised
density. Variables of similar size share a kernel (`pipeline.models.heads.codebook`). A limit is the set of allowed
symbols, [rows, size], 1 or 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.models.heads.base import Decays, Likelihood
from pipeline.models.heads.codebook import HATS, Codebook, hat_basis

OWN = 5.0
"""Weight decay of weights of a single symbol, relative to weights that many symbols share."""
_NEVER = -1e9
_CALIBRATIONS = 5
"""Number of fixed-point steps that shift a bias to the wanted marginal."""


class Softmax(Likelihood):
    """p(symbol | state) of every discrete variable."""

    restore: Tensor

    def __init__(self, codebook: Codebook, hidden: int) -> None:
        super().__init__()
        self.codebook = codebook
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.smooth = nn.ParameterList()
        for g, group in enumerate(codebook.groups):
            count = len(group.members)
            self.weights.append(nn.Parameter(torch.zeros(count, hidden, group.width)))
            self.biases.append(nn.Parameter(torch.zeros(count, 1, group.width)))
            self.smooth.append(nn.Parameter(torch.zeros(count if group.ordered else 0, hidden + 1, HATS)))
            padding = torch.zeros(count, 1, group.width)
            for row, k in enumerate(group.members):
                padding[row, :, codebook.sizes[k] :] = _NEVER
            hats = [hat_basis(codebook.sizes[k], group.width).T for k in group.members]
            self.register_buffer(f"hats{g}", torch.stack(hats), persistent=False)
            self.register_buffer(f"padding{g}", padding, persistent=False)
            self.register_buffer(f"members{g}", torch.tensor(group.members), persistent=False)
        order = torch.tensor([k for group in codebook.groups for k in group.members], dtype=torch.long)
        self.register_buffer("restore", torch.argsort(order), persistent=False)

    def log_prob(self, states: Tensor, values: Tensor) -> Tensor:
        """log p(symbol), [variables, rows]. See `Likelihood`."""
        parts = []
        pieces = torch.split(states, [len(group.members) for group in self.codebook.groups])
        for g, piece in enumerate(pieces):
            weight, bias = self.affine(g, slice(None))
            logits = torch.baddbmm(bias, piece, weight)
            target = values[:, getattr(self, f"members{g}")].T
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
            parts.append(-loss.view(target.shape))
        return torch.cat(parts)[self.restore]

    def affine(self, g: int, which: slice) -> tuple[Tensor, Tensor]:
        """Weights [n, hidden, width] and biases [n, 1, width] of the logits of members `which` of a group.

        Ordered symbols share strength: theirs are free values plus a smooth function of the rank.
        """
        weight, bias = self.weights[g][which], self.biases[g][which] + getattr(self, f"padding{g}")[which]
        if not self.codebook.groups[g].ordered:
            return weight, bias
        smooth = torch.bmm(self.smooth[g][which], getattr(self, f"hats{g}")[which])
        return weight + smooth[:, :-1], bias + smooth[:, -1:]

    def draw(self, k: int, state: Tensor, uniform: Tensor, normal: Tensor, limit: Tensor | None = None) -> Tensor:
        """Symbols of the k-th variable, [rows], by inverse transform of `uniform`. See `Likelihood`."""
        del normal
        first, size = self._first(k), self.codebook.sizes[k]
        logits = self._logits(k, state)[:, first:]
        if limit is not None:
            logits = logits.masked_fill(limit[:, first:] == 0, _NEVER)
        cumulative = torch.softmax(logits, dim=-1).cumsum(-1)
        place = (uniform * cumulative[:, -1]).unsqueeze(-1)
        return (torch.searchsorted(cumulative, place, right=True).squeeze(-1) + first).clamp(max=size - 1)

    def log_mass(self, k: int, state: Tensor, limit: Tensor) -> Tensor:
        """log P(symbol is allowed), [rows]."""
        logits = self._logits(k, state)
        allowed = logits.masked_fill(limit == 0, _NEVER)
        return torch.logsumexp(allowed, -1) - torch.logsumexp(logits, -1)

    def match_marginal(self, k: int, states: Sequence[Tensor], tally: Tensor) -> None:
        """Shift the biases of the k-th variable until its mean probabilities over `states` match a tally.

        A shift by log w turns a row's odds o into probabilities o·w / Σ o·w. So a step is two products of a matrix and
        a vector (iterative proportional fitting: Deming & Stephan 1940), and exponentials are computed once. A variable
        that refines another one is left as it is.
        """
        variable = self.codebook.variables[k]
        if variable.applies is not None:
            return
        first = self._first(k)
        odds, wanted = [_odds(self._logits(k, state)[:, first:]) for state in states], tally[first:]
        scale = wanted.sum() / sum(map(len, states))
        weight = torch.ones_like(wanted)
        for _ in range(_CALIBRATIONS):
            shares = torch.stack([part.T @ (part @ weight).reciprocal() for part in odds]).sum(0)
            weight *= (wanted + 1) / (scale * weight * shares + 1)
        g, row = self.codebook.place[k]
        self.biases[g][row, 0, first : variable.size] += weight.log()

    def decays(self) -> Decays:
        """Free weights of single symbols decay most, and biases do not decay."""
        yield from ((weight, OWN) for weight in self.weights)
        yield from ((smooth, 1.0) for smooth in self.smooth)
        yield from ((bias, 0.0) for bias in self.biases)

    def _first(self, k: int) -> int:
        """The least symbol that may be generated."""
        return 0 if self.codebook.variables[k].missing else 1

    def _logits(self, k: int, state: Tensor) -> Tensor:
        """Logits of the k-th variable alone, [rows, size]."""
        g, row = self.codebook.place[k]
        size = self.codebook.sizes[k]
        weight, bias = self.affine(g, slice(row, row + 1))
        return torch.addmm(bias[0, :, :size], state, weight[0, :, :size])


def _odds(logits: Tensor) -> Tensor:
    """exp(logits) relative to the largest of each row, [rows, symbols]."""
    return (logits - logits.amax(-1, keepdim=True)).exp_()
