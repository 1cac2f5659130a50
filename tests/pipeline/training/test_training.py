"""The training loop: learns, repeats itself, stops, keeps the best."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.columns.variables import Discrete
from pipeline.errors import ResynthError
from pipeline.models.evidence import Evidence
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE
from pipeline.queries.bound import row_scores
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training import optimization, recipe
from pipeline.training.feed import Feed
from pipeline.training.history import Epoch
from pipeline.training.optimization import train, validate
from pipeline.training.recipe import Recipe
from pipeline.training.schedules import OPTIMIZERS, SCHEDULES, one_cycle, warmed

pytestmark = pytest.mark.usefixtures("training")
LAYOUT = Layout((Discrete(5), Discrete(5), Discrete(5)))
SHAPE = Shape(
    latent=3, width=24, hidden=16, components=8, mixture=2, dropout=0.0, prior="mixture", decoder="autoregressive"
)


def rows(n: int, seed: int = 0) -> Rows:
    """Two equal symbols and an independent one, all uniform over 1 … 4: the entropy is 2 log 4 nats."""
    random = np.random.default_rng(seed)
    a, b = random.integers(1, 5, n), random.integers(1, 5, n)
    return Rows({"symbols": torch.from_numpy(np.stack([a, a, b], 1))})


def fitted(vae: VAE, training: Rows, **settings: object) -> tuple[Epoch, ...]:
    """The history of a training of `vae`, without weight decay unless it is asked for."""
    given = {"device": "cpu", "epochs": 15, "batch": 100, "weight_decay": 0.0, "free_bits": 1.0, "rate": 5e-3}
    feed = Feed(LAYOUT, training)
    made = Recipe.of(LAYOUT, feed, ModelSettings(), TrainingSettings(**(given | settings)))
    return train(vae, feed, rows(500, 1), made.model_copy(update={"shape": vae.shape}), seed=0)


def trained(**settings):
    """A model after a short training, its history, and the validation rows."""
    torch.manual_seed(0)
    vae = VAE(LAYOUT, SHAPE)
    return vae, fitted(vae, rows(3_000), **settings), rows(500, 1)


def test_the_elbo_approaches_the_entropy():
    """Held-out ELBO ends within .25 nats of −2 log 4, from more than 4 at the start; none can honestly exceed it."""
    vae, history, held = trained()
    reconstruction, kl, _ = validate(vae, held, seed=0)
    entropy = 2 * np.log(4)
    assert -entropy - 0.25 < reconstruction - kl < -entropy + 0.1
    assert history[0].validation_elbo < history[-1].validation_elbo


def by_heart(patience: int, dropout: float = 0.0):
    """The history of a training on noise, which can only be learned by heart, and its VAE."""
    torch.manual_seed(0)
    noise = Rows({"symbols": torch.randint(1, 5, (200, 3))})
    vae = VAE(LAYOUT, SHAPE.model_copy(update={"dropout": dropout}))
    return fitted(vae, noise, free_bits=0.0, patience=patience, epochs=200, batch=50), vae


def test_training_settles_soon_after_validation_stops_improving(monkeypatch):
    """Noise is learned by heart: training settles three epochs after the last gain of half a standard error."""
    monkeypatch.setattr(optimization, "LEAST_STEPS", 0)
    errors = []

    def noted(*given, **named):
        errors.append((held := validate(*given, **named)).error)
        return held

    monkeypatch.setattr(optimization, "validate", noted)
    history, vae = by_heart(3)
    kept = 0
    for k, epoch in enumerate(history[:-1]):
        if epoch.validation_elbo > history[kept].validation_elbo + errors[k] / 2:
            kept = k
    assert len(history) == kept + 1 + 3 + 1
    assert history[-1].validation_elbo > history[kept].validation_elbo - 0.1
    # what is decoded is that, but for the calibration of marginals
    assert validate(vae, rows(500, 1), seed=0)[0] == pytest.approx(history[-1].validation_reconstruction, abs=0.02)
    assert by_heart(200)[0][-2].validation_elbo < history[-1].validation_elbo - 0.03


def test_the_standard_error_is_that_of_the_mean_over_rows():
    """Means of 25 rows scatter as widely as `validate` says, within four standard errors of 80 samples."""
    vae, _, _ = trained(epochs=2)
    found = [validate(vae, rows(25, seed), seed=seed) for seed in range(80)]
    scatter = np.std([held.reconstruction - held.kl for held in found])
    assert scatter == pytest.approx(np.mean([held.error for held in found]), rel=0.3)


def test_settling_drops_nothing_at_a_falling_low_rate():
    """The end is trained as rows are generated, at most at a tenth of the peak rate."""
    history, vae = by_heart(3, dropout=0.2)
    assert all(module.p == 0 for module in vae.modules() if isinstance(module, torch.nn.Dropout))
    assert history[-1].learning_rate < recipe.Settling().rate * 5e-3 < history[-2].learning_rate


def test_the_mean_looks_back_over_a_fixed_share_of_the_steps():
    """For weights that grow by 1 a step, the mean is (γ + 1) / (γ + 2) of the last, after 100 steps as after 2,000."""
    line = torch.nn.Linear(1, 1, bias=False)
    mean = torch.optim.swa_utils.AveragedModel(line, avg_fn=optimization._recent)
    for step in range(1, 2001):
        torch.nn.init.constant_(line.weight, step)
        mean.update_parameters(line)
        if step in {100, 2000}:
            expected = step * (optimization.MEMORY + 1) / (optimization.MEMORY + 2)
            assert mean.module.weight.item() == pytest.approx(expected, rel=0.01)


def test_few_rows_are_not_stopped_before_they_are_learned():
    """Validation gets worse from the first epochs on, but weights of the first 300 steps are never restored."""
    history, _ = by_heart(3)
    assert max(history, key=lambda epoch: epoch.validation_elbo).epoch < 60
    assert len(history) > 300 // 4


def test_the_prior_ends_nearer_to_the_posterior():
    """The refit after the last epoch lowers the KL of the training rows without touching what is decoded."""
    vae, history, _ = trained()
    reconstruction, kl, _ = validate(vae, rows(3_000), seed=0)
    assert kl < history[-1].kl
    assert reconstruction == pytest.approx(history[-1].reconstruction, abs=0.05)


def test_a_seed_reproduces_a_training():
    """Two trainings with one seed end with equal weights."""
    first, second = (trained(epochs=3)[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_training_leaves_the_global_random_state_alone():
    """Draws after a training are as if it had not been."""
    model = VAE(LAYOUT, SHAPE)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted(model, rows(200), epochs=1, batch=50)
    assert torch.equal(torch.rand(3), expected)


def test_free_bits_keep_the_latent_alive():
    """With 1 free nat, the KL stays near it or above. Without free bits, the autoregressive decoder lets z die."""
    assert trained(free_bits=1.0)[1][-1].kl > 0.8
    assert trained(free_bits=0.0)[1][-1].kl < 0.3


def test_a_higher_beta_lowers_the_kl():
    """β up, KL down (Higgins et al. 2017), for the factorised decoder that needs its latent."""
    kls = []
    for beta in (0.1, 0.2, 1.0):
        torch.manual_seed(0)
        vae = VAE(LAYOUT, SHAPE.model_copy(update={"decoder": "factorised"}))
        kls.append(fitted(vae, rows(3_000), free_bits=0.0, beta=beta, epochs=10)[-1].kl)
    assert kls[0] > kls[1] > kls[2]


def test_the_time_limit_ends_a_training():
    """With next to no time a training settles after its first step and still returns a model and its history."""
    _, history, _ = trained(time_limit=1e-3)
    assert len(history) == 2


def test_a_diverging_training_says_so():
    """A rate that destroys the weights ends in an error, not in a model of NaN."""
    with pytest.raises(ResynthError, match="diverged"):
        trained(rate=1e30, clip=1e30)


def test_the_rate_rises_then_falls():
    """One cycle rises from 5 % to the peak in a tenth of the way, and falls to almost nothing."""
    assert one_cycle(0) == pytest.approx(0.05)
    assert one_cycle(0.1) == pytest.approx(1)
    assert one_cycle(1) < 0.01
    rates = [one_cycle(x) for x in np.linspace(0.1, 1, 50)]
    assert rates == sorted(rates, reverse=True)


def test_named_schedules_are_what_they_say():
    """Cosine falls from the peak from the start; constant stays."""
    cosine, constant = SCHEDULES["cosine"], SCHEDULES["constant"]
    assert cosine(0) == pytest.approx(1)
    assert cosine(0.5) == pytest.approx(0.5, abs=0.01)
    assert constant(0.9) == 1


def test_the_kl_is_warmed_up_as_named():
    """Linear: once, over a tenth of the training. Cyclical: anew in each quarter (Fu et al. 2019)."""
    assert [warmed(x, 0.1, "linear") for x in (0, 0.05, 0.1, 0.9)] == pytest.approx([0, 0.5, 1, 1])
    found = [warmed(x, 0.5, "cyclical") for x in (0, 0.0625, 0.2, 0.25, 0.3125)]
    assert found == pytest.approx([0, 0.5, 1, 0, 0.5])


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_learns(name):
    """Each named optimizer raises the validation ELBO by more than a nat."""
    history = trained(optimizer=name, rate=0.05 if name == "sgd" else 5e-3)[1]
    assert history[-1].validation_elbo > history[0].validation_elbo + 0.3
    assert history[-1].validation_elbo > -4.5


CHANGES = [{"prior": "flow"}, {"prior": "normal"}, {"activation": "tanh"}, {"activation": "relu"}]


@pytest.mark.parametrize("change", CHANGES)
def test_every_prior_and_activation_trains(change):
    """Each named prior and nonlinearity gets within half a nat of the entropy."""
    torch.manual_seed(0)
    vae = VAE(LAYOUT, SHAPE.model_copy(update=change))
    history = fitted(vae, rows(3_000))
    assert history[-1].validation_elbo > -2 * np.log(4) - 0.5


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": -1}, {"batch": 0}, {"time_limit": 0}, {"rate": float("nan")}, {"device": "gpu"}, {"warmup": 2}],
)
def test_impossible_settings_are_refused(wrong):
    """They are refused before any row is read, and not by PyTorch in the middle of a run."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


def test_the_encoder_learns_to_do_with_some_cells(monkeypatch):
    """Of two equal symbols one is hidden: the bound of the others nears their entropy, without gaps it does not.

    Whole rows are described as well as without.
    """
    known = torch.tensor([[0.0, 1.0, 1.0]]).expand(500, 3)
    partial, whole = [], []
    for every in (optimization.EVERY, 10**9):
        monkeypatch.setattr(optimization, "EVERY", every)
        vae, history, held = trained(epochs=30)
        partial.append(float(row_scores(vae, Evidence(held.knowing(known)), seed=0).elbo.mean()))
        whole.append(history[-1].validation_elbo)
    assert -2 * np.log(4) - 0.2 < partial[0] < -2 * np.log(4) + 0.1
    assert partial[1] < partial[0] - 0.3
    assert whole[0] == pytest.approx(whole[1], abs=0.05)
