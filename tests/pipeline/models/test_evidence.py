"""Rows of which some cells are known, limited or open: in the encoder, the likelihood and generation."""

import math

import numpy as np
import pytest
import torch

from pipeline.columns.variables import Discrete, Real
from pipeline.errors import SettingsError
from pipeline.models.evidence import Evidence
from pipeline.models.generation import Draws, generate
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE
from pipeline.queries.bound import row_scores
from pipeline.queries.generation import completed
from pipeline.training.gaps import Gaps

LAYOUT = Layout((Discrete(5, missing=True), Discrete(3, applies=(False, False, True, False, False)), Real(-3, 3)))
N = 20_000


@pytest.fixture(scope="module")
def vae() -> VAE:
    """A small VAE whose weights are all random."""
    torch.manual_seed(0)
    shape = Shape(
        latent=2, width=16, hidden=8, components=4, mixture=3, dropout=0.0, prior="mixture", decoder="autoregressive"
    )
    made = VAE(LAYOUT, shape).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return made


def noise(n: int, seed: int = 0) -> Draws:
    """Random numbers of n rows."""
    generator = torch.Generator().manual_seed(seed)
    return Draws(torch.rand(3, n, generator=generator), torch.randn(1, n, generator=generator))


def rows(n: int) -> Rows:
    """Rows without evidence: all values 0."""
    return Rows({"symbols": torch.zeros(n, 2, dtype=torch.long), "reals": torch.zeros(n, 1)}, torch.zeros(n, 3))


@torch.no_grad()
def test_what_is_not_known_is_not_seen(vae):
    """The value of an unknown cell changes neither encoder nor likelihood. An unknown cell is not a null."""
    some = Rows({"symbols": torch.tensor([[1, 0]]), "reals": torch.tensor([[0.5]])}, torch.tensor([[1.0, 0.0, 0.0]]))
    other = Rows({"symbols": torch.tensor([[1, 2]]), "reals": torch.tensor([[-2.0]])}, some.known)
    z = torch.tensor([[0.3, -1.0]])
    assert torch.equal(vae.encoder(some)[0], vae.encoder(other)[0])
    assert torch.equal(vae.log_likelihood(z, some), vae.log_likelihood(z, other))
    assert vae.log_likelihood(z, some)[1:].abs().sum() == 0
    null = Rows({"symbols": torch.tensor([[0, 0]]), "reals": torch.tensor([[0.5]])}, some.known)
    unknown = null.knowing(torch.zeros(1, 3))
    assert not torch.allclose(vae.encoder(null)[0], vae.encoder(unknown)[0], atol=1e-3)


def test_known_cells_come_as_they_are(vae):
    """Known cells keep their values, later variables depend on them, and open cells are drawn as usual."""
    known = torch.tensor([[1.0, 0.0, 0.0]]).expand(N, 3)
    told = Rows({"symbols": torch.tensor([[2, 0]]).expand(N, 2), "reals": torch.zeros(N, 1)}, known)
    z = torch.tensor([[0.3, -1.0]]).expand(N, 2)
    made = generate(vae, z, noise(N), Evidence(told)).values
    free = generate(vae, z, noise(N)).values
    assert (made["symbols"][:, 0] == 2).all()
    assert (made["symbols"][:, 1] > 0).all()  # it refines symbol 2
    alike = free["symbols"][:, 0] == 2
    assert 50 < int(alike.sum()) < N
    same = made["symbols"][alike, 1] == free["symbols"][alike, 1]
    assert same.all()  # with equal noise, a row that would have drawn the known value is the same row
    assert torch.equal(made["reals"][alike], free["reals"][alike])


def test_limited_cells_follow_the_likelihood_within_their_limits(vae):
    """Symbols 1 and 3, reals in [0.5, 1]: shares are those of free draws that happen to lie there.

    Each of three shares must lie within 5 standard errors of the difference (odds of failure below 1e-5).
    """
    z = torch.tensor([[0.3, -1.0]]).expand(N, 2)
    limits = {
        0: torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]]).expand(N, 5),
        2: torch.tensor([[0.5, 1.0]]).expand(N, 2),
    }
    made = generate(vae, z, noise(N), Evidence(rows(N), limits)).values
    free = generate(vae, z, noise(N, seed=1)).values
    symbols, reals = made["symbols"][:, 0], made["reals"][:, 0]
    assert set(symbols.tolist()) == {1, 3}
    assert 0.5 <= float(reals.min()) <= float(reals.max()) <= 1
    inside = (free["symbols"][:, 0] == 1) | (free["symbols"][:, 0] == 3)
    agree(symbols == 1, free["symbols"][inside, 0] == 1)
    for symbol in (1, 3):
        between = (free["symbols"][:, 0] == symbol) & (free["reals"][:, 0] >= 0.5) & (free["reals"][:, 0] <= 1)
        agree(reals[symbols == symbol] < 0.75, free["reals"][between, 0] < 0.75)


