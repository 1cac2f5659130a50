"""Sizes that follow the table.

A network for 500 rows must not learn them by heart, one for 500,000 must not crawl, and 200 columns must not cost
200 times one. What users leave open is chosen here from the number of rows and of variables.
"""

import math

import torch

from pipeline.errors import SettingsError
from pipeline.models.layout import Layout
from pipeline.models.vae import Shape, tensors
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.optimization import Rows

RATE, SHARE = 8.0, 1 / 3
"""Free bits: 8 nats, but at most a third of what the columns of a row tell one by one."""
REAL = 3.0
"""Nats that a real variable is taken to tell."""
DECAY, LEAST_DECAY, MOST_DECAY = 1600.0, 0.3, 1.0
"""Weight decay: this divided by the rows, within these bounds. As with a prior of the weights, rows outweigh it."""
MOST_WEIGHTS = 2**28
"""Weights of a network: 1 GiB, of which a training needs some six."""
STEPS = 3000
"""Steps of a training, where the table is neither tiny nor huge."""


def weight_decay(rows: int) -> float:
    """Decay of weights that hold what `rows` rows told: a network must not learn few rows by heart."""
    return min(MOST_DECAY, max(LEAST_DECAY, DECAY / rows))


def resolve(layout: Layout, rows: int, model: ModelSettings, training: TrainingSettings) -> tuple[Shape, int, int]:
    """The VAE's shape, the number of epochs and the batch size for a table of `rows` rows.

    Raises:
        SettingsError: The settings ask for a network that no usual machine can train.
    """
    narrow = _narrow(len(layout), rows)
    shape = Shape(
        latent=model.latent,
        width=256 // narrow if model.width is None else model.width,
        hidden=128 // narrow if model.hidden is None else model.hidden,
        components=max(8, min(512, rows // 32)) if model.components is None else model.components,
        mixture=model.mixture,
        dropout=model.dropout,
        blank=model.blank,
        activation=model.activation,
        prior=model.prior,
        decoder=model.decoder,
    )
    weights = sum(math.prod(size) for size in tensors(layout, shape).values())
    if weights > MOST_WEIGHTS:
        raise SettingsError(
            f"model: expected a network of at most {MOST_WEIGHTS:,} weights for {len(layout)} variables, "
            f"got {weights:,}; lower model.width or model.hidden"
        )
    batch = max(32, min(512, rows // 32)) if training.batch is None else training.batch
    epochs = max(4, min(200, round(STEPS * batch / rows))) if training.epochs is None else training.epochs
    return shape, epochs, batch


def free_bits(rows: Rows) -> float:
    """The rate at which the latent is kept alive: `RATE`, or a `SHARE` of the marginal entropies of simple rows."""
    entropy = REAL * rows.reals.shape[1]
    for codes in rows.codes.T:
        share = torch.bincount(codes).double() / len(rows)
        entropy -= float(torch.special.xlogy(share, share).sum())
    return min(RATE, SHARE * entropy)


def _narrow(variables: int, rows: int) -> int:
    """By how much widths shrink: a step of many variables must stay affordable, few rows teach few weights."""
    if variables > 200 or rows < 1000:  # noqa: PLR2004
        return 4
    return 2 if variables > 64 or rows < 4000 else 1  # noqa: PLR2004
