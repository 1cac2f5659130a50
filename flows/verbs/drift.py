"""The verb `drift`: has the data moved away from what a model was trained on?"""

from pathlib import Path

from prefect import flow

from flows.settings import Settings
from flows.stages import memory, reading
from flows.telling import card
from flows.tracking import registry, store
from flows.tracking.registry import Version
from flows.verbs.operation import Operation
from pipeline.data.incoming import Arrivals
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport


@flow(name="resynth-drift", validate_parameters=False)
def drift(reference: str, data: Place, home: Path, settings: Settings) -> DriftReport:
    """Compare a table with the training table of a version. MLflow keeps the report.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        data: The table.
        home: The home directory.
        settings: How to read, and what counts as drift.

    Raises:
        NotFoundError: There is no such version.
        TableError: The table cannot be used.
        SchemaError: Its columns are not those of the version.
    """
    with store.answering():
        version = registry.resolve(reference)
    with Operation.open("drift", home, version.name) as operation:
        return compare(operation, version, data, settings)


def compare(
    operation: Operation, version: Version, data: Place, settings: Settings, arrivals: Arrivals | None = None
) -> DriftReport:
    """Compare a table with the training table of a version. MLflow keeps the report.

    Args:
        operation: The open operation.
        version: The version.
        data: The table.
        settings: How to read, and what counts as drift.
        arrivals: What has arrived, if only its new rows are compared.

    Raises:
        TableError: The table cannot be used.
        SchemaError: Its columns are not those of the version.
    """
    work, models, contents = operation.work, operation.models, operation.contents
    with operation.tracked() as run:
        incoming = reading.read(data, work, contents, settings, arrivals=arrivals, like=version, models=models)
        reading.match(work, version, models, kept=True)
        run.data(data, incoming.digest, work.columns.arrow, incoming.rows, "drift check")
        run.parameters({"data": data, "reference": version.uri})
        if incoming.warnings:
            run.text("\n".join(incoming.warnings), "warnings.txt")
        found = memory.check_drift(work, version, models, run, settings)
        run.record(found, "drift.json")
        run.tags({"drift": str(found.drifted).lower()})
        told = "drift" if found.drifted else "no drift"
        run.entitle(f"{version.name}: {told} from v{version.version}", card.drift(found, version.version))
        return found
