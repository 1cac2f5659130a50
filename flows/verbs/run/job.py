"""What a run is asked to do, and what its steps share."""

from pathlib import Path
from typing import NamedTuple

from flows.engine.workspace import Workspace
from flows.settings import Settings
from flows.telling.clock import Clock
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from flows.verbs.operation import Operation
from pipeline.data.incoming import Arrivals, Quarantined
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.policy import Plan
from pipeline.loop import PrivacyReport
from pipeline.records import Record


class RunRequest(Record):
    """What a run is asked to do.

    Attributes:
        data: The table: a Parquet file, or a directory or an object store's prefix of them.
        home: Where state and exports live.
        name: The model's name.
        settings: Every other choice.
        out: Where to publish; default: `<home>/data/exports/<name>/v<version>`.
        on_drift: Whether a check that found drift called for it, and neither a schedule nor a person.
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
        tracked: Where MLflow remembers it.
        champion: Who was champion when it began; None also where this code does not understand it.
        clock: Times the stages.
        arrivals: What is new, where that is asked for.
        due: Whether it is called for though nothing is new.
        outdated: Why the champion cannot be asked, where that is so.
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
        """Where the run's tables are."""
        return self.operation.work

    @property
    def models(self) -> Models:
        """The versions that the run has loaded."""
        return self.operation.models

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Incoming files that cannot be used, and were not known for it."""
        return self.arrivals.quarantined if self.arrivals is not None else ()


class Outlook(NamedTuple):
    """What was found out before any training.

    Attributes:
        drift: The new rows against the champion's; None without a champion, or with one of other columns or format.
        plan: What they call for; None without a champion.
        privacy: What of the table is not shown.
    """

    drift: DriftReport | None
    plan: Plan | None
    privacy: PrivacyReport