def agree(some: torch.Tensor, other: torch.Tensor) -> None:
    """Two shares differ by less than 5 standard errors."""
    p, q = float(some.float().mean()), float(other.float().mean())
    pooled = (float(some.sum()) + float(other.sum())) / (len(some) + len(other))
    assert abs(p - q) < 5 * math.sqrt(pooled * (1 - pooled) * (1 / len(some) + 1 / len(other)))


@torch.no_grad()
def test_the_mass_of_a_limit_is_the_sum_of_its_probabilities(vae):
    """log P(limit) equals the sum over symbols, and a numerical integral for reals, even in far tails."""
    state = torch.randn(4, 8, generator=torch.Generator().manual_seed(3))
    softmax, density = vae.of("symbols"), vae.of("reals")
    allowed = torch.tensor([[0.0, 1.0, 0.0, 1.0, 1.0]]).expand(4, 5)
    each = torch.stack([softmax.log_mass(0, state, torch.eye(5)[k].expand(4, 5)) for k in range(5)], 1)
    assert torch.allclose(each.exp().sum(1), torch.ones(4), atol=1e-5)
    assert torch.allclose(softmax.log_mass(0, state, allowed), each[:, [1, 3, 4]].logsumexp(1), atol=1e-5)
    states = state.unsqueeze(0)
    for low, high in ((-1.0, 0.5), (2.0, 3.0), (6.0, 8.0)):
        grid = torch.linspace(low, high, 20_001)
        points = [density.log_prob(states[:, [r]].expand(1, len(grid), 8), grid.unsqueeze(1))[0] for r in range(4)]
        expected = [math.log(np.trapezoid(each.double().exp().numpy(), grid.numpy())) for each in points]
        found = density.log_mass(0, state, torch.tensor([[low, high]]).expand(4, 2))
        assert found.tolist() == pytest.approx(expected, abs=2e-3)


def test_gaps_differ_from_row_to_row():
    """About half of the cells are hidden, another number in every row, and a refining variable goes with its own."""
    known = Gaps(LAYOUT, 0).hide(rows(4_000)).known
    assert float(known.mean()) == pytest.approx(0.5, abs=0.03)
    assert set(known.sum(1).tolist()) == {0.0, 1.0, 2.0, 3.0}
    assert torch.equal(known[:, 0], known[:, 1])
    assert torch.equal(Gaps(LAYOUT, 0).hide(rows(4_000)).known, known)
    assert not torch.equal(Gaps(LAYOUT, 1).hide(rows(4_000)).known, known)


def test_rows_are_completed_around_what_is_known(vae):
    """Known cells stay, and a seed gives the same rows. Without known cells, the score is that of nothing."""
    known = torch.tensor([[0.0, 0.0, 1.0]]).expand(500, 3)
    told = Rows({"symbols": torch.zeros(500, 2, dtype=torch.long), "reals": torch.full((500, 1), 0.7)}, known)
    made = completed(vae, Evidence(told), seed=0)
    assert (made.values["reals"] == 0.7).all()
    again = completed(vae, Evidence(told), seed=0)
    assert torch.equal(made.values["symbols"], again.values["symbols"])
    assert len(made.values["symbols"][:, 0].unique()) > 1
    assert len(completed(vae, Evidence(told.take(slice(0, 0))), seed=0)) == 0
    assert float(row_scores(vae, Evidence(told.knowing(torch.zeros(500, 3))), seed=0).elbo.mean()) < 0.5


@torch.no_grad()
def test_limits_count_in_the_likelihood(vae):
    """A limited cell has the log-probability of its limit, and one that allows everything costs nothing."""
    z = torch.tensor([[0.3, -1.0]]).expand(5, 2)
    allowed = torch.eye(5)
    told = rows(5)
    each = vae.log_likelihood(z, told, {0: allowed})
    assert float(each[0].exp().sum()) == pytest.approx(1, abs=1e-5)
    assert each[1:].abs().sum() == 0
    whole = row_scores(vae, Evidence(told, {0: torch.ones(5, 5)}), seed=0).elbo
    assert torch.allclose(whole, row_scores(vae, Evidence(told), seed=0).elbo, atol=1e-5)


@pytest.mark.parametrize(
    ("position", "limit"),
    [(0, torch.zeros(1, 5)), (2, torch.tensor([[1.0, 0.5]])), (2, torch.tensor([[4.0, 5.0]]))],
)
def test_a_limit_that_nothing_meets_is_refused(vae, position, limit):
    """No symbol allowed, ends the wrong way round, a range beyond that of the training."""
    z = torch.tensor([[0.3, -1.0]])
    with pytest.raises(SettingsError, match="expected a limit"):
        generate(vae, z, noise(1), Evidence(rows(1), {position: limit}))


def test_a_limited_real_stays_in_the_training_range(vae):
    """An endless limit is that of the training."""
    z = torch.tensor([[0.3, -1.0]]).expand(N, 2)
    endless = torch.tensor([[-math.inf, math.inf]]).expand(N, 2)
    made = generate(vae, z, noise(N), Evidence(rows(N), {2: endless})).values["reals"]
    assert -3 <= float(made.min()) < float(made.max()) <= 3
