"""What is remembered of a version's training, and new rows held against it.

Two records are kept with the MLflow run that made a version, and hold no rows: the reference of its training table, and
what the version says of the rows that were held out of it.
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
from pipeline.settings import DriftSettings, LoopSettings

REFERENCE = "profile.json"
VIEW = "view.json"


@stage
def profile(work: Workspace, run: Run, settings: DriftSettings, seed: int) -> None:
    """Summarise the incoming table, for later ones to be compared with; the summary is kept and holds no rows."""
    made = Reference.of(work.read("shown"), work.columns, seed=seed, ignore=settings.ignore)
    run.record(made, REFERENCE)


@stage
def view(work: Workspace, version: Version, models: Models, run: Run, settings: LoopSettings) -> None:
    """Keep what a version says of the hold-out, for what it says of later rows to be compared with."""
    run.record(loop.view(models(version), work.read("holdout"), settings), VIEW)


@stage
def check_drift(work: Workspace, champion: Version, models: Models, run: Run, settings: LoopSettings) -> DriftReport:
    """Compare the new rows with what is remembered of those the champion was trained on.

    Pictures of what changed are kept with the run when there is drift.

    Raises:
        OutdatedError: The champion is of another format.
        ResynthError: What is remembered of it is missing.
    """
    known = recall(champion, models)
    table = work.read("new" if work.holds("new") else "incoming")
    profile, found = loop.check(known, table, settings)
    if found.drifted:
        run.picture("drift.png", lambda: pictures.drift(known.reference.profile, profile, found))
    return found


def recall(version: Version, models: Models) -> loop.Champion:
    """A version and what is remembered of its training.

    Raises:
        OutdatedError: It is of another format.
        ResynthError: Something of it is missing.
    """
    synthesizer = models(version)
    try:
        reference = Reference.model_validate_json(version.origin.read(REFERENCE))
        view = ModelView.model_validate_json(version.origin.read(VIEW))
    except ValidationError as error:
        raise OutdatedError(f"model: the profile of {version.uri} is of another format than this code") from error
    return loop.Champion(synthesizer, reference, view)


@stage
def outdated(version: Version, models: Models) -> tuple[str, ...]:
    """Why this code can neither ask a version nor let it publish; what else may be wrong with it, its use will tell."""
    try:
        recall(version, models)
    except OutdatedError as error:
        return (str(error),)
    except ResynthError:
        pass
    return ()
