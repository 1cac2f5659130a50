"""The verb `drift`: has the data moved away from what a model was trained on?"""

from pathlib import Path

from flows.settings import Settings
from flows.stages import memory, reading
from flows.telling import card, journal, pages
from flows.tracking import registry, store
from flows.tracking.registry import Version
from flows.verbs.operation import Operation
from flows.verbs.shown import CHECK, Ending, shown
from pipeline.data.incoming import Arrivals
from pipeline.data.storage import Place
from pipeline.decisions.drift import DriftReport
from pipeline.progress import Progress, Tick, part, silent

NO_DRIFT = "No drift"
"""The name of the state of a check that finds none."""


def drift(reference: str, data: Place, home: Path, settings: Settings, progress: Progress | None = None) -> DriftReport:
    """Compare a table with the training table of a version, as a flow run. MLflow keeps the report.

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

    def work() -> DriftReport:
        with Operation.open("drift", home, version.name) as operation:
            return compare(operation, version, data, settings, progress=progress or silent)

    told = {"table": version.name, "version": version.version, "data": data, "home": home}
    return shown(CHECK, version.name, work, ending, told)


def ending(found: DriftReport) -> Ending:
    """How a check with this report ended."""
    worst = next((finding.text for finding in found.findings if finding.drifted), "")
    return Ending("Drift", worst) if found.drifted else Ending(NO_DRIFT, journal.drifted(found))


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
        journal.note(f"read {incoming.rows:,} rows of {len(work.columns.names)} columns, to compare with {version.uri}")
        run.data(data, incoming.digest, work.columns.arrow, incoming.rows, "drift check")
        run.parameters({"data": data, "reference": version.uri})
        if incoming.warnings:
            run.text("\n".join(incoming.warnings), "warnings.txt")
        found = memory.check_drift(work, version, models, run, settings)
        run.record(found, "drift.json")
        run.tags({"drift": str(found.drifted).lower()})
        told = "drift" if found.drifted else "no drift"
        run.entitle(f"{version.name}: {told} from v{version.version}", card.drift(found, version.version))
        progress(Tick("drift", 1, 1))
    journal.note(journal.drifted(found))
    pages.show(version.name, CHECK.name, ending(found).name.lower(), pages.drift(found))
    return found
