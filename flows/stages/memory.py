"""What is kept of a version's training, and the comparison of new rows with it.

Two records without rows are kept with the MLflow run that made a version: the reference of its training table, and the
version's view of the rows that were held out of its training.
"""

from pydantic import ValidationError

from flows.engine.workspace import Workspace
from flows.stages.stage import stage
from flows.tracking.registry import Models, OutdatedError, Version
from flows.tracking.store import Run
from pipeline import loop, pictures
from pipeline.decisions.drift import DriftReport, ModelView
from pipeline.errors import ResynthError
from pipeline.profiles.reference import Reference
from pipeline.progress import Progress, silent
from pipeline.settings import DriftSettings, LoopSettings

REFERENCE = "profile.json"
VIEW = "view.json"


@stage("profile the table")
def profile(work: Workspace, run: Run, settings: DriftSettings, seed: int, progress: Progress = silent) -> None:
    """Summarise the incoming table, so that later tables can be compared with it. The summary holds no rows."""
    made = Reference.of(work.read("shown"), work.columns, seed=seed, ignore=settings.ignore, progress=progress)
    run.record(made, REFERENCE)


@stage("view of version {version.version}")
def view(work: Workspace, version: Version, models: Models, run: Run, settings: LoopSettings) -> None:
    """Keep the version's view of the hold-out, so that its view of later rows can be compared with it."""
    run.record(loop.view(models(version), work.read("holdout"), settings), VIEW)


@stage("check for drift from version {champion.version}")
def check_drift(work: Workspace, champion: Version, models: Models, run: Run, settings: LoopSettings) -> DriftReport:
    """Compare the new rows with the reference of the champion's training rows.

    Rows that look wrong are listed too. If there is drift, pictures of the changes are kept with the run.

    Raises:
        OutdatedError: The champion has another format.
        ResynthError: A record of its training is missing.
    """
    known = recall(champion, models)
    table = work.read("new" if work.holds("new") else "incoming")
    profile, found = loop.check(known, table, settings)
    found = found.model_copy(update={"odd": loop.odd(known.synthesizer, table, settings)})
    if found.drifted:
        run.picture("drift.png", lambda: pictures.drift(known.reference.profile, profile, found, work.columns))
    return found


def recall(version: Version, models: Models) -> loop.Champion:
    """Load a version and the records of its training.

    Raises:
        OutdatedError: The version or a record has another format.
        ResynthError: A record is missing.
    """
    synthesizer = models(version)
    try:
        reference = Reference.model_validate_json(version.origin.read(REFERENCE))
        view = ModelView.model_validate_json(version.origin.read(VIEW))
    except ValidationError as error:
        raise OutdatedError(f"model: the profile of {version.uri} is of another format than this code") from error
    return loop.Champion(synthesizer, reference, view)


@stage("check version {version.version}")
def outdated(version: Version, models: Models) -> tuple[str, ...]:
    """Why this code can neither use a version nor let it publish. Other faults show when the version is used."""
    try:
        recall(version, models)
    except OutdatedError as error:
        return (str(error),)
    except ResynthError:
        pass
    return ()
