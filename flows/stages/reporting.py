"""The report of a version, made in the run that made the version, and kept with it as one HTML page."""

import shlex
from pathlib import Path
from typing import NamedTuple

from flows.engine.workspace import Workspace
from flows.settings import Settings, name_of, toml
from flows.stages.stage import stage
from flows.telling import closing
from flows.telling.card import Facts
from flows.telling.outcome import RunOutcome
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from pipeline.data.storage import Place
from pipeline.evaluation import Evaluation
from pipeline.page import Previous, Subject, report

PAGE = "report.html"


class Made(NamedTuple):
    """What a run knows of the version that it made, beside the version itself.

    Attributes:
        outcome: The outcome of the run.
        facts: What the card of the version says.
        data: The table.
        settings: The settings of the run.
        rival: The champion that the version was compared with.
        rival_evaluation: The evaluation of that champion on the same held-out rows.
    """

    outcome: RunOutcome
    facts: Facts
    data: Place
    settings: Settings
    rival: Version | None = None
    rival_evaluation: Evaluation | None = None


@stage("report of version {version.version}")
def keep(work: Workspace, version: Version, models: Models, run: Run, known: Made) -> str | None:
    """Keep the report of a version with its run. Returns its address, or None if it could not be made."""
    found = known.outcome.evaluation
    if found is None:
        return None
    return run.document(PAGE, lambda: report(subject_of(work, version, models, run, known, found)))


def subject_of(work: Workspace, version: Version, models: Models, run: Run, known: Made, found: Evaluation) -> Subject:
    """What the report of a version is about."""
    outcome, settings, synthesizer = known.outcome, known.settings, models(version)
    holdout = work.read("holdout")
    latent = synthesizer.latent.summary(holdout, seed=settings.seed) if synthesizer.taught else None
    previous = None
    if known.rival is not None and known.rival_evaluation is not None:
        previous = Previous(f"version {known.rival.version}", known.rival_evaluation)
    return Subject(
        title=f"{version.name} version {version.version}",
        real=holdout,
        synthetic=work.read(f"synthetic-{version.version}"),
        schema=work.columns,
        evaluation=found,
        gate=settings.gate,
        verdict=closing.judged(outcome, settings.gate),
        assumptions=outcome.assumptions,
        privacy=outcome.privacy,
        drift=outcome.drift,
        history=synthesizer.history,
        elbo=outcome.elbo,
        latent=latent,
        previous=previous,
        facts=facts(run, known),
        settings=toml.written(settings.chosen),
        command="\n".join(commands(version, known)),
    )


def facts(run: Run, known: Made) -> dict[str, str]:
    """What the version was made from and with, by title."""
    told = known.facts
    parts = ", ".join(f"{rows:,} {part}" for part, rows in told.rows.items() if part not in {"incoming", "new"})
    start = f"continued from version {told.start}" if told.start is not None else "from scratch"
    return {
        "table": f"{told.data}, {told.rows.get('incoming', 0):,} rows ({parts}), {told.columns:,} columns",
        "digest of the table": told.digest,
        "training": f"{start}: {told.epochs:,} epochs in {told.seconds:,.0f} s",
        "decision": "; ".join((known.outcome.decision, *known.outcome.reasons)),
        "seed": str(known.settings.seed),
        "code": told.code,
        "resynth": told.release,
        "MLflow run": run.id,
    }


def commands(version: Version, known: Made) -> list[str]:
    """The commands that make the rows again, and the version."""
    rows = known.outcome.export.rows if known.outcome.export is not None else known.facts.rows.get("incoming", 1000)
    data = known.data.name if isinstance(known.data, Path) else name_of(known.data)  # a query may hold values
    seed = f"--seed {known.settings.seed}"
    return [
        f"resynth export {shlex.quote(f'{version.name}/{version.version}')} --rows {rows} --out rows/ {seed}",
        f"resynth run {shlex.quote(data)} --name {shlex.quote(version.name)} {seed}",
    ]
