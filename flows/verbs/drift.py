"""The verb `drift`: has the data moved away from what a model was trained on?"""

from pathlib import Path

from prefect import flow

from flows.settings import Settings
from flows.stages import memory, reading
from flows.tracking import registry, store
from flows.tracking.registry import Version
from flows.verbs.operation import Operation
from pipeline.data.incoming import Arrivals
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport
from pipeline.progress import Progress, Tick, part, silent


@flow(name="resynth-drift", validate_parameters=False)
def drift(reference: str, data: Place, home: Path, settings: Settings, progress: Progress | None = None) -> DriftReport:
    """Compare a table with the training table of a version. MLflow keeps the report.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        data: The table.
        home: The home directory.
        settings: How to read, and what counts as drift.
        progress: Called now and then, if given.

    Raises:
        NotFoundError: There is no such version.
        TableError: The table cannot be used.
        SchemaError: Its columns are not those of the version.
    """
    (progress or silent)(Tick("drift", 0, 1))
    with store.answering():
        version = registry.resolve(reference)
    with Operation.open("drift", home, version.name) as operation:
        return compare(operation, version, data, settings, progress=progress or silent)


def compare(
    operation: Operation,
    version: Version,
    data: Place,
    settings: Settings,
    arrivals: Arrivals | None = None,
    progress: Progress = silent,
) -> DriftReport:
    """Compare a table with the training table of a version. MLflow keeps the report.

    Args:
        operation: The open operation.
        version: The version.
        data: The table.
        settings: How to read, and what counts as drift.
        arrivals: What has arrived, if only its new rows are compared.
        progress: Called now and then.

    Raises:
        TableError: The table cannot be used.
        SchemaError: Its columns are not those of the version.
    """
    work, models, contents = operation.work, operation.models, operation.contents
    with operation.tracked() as run:
        seen = part(progress, 0, 0.5, "drift")
        incoming = reading.read(
            data, work, contents, settings, arrivals=arrivals, like=version, models=models, progress=seen
        )
        reading.match(work, version, models, kept=True)
        run.data(data, incoming.digest, work.columns.arrow, incoming.rows)
        run.parameters({"data": data, "reference": version.uri})
        if incoming.warnings:
            run.text("\n".join(incoming.warnings), "warnings.txt")
        found = memory.check_drift(work, version, models, run, settings)
        run.record(found, "drift.json")
        run.tags({"drift": str(found.drifted).lower()})
        progress(Tick("drift", 1, 1))
        return found
