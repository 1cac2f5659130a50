"""What came of a run, for programs, for MLflow and for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from pipeline.data.incoming import Quarantined
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.policy import Plan
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.queries.bound import ElboReport
from pipeline.records import Record


class Export(Record):
    """A published directory."""

    path: Path
    rows: int
    manifest: Path


class RunOutcome(Record):
    """What came of a run.

    Attributes:
        name: The model's name.
        version: The version that was trained; None if none was.
        alias: "champion" if it is now the champion.
        decision: Whether it was promoted, or nothing was trained.
        reasons: Why.
        warnings: What a person should know about the table.
        privacy: What of the table is not shown, and what that costs; None if nothing was looked at.
        plan: What the new rows called for; None without a champion.
        drift: The table against the one the previous champion was trained on; None without a champion.
        quarantined: Incoming files that cannot be used, and were not known for it.
        evaluation: The version's rows against the hold-out; None without a version.
        elbo: The hold-out under the version; None without a version, or where no network was taught any dependence.
        published: The version whose rows were published; None if none was.
        export: Where they are.
        documents: Where the run's figures and documents are; None if there was nothing to remember. In JSON, which
            others read, it is called `report`.
        seconds: Per stage.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str
    version: str | None = None
    alias: str | None = None
    decision: Literal["promoted", "refused", "skipped"]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    privacy: PrivacyReport | None = None
    quarantined: tuple[Quarantined, ...] = ()
    plan: Plan | None = None
    drift: DriftReport | None = None
    evaluation: Evaluation | None = None
    elbo: ElboReport | None = None
    published: str | None = None
    export: Export | None = None
    documents: str | None = Field(default=None, alias="report")
    seconds: Mapping[str, float]

    @property
    def metrics(self) -> dict[str, float]:
        """Every number by name, as MLflow has them."""
        return numbers(self.evaluation) if self.evaluation is not None else {}

    def answer(self) -> dict[str, Any]:
        """What scripts are told: of drift what was found, of the evaluation every number."""
        told = self.model_dump(mode="json", exclude={"evaluation", "elbo"})
        if self.drift is not None:
            told["drift"]["findings"] = [
                found.model_dump(mode="json") for found in self.drift.findings if found.drifted
            ]
        return told | {"metrics": self.metrics}


def numbers(found: Evaluation) -> dict[str, float]:
    """Every number by name; `<score>_ceiling` is what real rows reach, where they reach anything."""
    values = {score.name: score.value for score in found.scores}
    return values | {f"{score.name}_ceiling": score.ceiling for score in found.scores if score.ceiling is not None}
