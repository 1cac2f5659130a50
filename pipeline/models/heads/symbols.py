"""Discrete variables: a row of a table embeds each symbol, and a softmax over the symbols is the likelihood.

How a grown variable inherits: for a symbol k that the ancestor lacked, n_k of the N new training rows have it. Its
weights are an average of those of known symbols, Σ_l a_l w_l, and its bias makes up for the average:

    b_k = Σ_l a_l (b_l − log f_l) + log(n_k / N),

where f_l is the share of the rows with symbol l. A network that predicts f for every row then predicts n_k / N for k. A
network that is surer of its symbols predicts less. For labels, a = f (the expectation for any label). For ordered
symbols, a is the nearest known symbol. The odds between known symbols stay exactly the same. A variable without origin
starts with the shares of its symbols, and its embedding is 0.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.columns.base import Origin
from pipeline.columns.variables import Discrete, Variable
from pipeline.errors import SettingsError
from pipeline.models.heads.base import Decays, Head, Legacy, Likelihood, Modules, Read, Reader
from pipeline.models.heads.codebook import HATS, Codebook, hat_basis
from pipeline.models.heads.softmax import OWN, Softmax
from pipeline.models.shape import Shape

PSEUDO = 0.5
"""Number of rows that is added to the count of every symbol."""


class SymbolReader(Reader):
    """A free row of a table for each symbol plus, for ordered symbols, a smooth function of the rank."""

    offsets: Tensor
    ordered: Tensor
    hats: Tensor

    def __init__(self, codebook: Codebook, width: int, among: int) -> None:
        super().__init__()
        self.codebook = codebook
        self.table = nn.Embedding(sum(codebook.sizes), width)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(among))
        self.smooth = nn.Parameter(torch.randn(len(codebook.ordered), HATS, width) / math.sqrt(among))
        with torch.no_grad():
            for k in codebook.ordered:
                self.rows(k).zero_()
        sizes = [codebook.sizes[k] for k in codebook.ordered]
        hats = [hat_basis(size, max(sizes)) for size in sizes]
        self.register_buffer("hats", torch.stack(hats) if hats else torch.zeros(0, 1, HATS), persistent=False)
        rows = torch.arange(max(sizes, default=0)) + torch.tensor([[codebook.offsets[k]] for k in codebook.ordered])
        # padded rows of the hats are 0, so it does not matter where they are added
        self.register_buffer("ordered", rows.flatten().clamp(max=sum(codebook.sizes) - 1).long(), persistent=False)
        self.register_buffer("offsets", torch.tensor(codebook.offsets, dtype=torch.long), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Embeddings [variables, rows, width] of symbols [rows, variables]."""
        return functional.embedding((values + self.offsets).T, self.weights())

    def single(self) -> Read:
        """A function that embeds one variable at a time."""
        weights = self.weights()
        # indexing weights takes three times as long
        return lambda k, values: functional.embedding(values + self.codebook.offsets[k], weights)

    def weights(self) -> Tensor:
        """The embedding of every symbol, [symbols, width]."""
        if not self.codebook.ordered:
            return self.table.weight
        smooth = torch.bmm(self.hats, self.smooth).flatten(0, 1)
        return self.table.weight.index_add(0, self.ordered, smooth)

    def rows(self, k: int) -> Tensor:
        """The free rows of the k-th variable, [size, width]."""
        return self.table.weight[self.codebook.offsets[k] :][: self.codebook.sizes[k]]

    def decays(self) -> Decays:
        """Rows of single symbols decay most."""
        yield self.smooth, 1.0
        yield from ((parameter, OWN) for parameter in self.table.parameters())


class Symbols(Head):
    """The head of `Discrete` variables."""

    def order(self, variables: Sequence[Variable]) -> tuple[int, ...]:
        """Order the variables group by group."""
        return tuple(k for group in Codebook.of(variables).groups for k in group.members)

    def reader(self, variables: Sequence[Variable], width: int, among: int) -> SymbolReader:
        """See `Head`."""
        return SymbolReader(Codebook.of(variables), width, among)

    def likelihood(self, variables: Sequence[Variable], shape: Shape) -> Softmax:
        """See `Head`."""
        return Softmax(Codebook.of(variables), shape.hidden)

    def check(self, variable: Variable, limit: Tensor) -> None:
        """At least one symbol must be allowed in each row, and null only counts where it is generated."""
        first = 0 if isinstance(variable, Discrete) and variable.missing else 1
        if not bool((limit[:, first:] > 0).any(1).all()):
            raise SettingsError("expected a limit that allows a symbol in every row, got one that allows none")

    def tally(self, variable: Variable, values: Tensor) -> Tensor:
        """Count the rows of each symbol, [size]."""
        return torch.bincount(values, minlength=variable.symbols).float()

    def nats(self, tally: Tensor) -> float:
        """The entropy of the observed shares."""
        share = tally.double() / tally.sum()
        return -float(torch.special.xlogy(share, share).sum())

    def inherit(self, new: Modules, old: Modules | None, legacies: Sequence[Legacy]) -> None:
        """See the module's docstring."""
        for side in _sides(new):
            side.smooth.zero_()
        tables = [side.weights() for side in _sides(old)] if old is not None else []
        for k, legacy in enumerate(legacies):
            size = _softmax(new).codebook.sizes[k]
            counts = torch.bincount(legacy.values, minlength=size) + PSEUDO
            if legacy.source is None or old is None:
                _begin(new, k, counts)
            else:
                _take_over(new, old, k, legacy.source, legacy.origin, counts, tables)


