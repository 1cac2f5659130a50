"""Networks over a sequence of variables. They know only widths.

`Inputs` embeds every variable of a row with the head of its sort. The encoder q(z|x) sums the embeddings of a row and
maps the sum to a Gaussian. The decoder's state before variable j is

    s_j = f(z) + Σ_{i<j} E_i(x_i)          (autoregressive)        s_j = f(z)          (factorised)

One small network per variable follows, batched over variables (NADE: Larochelle & Murray 2011; given z as in PixelVAE:
Gulrajani et al. 2017). Tensors are [variables, rows, width], so that one batched matrix product serves all variables,
and no variable needs a Python call in training.

A cell that is not known adds nothing to either sum. So a row may be encoded from some of its cells only, and the
encoder is trained with such rows too (partial VAE: Ma et al. 2019, arXiv 1809.11142).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.models.heads import HEADS, Reader
from pipeline.models.heads.base import Decays
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.settings import Activation

ACTIVATIONS: Mapping[Activation, type[nn.Module]] = {"silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}


class Inputs(nn.Module):
    """E_i(x_i) of every variable, [variables, rows, width]."""

    restore: Tensor

    def __init__(self, layout: Layout, width: int) -> None:
        super().__init__()
        self.layout = layout
        self.sorts = nn.ModuleDict(
            {sort: HEADS[sort].reader(layout.of(sort), width, len(layout)) for sort in layout.positions}
        )
        self.register_buffer("restore", torch.tensor(layout.order, dtype=torch.long), persistent=False)

    def forward(self, rows: Rows) -> Tensor:
        """Embed every cell, in modelling order. The embedding of an unknown cell is 0."""
        parts = [reader(rows.values[sort]) for sort, reader in self.sorts.items()]
        embedded: Tensor = parts[0] if len(parts) == 1 else torch.cat(parts)[self.restore]
        return embedded if rows.known is None else embedded * rows.known.T.unsqueeze(-1)

    def of(self, sort: str) -> Reader:
        """The reader of a sort."""
        reader = self.sorts[sort]
        assert isinstance(reader, Reader)
        return reader

    def single(self) -> Callable[[int, Tensor], Tensor]:
        """A function that embeds the i-th variable of the sequence alone, [rows, width], with the current weights."""
        readers = {sort: self.of(sort).single() for sort in self.sorts}
        layout = self.layout
        return lambda i, values: readers[layout.variables[i].sort](layout.places[i], values)

    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""
        for sort in self.sorts:
            yield from self.of(sort).decays()


class Encoder(nn.Module):
    """q(z|x) = N(z; mean(x), diag exp(log_variance(x)))."""

    def __init__(self, layout: Layout, shape: Shape) -> None:
        super().__init__()
        width, activation = shape.width, ACTIVATIONS[shape.activation]
        self.inputs = Inputs(layout, width)
        self.body = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            activation(),
            nn.Dropout(shape.dropout),
            nn.Linear(width, width),
            activation(),
            nn.Linear(width, 2 * shape.latent),
        )

    def forward(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z given the known cells of each row, each [rows, latent]."""
        mean, log_variance = self.body(self.inputs(rows).sum(0)).chunk(2, dim=-1)
        return mean, log_variance.clamp(-12, 4)

    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""
        yield from self.inputs.decays()
        yield from matrices(self.body)


class RunningSum(torch.autograd.Function):
    """s_j = start + Σ_{i<j} e_i, written to slot j of the result.

    It takes one addition per variable. `torch.cumsum` along the first dimension is many times slower on CPUs.
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
        """Sum the gradients in the opposite direction."""
        slots = ctx.slots
        embedded = torch.empty_like(gradient)
        embedded[-1] = 0
        for j in range(len(slots) - 1, 0, -1):
            torch.add(embedded[j], gradient[slots[j]], out=embedded[j - 1])
        return embedded[0] + gradient[slots[0]], embedded, None


class Decoder(nn.Module):
    """The own state of every variable given z and, if autoregressive, the variables before it."""

    def __init__(self, layout: Layout, shape: Shape) -> None:
        super().__init__()
        width, hidden = shape.width, shape.hidden
        self.autoregressive, self.slots = shape.decoder == "autoregressive", layout.slots
        self.inputs = Inputs(layout, width)
        self.activation = ACTIVATIONS[shape.activation]()
        self.start = nn.Sequential(nn.Linear(shape.latent, width), self.activation, nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Parameter(torch.randn(len(layout), width, hidden) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(len(layout), 1, hidden))
        self.dropout = nn.Dropout(shape.dropout)
        # in training, a share of a row's earlier variables is hidden from it (word dropout: Bowman et al. 2016)
        self.blank = nn.Dropout(shape.blank)

    def forward(self, z: Tensor, rows: Rows) -> Tensor:
        """Own states of all variables of given rows (teacher forcing), [slots, rows, hidden]."""
        start = self.start(z)
        if not self.autoregressive:
            return self.own(start.expand(len(self.weight), *start.shape))
        embedded = self.inputs(rows)
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

    def decays(self) -> Decays:
        """Every parameter, with its weight decay."""
        yield from self.inputs.decays()
        yield self.weight, 1.0
        yield self.bias, 0.0
        yield from matrices(self.start)
        yield from matrices(self.norm)


def matrices(module: nn.Module) -> Decays:
    """The parameters of a module. Matrices decay; biases and norms do not."""
    for parameter in module.parameters():
        yield parameter, 1.0 if parameter.ndim > 1 else 0.0
