"""One turn of the closed loop: check new rows for drift, decide, train.

Drift, policy, training, evaluation and gate are separate functions. This module puts them together. The live loop
(`flows.verbs.run`) and the loop over history (`pipeline.replay`) both use it, so they are the same.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from pipeline import columns, evaluation
from pipeline.data.tables import Split
from pipeline.decisions import drift
from pipeline.decisions.drift import DriftReport, ModelView
from pipeline.decisions.policy import Situation
from pipeline.evaluation.detection import two_sample
from pipeline.evaluation.scores import Incomputable
from pipeline.evaluation.views import views as as_views
from pipeline.privacy.disclosure import Disclosure, Withheld
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.profiles.profile import Profile
from pipeline.profiles.reference import Reference
from pipeline.progress import Progress, part, silent, ticked
from pipeline.queries.oddities import OddRows, odd_rows
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.relations import Relations, search
from pipeline.relations.written import Written
from pipeline.schema import Column, Schema
from pipeline.settings import LoopSettings
from pipeline.statistics.auc import by_chance
from pipeline.synthesizer import Synthesizer

COSTS = ("marginals", "pairs", "detection")
"""Areas of evaluation that report the cost of withholding."""
VIEWED_ROWS = 2000  # of an incoming table, for the model and the classifier


class PrivacyReport(Record):
    """What is withheld of a table, and what that costs.

    Attributes:
        least_rows: Values that fewer rows share are withheld.
        withheld: The withheld values by column.
        made_up: Columns that publish nothing real.
        dropped: Columns that are left out.
        cost: By how much withholding changes the scores of real rows against real held-out rows.
        shrinkage: How far generated rows are shrunk towards independent columns. None before the training.
    """

    least_rows: int
    withheld: tuple[Withheld, ...] = ()
    made_up: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    cost: Mapping[str, float] = {}
    shrinkage: Shrinkage | None = None


class Shown(NamedTuple):
    """A table and its parts, without values that are withheld, and the relations of its columns."""

    table: pa.Table
    parts: Split
    withheld: tuple[Withheld, ...]
    relations: Relations


def show(table: pa.Table, parts: Split, schema: Schema, settings: LoopSettings, progress: Progress = silent) -> Shown:
    """Withhold what may not be shown of a table and its parts. See `pipeline.privacy.disclosure`.

    Only free columns are changed, and what follows from them follows again. Rows that then break a relation between
    columns that do not follow from each other are left out, so relations hold in what is shown too.

    Args:
        table: The table.
        parts: Its parts.
        schema: Its schema.
        settings: The settings of the loop.
        progress: Called during the search for relations, and after every part.

    Raises:
        SettingsError: A declared rule cannot be read, or rows break it.
    """
    search.declared_rules(table, settings.relations)  # with the numbers that rows came with
    learned = pa.concat_tables([parts.train, parts.validation])
    relations = search.find(learned, schema, settings.relations, table, part(progress, 0, 0.6)).extended(table)
    rule = Disclosure.of(relations.free(table), relations.free_schema)

    def shown(rows: pa.Table) -> pa.Table:
        bound = relations.bind(rule.apply(relations.free(rows), seed=settings.seed))
        broken = relations.broken(bound).any(axis=0)
        return bound.filter(pa.array(~broken)) if broken.any() else bound

    made = [shown(rows) for rows in ticked((table, *parts), "shown", part(progress, 0.6, 1))]
    return Shown(made[0], Split(*made[1:]), rule.withheld, relations)


def privacy(
    shown: Shown, parts: Split, schema: Schema, settings: LoopSettings, progress: Progress = silent
) -> PrivacyReport:
    """Report what is withheld of a table, and what that costs.

    Args:
        shown: The table and its parts without withheld values.
        parts: The same parts as they came.
        schema: The schema of the table.
        settings: The settings of the loop.
        progress: Called after every area of the evaluation.
    """
    cost = {}
    if shown.withheld:
        found = evaluation.evaluate(
            shown.parts.train,
            holdout=parts.holdout,
            train=parts.train,
            schema=schema,
            settings=settings.evaluation,
            seed=settings.seed,
            areas=COSTS,
            progress=progress,
        )
        cost = {s.name: s.value - s.ceiling for s in found.scores if s.ceiling is not None}
    dates = {own.target for own in shown.relations if isinstance(own, Written)}
    made_up = tuple(own.name for own in schema if not columns.is_modelled(own.kind) and own.name not in dates)
    return PrivacyReport(
        least_rows=settings.privacy.least_rows,
        withheld=shown.withheld,
        made_up=made_up,
        dropped=schema.dropped,
        cost=cost,
    )


class Champion(NamedTuple):
    """A trained version, and the reference of its training table.

    Attributes:
        synthesizer: The version.
        reference: The reference of the rows it was trained on.
        view: What the version says of the rows held out of its training.
    """

    synthesizer: Synthesizer
    reference: Reference
    view: ModelView


class Comparison(NamedTuple):
    """New rows compared with those that the champion was trained on.

    Attributes:
        profile: The profile of the new rows, made for the champion's reference.
        report: What has drifted.
    """

    profile: Profile
    report: DriftReport


def check(champion: Champion, table: pa.Table, settings: LoopSettings) -> Comparison:
    """Compare a table with the champion's training table, and score a sample of its rows with the champion itself.

    Labels that the champion does not know and that too few rows share take no part.
    """
    schema = champion.synthesizer.schema
    broken = tuple((found.target, found.text, share) for found, share in champion.synthesizer.broken(table))
    rule = Disclosure.of(table.select(schema.names), schema, champion.synthesizer.labels, ends=False)
    table = rule.apply(table, seed=settings.seed)
    profile = champion.reference.profile_of([table])
    incoming = view(champion.synthesizer, table, settings, told=champion.view.told)
    # a column that is ignored only since the training is still in the champion's view of its hold-out
    alike = incoming.without == champion.view.without
    views = drift.Views(champion.view, incoming) if alike else None
    notes = other_kinds(champion.synthesizer.schema, settings)
    report = drift.compare(champion.reference, profile, settings.drift, views, notes, broken)
    return Comparison(profile, report)


def odd(champion: Synthesizer, table: pa.Table, settings: LoopSettings, progress: Progress = silent) -> OddRows | None:
    """Rows of a table that look wrong to the champion. None if columns that it models are to be ignored."""
    schema = champion.schema
    if set(settings.drift.ignore) & set(schema.names) or not table.num_rows:
        return None
    return odd_rows(champion.scorer, table.select(schema.names), seed=settings.seed, progress=progress)


def other_kinds(schema: Schema, settings: LoopSettings) -> tuple[str, ...]:
    """Columns to which the settings now give another kind than the champion has. This is no drift."""
    asked = {name: column.kind for name, column in settings.columns.items() if column.kind is not None}
    return tuple(
        f"column {column.name!r} is {asked[column.name]} in the settings and {column.kind} in the model: "
        f"it is compared as {column.kind}"
        for column in schema
        if asked.get(column.name, column.kind) != column.kind
    )


def view(synthesizer: Synthesizer, table: pa.Table, settings: LoopSettings, *, told: int = VIEWED_ROWS) -> ModelView:
    """What a model says of some rows of a table. Columns that move on with time and ignored columns are hidden from it.

    The view has 0 rows if the table has no rows, or if no varying column is left.

    Args:
        synthesizer: The model.
        table: A table with the model's columns.
        settings: Which columns to ignore, and the seed.
        told: Largest number of rows for the classifier. It tells rows apart better if it sees more rows.
    """
    schema = synthesizer.schema
    without = tuple(c.name for c in schema if _moves_on(c) or c.name in settings.drift.ignore)
    some = stream(settings.seed, "view").permutation(table.num_rows)[:VIEWED_ROWS]
    rows = table.take(pa.array(some)).select(schema.names)
    found = synthesizer.look(rows, without=without, seed=settings.seed)
    if found is None:
        nothing = {"elbo": 0.0, "elbo_deviation": 0.0, "latent_mean": (), "latent_deviation": ()}
        return ModelView(rows=0, without=without, **nothing, auc=None, auc_deviation=0.0, told=0)
    rows = rows.slice(0, told)
    compared = Schema(tuple(c for c in schema if c.name not in without), schema.arrow)
    own = synthesizer.sample(rows.num_rows, seed=settings.seed)
    try:
        real, made = as_views([rows, own], compared)
        auc = two_sample(real, made, stream(settings.seed, "classifier"))
    except Incomputable:
        auc = None
    return ModelView(
        rows=len(found.elbo),
        without=without,
        elbo=float(found.elbo.mean()),
        elbo_deviation=float(found.elbo.std(correction=0)),
        latent_mean=tuple(found.mean.mean(0).tolist()),
        latent_deviation=tuple(found.mean.std(0, correction=0).tolist()),
        auc=None if auc is None else auc.auc,
        auc_deviation=0.0 if auc is None else max(auc.auc_deviation, by_chance(rows.num_rows, rows.num_rows)),
        told=rows.num_rows,
    )


class Past(NamedTuple):
    """The history of a champion so far.

    Attributes:
        verdicts: Whether the checks since its training found drift, the latest last.
        waiting: Rows that were new in those checks and were not used to train this champion.
        age_days: Time since its training.
        idle_hours: Time since the last training of any version.
        warm_starts: Number of warm starts in a row that led to it.
        warm_start_refused: Whether the gate has refused a warm start from it.
    """

    verdicts: tuple[bool, ...]
    waiting: int
    age_days: float
    idle_hours: float
    warm_starts: int
    warm_start_refused: bool


def situate(
    champion: Synthesizer,
    past: Past,
    parts: Split,
    schema: Schema,
    settings: LoopSettings,
    *,
    new_rows: int,
    drift: DriftReport | None,
) -> Situation:
    """Gather what the policy has to know when new rows have come in.

    Rows count as new since the champion's training. Without an `[incoming]` section this is unknown. Then only the
    additional rows of the table count.

    Args:
        champion: The champion.
        past: The history of the champion.
        parts: The parts of the table that a training would see.
        schema: The schema of that table.
        settings: The settings of the loop.
        new_rows: How many of its rows have just come in. Without `[incoming]`, 0 means it is the champion's table.
        drift: What the check found. None if the columns differ.
    """
    learned = pa.concat_tables([parts.train, parts.validation])
    foreign = champion.schema.differences(schema.arrow, schema.dropped)
    other = champion.differences(schema)
    if not other:
        other = tuple(f"rows break a relation: {found.text}" for found, _ in champion.broken(learned))
    asked = settings.policy.new_labels == "refuse" and not foreign and not schema.dropped
    if settings.incoming is not None:
        new_rows += past.waiting
    elif new_rows:
        known = drift.reference_rows if drift is not None else 0
        new_rows = max(1, sum(part.num_rows for part in parts) - known)
    return Situation(
        drift=drift,
        verdicts=past.verdicts,
        differences=foreign,
        obstacles=() if foreign else other + champion.outgrown(parts.train.num_rows, settings.model),
        rules=() if foreign else champion.other_rules(schema),
        strange=champion.strange(learned) if asked else (),
        new_rows=new_rows,
        age_days=past.age_days,
        idle_hours=past.idle_hours,
        warm_starts=past.warm_starts,
        warm_start_refused=past.warm_start_refused,
    )


def _moves_on(column: Column) -> bool:
    measure = columns.measure(column.kind)
    return measure is not None and measure.moves_on


def fit(
    parts: Split,
    schema: Schema,
    settings: LoopSettings,
    *,
    champion: Synthesizer | None,
    taken: pa.Table,
    progress: Progress = silent,
) -> Synthesizer:
    """Train a challenger on the parts of a table.

    Args:
        parts: The parts of the table.
        schema: The schema of the table.
        settings: The settings of network and training.
        champion: The model from which a warm start begins. None trains afresh.
        taken: The whole table. No made-up value is one of its values.
        progress: Receives the phases "prepare" and "train".
    """
    return Synthesizer.fit(
        parts.train,
        parts.validation,
        schema,
        model=settings.model,
        training=settings.training,
        relations=settings.relations,
        champion=champion,
        novel=settings.policy.new_labels,
        taken=taken,
        seed=settings.seed,
        progress=progress,
    )
