"""Draws of rows from p(x|z), one variable after the other.

Generation turns given random numbers into rows, so a row is a function of its random stream. Known cells keep their
values, and later variables depend on them. Limited cells are drawn within their limits.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.errors import ResynthError
from pipeline.models.evidence import Evidence
from pipeline.models.heads import HEADS
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE
from pipeline.threads import one_thread

CHUNK = 1024
"""Number of rows that are generated together. It is small, so that their states stay in the processor's cache."""

ReadAt = Callable[[int, Tensor], Tensor]


class Draws(NamedTuple):
    """Random numbers for generated rows.

    Attributes:
        uniform: Numbers in [0, 1), one for each variable, [variables, rows].
        normal: Standard normals, as many as the variables need (`Layout.normals`), [normals, rows].
    """

    uniform: Tensor
    normal: Tensor


@one_thread()
@torch.no_grad()
def generate(vae: VAE, z: Tensor, noise: Draws, evidence: Evidence | None = None) -> Rows:
    """Draw rows given z.

    Args:
        vae: The model.
        z: Latent vectors, [rows, latent].
        noise: Random numbers for the same rows.
        evidence: What is given about the rows. None leaves all cells open.

    Raises:
        SettingsError: A limit leaves no value that can be generated.
        ResynthError: A number is not finite.
    """
    if evidence is not None:
        evidence.check(vae.layout)
    read = vae.decoder.inputs.single()
    drafts = []
    for draft in _drafts(vae, z, noise, evidence):
        for i in range(len(vae.layout)):
            draft.draw(vae, i, draft.state(vae, i), read)
        drafts.append(draft.values)
    values = {sort: torch.cat([draft[sort] for draft in drafts]) for sort in vae.layout.positions}
    numbers = [z, *(tensor for tensor in values.values() if tensor.is_floating_point())]
    if not all(bool(torch.isfinite(tensor).all()) for tensor in numbers):
        raise ResynthError("expected the network to generate finite numbers, it does not; train it afresh")
    return Rows(values)


@torch.no_grad()
def match_marginals(vae: VAE, tallies: Sequence[Tensor], z: Tensor, noise: Draws) -> None:
    """Match the marginals of generated variables to those of the training rows.

    A network that is sure of its training rows is a little wrong on rows that it generates, and the error grows along
    the variables. One generation corrects it by the biases of each likelihood, variable after variable.

    Args:
        vae: The model, changed in place.
        tallies: The `Head.tally` of each variable of the training rows, in modelling order.
        z: Draws from the prior, [rows, latent].
        noise: Random numbers for the same rows.
    """
    read = vae.decoder.inputs.single()
    drafts = list(_drafts(vae, z, noise, None))
    for i, variable in enumerate(vae.layout.variables):
        states = [draft.state(vae, i) for draft in drafts]
        vae.of(variable.sort).match_marginal(vae.layout.places[i], states, tallies[i])
        for draft, state in zip(drafts, states, strict=True):
            draft.draw(vae, i, state, read)


class _Draft(NamedTuple):
    """Rows during generation.

    Attributes:
        running: Running state of the decoder, [rows, width]. It changes with every variable.
        values: As in `Rows`. Values that are not drawn yet are 0.
        noise: Random numbers for these rows.
        evidence: What is given about these rows.
    """

    running: Tensor
    values: dict[str, Tensor]
    noise: Draws
    evidence: Evidence | None

    def state(self, vae: VAE, i: int) -> Tensor:
        """Own state of the i-th variable given those before it, [rows, hidden]."""
        return vae.decoder.own_state(self.running, vae.layout.slots[i])

    def draw(self, vae: VAE, i: int, state: Tensor, read: ReadAt) -> None:
        """Draw the i-th variable from its own state, and add it to the running state."""
        layout = vae.layout
        variable, place = layout.variables[i], layout.places[i]
        limit = self.evidence.limits.get(i) if self.evidence is not None else None
        normal = self.noise.normal[layout.normals[i]]
        value = vae.of(variable.sort).draw(place, state, self.noise.uniform[i], normal, limit)
        if variable.applies is not None:
            before = self.values[layout.variables[i - 1].sort][:, layout.places[i - 1]]
            value = torch.where(_alike(vae.applies(i, before), value), value, 0)
        if self.evidence is not None:
            value = self._known(i, variable.sort, place, value, self.evidence.rows)
        self.values[variable.sort][:, place] = value
        if vae.decoder.autoregressive:
            self.running.add_(read(i, value))

    def _known(self, i: int, sort: str, place: int, value: Tensor, rows: Rows) -> Tensor:
        """Values of the i-th variable. Known cells keep their known value."""
        if rows.known is None:
            return rows.values[sort][:, place]
        return torch.where(_alike(rows.known[:, i] > 0, value), rows.values[sort][:, place], value)


def _drafts(vae: VAE, z: Tensor, noise: Draws, evidence: Evidence | None) -> Iterator[_Draft]:
    """Blank rows for generation, `CHUNK` at a time. Without rows there is one draft, which is empty."""
    for start in range(0, max(len(z), 1), CHUNK):
        rows = slice(start, start + CHUNK)
        running = vae.decoder.start(z[rows])
        blank = {sort: HEADS[sort].blank(vae.layout.of(sort), len(running), z.device) for sort in vae.layout.positions}
        own = Draws(noise.uniform[:, rows], noise.normal[:, rows])
        yield _Draft(running, blank, own, None if evidence is None else evidence.take(rows))


def _alike(mask: Tensor, value: Tensor) -> Tensor:
    """A mask of rows [rows] with as many dimensions as values [rows, …]."""
    return mask.view(-1, *[1] * (value.ndim - 1))
