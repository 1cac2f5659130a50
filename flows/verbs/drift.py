"""Has the data moved away from what a model was trained on?"""

from pathlib import Path

from prefect import flow

from flows.engine.provenance import code_version
from flows.engine.workspace import Workspace
from flows.settings import Settings
from flows.stages import tasks
from flows.tracking import registry, store
from flows.tracking.store import MARK, Run
from pipeline.data.incoming import Arrivals
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport


@flow(name="resynth-drift", validate_parameters=False)
def drift(reference: str, data: Place, home: Path, settings: Settings, arrivals: Arrivals | None = None) -> DriftReport:
    """Compare a table with the one a version was trained on; the report is kept in MLflow.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        data: The table.
        home: Where the work is done.
        settings: How to read, and what counts as drift.
        arrivals: What has arrived, where only what is new of it is asked about.

    Raises:
        NotFoundError: There is no such version.
        TableError: The table cannot be used.
        SchemaError: Its columns are not the version's.
    """
    with store.answering():
        version = registry.resolve(reference)
    with (
        store.answering(),
        Workspace.open(home) as work,
        Run.start(version.name, {"flow": "drift", "code_version": code_version(), MARK: work.mark}) as run,
    ):
        incoming = tasks.read(data, work, settings, arrivals, version)
        tasks.match(work, version, kept=True)
        run.data(data, incoming.digest, work.columns.arrow, incoming.rows)
        run.parameters({"data": data, "reference": version.uri})
        if incoming.warnings:
            run.text("\n".join(incoming.warnings), "warnings.txt")
        found = tasks.check_drift(work, version, run, settings)
        run.record(found, "drift.json")
        run.tags({"drift": str(found.drifted).lower()})
        return found
