"""Networks over a sequence of variables.

`Inputs` embeds every variable of a row: a symbol by its row in one table, a real number by smooth bumps. The encoder
q(z|x) sums the embeddings of a row and maps the sum to a Gaussian. The decoder's state before variable j is

    s_j = f(z) + Σ_{i<j} E_i(x_i)          (autoregressive)        s_j = f(z)          (factorised)

followed by one small network per variable, batched over variables (NADE: Larochelle & Murray 2011; given z as in
PixelVAE: Gulrajani et al. 2017). Tensors are [variables, rows, width], so that a batched matrix product serves
all variables at once and no variable costs a Python call in training.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.layout import Layout
from pipeline.settings import Activation

ACTIVATIONS: Mapping[Activation, type[nn.Module]] = {"silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}
_BUMPS = 16
HATS = 16
"""Knots of the linear splines by which symbols in order share strength."""


class Inputs(nn.Module):
    """E_i(x_i) of every variable, [variables, rows, width].

    A symbol's embedding is a free row of the table plus, where symbols stand in order, a smooth function of its rank.
    """

    offsets: Tensor
    ordered: Tensor
    hats: Tensor
    centres: Tensor
    restore: Tensor

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        self.layout = layout
        symbols = sum(layout.sizes)
        self.table = nn.Embedding(max(symbols, 1), width)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(max(len(layout), 1)))
        self.smooth = nn.Parameter(torch.randn(len(layout.ordered), HATS, width) / math.sqrt(max(len(layout), 1)))
        with torch.no_grad():
            for k in layout.ordered:
                self.table.weight[layout.offsets[k] : layout.offsets[k] + layout.sizes[k]] = 0
        sizes = [layout.sizes[k] for k in layout.ordered]
        hats = [hat_basis(size, max(sizes)) for size in sizes]
        self.register_buffer("hats", torch.stack(hats) if hats else torch.zeros(0, 1, HATS), persistent=False)
        rows = torch.arange(max(sizes, default=0)) + torch.tensor([[layout.offsets[k]] for k in layout.ordered])
        self.register_buffer("ordered", rows.flatten().clamp(max=max(symbols - 1, 0)).long(), persistent=False)
        self.bumps = nn.Parameter(torch.randn(len(layout.real), _BUMPS, width) / math.sqrt(_BUMPS * len(layout) + 1))
        self.register_buffer("offsets", torch.tensor(layout.offsets, dtype=torch.long), persistent=False)
        self.register_buffer("centres", torch.linspace(-3, 3, _BUMPS), persistent=False)
        order = torch.tensor([*layout.discrete, *layout.real], dtype=torch.long)
        self.register_buffer("restore", torch.argsort(order), persistent=False)

    def forward(self, codes: Tensor, reals: Tensor) -> Tensor:
        """Embed `codes` [rows, D] and `reals` [rows, R]."""
        symbols = functional.embedding((codes + self.offsets).T, self.weights())
        if not self.layout.real:
            return symbols
        return torch.cat([symbols, torch.bmm(self.features(reals.T), self.bumps)])[self.restore]

    def weights(self) -> Tensor:
        """The embedding of every symbol, [symbols, width]."""
        if not self.layout.ordered:
            return self.table.weight
        smooth = torch.bmm(self.hats, self.smooth).flatten(0, 1)
        return self.table.weight.index_add(0, self.ordered, smooth)

    def symbol(self, k: int, codes: Tensor, weights: Tensor) -> Tensor:
        """Embed the k-th discrete variable alone, [rows, width]."""
        return functional.embedding(codes + self.layout.offsets[k], weights)  # weights[…] takes three times as long

    def real(self, k: int, values: Tensor) -> Tensor:
        """Embed the k-th real variable alone, [rows, width]."""
        return self.features(values) @ self.bumps[k]

    def features(self, values: Tensor) -> Tensor:
        """Smooth steps at fixed places of a real value, [..., bumps]."""
        return torch.tanh(values.unsqueeze(-1) - self.centres)


def hat_basis(size: int, width: int) -> Tensor:
    """Linear splines over the rank of symbols 1 … size − 1, [width, HATS]; 0 for symbol 0 and from `size` on."""
    rank = torch.linspace(0, HATS - 1, max(size - 1, 1)).unsqueeze(1)
    basis = torch.zeros(width, HATS)
    basis[1:size] = (1 - (rank - torch.arange(HATS)).abs()).clamp(min=0)[: size - 1]
    return basis


class Encoder(nn.Module):
    """q(z|x) = N(mean(x), diag exp(log_variance(x)))."""

    def __init__(
        self, layout: Layout, *, width: int, latent: int, dropout: float, activation: Activation = "silu"
    ) -> None:
        super().__init__()
        self.inputs = Inputs(layout, width)
        self.body = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            ACTIVATIONS[activation](),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            ACTIVATIONS[activation](),
            nn.Linear(width, 2 * latent),
        )

    def forward(self, codes: Tensor, reals: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, each [rows, latent]; `seen` [variables] is 0 for those to look away from."""
        mean, log_variance = self.body(_seen(self.inputs(codes, reals), seen).sum(0)).chunk(2, dim=-1)
        return mean, log_variance.clamp(-12, 4)


