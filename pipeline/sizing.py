"""Sizes that follow the table.

A network for 500 rows must not learn them by heart, one for 500,000 must not crawl, and 200 columns must not cost
200 times one. What users leave open is chosen here from the number of rows and of variables.
"""

from typing import Literal

from pipeline.models.layout import Layout
from pipeline.models.priors import PriorName
from pipeline.models.vae import Shape
from pipeline.records import Record
from pipeline.training import TrainingSettings


class ModelSettings(Record):
    """The network; `None` is chosen by the size of the table. See `pipeline.models.vae.Shape` for meanings."""

    latent: int = 12
    width: int | None = None
    hidden: int | None = None
    components: int | None = None
    mixture: int = 8
    dropout: float | None = None
    prior: PriorName = "mixture"
    decoder: Literal["autoregressive", "factorised"] = "autoregressive"


def resolve(
    layout: Layout, rows: int, model: ModelSettings, training: TrainingSettings
) -> tuple[Shape, int, int]:
    """The VAE's shape, the number of epochs and the batch size for a table of `rows` rows."""
    shape = Shape(
        latent=model.latent,
        width=model.width or 256,
        hidden=model.hidden or 128,
        components=model.components or 512,
        mixture=model.mixture,
        dropout=0.0 if model.dropout is None else model.dropout,
        prior=model.prior,
        decoder=model.decoder,
    )
    return shape, training.epochs or 60, training.batch or 1024
