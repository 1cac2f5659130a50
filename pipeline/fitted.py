"""The result of a training."""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
from pydantic import Field

from pipeline.errors import TableError
from pipeline.models.rows import Rows
from pipeline.models.vae import VAE
from pipeline.normalization import Normalization
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.records import Record
from pipeline.relations import Relations
from pipeline.schema import Schema
from pipeline.statistics.rarity import Rarity
from pipeline.training.history import Epoch
from pipeline.training.recipe import Recipe


class Ordinary(Record):
    """How ordinary rows score (`pipeline.queries.anomaly`). It holds no row.

    Attributes:
        views: The law of each view of a row, over rows that the model generated.
        scores: The law of the anomaly score, over real rows that the network was not trained on.
        centre: Median of these scores.
        spread: Median absolute deviation of these scores, times 1.4826.
    """

    views: Mapping[str, Rarity]
    scores: Rarity
    centre: float = Field(allow_inf_nan=False)
    spread: float = Field(gt=0, allow_inf_nan=False)


class Fitted(NamedTuple):
    """A trained model of one table.

    Attributes:
        relations: Schema of the table, and what is exact in every row of it.
        normalization: The codecs of the free columns (`pipeline.relations`).
        vae: The network. None for a table in which nothing varies.
        history: The epochs of the training.
        shrinkage: How far generated rows are shrunk towards independent columns.
        recipe: How the network was trained. None if there is no network.
        ordinary: How ordinary rows score. None during a training.
    """

    relations: Relations
    normalization: Normalization
    vae: VAE | None
    history: tuple[Epoch, ...] = ()
    shrinkage: Shrinkage = Shrinkage()
    recipe: Recipe | None = None
    ordinary: Ordinary | None = None

    @property
    def schema(self) -> Schema:
        """The schema of the table."""
        return self.relations.schema

    @property
    def labels(self) -> Mapping[str, pa.Array]:
        """The labels that the model knows, by column."""
        return self.normalization.labels

    @property
    def network(self) -> VAE:
        """The network.

        Raises:
            TableError: There is none.
        """
        if self.vae is None:
            raise TableError("expected a column that varies: a table of constants and identifiers has no latent space")
        return self.vae

    def encode(self, table: pa.Table) -> Rows:
        """The normal form of the free columns of a table of the schema. Something must vary."""
        return self.normalization.encode(self.relations.free(table))
