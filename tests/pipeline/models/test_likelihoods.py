"""Likelihoods and the network around them: densities that sum to one, draws that follow them."""

import itertools

import numpy as np
import pytest
import torch

from pipeline.columns.variables import Discrete, Real
from pipeline.models.generation import Draws, generate
from pipeline.models.heads.softmax import Softmax
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE
from pipeline.queries.bound import importance_weighted

LAYOUT = Layout((Discrete(4), Discrete(3, applies=(False, False, True, False)), Discrete(2, missing=True)))


def model(layout: Layout = LAYOUT, decoder: str = "autoregressive") -> VAE:
    """A small VAE whose weights are all random, also those that start at zero."""
    torch.manual_seed(0)
    shape = Shape(latent=2, width=16, hidden=8, components=4, mixture=3, dropout=0.0, prior="mixture", decoder=decoder)
    vae = VAE(layout, shape)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return vae.eval()


def softmax(vae: VAE) -> Softmax:
    """The likelihood of its symbols."""
    return vae.likelihoods["symbols"]


def given(codes: torch.Tensor, reals: torch.Tensor | None = None) -> Rows:
    """Rows of symbols, and of reals if there are any."""
    return Rows({"symbols": codes} | ({} if reals is None else {"reals": reals}))


def every_row() -> torch.Tensor:
    """All rows of `LAYOUT` with a second symbol just where it applies."""
    rows = [(a, b, c) for a, b, c in itertools.product(range(4), range(3), range(2)) if (b > 0) == (a == 2)]
    return torch.tensor(rows)


@pytest.mark.parametrize("decoder", ["autoregressive", "factorised"])
def test_probabilities_of_all_rows_sum_to_one(decoder):
    """Σ_x p(x|z) = 1 once symbol 0 of the refining variable, which is never said, is accounted for."""
    vae, rows = model(decoder=decoder), every_row()
    z = torch.tensor([[0.3, -1.0]])
    terms = vae.log_likelihood(z.expand(len(rows), 2), given(rows))
    with torch.no_grad():
        spoken = rows[rows[:, 1] > 0]
        zero = torch.cat([spoken[:1, :1], torch.zeros(1, 1, dtype=torch.long), spoken[:1, 2:]], 1)
        states = vae.decoder(z, given(zero))
        group, row = softmax(vae).codebook.place[1]
        logits = states[1] @ softmax(vae).weights[group][row] + softmax(vae).biases[group][row]
        never = torch.softmax(logits[0, :3], 0)[0]
        leaves_first = torch.softmax(first_logits(vae, z), 0)
    expected = 1 - float(leaves_first[2] * never)
    assert float(terms.detach().sum(0).exp().sum()) == pytest.approx(expected, abs=1e-4)


def first_logits(vae: VAE, z: torch.Tensor) -> torch.Tensor:
    """Logits of the first variable given z alone."""
    state = vae.decoder(z, given(torch.zeros(1, 3, dtype=torch.long)))[0]
    group, row = softmax(vae).codebook.place[0]
    return (state @ softmax(vae).weights[group][row] + softmax(vae).biases[group][row])[0, :4]


def test_generated_rows_follow_the_likelihood():
    """Frequencies of generated rows match p(x|z), restricted to what may be generated.

    40,000 draws; each of the few dozen cells must lie within 5 standard errors (odds of failure about 1 in 50,000).
    """
    vae, n = model(), 40_000
    z = torch.tensor([[0.3, -1.0]]).expand(n, 2)
    uniform = torch.from_numpy(np.random.default_rng(0).random((3, n), dtype=np.float32))
    codes = generate(vae, z, Draws(uniform, torch.zeros(0, n))).values["symbols"]
    assert codes[:, 0].min() > 0
    assert ((codes[:, 1] > 0) == (codes[:, 0] == 2)).all()
    logits = first_logits(vae, z[:1]).detach()
    first = torch.softmax(logits[1:], 0).numpy()
    seen = np.bincount(codes[:, 0].numpy(), minlength=4)[1:] / n
    assert (np.abs(seen - first) < 5 * np.sqrt(first * (1 - first) / n)).all()
    rows = every_row()
    terms = vae.log_likelihood(z[: len(rows)], given(rows)).exp().detach().numpy()
    for (a, _b, c), p in zip(rows.tolist(), terms.T, strict=True):
        if a in (1, 3):  # no refinement: p(c | a) is the third factor as it is
            alike = codes[codes[:, 0] == a]
            rate = float((alike[:, 2] == c).float().mean())
            assert abs(rate - p[2]) < 5 * np.sqrt(p[2] * (1 - p[2]) / len(alike)) + 1e-6


