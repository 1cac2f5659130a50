"""A VAE that begins as another one, over variables that have grown.

Everything that knows no variable (prior, bodies, norms) is taken over, and so is all that belongs to a variable or to
a symbol which the other VAE had. Of a symbol k that it had not, we know how many of the N rows to come have it. Its
weights are an average of known symbols', Σ_l a_l w_l, and its bias makes up for the average:

    b_k = Σ_l a_l (b_l − log f_l) + log(n_k / N),

with f_l the share of the rows that have symbol l: a VAE that says f of every row then says n_k / N of k, one that is
surer of its symbols says less. For labels a = f (what is expected of any label); for symbols in order a is the
nearest known one. The odds between known symbols stay what they were, exactly. A variable without origin knows the
shares of its symbols, and nothing listens to it yet.

A network that has fitted its rows to the end learns what is new worse than one with room to move: it may be begun
between the inherited and fresh weights ("shrink and perturb": Ash & Adams 2020, arXiv 1910.08475).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.columns.base import Discrete, Origin
from pipeline.models.networks import Inputs
from pipeline.models.vae import VAE

PSEUDO = 0.5
"""Rows that every symbol is taken to have beside those counted."""
_OF_VARIABLES = ("encoder.inputs", "decoder.inputs", "decoder.weight", "decoder.bias", "softmax", "density")


@torch.no_grad()
def inherit(vae: VAE, ancestor: VAE, origins: Sequence[Origin], codes: Tensor, *, keep: float = 1.0) -> None:
    """Let `vae` begin as `ancestor`, which has the same shape.

    Args:
        vae: Over the grown layout, freshly made; changed in place.
        ancestor: Over the layout before.
        origins: The origins of each variable of `vae` in modelling order, by positions in the ancestor's.
        codes: Symbols of the rows to come, [rows, D].
        keep: Share of the inherited weights in the beginning; the rest is of those that `vae` came with.
    """
    fresh = {name: parameter.clone() for name, parameter in vae.named_parameters()}
    _take_over(vae, ancestor, origins, codes)
    for name, parameter in vae.named_parameters():
        parameter.lerp_(fresh[name], 1 - keep)


def _take_over(vae: VAE, ancestor: VAE, origins: Sequence[Origin], codes: Tensor) -> None:
    """All that the ancestor knows."""
    known = ancestor.state_dict()
    if vae.layout == ancestor.layout and all(_is_itself(i, origin) for i, origin in enumerate(origins)):
        vae.load_state_dict(known)
        return
    shared = {name: value for name, value in known.items() if not name.startswith(_OF_VARIABLES)}
    vae.load_state_dict(shared, strict=False)
    for i, origin in enumerate(origins):
        if origin.variable is not None:
            slot, source = vae.layout.slots[i], ancestor.layout.slots[origin.variable]
            vae.decoder.weight[slot] = ancestor.decoder.weight[source]
            vae.decoder.bias[slot] = ancestor.decoder.bias[source]
    for r, i in enumerate(vae.layout.real):
        _inherit_real(vae, ancestor, r, origins[i].variable)
    for side in (vae.encoder.inputs, vae.decoder.inputs):
        side.smooth.zero_()
    tables = [ancestor.encoder.inputs.weights(), ancestor.decoder.inputs.weights()]
    for k, i in enumerate(vae.layout.discrete):
        counts = torch.bincount(codes[:, k], minlength=vae.layout.sizes[k]) + PSEUDO
        _inherit_symbols(vae, ancestor, k, origins[i], counts, tables)


def _inherit_real(vae: VAE, ancestor: VAE, r: int, source: int | None) -> None:
    """The r-th real variable: its embeddings and its density."""
    for side, old in ((vae.encoder.inputs, ancestor.encoder.inputs), (vae.decoder.inputs, ancestor.decoder.inputs)):
        side.bumps[r] = 0 if source is None else old.bumps[ancestor.layout.real.index(source)]
    if source is not None:
        vae.density.weight[r] = ancestor.density.weight[ancestor.layout.real.index(source)]
        vae.density.bias[r] = ancestor.density.bias[ancestor.layout.real.index(source)]


def _inherit_symbols(vae: VAE, ancestor: VAE, k: int, origin: Origin, counts: Tensor, tables: Sequence[Tensor]) -> None:
    """The k-th discrete variable: its embeddings, given the ancestor's `tables` of them, and its logits."""
    size, first = vae.layout.sizes[k], vae.layout.offsets[k]
    inputs: tuple[Inputs, Inputs] = vae.encoder.inputs, vae.decoder.inputs
    group, row = vae.softmax.place[k]
    if origin.variable is None:
        for side in inputs:
            side.table.weight[first : first + size] = 0
        vae.softmax.biases[group][row, 0, :size] = (counts / counts.sum()).log()
        return
    source = ancestor.layout.discrete.index(origin.variable)
    start, end = ancestor.layout.offsets[source], ancestor.layout.offsets[source] + ancestor.layout.sizes[source]
    variable = vae.layout.variables[vae.layout.discrete[k]]
    mix, shift = mixture(origin, counts, end - start, ordered=isinstance(variable, Discrete) and variable.ordered)
    for side, table in zip(inputs, tables, strict=True):
        side.table.weight[first : first + size] = mix @ table[start:end]
        if k in vae.layout.ordered:
            place = vae.layout.ordered.index(k)
            side.smooth[place] = _smooth_part(side.table.weight[first : first + size], side.hats[place, :size])
    old_group, old_row = ancestor.softmax.place[source]
    weight, bias = ancestor.softmax.affine(old_group, slice(old_row, old_row + 1))
    free = vae.softmax.weights[group]
    free[row, :, :size] = weight[0, :, : end - start] @ mix.T
    if k in vae.layout.ordered:
        hats = getattr(vae.softmax, f"hats{group}")[row, :, :size].T
        vae.softmax.smooth[group][row, :-1] = _smooth_part(free[row, :, :size].T, hats).T
    vae.softmax.biases[group][row, 0, :size] = bias[0, 0, : end - start] @ mix.T + shift


def _smooth_part(rows: Tensor, hats: Tensor) -> Tensor:
    """The splines [HATS, width] nearest to `rows` [size, width], which keep the rest: ranks move when symbols come."""
    smooth: Tensor = torch.linalg.lstsq(hats, rows, driver="gelsd").solution
    rows -= hats @ smooth
    return smooth


def mixture(origin: Origin, counts: Tensor, known: int, *, ordered: bool) -> tuple[Tensor, Tensor]:
    """What each symbol is made of, [size, known], and what is added to its bias, [size].

    Args:
        origin: The origin of the symbols.
        counts: Rows of each symbol, all positive, [size].
        known: How many symbols the ancestor's variable has.
        ordered: Whether symbols 1, 2, … stand in order.
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


def _is_itself(position: int, origin: Origin) -> bool:
    return origin.variable == position and all(i == symbol for i, symbol in enumerate(origin.symbols))
