"""Every number of a training, resolved.

A network for 500 rows must not learn them by heart, one for 500,000 must not crawl, and 200 columns must not cost
200 times one. What users leave open follows from the number of rows and of variables. The result is a `Recipe`: nothing
in it is left open, so it says what was done, and it is logged with the run.
"""

import math
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from pipeline.errors import SettingsError
from pipeline.models.layout import Layout
from pipeline.models.shape import Shape
from pipeline.models.vae import tensors
from pipeline.records import Record
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.feed import Feed

RATE, SHARE = 8.0, 1 / 3
"""Free bits: 8 nats, but at most a third of what the columns of a row tell one by one."""
DECAY, LEAST_DECAY, MOST_DECAY = 1600.0, 0.3, 1.0
"""Weight decay: this divided by the rows, within these bounds. As with a prior of the weights, rows outweigh it."""
MOST_WEIGHTS = 2**28
"""Weights of a network: 1 GiB, of which a training needs some six."""
STEPS = 3000
"""Steps of a training, where the table is neither tiny nor huge."""
LEAST_PATIENCE = 5
"""Fewest epochs that a better validation ELBO is waited for."""


class Settling(Record):
    """How training ends: a few steps at a low rate in which nothing is dropped or blanked.

    Attributes:
        length: Steps relative to those taken before.
        rate: The rate that they begin at relative to the peak; it falls to 0.
    """

    length: PositiveFloat = 0.1
    rate: PositiveFloat = 0.1

    @property
    def learning(self) -> float:
        """Share of the training that comes before."""
        return 1 / (1 + self.length)


class Recipe(Record):
    """A training, with nothing left open.

    Attributes:
        shape: The sizes of the network.
        epochs: Passes over the training rows; 0 leaves the network as it begins.
        batch: Rows of a step.
        optimizer: As in `TrainingSettings`, as are the following.
        schedule: Of the learning rate.
        rate: Peak learning rate.
        weight_decay: Decoupled weight decay.
        beta: Weight of the KL after warm-up.
        warmup: Share of the steps, or of each cycle, in which β rises from 0.
        annealing: How β rises.
        free_bits: Nats per row for which the encoder does not pay.
        clip: Largest norm of the gradient.
        patience: Epochs without a better validation ELBO after which training settles.
        time_limit: Most seconds.
        device: Where it is trained.
        settling: How it ends.
    """

    shape: Shape
    epochs: int = Field(ge=0)
    batch: PositiveInt
    optimizer: Literal["adamw", "adam", "nadam", "sgd"]
    schedule: Literal["one-cycle", "cosine", "constant"]
    rate: PositiveFloat
    weight_decay: NonNegativeFloat
    beta: NonNegativeFloat
    warmup: float = Field(ge=0, le=1)
    annealing: Literal["linear", "cyclical"]
    free_bits: NonNegativeFloat
    clip: PositiveFloat
    patience: PositiveInt
    time_limit: PositiveFloat
    device: str
    settling: Settling = Settling()

    @classmethod
    def of(cls, layout: Layout, feed: Feed, model: ModelSettings, training: TrainingSettings) -> "Recipe":
        """The recipe for a table; what the settings leave open follows from its rows.

        Raises:
            SettingsError: The settings ask for a network that no usual machine can train.
        """
        rows = len(feed)
        batch = max(32, min(512, rows // 32)) if training.batch is None else training.batch
        epochs = max(4, min(200, round(STEPS * batch / rows))) if training.epochs is None else training.epochs
        given = training.model_dump(exclude={"epochs", "batch", "weight_decay", "free_bits", "patience"})
        return cls(
            shape=shape_for(layout, rows, model),
            epochs=epochs,
            batch=batch,
            weight_decay=weight_decay(rows) if training.weight_decay is None else training.weight_decay,
            free_bits=free_bits(feed) if training.free_bits is None else training.free_bits,
            patience=patience(epochs) if training.patience is None else training.patience,
            **given,
        )


def shape_for(layout: Layout, rows: int, model: ModelSettings) -> Shape:
    """The sizes of a VAE for a table of `rows` rows.

    Raises:
        SettingsError: The settings ask for a network that no usual machine can train.
    """
    narrow = _narrow(len(layout), rows)
    left_open = {"width": 256 // narrow, "hidden": 128 // narrow, "components": max(8, min(512, rows // 32))}
    shape = Shape(**(left_open | model.model_dump(exclude_none=True)))
    weights = sum(math.prod(tensor.shape) for tensor in tensors(layout, shape).values())
    if weights > MOST_WEIGHTS:
        raise SettingsError(
            f"model: expected a network of at most {MOST_WEIGHTS:,} weights for {len(layout)} variables, "
            f"got {weights:,}; lower model.width or model.hidden"
        )
    return shape


def weight_decay(rows: int) -> float:
    """Decay of weights that hold what `rows` rows told: a network must not learn few rows by heart."""
    return min(MOST_DECAY, max(LEAST_DECAY, DECAY / rows))


def patience(epochs: int) -> int:
    """Epochs that a better validation ELBO is waited for."""
    return max(LEAST_PATIENCE, epochs // 10)


def free_bits(feed: Feed) -> float:
    """The rate at which the latent is kept alive: `RATE`, or a `SHARE` of the marginal entropies of simple rows."""
    return min(RATE, SHARE * feed.nats)


def _narrow(variables: int, rows: int) -> int:
    """By how much widths shrink: a step of many variables must stay affordable, few rows teach few weights."""
    if variables > 200 or rows < 1000:  # noqa: PLR2004
        return 4
    return 2 if variables > 64 or rows < 4000 else 1  # noqa: PLR2004
