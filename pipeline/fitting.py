"""How a model is fitted to a table.

What is exact in every row is found first, and the columns that follow from others are left out of everything below
(`pipeline.relations`). Values that only a few rows share are withheld (`pipeline.privacy.disclosure`). A small table is
rehearsed (`pipeline.privacy.rehearsal`). Then the normalization is fitted, and the network is trained, afresh or from a
champion (`pipeline.continuation`).
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from pipeline import columns, continuation
from pipeline.columns.base import Novel, Origin
from pipeline.data.tables import split
from pipeline.errors import SchemaError, TableError
from pipeline.fitted import Fitted
from pipeline.frames import Frame, alike
from pipeline.models.inheritance import inherit
from pipeline.models.vae import VAE
from pipeline.normalization import Normalization
from pipeline.privacy.disclosure import Disclosure
from pipeline.privacy.rehearsal import ENOUGH, Generate, Shrinkage, independent, rehearse
from pipeline.progress import Progress, part, silent
from pipeline.queries.anomaly import ordinary
from pipeline.queries.generation import batches
from pipeline.randomness import torch_seed
from pipeline.relations import Relations, search
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, RelationSettings, TrainingSettings
from pipeline.training.feed import Feed
from pipeline.training.optimization import train
from pipeline.training.recipe import Recipe

REHEARSAL = 0.2
"""Time limit of each half of a rehearsal, as a share of the training's limit."""


class Material(NamedTuple):
    """The rows of one table that a training may know.

    Attributes:
        rows: Training rows.
        validation: Rows that decide when to stop.
        schema: Their schema, from `pipeline.columns.infer`.
        taken: Every real row there is. No made-up value is one of theirs, and they determine how many rows share a
            value. Nothing else is learned from them.
    """

    rows: pa.Table
    validation: pa.Table
    schema: Schema
    taken: pa.Table

    @classmethod
    def of(cls, rows: pa.Table, validation: pa.Table, schema: Schema, taken: pa.Table | None = None) -> "Material":
        """Select the columns of the schema. Without `taken`, the training and validation rows are all real rows.

        Raises:
            TableError: There are no training rows.
        """
        if rows.num_rows == 0:
            raise TableError("expected at least one training row, got none")
        rows, validation = (table.select(schema.names) for table in (rows, validation))
        every = pa.concat_tables([rows, validation]) if taken is None else taken.select(schema.names)
        return cls(rows, validation, schema, every)

    @classmethod
    def of_frames(cls, rows: Frame, validation: Frame | None, schema: Schema, taken: Frame | None = None) -> "Material":
        """The same for frames. Without `validation`, a part of `rows` is set aside.

        Raises:
            TableError: There are too few rows, or a column of the schema is missing or of another type.
        """
        if validation is None:
            taken, parts = rows if taken is None else taken, split(rows)
            rows, validation = pa.concat_tables([parts.train, parts.holdout]), parts.validation
        rows, validation = (alike(part, schema.arrow) for part in (rows, validation))
        return cls.of(rows, validation, schema, alike(taken, schema.arrow) if taken is not None else None)

    def freed(self, relations: Relations) -> "Material":
        """The free columns of the same rows."""
        rows, validation, taken = (relations.free(table) for table in (self.rows, self.validation, self.taken))
        return Material(rows, validation, relations.free_schema, taken)

    def shown(self, champion: Fitted | None, seed: int) -> "Material":
        """The same rows without values that are withheld. `taken` stays as it is."""
        rule = Disclosure.of(self.taken, self.schema, champion.labels if champion is not None else None)
        rows, validation = (rule.apply(table, seed=seed) for table in (self.rows, self.validation))
        return self._replace(rows=rows, validation=validation)

    def independent(self, seed: int) -> "Material":
        """The same columns without any dependence between them."""
        rows, validation = (independent(table, seed=seed) for table in (self.rows, self.validation))
        return self._replace(rows=rows, validation=validation)

    @property
    def known(self) -> pa.Table:
        """Training and validation rows together. A validation row may hold the only extreme or rare label."""
        return pa.concat_tables([self.rows, self.validation])


