"""Every number of a training, resolved.

A network for 500 rows must not learn them by heart, one for 500,000 must not be slow, and 200 columns must not cost 200
times as much as one. Numbers that users leave open follow from the number of rows and of variables. The result is a
`Recipe`. Nothing in it is left open, so it says what was done, and it is logged with the run.
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
from pipeline.training.schedules import device_of

RATE, SHARE = 8.0, 1 / 3
"""Free bits: 8 nats, but at most a third of the sum of the variables' marginal entropies."""
DECAY, LEAST_DECAY, MOST_DECAY = 1600.0, 0.3, 1.0
"""Weight decay: this divided by the number of rows, within these bounds. As with a prior, more rows outweigh it."""
MOST_WEIGHTS = 2**28
"""Largest number of weights of a network: 1 GiB. A training needs about six times as much memory."""
STEPS = 3000
"""Number of steps of a training, if the table is neither tiny nor huge."""
LEAST_PATIENCE = 5
"""Least number of epochs to wait for a better validation ELBO."""


class Settling(Record):
    """How training ends: a few steps at a low rate in which nothing is dropped or blanked.

    Attributes:
        length: Number of steps, relative to those taken before.
        rate: The rate at the beginning, relative to the peak. It falls to 0.
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
        epochs: Passes over the training rows. 0 leaves the initial weights.
        batch: Rows of a step, at most all.
        optimizer: As in `TrainingSettings`.
        schedule: Schedule of the learning rate.
        rate: Peak learning rate.
        weight_decay: Decoupled weight decay.
        beta: Weight of the KL after warm-up.
        warmup: Share of the steps, or of each cycle, in which β rises from 0.
        annealing: How β rises.
        free_bits: Nats per row for which the encoder does not pay.
        clip: Largest norm of the gradient.
        patience: Epochs without a better validation ELBO after which training settles.
        time_limit: Largest number of seconds.
        device: The device of the training.
        settling: How the training ends.
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
        """The recipe for a table. What the settings leave open follows from its rows.

        Raises:
            SettingsError: The settings ask for a network that no usual machine can train, or for a device that this
                machine lacks.
        """
        rows = len(feed)
        batch = max(32, min(512, rows // 32)) if training.batch is None else training.batch
        epochs = max(4, min(200, round(STEPS * batch / rows))) if training.epochs is None else training.epochs
        given = training.model_dump(exclude={"epochs", "batch", "weight_decay", "free_bits", "patience", "device"})
        return cls(
            shape=shape_for(layout, rows, model),
            epochs=epochs,
            batch=min(batch, rows),
            weight_decay=weight_decay(rows) if training.weight_decay is None else training.weight_decay,
            free_bits=free_bits(feed) if training.free_bits is None else training.free_bits,
            patience=patience(epochs) if training.patience is None else training.patience,
            device=str(device_of(training.device)),
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
    """Weight decay for `rows` training rows: a network must not learn few rows by heart."""
    return min(MOST_DECAY, max(LEAST_DECAY, DECAY / rows))


def patience(epochs: int) -> int:
    """Number of epochs to wait for a better validation ELBO."""
    return max(LEAST_PATIENCE, epochs // 10)


def free_bits(feed: Feed) -> float:
    """The rate that keeps the latent space in use: `RATE`, or a `SHARE` of the marginal entropies if that is less."""
    return min(RATE, SHARE * feed.nats)


def _narrow(variables: int, rows: int) -> int:
    """The divisor of widths: steps must stay affordable with many variables, and few rows teach few weights."""
    if variables > 200 or rows < 1000:  # noqa: PLR2004
        return 4
    return 2 if variables > 64 or rows < 4000 else 1  # noqa: PLR2004
