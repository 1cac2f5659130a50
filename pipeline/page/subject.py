"""What a report is about. Whoever calls the report gathers it; nothing here comes from MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from pipeline.assumptions import Assumption
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.quality import Verdict
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.queries.bound import ElboReport
from pipeline.queries.latent import LatentSummary
from pipeline.schema import Schema
from pipeline.settings import GateSettings
from pipeline.training.history import Epoch


class Previous(NamedTuple):
    """The version before: its name for people, and its evaluation on the same held-out rows."""

    name: str
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a report is about.

    Attributes:
        title: What the rows are called, such as "customers version 3".
        real: Real rows that the generator has not seen, as they may be shown. None of them gets into the report.
        synthetic: Generated rows. The first ten are shown.
        schema: The schema of both tables.
        evaluation: The evaluation of `synthetic` beside `real`.
        gate: The limits and margins of the scores.
        verdict: Whether the rows are good, and why.
        assumptions: What was assumed about the table.
        privacy: What is withheld. None if nothing is known of that.
        drift: New rows beside those of the previous version. None without one.
        history: The epochs of the training. Empty if there was none.
        elbo: The bound of the held-out rows under the model. None without a model.
        latent: The latent space as the held-out rows fill it. None without a model.
        previous: The previous version on the same held-out rows. None without one.
        facts: What the rows were made from and with, as pairs of a title and a text.
        settings: The settings that somebody chose, as TOML.
        command: The command that makes the rows again. Empty if there is none.
    """

    title: str
    real: pa.Table
    synthetic: pa.Table
    schema: Schema
    evaluation: Evaluation
    gate: GateSettings
    verdict: Verdict
    assumptions: tuple[Assumption, ...] = ()
    privacy: PrivacyReport | None = None
    drift: DriftReport | None = None
    history: tuple[Epoch, ...] = ()
    elbo: ElboReport | None = None
    latent: LatentSummary | None = None
    previous: Previous | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""
    command: str = ""