class Choices(NamedTuple):
    """The user's choices for a training.

    Attributes:
        model: Settings of the network. Sizes left open follow the table.
        training: Settings of the optimisation. Lengths left open follow the table.
        novel: What to do with labels that a champion does not know.
        relations: Which relations between columns to look for.
    """

    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    novel: Novel = "extend"
    relations: RelationSettings = RelationSettings()

    @classmethod
    def of(
        cls,
        model: ModelSettings | None,
        training: TrainingSettings | None,
        novel: Novel,
        relations: RelationSettings | None,
    ) -> "Choices":
        """Choices of which some are left to the defaults."""
        return cls(model or ModelSettings(), training or TrainingSettings(), novel, relations or RelationSettings())


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
        choices: The user's choices.
        champion: A model of an earlier table with the same columns, from which the training starts. It is not changed.
        seed: Fixes initial weights, order and noise.
        progress: Receives the phase "train".

    Raises:
        SchemaError: A column cannot be of its kind, the champion has other columns, or new labels are refused.
        ResynthError: The training diverged.
    """
    relations = _relations(material, choices, champion, part(progress, 0, 0.05))
    shown = material.freed(relations).shown(champion, seed)
    relations = relations.shown(shown.known)
    rehearses = champion is None and _rehearses(shown, choices)
    begin = 0.3 if rehearses else 0.05  # two trainings of a fifth of the time
    shrinkage = champion.shrinkage if champion is not None else Shrinkage()
    if rehearses:
        shrinkage = _shrinkage(shown, choices, seed, part(progress, 0.05, begin))
    made = _trained(shown, choices, shrinkage, champion, seed, part(progress, begin, 0.98))
    made = made._replace(relations=relations)
    return made._replace(ordinary=ordinary(made, material.validation, material.rows))


def inferred(table: pa.Table) -> Schema:
    """The schema of a table. Warns of columns that cannot be modelled and are left out."""
    schema = columns.infer(table)
    for text in schema.warnings:
        warnings.warn(text, UserWarning, stacklevel=3)
    return schema


def _relations(material: Material, choices: Choices, champion: Fitted | None, progress: Progress) -> Relations:
    """The relations of the known rows. A warm start keeps the champion's.

    Raises:
        SchemaError: The rows break a relation of the champion.
    """
    if champion is None:
        return search.find(material.known, material.schema, choices.relations, material.taken, progress)
    if found := continuation.differences(champion, material.schema):
        raise SchemaError(f"warm start: expected the champion's columns; {'; '.join(found)}")
    if lost := continuation.broken(champion, material.known):
        texts = "; ".join(relation.text for relation, _ in lost)
        raise SchemaError(f"warm start: expected rows that keep the champion's relations, got rows that break {texts}")
    if choices.novel == "refuse" and (new := champion.relations.strange(material.known)):
        name, count = next(iter(new.items()))
        raise SchemaError(f"column {name!r}: expected known labels only, got {count} new ones")
    return champion.relations.extended(material.known)


def _trained(
    material: Material,
    choices: Choices,
    shrinkage: Shrinkage,
    champion: Fitted | None,
    seed: int,
    progress: Progress = silent,
) -> Fitted:
    """Fit normalization and network to rows without withheld values."""
    known = material.known
    if shrinkage.share == 1:
        material = material.independent(seed)
    normalization, origins = _normalization(material, known, champion, choices.novel, part(progress, 0, 0.1))
    if not len(normalization.layout):
        return Fitted(Relations(material.schema), normalization, None, shrinkage=shrinkage)
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
    history = train(vae, feed, held, recipe, seed=seed, progress=part(progress, 0.1, 1)) if recipe.epochs else ()
    return Fitted(Relations(material.schema), normalization, vae, history, shrinkage, recipe)


def _normalization(
    material: Material, known: pa.Table, champion: Fitted | None, novel: Novel, progress: Progress
) -> tuple[Normalization, tuple[Origin, ...]]:
    """Fit codecs to the known rows, or extend the champion's. Returns the origin of every variable too."""
    if champion is None:
        return Normalization.fit(known, material.schema, material.taken, progress), ()
    return champion.normalization.extend(known, material.schema, novel, material.taken)


def _rehearses(material: Material, choices: Choices) -> bool:
    """Whether a table is so small that it is shrunk towards independent columns. Not if nothing is trained."""
    return choices.training.epochs != 0 and material.known.num_rows < ENOUGH


def _shrinkage(material: Material, choices: Choices, seed: int, progress: Progress) -> Shrinkage:
    """How far a small table is shrunk towards independent columns."""
    halves = iter((part(progress, 0, 0.5), part(progress, 0.5, 1)))
    fit = _rehearsal(material.schema, choices, seed, halves)
    return rehearse(material.known, material.schema, fit, seed=seed)


def _rehearsal(
    schema: Schema, choices: Choices, seed: int, listeners: Iterator[Progress]
) -> Callable[[pa.Table], Generate]:
    """A function that trains on half of the rows in a fifth of the time."""
    limit = REHEARSAL * choices.training.time_limit
    brief = choices._replace(training=choices.training.model_copy(update={"time_limit": limit}))

    def fitted(half: pa.Table) -> Generate:
        held = np.arange(half.num_rows) % 10 == 0
        material = Material.of(half.filter(pa.array(~held)), half.filter(pa.array(held)), schema)
        made = _trained(material.shown(None, seed), brief, Shrinkage(), None, seed, next(listeners))
        return partial(_sample, made, seed)

    return fitted


def _sample(model: Fitted, seed: int, rows: int) -> pa.Table:
    return pa.concat_tables(batches(model, rows, seed=seed))
