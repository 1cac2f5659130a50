"""The rows of a version are compared with real ones, and the gate decides which version is champion."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flows.engine.workspace import Workspace
from flows.stages.stage import stage
from flows.tracking import registry
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from pipeline import evaluation, pictures
from pipeline.decisions import promotion
from pipeline.decisions.promotion import Decision
from pipeline.evaluation import Evaluation
from pipeline.evaluation.samples import Likelihoods
from pipeline.progress import Progress, Tick, silent
from pipeline.queries.bound import ElboReport
from pipeline.settings import EvaluationSettings, GateSettings

ELBO = "elbo.json"


@stage("generate rows of version {version.version}")
def generate(
    work: Workspace, version: Version, models: Models, settings: EvaluationSettings, seed: int, progress: Progress
) -> None:
    """Generate as many rows as there are training rows, at most as many as an evaluation uses."""
    synthesizer = models(version)
    rows = min(work.read("train").num_rows, settings.rows)
    batches = reported(synthesizer.batches(rows, seed=seed), rows, "generate", progress)
    work.write(f"synthetic-{version.version}", batches, synthesizer.schema.arrow)


@stage("evaluate version {version.version}")
def evaluate(
    work: Workspace,
    version: Version,
    settings: EvaluationSettings,
    seed: int,
    progress: Progress,
    told: ElboReport | None = None,
    likelihood: Likelihoods | None = None,
) -> Evaluation:
    """Compare a version's rows with the hold-out.

    Args:
        work: The workspace of the run.
        version: The version.
        settings: How much is compared.
        seed: The seed of the evaluation.
        progress: Called after every area.
        told: The version's own bound on the hold-out.
        likelihood: The version's bound of each row, for attacks that need the model.
    """
    return evaluation.evaluate(
        work.read(f"synthetic-{version.version}"),
        holdout=work.read("holdout"),
        train=work.read("train"),
        schema=work.columns,
        settings=settings,
        seed=seed,
        told=told,
        likelihood=likelihood,
        progress=progress,
    )


@stage("bound of version {version.version}")
def lower_bound(
    work: Workspace, version: Version, models: Models, seed: int, progress: Progress = silent
) -> ElboReport | None:
    """The evidence lower bound of the hold-out under a version. None if no network was taught any dependence."""
    synthesizer = models(version)
    return synthesizer.elbo(work.read("holdout"), seed=seed, progress=progress) if synthesizer.taught else None


def likelihood(version: Version, models: Models, seed: int) -> Likelihoods | None:
    """The version's bound of each row of a table. None if no network was taught any dependence."""
    synthesizer = models(version)

    def bounds(table: pa.Table) -> NDArray[np.float64]:
        found = synthesizer.look(table, seed=seed)
        return np.zeros(table.num_rows) if found is None else found.elbo.double().numpy()

    return bounds if synthesizer.taught else None


@stage("picture version {version.version}")
def picture(work: Workspace, version: Version, run: Run, found: Evaluation) -> None:
    """Keep a picture of the quality of a version's rows."""
    rows = work.read(f"synthetic-{version.version}")
    run.picture("quality.png", lambda: pictures.quality(work.read("holdout"), rows, work.columns, found))


@stage("decide")
def decide(challenger: Evaluation, champion: Evaluation | None, settings: GateSettings) -> Decision:
    """Promote the challenger or keep the champion."""
    return promotion.decide(challenger, champion, settings)


@stage("promote version {version.version}")
def promote(version: Version, models: Models) -> None:
    """Make a version the champion, after checking that it generates its rows."""
    registry.promote(version, load=models)


def reported(batches: Iterable[pa.Table], rows: int, phase: str, progress: Progress) -> Iterator[pa.Table]:
    """The same batches, with progress in rows."""
    done = 0
    for batch in batches:
        yield batch
        done += batch.num_rows
        progress(Tick(phase, done, rows))
