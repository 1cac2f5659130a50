"""How a model is fitted to a table.

What only a few rows share is withheld (`pipeline.privacy.disclosure`), a small table is rehearsed
(`pipeline.privacy.rehearsal`), normalization is fitted, and the network is trained, afresh or from a champion
(`pipeline.continuation`).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from pipeline import continuation
from pipeline.columns.base import Novel, Origin
from pipeline.errors import SchemaError, TableError
from pipeline.fitted import Fitted
from pipeline.models.inheritance import inherit
from pipeline.models.vae import VAE
from pipeline.normalization import Normalization
from pipeline.privacy.disclosure import Disclosure
from pipeline.privacy.rehearsal import ENOUGH, Generate, Shrinkage, independent, rehearse
from pipeline.progress import Progress, silent
from pipeline.queries.generation import batches
from pipeline.randomness import torch_seed
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.feed import Feed
from pipeline.training.optimization import train
from pipeline.training.recipe import Recipe

REHEARSAL = 0.2
"""Share of the time limit that each half of a rehearsal takes."""


class Material(NamedTuple):
    """The rows of one table that a training may know.

    Attributes:
        rows: Training rows.
        validation: Rows that choose when to stop.
        schema: Their schema, from `pipeline.columns.infer`.
        taken: Every real row there is: no made-up value is one of theirs, and they say how many rows share a value.
            Nothing else is learned from them.
    """

    rows: pa.Table
    validation: pa.Table
    schema: Schema
    taken: pa.Table

    @classmethod
    def of(cls, rows: pa.Table, validation: pa.Table, schema: Schema, taken: pa.Table | None = None) -> "Material":
        """The columns of the schema; without `taken`, the rows and the validation rows are all there are.

        Raises:
            TableError: There are no rows.
        """
        if rows.num_rows == 0:
            raise TableError("expected at least one training row, got none")
        rows, validation = (table.select(schema.names) for table in (rows, validation))
        every = pa.concat_tables([rows, validation]) if taken is None else taken.select(schema.names)
        return cls(rows, validation, schema, every)

    def shown(self, champion: Fitted | None, seed: int) -> "Material":
        """The same rows without what may not be shown; `taken` stays as it is."""
        rule = Disclosure.of(self.taken, self.schema, champion.labels if champion is not None else None)
        rows, validation = (rule.apply(table, seed=seed) for table in (self.rows, self.validation))
        return self._replace(rows=rows, validation=validation)

    def independent(self, seed: int) -> "Material":
        """The same columns without any dependence between them."""
        rows, validation = (independent(table, seed=seed) for table in (self.rows, self.validation))
        return self._replace(rows=rows, validation=validation)

    @property
    def known(self) -> pa.Table:
        """Training and validation rows: a validation row may hold the only extreme or rare label."""
        return pa.concat_tables([self.rows, self.validation])


class Choices(NamedTuple):
    """What a user may choose about a training.

    Attributes:
        model: The network; sizes left open follow the table.
        training: The optimisation; lengths left open follow the table.
        novel: What becomes of labels that a champion does not know.
    """

    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    novel: Novel = "extend"


def fit(
    material: Material,
    choices: Choices,
    *,
    champion: Fitted | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Fitted:
    """Fit normalization and network to a table.

    Args:
        material: The rows.
        choices: What the user has chosen.
        champion: A model of an earlier table of the same columns, at which the training starts; left as it is.
        seed: Fixes initial weights, order and noise.
        progress: Receives the phase "train".

    Raises:
        SchemaError: A column cannot be of its kind; the champion has other columns, or new labels are refused.
        ResynthError: Training diverged.
    """
    shown = material.shown(champion, seed)
    shrinkage = champion.shrinkage if champion is not None else _shrinkage(shown, choices, seed)
    return _trained(shown, choices, shrinkage, champion, seed, progress)


def _trained(
    material: Material,
    choices: Choices,
    shrinkage: Shrinkage,
    champion: Fitted | None,
    seed: int,
    progress: Progress = silent,
) -> Fitted:
    """Fit normalization and network to rows that may be shown."""
    known = material.known
    if shrinkage.share == 1:
        material = material.independent(seed)
    normalization, origins = _normalization(material, known, champion, choices.novel)
    if not len(normalization.layout):
        return Fitted(normalization, None, shrinkage=shrinkage)
    feed = Feed(normalization.layout, normalization.encode(material.rows))
    recipe = Recipe.of(normalization.layout, feed, choices.model, choices.training)
    ancestor = champion.vae if champion is not None else None
    if ancestor is not None:
        recipe = continuation.shortened(recipe, ancestor.shape, choices.training)
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(seed, "weights"))
        vae = VAE(normalization.layout, recipe.shape).eval()
    if ancestor is not None:
        inherit(vae, ancestor, origins, feed.rows, keep=continuation.KEEP if recipe.epochs else 1.0)
    held = normalization.encode(material.validation)
    history = train(vae, feed, held, recipe, seed=seed, progress=progress) if recipe.epochs else ()
    return Fitted(normalization, vae, history, shrinkage, recipe)


def _normalization(
    material: Material, known: pa.Table, champion: Fitted | None, novel: Novel
) -> tuple[Normalization, tuple[Origin, ...]]:
    """Codecs fitted, or the champion's extended, to the known rows; the origin of every variable."""
    if champion is None:
        return Normalization.fit(known, material.schema, material.taken), ()
    if found := continuation.differences(champion, material.schema):
        raise SchemaError(f"warm start: expected the champion's columns; {'; '.join(found)}")
    return champion.normalization.extend(known, material.schema, novel, material.taken)


def _shrinkage(material: Material, choices: Choices, seed: int) -> Shrinkage:
    """How far a small table is shrunk towards independent columns; not at all where nothing is trained."""
    known = material.known
    if choices.training.epochs == 0 or known.num_rows >= ENOUGH:
        return Shrinkage()
    return rehearse(known, material.schema, _rehearsal(material.schema, choices, seed), seed=seed)


def _rehearsal(schema: Schema, choices: Choices, seed: int) -> Callable[[pa.Table], Generate]:
    """Trains on half of the rows in a fifth of the time."""
    limit = REHEARSAL * choices.training.time_limit
    brief = choices._replace(training=choices.training.model_copy(update={"time_limit": limit}))

    def fitted(half: pa.Table) -> Generate:
        held = np.arange(half.num_rows) % 10 == 0
        material = Material.of(half.filter(pa.array(~held)), half.filter(pa.array(held)), schema)
        return partial(_sample, _trained(material.shown(None, seed), brief, Shrinkage(), None, seed), seed)

    return fitted


def _sample(model: Fitted, seed: int, rows: int) -> pa.Table:
    return pa.concat_tables(batches(model, rows, seed=seed))
