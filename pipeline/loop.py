"""One turn of the closed loop: look at new rows, decide, train.

Drift, policy, training, evaluation and gate are functions of their own. What is said here is how they are put together,
so that the loop that runs live (`flows.run`) and the one that runs over history (`pipeline.replay`) are the same, and
the settings that both read.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import pyarrow as pa
from pydantic import Field

from pipeline import drift
from pipeline.bound import ElboReport
from pipeline.drift import DriftReport, DriftSettings
from pipeline.evaluation import EvaluationSettings
from pipeline.incoming import IncomingSettings
from pipeline.policy import PolicySettings
from pipeline.profile import Profile
from pipeline.progress import Progress, silent
from pipeline.promotion import GateSettings
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.reference import Reference
from pipeline.schema import ColumnSettings, Schema
from pipeline.sizing import ModelSettings
from pipeline.synthesizer import Synthesizer
from pipeline.tables import ReadSettings, Split, SplitSettings
from pipeline.training import TrainingSettings

VIEWED_ROWS = 5000  # of an incoming table, by the model

Seed = Annotated[int, Field(ge=0, lt=2**63)]


class LoopSettings(Record):
    """Every choice that what the loop does depends on.

    Attributes:
        seed: Of the training, the evaluation and the published rows.
        columns: What is fixed about single columns, by name.
        incoming: Present, even if empty: the data is a heap of files that grows, and a run trains only on account
            of what is new in it. Absent: every run trains on all of the data.
    """

    seed: Seed = 0
    read: ReadSettings = ReadSettings()
    split: SplitSettings = SplitSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    policy: PolicySettings = PolicySettings()
    gate: GateSettings = GateSettings()
    drift: DriftSettings = DriftSettings()
    columns: Mapping[str, ColumnSettings] = {}
    incoming: IncomingSettings | None = None


class Champion(NamedTuple):
    """A trained version, and what is remembered of its training table.

    Attributes:
        synthesizer: The version.
        reference: Of the rows it was trained on.
        holdout: What it says of the rows held out of its training.
    """

    synthesizer: Synthesizer
    reference: Reference
    holdout: ElboReport


class Check(NamedTuple):
    """What a look at new rows finds: their profile in the champion's terms, and the comparison."""

    profile: Profile
    report: DriftReport


def check(champion: Champion, table: pa.Table, settings: LoopSettings) -> Check:
    """Compare a table with the one the champion was trained on, and ask the champion itself about some of its rows."""
    profile = champion.reference.profile_of([table])
    rows = stream(settings.seed, "view").permutation(table.num_rows)[:VIEWED_ROWS]
    incoming = champion.synthesizer.elbo(table.take(pa.array(rows)), seed=settings.seed)
    view = drift.ModelView(champion.holdout, incoming)
    return Check(profile, drift.compare(champion.reference, profile, settings.drift, view))


def fit(
    parts: Split,
    schema: Schema,
    settings: LoopSettings,
    *,
    champion: Synthesizer | None,
    taken: pa.Table,
    progress: Progress = silent,
) -> Synthesizer:
    """Train a challenger on a table's parts.

    Args:
        parts: Of the table.
        schema: Of the table.
        settings: Network and training.
        champion: What a warm start begins with; None: the training is afresh.
        taken: The whole table, none of whose identifiers is generated.
        progress: Receives the phases "prepare" and "train".
    """
    return Synthesizer.fit(
        parts.train,
        parts.validation,
        schema,
        model=settings.model,
        training=settings.training,
        champion=champion,
        novel=settings.policy.new_labels,
        taken=taken,
        seed=settings.seed,
        progress=progress,
    )