def test_a_real_variables_density_integrates_to_one():
    """∫ p(x|z) dx = 1, and draws stay within the training range."""
    layout = Layout((Discrete(2, missing=True), Real(-2.0, 2.0, applies=(False, True))))
    vae = model(layout)
    grid = torch.linspace(-30, 30, 6_001)
    z = torch.tensor([[0.3, -1.0]]).expand(len(grid), 2)
    codes = torch.ones(len(grid), 1, dtype=torch.long)
    density = vae.log_likelihood(z, given(codes, grid.unsqueeze(1)))[1].exp().detach().numpy()
    assert np.trapezoid(density, grid.numpy()) == pytest.approx(1, abs=1e-3)
    silent = vae.log_likelihood(z, given(torch.zeros_like(codes), grid.unsqueeze(1)))[1]
    assert float(silent.abs().max()) == 0
    random = np.random.default_rng(0)
    uniform = torch.from_numpy(random.random((2, len(grid)), dtype=np.float32))
    noise = torch.from_numpy(random.standard_normal((1, len(grid)), dtype=np.float32))
    made = generate(vae, z, Draws(uniform, noise)).values
    codes, reals = made["symbols"], made["reals"]
    assert float(reals.abs().max()) <= 2
    assert (reals[codes[:, 0] == 0] == 0).all()


def test_the_order_of_edges_is_causal():
    """A variable depends on earlier ones only (autoregressive), or on none (factorised)."""
    layout = Layout((Discrete(4), Discrete(4), Real(-3, 3), Discrete(4)))
    for decoder in ("autoregressive", "factorised"):
        vae = model(layout, decoder)
        z, reals = torch.tensor([[0.3, -1.0]]), torch.tensor([[0.5]])
        states = vae.decoder(z, given(torch.tensor([[1, 1, 1]]), reals))
        changed = vae.decoder(z, given(torch.tensor([[1, 2, 3]]), reals))
        same = torch.isclose(states, changed).all(-1)[:, 0].tolist()
        assert same == ([True, True, False, False] if decoder == "autoregressive" else [True] * 4)


def test_the_bound_rises_with_the_draws():
    """The importance-weighted bound rises with the number of draws K (Burda et al. 2016)."""
    vae = model()
    rows = given(every_row())
    bounds = [importance_weighted(vae, rows, draws, seed=0) for draws in (1, 10, 1_000)]
    assert bounds[0] < bounds[1] < bounds[2]


def test_calibration_is_the_fixed_point_of_mean_probabilities():
    """However the states are split, biases move as by five steps of log((wanted + 1) / (expected + 1))."""
    vae = model()
    states, wanted = torch.randn(1000, 8, generator=torch.Generator().manual_seed(1)), [0.0, 500.0, 100.0, 400.0]
    group, row = softmax(vae).codebook.place[0]
    with torch.no_grad():
        before = softmax(vae).biases[group][row, 0].clone()
        softmax(vae).match_marginal(0, states.split(300), torch.tensor(wanted))
        logits = (states @ softmax(vae).weights[group][row] + before).double()[:, 1:4].numpy()
        moved = (softmax(vae).biases[group][row, 0] - before).double().numpy()
    shift = np.zeros(3)
    for _ in range(5):
        odds = np.exp(logits + shift)
        shift += np.log((np.array(wanted[1:]) + 1) / ((odds / odds.sum(1, keepdims=True)).sum(0) + 1))
    np.testing.assert_allclose(moved, [0, *shift], atol=1e-4)
