"""Network parts with a reference of their own."""

import torch

from pipeline.columns.variables import Discrete, Real
from pipeline.models.generation import Draws, generate, match_marginals
from pipeline.models.heads.codebook import hat_basis
from pipeline.models.layout import Layout
from pipeline.models.networks import RunningSum
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE


def test_the_running_sum_is_a_shifted_cumulative_sum():
    """Values and gradients equal those of `torch.cumsum`, also when variables stand in other slots."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(7, 5, generator=generator, requires_grad=True)
    embedded = torch.randn(4, 7, 5, generator=generator, requires_grad=True)
    slots = (2, 0, 3, 1)
    weight = torch.randn(4, 7, 5, generator=generator)
    ours = RunningSum.apply(start, embedded, slots)
    reference = start + torch.cat([torch.zeros(1, 7, 5), embedded[:-1].cumsum(0)])
    for j, slot in enumerate(slots):
        torch.testing.assert_close(ours[slot], reference[j])
    mine = torch.autograd.grad((ours * weight).sum(), [start, embedded])
    placed = torch.stack([weight[slot] for slot in slots])
    theirs = torch.autograd.grad((reference * placed).sum(), [start, embedded])
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_hats_interpolate():
    """At every rank, the hats of ordered symbols sum to one and are not negative. Symbol 0 and padding have none."""
    basis = hat_basis(40, 50)
    assert bool((basis >= 0).all())
    torch.testing.assert_close(basis[1:40].sum(1), torch.ones(39))
    assert float(basis[0].abs().sum() + basis[40:].abs().sum()) == 0


def test_calibration_makes_marginals_those_of_the_counts():
    """Generated marginals of an untrained network match given counts within .02 after calibration, not before.

    20,000 rows scatter by less than .004 each, so that is five standard errors.
    """
    layout = Layout((Discrete(4), Discrete(5)))
    shape = Shape(
        latent=2, width=16, hidden=8, components=4, mixture=1, dropout=0.0, prior="normal", decoder="autoregressive"
    )
    torch.manual_seed(0)
    vae = VAE(layout, shape)
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    vae.eval()
    generator, n = torch.Generator().manual_seed(1), 20_000
    counts = [torch.tensor([0.0, 100.0, 50.0, 850.0]), torch.tensor([0.0, 250.0, 250.0, 400.0, 100.0])]

    def shares() -> list[torch.Tensor]:
        z, uniform = torch.randn(n, 2, generator=generator), torch.rand(2, n, generator=generator)
        codes = generate(vae, z, Draws(uniform, torch.zeros(0, n))).values["symbols"]
        return [torch.bincount(codes[:, k], minlength=len(counts[k])) / n for k in range(2)]

    def furthest() -> float:
        return max(float((share - count / 1000).abs().max()) for share, count in zip(shares(), counts, strict=True))

    assert furthest() > 0.1
    z, uniform = torch.randn(n, 2, generator=generator), torch.rand(2, n, generator=generator)
    with torch.no_grad():
        match_marginals(vae, counts, z, Draws(uniform, torch.zeros(0, n)))
    assert furthest() < 0.02


def test_every_parameter_has_one_weight_decay():
    """Heads and modules name each parameter once: symbols' own weights decay most, the prior, biases and norms not."""
    layout = Layout((Discrete(4), Discrete(40, ordered=True), Real(-1, 1)))
    shape = Shape(
        latent=2, width=16, hidden=8, components=4, mixture=2, dropout=0.0, prior="mixture", decoder="autoregressive"
    )
    vae = VAE(layout, shape)
    decays = dict(vae.decays())
    assert len(decays) == len(list(vae.decays())) == len(list(vae.parameters()))
    assert {decays[parameter] for parameter in vae.prior.parameters()} == {0.0}
    assert decays[vae.encoder.inputs.of("symbols").table.weight] == decays[vae.of("symbols").weights[0]] == 5.0
    assert decays[vae.decoder.weight] == decays[vae.encoder.body[1].weight] == decays[vae.of("reals").weight] == 1.0
    assert decays[vae.decoder.bias] == decays[vae.decoder.norm.weight] == decays[vae.of("symbols").biases[0]] == 0.0
