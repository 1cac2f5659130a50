"""The request of a run, and what its steps share."""

from pathlib import Path
from typing import NamedTuple

from flows.engine.workspace import Workspace
from flows.settings import Settings
from flows.stages.reading import Prepared
from flows.telling.clock import Clock
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from flows.verbs.operation import Operation
from pipeline.data.incoming import Arrivals, Quarantined
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.policy import Plan
from pipeline.records import Record


class RunRequest(Record):
    """The request of a run.

    Attributes:
        data: The table.
        home: The home directory, with state and exports.
        name: The model's name.
        settings: All other choices.
        out: Where to publish. By default `<home>/data/exports/<name>/v<version>`.
        on_drift: Whether a drift check started the run, and not a schedule or a person.
    """

    data: Place
    home: Path
    name: str
    settings: Settings
    out: Path | None = None
    on_drift: bool = False


class Job(NamedTuple):
    """What the steps of one run share.

    Attributes:
        request: What to do.
        operation: What the run holds and has loaded.
        tracked: The MLflow run.
        champion: The champion when the run began. None also if this code cannot read it.
        clock: Times the stages.
        arrivals: What is new, if the settings ask for it.
        due: Whether a training is due although nothing is new.
        outdated: Why the champion cannot be used, if so.
    """

    request: RunRequest
    operation: Operation
    tracked: Run
    champion: Version | None
    clock: Clock
    arrivals: Arrivals | None
    due: bool = False
    outdated: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """The settings of the request."""
        return self.request.settings

    @property
    def work(self) -> Workspace:
        """The working files of the run."""
        return self.operation.work

    @property
    def models(self) -> Models:
        """The versions that the run has loaded."""
        return self.operation.models

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Incoming files that cannot be used, without those that earlier runs reported."""
        return self.arrivals.quarantined if self.arrivals is not None else ()


class Outlook(NamedTuple):
    """What is known before any training.

    Attributes:
        drift: The new rows against the champion's. None without a champion, or if it has other columns or another
            format.
        plan: What the new rows call for. None without a champion.
        prepared: What is withheld of the table, and its relations.
    """

    drift: DriftReport | None
    plan: Plan | None
    prepared: Prepared