def _seen(embedded: Tensor, seen: Tensor | None) -> Tensor:
    """Embeddings [variables, rows, width], those that are not seen being 0."""
    return embedded if seen is None else embedded * seen[:, None, None]


class RunningSum(torch.autograd.Function):
    """s_j = start + Σ_{i<j} e_i, written to slot j of the result.

    One addition per variable; `torch.cumsum` along the first dimension is many times slower on CPUs.
    """

    @staticmethod
    def forward(ctx: Any, start: Tensor, embedded: Tensor, slots: tuple[int, ...]) -> Tensor:  # noqa: ANN401
        """[variables, rows, width] from start [rows, width] and embedded [variables, rows, width]."""
        ctx.slots = slots
        states = torch.empty_like(embedded)
        states[slots[0]] = start
        for j in range(1, len(slots)):
            torch.add(states[slots[j - 1]], embedded[j - 1], out=states[slots[j]])
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401
        """The sum runs the other way."""
        slots = ctx.slots
        embedded = torch.empty_like(gradient)
        embedded[-1] = 0
        for j in range(len(slots) - 1, 0, -1):
            torch.add(embedded[j], gradient[slots[j]], out=embedded[j - 1])
        return embedded[0] + gradient[slots[0]], embedded, None


class Decoder(nn.Module):
    """The state of every variable given z and, when autoregressive, the variables before it.

    Args:
        layout: The variables.
        width: Size H of the running state s_j.
        hidden: Size of each variable's own state.
        latent: Dimensions of z.
        dropout: Share of each variable's own state that is dropped in training.
        blank: Share of the earlier variables that a row does not see in training (word dropout: Bowman et al. 2016).
        autoregressive: False cuts the edges between variables: p(x|z) = Π p(x_j|z).
        activation: Name of the nonlinearity.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        width: int,
        hidden: int,
        latent: int,
        dropout: float,
        blank: float,
        autoregressive: bool,
        activation: Activation = "silu",
    ) -> None:
        super().__init__()
        self.autoregressive, self.slots = autoregressive, layout.slots
        self.inputs = Inputs(layout, width)
        self.activation = ACTIVATIONS[activation]()
        self.start = nn.Sequential(nn.Linear(latent, width), self.activation, nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Parameter(torch.randn(len(layout), width, hidden) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(len(layout), 1, hidden))
        self.dropout = nn.Dropout(dropout)
        self.blank = nn.Dropout(blank)

    def forward(self, z: Tensor, codes: Tensor, reals: Tensor, seen: Tensor | None = None) -> Tensor:
        """States of all variables for known rows (teacher forcing), [slots, rows, hidden]; `seen` as in `Encoder`."""
        start = self.start(z)
        if not self.autoregressive:
            return self.own(start.expand(len(self.weight), *start.shape))
        embedded = _seen(self.inputs(codes, reals), seen)
        if self.training and self.blank.p:
            embedded = embedded * self.blank(embedded.new_ones(*embedded.shape[:2], 1))
        return self.own(RunningSum.apply(start, embedded, self.slots))  # type: ignore[no-untyped-call]

    def own_state(self, state: Tensor, slot: int) -> Tensor:
        """Own state [rows, hidden] of the variable in `slot` from its running state [rows, width]."""
        own: Tensor = self.activation(
            torch.addmm(self.bias[slot], self.activation(self.norm(state)), self.weight[slot])
        )
        return own

    def own(self, states: Tensor) -> Tensor:
        """Own states [slots, rows, hidden] of all variables from their running states [slots, rows, width]."""
        active = self.activation(self.norm(states))
        own: Tensor = self.dropout(self.activation(torch.baddbmm(self.bias, active, self.weight)))
        return own
