"""How a VAE starts from another one, over variables that have grown.

Everything that depends on no variable (prior, bodies, norms) is copied. What belongs to a variable or symbol that the
other VAE had is copied too. Each head defines how (`pipeline.models.heads`).

A network that has fully fitted its rows learns new rows worse than one with room to move. So the initial weights may
lie between the inherited and fresh ones ("shrink and perturb": Ash & Adams 2020, arXiv 1910.08475).
"""

from collections.abc import Sequence

import torch

from pipeline.columns.base import Origin
from pipeline.models.heads import HEADS, Legacy, Modules
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE


@torch.no_grad()
def inherit(vae: VAE, ancestor: VAE, origins: Sequence[Origin], rows: Rows, *, keep: float = 1.0) -> None:
    """Let `vae` start from `ancestor`, which has the same shape.

    Args:
        vae: A fresh VAE over the grown layout, changed in place.
        ancestor: The VAE over the earlier layout.
        origins: The origin of each variable of `vae` in modelling order, by positions in the ancestor's layout.
        rows: The new training rows.
        keep: Share of the inherited weights. The rest are the fresh weights of `vae`.
    """
    fresh = {name: parameter.clone() for name, parameter in vae.named_parameters()}
    if vae.layout == ancestor.layout and all(_is_itself(i, origin) for i, origin in enumerate(origins)):
        vae.load_state_dict(ancestor.state_dict())
    else:
        _take_over(vae, ancestor, origins, rows)
    for name, parameter in vae.named_parameters():
        parameter.lerp_(fresh[name], 1 - keep)


def _take_over(vae: VAE, ancestor: VAE, origins: Sequence[Origin], rows: Rows) -> None:
    """Copy everything that the ancestor knows."""
    vae.prior.load_state_dict(ancestor.prior.state_dict())
    vae.encoder.body.load_state_dict(ancestor.encoder.body.state_dict())
    vae.decoder.start.load_state_dict(ancestor.decoder.start.state_dict())
    vae.decoder.norm.load_state_dict(ancestor.decoder.norm.state_dict())
    for i, origin in enumerate(origins):
        if origin.variable is not None:
            slot, source = vae.layout.slots[i], ancestor.layout.slots[origin.variable]
            vae.decoder.weight[slot] = ancestor.decoder.weight[source]
            vae.decoder.bias[slot] = ancestor.decoder.bias[source]
    for sort, positions in vae.layout.positions.items():
        legacies = []
        for k, i in enumerate(positions):
            before = origins[i].variable
            place = None if before is None else ancestor.layout.places[before]
            legacies.append(Legacy(place, origins[i], rows.values[sort][:, k]))
        old = _modules(ancestor, sort) if sort in ancestor.layout.positions else None
        HEADS[sort].inherit(_modules(vae, sort), old, legacies)


def _modules(vae: VAE, sort: str) -> Modules:
    return Modules(vae.encoder.inputs.of(sort), vae.decoder.inputs.of(sort), vae.of(sort))


def _is_itself(position: int, origin: Origin) -> bool:
    return origin.variable == position and all(i == symbol for i, symbol in enumerate(origin.symbols))
