"""The outcome of a run, for programs, for MLflow and for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from pipeline.assumptions import Assumption
from pipeline.data.incoming import Quarantined
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.policy import Plan
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.queries.bound import ElboReport
from pipeline.records import Record
from pipeline.relations import Kept


class Export(Record):
    """A published directory."""

    path: Path
    rows: int
    manifest: Path


class RunOutcome(Record):
    """The outcome of a run.

    Attributes:
        name: The model's name.
        version: The version that was trained. None if none was.
        alias: "champion" if this version is the champion now.
        decision: Whether the version was promoted or refused, or nothing was trained.
        reasons: The reasons of the decision.
        warnings: What a person should know about the files and the state of the home.
        assumptions: What resynth assumed about the table, and the settings that overrule it.
        privacy: What is withheld of the table, and what that costs. None if the table was not examined.
        relations: What is exact between columns of the table, and holds in every generated row.
        plan: What the new rows called for. None without a champion.
        drift: Drift against the previous champion's training table. None without a champion.
        quarantined: Incoming files that cannot be used, without those that earlier runs reported.
        evaluation: The version's rows against the hold-out. None without a version.
        elbo: The bound of the hold-out under the version. None without a version, or if no network was taught any
            dependence.
        published: The version whose rows were published. None if none was.
        export: The published directory.
        documents: The address of the run's figures and documents. None if nothing was kept. In JSON, which others
            read, it is called `report`.
        page: The address of the version's report, one HTML page among the documents. None without a version, or if it
            could not be made.
        seconds: Seconds per stage.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str
    version: str | None = None
    alias: str | None = None
    decision: Literal["promoted", "refused", "skipped"]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    privacy: PrivacyReport | None = None
    relations: tuple[Kept, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    plan: Plan | None = None
    drift: DriftReport | None = None
    evaluation: Evaluation | None = None
    elbo: ElboReport | None = None
    published: str | None = None
    export: Export | None = None
    documents: str | None = Field(default=None, alias="report")
    page: str | None = None
    seconds: Mapping[str, float]

    @property
    def title(self) -> str:
        """The decision in a few words."""
        return self.decision if self.version is None else f"version {self.version} {self.decision}"

    @property
    def metrics(self) -> dict[str, float]:
        """Every score and ceiling by name, as in MLflow."""
        return numbers(self.evaluation) if self.evaluation is not None else {}

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts. Of drift it holds only drifted findings, and of the evaluation only the numbers."""
        told = self.model_dump(mode="json", exclude={"evaluation", "elbo"})
        if self.drift is not None:
            told["drift"]["findings"] = [
                found.model_dump(mode="json") for found in self.drift.findings if found.drifted
            ]
        return told | {"metrics": self.metrics}


def numbers(found: Evaluation) -> dict[str, float]:
    """Every score by name. `<score>_ceiling` is its ceiling, if it has one."""
    values = {score.name: score.value for score in found.scores}
    return values | {f"{score.name}_ceiling": score.ceiling for score in found.scores if score.ceiling is not None}
