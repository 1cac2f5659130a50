"""Networks over a sequence of variables.

`Inputs` embeds every variable of a row: a symbol by its row in one table, a real number by smooth bumps. The encoder
q(z|x) sums the embeddings of a row and maps the sum to a Gaussian. The decoder's state before variable j is

    s_j = f(z) + Σ_{i<j} E_i(x_i)          (autoregressive)        s_j = f(z)          (factorised)

followed by one small network per variable, batched over variables (NADE: Larochelle & Murray 2011; given z as in
PixelVAE: Gulrajani et al. 2017). Tensors are [variables, rows, width], so that a batched matrix product serves
all variables at once and no variable costs a Python call in training.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.layout import Layout

_BUMPS = 16


class Inputs(nn.Module):
    """E_i(x_i) of every variable, [variables, rows, width]."""

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        self.layout = layout
        symbols = sum(layout.sizes)
        self.table = nn.Embedding(max(symbols, 1), width)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(max(len(layout), 1)))
        self.bumps = nn.Parameter(torch.randn(len(layout.real), _BUMPS, width) / math.sqrt(_BUMPS * len(layout) + 1))
        self.register_buffer("offsets", torch.tensor(layout.offsets, dtype=torch.long), persistent=False)
        self.register_buffer("centres", torch.linspace(-3, 3, _BUMPS), persistent=False)
        order = torch.tensor([*layout.discrete, *layout.real], dtype=torch.long)
        self.register_buffer("restore", torch.argsort(order), persistent=False)

    def forward(self, codes: Tensor, reals: Tensor) -> Tensor:
        """Embed `codes` [rows, D] and `reals` [rows, R]."""
        symbols = self.table((codes + self.offsets).T)
        if not self.layout.real:
            return symbols
        return torch.cat([symbols, torch.bmm(self.features(reals.T), self.bumps)])[self.restore]

    def symbol(self, k: int, codes: Tensor) -> Tensor:
        """Embed the k-th discrete variable alone, [rows, width]."""
        return self.table(codes + self.layout.offsets[k])

    def real(self, k: int, values: Tensor) -> Tensor:
        """Embed the k-th real variable alone, [rows, width]."""
        return self.features(values) @ self.bumps[k]

    def features(self, values: Tensor) -> Tensor:
        """Smooth steps at fixed places of a real value, [..., bumps]."""
        return torch.tanh(values.unsqueeze(-1) - self.centres)


class Encoder(nn.Module):
    """q(z|x) = N(mean(x), diag exp(log_variance(x)))."""

    def __init__(self, layout: Layout, *, width: int, latent: int, dropout: float) -> None:
        super().__init__()
        self.inputs = Inputs(layout, width)
        self.body = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 2 * latent),
        )

    def forward(self, codes: Tensor, reals: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z, each [rows, latent]."""
        mean, log_variance = self.body(self.inputs(codes, reals).sum(0)).chunk(2, dim=-1)
        return mean, log_variance.clamp(-12, 4)


class Decoder(nn.Module):
    """The state of every variable given z and, when autoregressive, the variables before it.

    Args:
        layout: The variables.
        width: Size H of the running state s_j.
        hidden: Size of each variable's own state.
        latent: Dimensions of z.
        dropout: Share of each variable's own state that is dropped in training.
        autoregressive: False cuts the edges between variables: p(x|z) = Π p(x_j|z).
    """

    def __init__(
        self, layout: Layout, *, width: int, hidden: int, latent: int, dropout: float, autoregressive: bool
    ) -> None:
        super().__init__()
        self.autoregressive = autoregressive
        self.inputs = Inputs(layout, width)
        self.start = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Parameter(torch.randn(len(layout), width, hidden) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(len(layout), 1, hidden))
        self.dropout = nn.Dropout(dropout)

    def forward(self, z: Tensor, codes: Tensor, reals: Tensor) -> Tensor:
        """States of all variables for known rows (teacher forcing), [variables, rows, hidden]."""
        start = self.start(z)
        count = len(self.weight)
        if not self.autoregressive:
            states = start.expand(count, *start.shape)
        else:
            embedded = self.inputs(codes, reals)
            states = start + torch.cat([torch.zeros_like(embedded[:1]), embedded[:-1].cumsum(0)])
        return self.own(states, slice(None))

    def own(self, states: Tensor, which: slice) -> Tensor:
        """Own states [n, rows, hidden] of the variables `which` from their running states [n, rows, width]."""
        active = functional.silu(self.norm(states))
        return self.dropout(functional.silu(torch.baddbmm(self.bias[which], active, self.weight[which])))
