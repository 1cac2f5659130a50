"""Warm starts: a training that begins from a champion.

The champion's normalization is extended to new values of the rows. Its network keeps its sizes and what it has learned,
and the training takes a share of the usual time. A warm start is possible if the columns, their kinds and the rules of
disclosure are still the same, and the table has not outgrown the network.
"""

import math

import pyarrow as pa

from pipeline import columns
from pipeline.fitted import Fitted
from pipeline.models.shape import Shape
from pipeline.relations import Relation
from pipeline.schema import Schema
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.training.recipe import Recipe, Settling, patience, shape_for

SHARE = 0.12
"""Length of a warm start as a share of the usual length of a training."""
SETTLING = Settling(length=1.0, rate=1.0)
"""The end of a warm start. Half of its steps settle, because it has little to learn."""
KEEP = 0.6
"""Share of the champion's weights in the initial weights of a warm start; the rest are fresh ones. If nothing is
trained, the share is 1."""


def shortened(recipe: Recipe, shape: Shape, training: TrainingSettings) -> Recipe:
    """The recipe of a warm start: the champion's sizes, less time, and the full weight of the KL from the first step.

    Args:
        recipe: The recipe of a training afresh.
        shape: The sizes of the champion's network.
        training: The user's settings.
    """
    epochs = math.ceil(SHARE * recipe.epochs)
    changes = {
        "shape": shape,
        "epochs": epochs,
        "patience": patience(epochs) if training.patience is None else training.patience,
        "time_limit": SHARE * recipe.time_limit,
        "warmup": 0.0,
        "settling": SETTLING,
    }
    return recipe.model_copy(update=changes)


def differences(champion: Fitted, schema: Schema) -> tuple[str, ...]:
    """Why a training on a table of `schema` cannot start from a champion, one phrase each."""
    known = champion.schema
    if found := known.differences(schema.arrow):
        return found
    if known.names != schema.names:
        return ("the columns are in another order",)
    pairs = list(zip(known, schema, strict=True))
    kinds = [f"column {b.name!r} is {b.kind}, expected {a.kind}" for a, b in pairs if a.kind != b.kind]
    forms = [f"column {b.name!r} has another normalization" for a, b in pairs if a.normalization != b.normalization]
    return (*kinds, *forms, *other_rules(champion, schema))


def broken(champion: Fitted, rows: pa.Table) -> tuple[tuple[Relation, float], ...]:
    """Relations of the champion that rows of its columns break, and the share of these rows."""
    if not rows.num_rows:
        return ()
    lost = champion.relations.broken(rows.select(champion.schema.names)).mean(axis=1)
    return tuple((relation, float(share)) for relation, share in zip(champion.relations, lost, strict=True) if share)


def other_rules(champion: Fitted, schema: Schema) -> tuple[str, ...]:
    """How the rules of disclosure in `schema` differ from the champion's, one phrase each."""
    found = [f"column {name!r} is left out now" for name in schema.dropped if name in champion.schema.names]
    found += [f"column {name!r} was left out" for name in champion.schema.dropped if name in schema.names]
    for column in schema:
        if column.name not in champion.schema.names:
            continue
        known = champion.schema[column.name]
        if column.kind != known.kind and not (columns.is_modelled(column.kind) and columns.is_modelled(known.kind)):
            found.append(f"column {column.name!r} is of kind {column.kind}, it was {known.kind}")
        elif (column.fake, column.locale) != (known.fake, known.locale):
            found.append(f"column {column.name!r}: the settings choose other made-up values")
        elif column.least_rows != known.least_rows:
            rows = f"{column.least_rows} rows, they were {known.least_rows}"
            found.append(f"column {column.name!r}: what may be shown is shared by at least {rows}")
    return tuple(found)


def outgrown(champion: Fitted, rows: int, model: ModelSettings) -> tuple[str, ...]:
    """Whether `rows` training rows are too many for the champion's network, as a phrase. Empty if they are not.

    Rows are too many if they would get twice the width, hidden states or components of the prior. Chains of warm starts
    that went on beyond this lost most of C2ST (`benchmarks/results/warm_start.md`).
    """
    if champion.vae is None:
        return ()
    now, was = shape_for(champion.vae.layout, rows, model), champion.vae.shape
    if now.width < 2 * was.width and now.hidden < 2 * was.hidden and now.components < 2 * was.components:
        return ()
    return (f"{rows:,} training rows ask for a larger network than the champion's",)
