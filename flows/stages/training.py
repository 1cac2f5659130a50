"""A synthesizer is fitted, and registered as the model's next version."""

import time
from typing import NamedTuple

from flows.engine.workspace import Workspace
from flows.stages.stage import stage
from flows.telling import journal
from flows.tracking import registry
from flows.tracking.registry import START, WARM_STARTS, Models, Version
from flows.tracking.store import Run
from pipeline import loop, pictures
from pipeline.data.tables import Split
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.progress import Progress, Tick
from pipeline.settings import LoopSettings

RECIPE = "recipe.json"
SHOWN = {"epochs": True, "batch": True, "rate": True, "weight_decay": True, "free_bits": True} | {
    "shape": {"latent", "width", "hidden"}
}
"""The numbers of a recipe that are parameters of the run in MLflow. The file has all of them."""
NEWS = 5.0  # seconds between two progress reports of a training in MLflow


class FitSummary(NamedTuple):
    """What a run says of its training: how far the synthesizer is shrunk, and how many epochs it took."""

    shrinkage: Shrinkage
    epochs: int


@stage("train")
def train(
    work: Workspace, run: Run, start: Version | None, models: Models, settings: LoopSettings, progress: Progress
) -> FitSummary:
    """Fit a synthesizer, as a warm start if a version `start` is given.

    The recipe and the loss curves are kept in MLflow, and the files in the workspace.
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
    if (recipe := synthesizer.fitted.recipe) is not None:
        run.record(recipe, RECIPE)
        run.parameters({"recipe": recipe.model_dump(mode="json", include=SHOWN)})
    run.history(synthesizer.history)
    run.picture("losses.png", lambda: pictures.loss_curves(synthesizer.history))
    return FitSummary(synthesizer.shrinkage, len(synthesizer.history))


@stage("register the version")
def register(work: Workspace, run: Run, start: Version | None, *, digest: str, code: str, shown: str) -> Version:
    """Register the trained synthesizer as the model's next version.

    Args:
        work: The working files, which hold the synthesizer.
        run: The run that trained it.
        start: The version from which its training started, if any.
        digest: The digest of the rows it was trained on.
        code: Version of the code.
        shown: The settings that say what may be published, as a text.
    """
    tags = {"data_digest": digest, "code_version": code, registry.PRIVACY: shown}
    if start is not None:
        tags |= {START: start.version, WARM_STARTS: str(1 + int(start.tags.get(WARM_STARTS, 0)))}
    return registry.register(run, work.model, tags)


def watched(run: Run, progress: Progress) -> Progress:
    """Wrap a listener so that others hear of a training too.

    MLflow gets the metrics now and then. Steps are in per mille. The log of the run gets a line for every tenth.
    """
    told, tenths = time.monotonic(), 0

    def listen(tick: Tick) -> None:
        nonlocal told, tenths
        progress(tick)
        if tick.metrics and int(10 * tick.done / tick.total) > tenths:
            tenths = int(10 * tick.done / tick.total)
            metrics = ", ".join(f"{name} {value:.4g}" for name, value in tick.metrics.items())
            journal.note(f"training: {tenths}0 % ({metrics})")
        if tick.metrics and time.monotonic() - told >= NEWS:
            told = time.monotonic()
            run.metrics({f"progress/{name}": value for name, value in tick.metrics.items()}, int(1000 * tick.done))

    return listen