def mixture(origin: Origin, counts: Tensor, known: int, *, ordered: bool) -> tuple[Tensor, Tensor]:
    """The mixture of known symbols for each symbol, [size, known], and the shift of its bias, [size].

    Args:
        origin: The origin of the symbols.
        counts: Number of rows of each symbol, all positive, [size].
        known: Number of symbols of the ancestor's variable.
        ordered: Whether symbols 1, 2, … are ordered.
    """
    symbols = torch.as_tensor(origin.symbols)
    here = torch.nonzero(symbols >= 0).flatten()
    share = torch.full((known,), PSEUDO, dtype=torch.float64)
    share[symbols[here]] = counts[here].double()
    share /= share.sum()
    mix, shift = torch.zeros(len(symbols), known, dtype=torch.float64), torch.zeros(len(symbols), dtype=torch.float64)
    mix[here, symbols[here]] = 1
    in_order = here[here > 0]
    for new in torch.nonzero(symbols < 0).flatten().tolist():
        if ordered and new > 0 and len(in_order):
            mix[new, symbols[in_order[(in_order - new).abs().argmin()]]] = 1
        else:
            mix[new] = share
        shift[new] = (counts[new] / counts[here].sum()).log() - mix[new] @ share.log()
    return mix.float(), shift.float()


def _begin(new: Modules, k: int, counts: Tensor) -> None:
    """Start a variable that the ancestor lacked: it predicts the shares of its symbols, and its embedding is 0."""
    for side in _sides(new):
        side.rows(k).zero_()
    softmax = _softmax(new)
    group, row = softmax.codebook.place[k]
    softmax.biases[group][row, 0, : len(counts)] = (counts / counts.sum()).log()


def _take_over(
    new: Modules, old: Modules, k: int, source: int, origin: Origin, counts: Tensor, tables: Sequence[Tensor]
) -> None:
    """Copy the k-th variable from the ancestor's `source`, given the ancestor's `tables` of embeddings."""
    softmax, before = _softmax(new), _softmax(old)
    size, known = len(counts), before.codebook.sizes[source]
    start = before.codebook.offsets[source]
    mix, shift = mixture(origin, counts, known, ordered=softmax.codebook.variables[k].ordered)
    splined = k in softmax.codebook.ordered
    for side, table in zip(_sides(new), tables, strict=True):
        rows = side.rows(k)
        rows.copy_(mix @ table[start : start + known])
        if splined:
            place = softmax.codebook.ordered.index(k)
            side.smooth[place] = _smooth_part(rows, side.hats[place, :size])
    group, row = softmax.codebook.place[k]
    old_group, old_row = before.codebook.place[source]
    weight, bias = before.affine(old_group, slice(old_row, old_row + 1))
    free = softmax.weights[group]
    free[row, :, :size] = weight[0, :, :known] @ mix.T
    if splined:
        hats = getattr(softmax, f"hats{group}")[row, :, :size].T
        softmax.smooth[group][row, :-1] = _smooth_part(free[row, :, :size].T, hats).T
    softmax.biases[group][row, 0, :size] = bias[0, 0, :known] @ mix.T + shift


def _smooth_part(rows: Tensor, hats: Tensor) -> Tensor:
    """The splines [HATS, width] nearest to `rows` [size, width]. The rows keep the rest, because ranks have moved."""
    smooth: Tensor = torch.linalg.lstsq(hats, rows, driver="gelsd").solution
    rows -= hats @ smooth
    return smooth


def _sides(modules: Modules) -> tuple[SymbolReader, SymbolReader]:
    encoder, decoder = modules.encoder, modules.decoder
    assert isinstance(encoder, SymbolReader)
    assert isinstance(decoder, SymbolReader)
    return encoder, decoder


def _softmax(modules: Modules) -> Softmax:
    likelihood: Likelihood = modules.likelihood
    assert isinstance(likelihood, Softmax)
    return likelihood
