"""Values read with noise: how much, of which columns, and what it does to a training."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy.stats import gaussian_kde, uniform

from pipeline import columns
from pipeline.columns.variables import Discrete
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.shape import Shape
from pipeline.models.vae import VAE
from pipeline.normalization import Normalization
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training import blur
from pipeline.training.blur import Blurring
from pipeline.training.feed import Feed
from pipeline.training.optimization import train, validate
from pipeline.training.recipe import Recipe

SYMBOLS = 40
LAYOUT = Layout((Discrete(SYMBOLS + 1, ordered=True, coarse=(False, *[True] * SYMBOLS)),) * 4)


def curves(n: int, seed: int) -> Rows:
    """Three independent numbers in 40 ranges, and a fourth near the mean of the first two."""
    random = np.random.default_rng(seed)
    values = random.random((n, 4))
    values[:, 3] = np.clip(values[:, :2].mean(1) + random.normal(0, 0.1, n), 0, 0.999)
    return Rows({"symbols": torch.from_numpy((SYMBOLS * values).astype(np.int64) + 1)})


def test_the_noise_follows_silvermans_rule():
    """It is half of the bandwidth that SciPy gives for as many uniform ranks."""
    for rows in (100, 30_000):
        factor = gaussian_kde(np.linspace(0, 1, rows), "silverman").factor
        assert blur.deviation(rows) == pytest.approx(0.5 * factor * uniform.std(), rel=0.01)


def test_only_values_in_ranges_are_read_with_noise():
    """A continuous column is. Whole numbers that repeat, labels, and the value in half of the rows are not."""
    random = np.random.default_rng(0)
    inflated = np.where(random.random(4_000) < 0.5, 0.0, random.lognormal(size=4_000))
    frame = pd.DataFrame(
        {
            "income": inflated,
            "height": random.normal(size=4_000),
            "hour": random.integers(0, 24, 4_000),
            "town": random.choice(["Ulm", "Bonn", "Jena"], 4_000),
        }
    )
    table = pa.Table.from_pandas(frame, preserve_index=False)
    normalization = Normalization.fit(table, columns.infer(table), table)
    feed = Feed(normalization.layout, normalization.encode(table))
    read = Blurring(feed, 0.02, seed=0).read(feed.rows)
    before, after = (rows.values["symbols"].numpy() for rows in (feed.rows, read))  # noqa: PD011 - not pandas
    moved = before != after
    by_name = {table.column_names[owner]: moved[:, k] for k, owner in enumerate(normalization.owners)}
    assert by_name["height"].mean() > 0.3
    assert by_name["income"][inflated > 0].mean() > 0.3
    assert not by_name["income"][inflated == 0].any()
    assert not by_name["hour"].any()
    assert not by_name["town"].any()


def ended(deviation: float) -> tuple[float, float]:
    """ELBO of the training rows and of held-out rows after a training with noise."""
    torch.manual_seed(0)
    sizes = {"latent": 2, "width": 64, "hidden": 32, "components": 8, "mixture": 2}
    shape = Shape(**sizes, dropout=0.1, prior="mixture", decoder="autoregressive")
    vae, feed = VAE(LAYOUT, shape), Feed(LAYOUT, curves(800, 0))
    given = TrainingSettings(device="cpu", epochs=60, batch=50, weight_decay=0.1, patience=60, free_bits=0.0)
    recipe = Recipe.of(LAYOUT, feed, ModelSettings(), given)
    train(vae, feed, curves(0, 1), recipe.model_copy(update={"shape": shape, "blur": deviation}), seed=0)
    seen, held = (validate(vae, part, seed=0) for part in (feed.rows, curves(2_000, 2)))
    return seen.reconstruction - seen.kl, held.reconstruction - held.kl


@pytest.mark.usefixtures("training")
def test_noise_makes_a_training_learn_less_by_heart():
    """With noise, the ELBO of held-out rows is higher, and nearer to that of the training rows."""
    (seen, held), (seen_blurred, held_blurred) = ended(0.0), ended(blur.deviation(800))
    assert held_blurred > held + 0.1
    assert seen_blurred - held_blurred < 0.7 * (seen - held)
