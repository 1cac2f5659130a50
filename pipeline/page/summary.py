"""Everything that a report shows, as numbers and texts. It holds no row of the real table."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import assumptions
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.quality import Verdict, weakest
from pipeline.evaluation import ColumnError, Evaluation
from pipeline.evaluation.views import chosen, views
from pipeline.loop import PrivacyReport
from pipeline.page import scores
from pipeline.page.association import Associations, associations
from pipeline.page.changes import Change, changes
from pipeline.page.columns import LISTED, ColumnView, PairView, column_views, pair_views, worst
from pipeline.page.missing import Missing, missing
from pipeline.page.scores import AreaScores, Standing
from pipeline.page.subject import Subject
from pipeline.queries.bound import ElboReport
from pipeline.queries.latent import LatentSummary
from pipeline.randomness import stream
from pipeline.schema import Column, Dropped
from pipeline.training.history import Epoch

ROWS = 20_000
"""Most rows of either side that are drawn."""
SAMPLED = 10
"""Synthetic rows that are shown."""
SHOWN_COLUMNS = 200
"""Most columns of a list or of the synthetic rows that are shown. The others are counted."""
LONGEST = 60
"""Most letters of a value."""


class Assumed(NamedTuple):
    """What was assumed about the table.

    Attributes:
        rows: The title of each sort and a text about its columns.
        overrule: Lines of `resynth.toml` that overrule it.
        columns: The columns with their Arrow types.
        left_out: Columns of the table that are not in the schema.
        more: How many columns are not listed.
    """

    rows: tuple[tuple[str, str], ...]
    overrule: str
    columns: tuple[tuple[Column, str], ...]
    left_out: tuple[Dropped, ...]
    more: int


class RowSample(NamedTuple):
    """Some synthetic rows, column by column: name and values as texts; null is None. `more` columns are left out."""

    rows: int
    columns: tuple[tuple[str, tuple[str | None, ...]], ...]
    more: int


class SincePrevious(NamedTuple):
    """What has changed since the previous version. `comparable` is false if the held-out rows are others."""

    name: str
    changes: tuple[Change, ...]
    comparable: bool


class Page(NamedTuple):
    """Everything that a report shows, section by section. None stands for what is not known of a subject."""

    title: str
    verdict: Verdict
    basis: tuple[str, ...]
    rows: int
    holdout_rows: int
    standings: tuple[Standing, ...]
    areas: tuple[AreaScores, ...]
    remarks: tuple[str, ...]
    assumed: Assumed
    columns: tuple[ColumnView, ...]
    listed: tuple[ColumnError, ...]
    pairs: tuple[PairView, ...]
    associations: Associations | None
    missing: Missing
    sample: RowSample
    history: tuple[Epoch, ...]
    elbo: ElboReport | None
    latent: LatentSummary | None
    drift: DriftReport | None
    privacy: PrivacyReport | None
    since: SincePrevious | None
    facts: Mapping[str, str]
    settings: str
    command: str


def page_of(subject: Subject) -> Page:
    """Gather everything that the report of a subject shows."""
    found, schema = subject.evaluation, subject.schema
    real, synthetic = (_some(table, name) for table, name in ((subject.real, "real"), (subject.synthetic, "synthetic")))
    real_view, synthetic_view = views((real, synthetic), schema)
    stood = scores.standings(found, subject.gate)
    return Page(
        title=subject.title,
        verdict=subject.verdict,
        basis=tuple(_basis(subject, stood)),
        rows=found.rows,
        holdout_rows=found.holdout_rows,
        standings=stood,
        areas=scores.areas(found),
        remarks=found.remarks,
        assumed=_assumed(subject),
        columns=column_views(real, synthetic, schema, found),
        listed=tuple(worst(found)[:LISTED]),
        pairs=pair_views(real_view, synthetic_view, found),
        associations=associations(real_view, synthetic_view, found),
        missing=missing(real, synthetic, schema),
        sample=_sample(subject.synthetic),
        history=subject.history,
        elbo=subject.elbo,
        latent=subject.latent,
        drift=subject.drift,
        privacy=subject.privacy,
        since=_since(subject),
        facts=subject.facts,
        settings=subject.settings,
        command=subject.command,
    )


def _some(table: pa.Table, name: str) -> pa.Table:
    """At most `ROWS` rows of a table, at random."""
    if table.num_rows <= ROWS:
        return table
    rows: NDArray[np.int64] = chosen(table.num_rows, ROWS, stream(0, "page", name))
    return table.take(pa.array(rows))


def _basis(subject: Subject, stood: tuple[Standing, ...]) -> Iterator[str]:
    """What the verdict rests on, a clause each."""
    found: Evaluation = subject.evaluation
    yield (
        f"{found.rows:,} synthetic rows beside {found.holdout_rows:,} real rows that the generator has not seen, "
        f"in {len(subject.schema.names):,} columns"
    )
    yield from scores.summary(stood)
    yield from (f"{title}: {text}" for title, text in weakest(found))
    if "attack_auc" in found:
        attack = found["attack_auc"]
        yield f"the best attack on training rows: AUC {attack.value:.3f}, of which chance explains {attack.ceiling:.3f}"
    if subject.drift is not None:
        moved = sum(finding.drifted for finding in subject.drift.findings)
        checks = len(subject.drift.findings)
        yield f"the data: {moved:,} of {checks:,} comparisons with the previous version's rows moved"


def _assumed(subject: Subject) -> Assumed:
    schema = subject.schema
    listed = [(column, str(schema.arrow.field(column.name).type)) for column in schema]
    return Assumed(
        rows=tuple(assumptions.rows(subject.assumptions)),
        overrule=assumptions.settings(subject.assumptions),
        columns=tuple(listed[:SHOWN_COLUMNS]),
        left_out=schema.left_out,
        more=max(0, len(listed) - SHOWN_COLUMNS),
    )


def _sample(synthetic: pa.Table) -> RowSample:
    some = synthetic.slice(0, SAMPLED)
    names = some.column_names[:SHOWN_COLUMNS]
    shown = tuple((name, tuple(_text(value) for value in some[name])) for name in names)
    return RowSample(some.num_rows, shown, len(some.column_names) - len(names))


def _text(value: pa.Scalar) -> str | None:
    """A value as a text of one line. None for null."""
    if not value.is_valid:
        return None
    try:
        text = str(value.as_py())
    except (OverflowError, ValueError):  # a time that Python's calendar does not have
        text = str(value)
    return assumptions.line(text, LONGEST)


def _since(subject: Subject) -> SincePrevious | None:
    before = subject.previous
    if before is None:
        return None
    comparable = before.evaluation.holdout_rows == subject.evaluation.holdout_rows
    return SincePrevious(before.name, changes(subject.evaluation, before.evaluation, subject.gate), comparable)
