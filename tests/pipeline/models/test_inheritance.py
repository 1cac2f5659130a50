"""A VAE that starts from another one: exact if nothing grew, and faithful if something did."""

import numpy as np
import pytest
import torch

from pipeline.columns.base import Origin
from pipeline.columns.variables import Discrete, Real
from pipeline.models.heads.symbols import mixture
from pipeline.models.inheritance import inherit
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE

SHAPE = Shape(
    latent=3, width=16, hidden=8, components=4, mixture=2, dropout=0.1, prior="mixture", decoder="autoregressive"
)
OLD = Layout((Discrete(4), Discrete(30, ordered=True), Real(-2, 2), Discrete(3, missing=True)))
NOTHING = np.zeros(0, np.int64)


def vae(layout: Layout, seed: int) -> VAE:
    """One with every parameter at random."""
    torch.manual_seed(seed)
    made = VAE(layout, SHAPE).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return made


def rows(layout: Layout, n: int = 64) -> Rows:
    """Random rows without nulls."""
    codes = torch.stack([torch.randint(1, variable.symbols, (n,)) for variable in layout.of("symbols")], 1)
    return Rows({"symbols": codes, "reals": torch.randn(n, len(layout.of("reals")))})


def with_symbols(given: Rows, codes: torch.Tensor) -> Rows:
    """The same rows with other symbols."""
    return Rows({"symbols": codes, "reals": given.values["reals"]})


def identical(layout: Layout) -> list[Origin]:
    """Each variable comes from itself."""
    return [Origin(i, np.arange(getattr(v, "size", 0))) for i, v in enumerate(layout.variables)]


def test_the_same_layout_gives_the_same_network():
    """If nothing grew, every parameter equals the ancestor's, bit by bit."""
    old, new = vae(OLD, 0), vae(OLD, 1)
    inherit(new, old, identical(OLD), rows(OLD))
    assert all(torch.equal(a, b) for a, b in zip(old.state_dict().values(), new.state_dict().values(), strict=True))


def test_weights_can_begin_between_the_inherited_and_the_fresh():
    """A keep of a quarter: a quarter of the ancestor's weights and three quarters of the new network's own."""
    old, new, own = vae(OLD, 0), vae(OLD, 1), vae(OLD, 1)
    inherit(new, old, identical(OLD), rows(OLD), keep=0.25)
    for made, inherited, fresh in zip(new.parameters(), old.parameters(), own.parameters(), strict=True):
        assert torch.allclose(made, 0.25 * inherited + 0.75 * fresh, atol=1e-6)


@torch.no_grad()
def test_the_odds_of_known_symbols_are_kept_exactly():
    """A grown variable gives old symbols what the new ones leave of their old probability; the rest is as it was."""
    layout = Layout((Discrete(6), Discrete(34, ordered=True), Real(-3, 2), Discrete(3, missing=True)))
    old, new = vae(OLD, 0), VAE(layout, SHAPE).eval()
    cells = np.array([0, -1, *range(1, 12), -1, *range(12, 30), -1, -1])
    origins = identical(OLD)
    origins[0] = Origin(0, np.array([0, 1, 2, 3, -1, -1]))
    origins[1] = Origin(1, cells)
    torch.manual_seed(2)
    inherit(new, old, origins, rows(layout))
    given = rows(OLD)
    codes = given.values["symbols"].clone()
    codes[:, 1] = torch.tensor([cells.tolist().index(c) for c in codes[:, 1].tolist()])
    moved = with_symbols(given, codes)
    assert torch.allclose(new.encoder(moved)[0], old.encoder(given)[0], atol=1e-5)
    z = torch.randn(64, 3)
    before, after = old.log_likelihood(z, given), new.log_likelihood(z, moved)
    assert torch.allclose(before[2:], after[2:], atol=1e-4)  # the number and the last label: unchanged
    states = new.decoder(z, moved)[new.layout.spans["symbols"]]
    for k, symbols in ((0, origins[0].symbols), (1, cells)):
        mass = torch.zeros(64)
        for symbol in np.flatnonzero(symbols < 0):
            other = codes.clone()
            other[:, k] = int(symbol)
            mass += new.of("symbols").log_prob(states, other)[k].exp()
        assert torch.allclose(after[k] - before[k], torch.log1p(-mass), atol=1e-4)


def test_a_new_symbol_gets_its_share_from_a_network_that_knows_only_shares():
    """With logits log f in every row, a symbol in a fifth of the rows gets probability one fifth."""
    known = torch.tensor([0.5, 0.3, 0.2])
    counts = torch.tensor([50.0, 30.0, 20.0, 25.0])
    for ordered in (False, True):
        mix, shift = mixture(Origin(0, np.array([0, 1, 2, -1])), counts, 3, ordered=ordered)
        logits = mix @ known.log() + shift
        share = torch.softmax(logits, 0)
        assert float(share[3]) == pytest.approx(25 / 125, rel=1e-5)
        assert torch.allclose(share[:3] / share[:3].sum(), known)


@torch.no_grad()
def test_new_variables_are_not_listened_to_and_know_their_shares():
    """A new first variable changes nothing for the others, and predicts the shares of its symbols."""
    layout = Layout((Discrete(3), *OLD.variables[:2], Discrete(2, missing=True), *OLD.variables[2:]))
    old, new = vae(OLD, 0), VAE(layout, SHAPE).eval()
    own = identical(OLD)
    own[2], own[3] = Origin(2, NOTHING), Origin(3, np.arange(3))
    fresh = [Origin(None, np.full(3, -1)), Origin(None, np.full(2, -1))]
    origins = [fresh[0], *own[:2], fresh[1], *own[2:]]
    given = rows(OLD)
    codes, index = given.values["symbols"], torch.arange(64)
    wide = torch.stack([index % 3, codes[:, 0], codes[:, 1], index % 4 // 3, codes[:, 2]], 1)
    inherit(new, old, origins, with_symbols(given, wide))
    z = torch.randn(64, 3)
    before, after = old.log_likelihood(z, given), new.log_likelihood(z, with_symbols(given, wide))
    assert torch.allclose(after[[1, 2, 4, 5]], before, atol=1e-5)
    assert float(after[0].exp().mean()) == pytest.approx(1 / 3, abs=0.01)
    assert float(after[3][wide[:, 3] == 1].exp().mean()) == pytest.approx(1 / 4, abs=0.02)
