"""A synthesizer is fitted, and registered as the model's next version."""

import time

from flows.engine.workspace import Workspace
from flows.stages.stage import stage
from flows.tracking import registry
from flows.tracking.registry import START, WARM_STARTS, Models, Version
from flows.tracking.store import Run
from pipeline import loop, pictures
from pipeline.data.tables import Split
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.progress import Progress, Tick
from pipeline.settings import LoopSettings

NEWS = 5.0  # seconds between two of a training's news in MLflow


@stage
def train(
    work: Workspace, run: Run, start: Version | None, models: Models, settings: LoopSettings, progress: Progress
) -> Shrinkage:
    """Fit a synthesizer, warm where a version to start from is given; returns how far it is shrunk.

    Its loss curves go to MLflow, its files to the workspace.
    """
    synthesizer = loop.fit(
        Split(*(work.read(part) for part in Split._fields)),
        work.columns,
        settings,
        champion=models(start) if start is not None else None,
        taken=work.read("incoming"),
        progress=watched(run, progress),
    )
    synthesizer.save(work.model)
    run.history(synthesizer.history)
    run.picture("losses.png", lambda: pictures.loss_curves(synthesizer.history))
    return synthesizer.shrinkage


@stage
def register(work: Workspace, run: Run, start: Version | None, *, digest: str, code: str, shown: str) -> Version:
    """Make the trained synthesizer the model's next version.

    Args:
        work: Where it is.
        run: That trained it.
        start: The version that its training started from, if any.
        digest: The digest of the rows it was trained on.
        code: Version of the code.
        shown: What the settings say of what may be shown.
    """
    tags = {"data_digest": digest, "code_version": code, registry.PRIVACY: shown}
    if start is not None:
        tags |= {START: start.version, WARM_STARTS: str(1 + int(start.tags.get(WARM_STARTS, 0)))}
    return registry.register(run, work.model, tags)


def watched(run: Run, progress: Progress) -> Progress:
    """The same listener, and MLflow hears now and then how a training goes; the step is what is done, in per mille."""
    told = time.monotonic()

    def listen(tick: Tick) -> None:
        nonlocal told
        progress(tick)
        if tick.metrics and time.monotonic() - told >= NEWS:
            told = time.monotonic()
            run.metrics({f"progress.{name}": value for name, value in tick.metrics.items()}, int(1000 * tick.done))

    return listen
