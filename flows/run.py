"""The whole chain, once: a table becomes a version, a decision and an export.

Run for a name that has no champion it is a training, otherwise a *re*training: the same flow, in which the champion
is asked about drift and defends its place on the same hold-out. Whoever is champion at the end publishes.

The flow is all or nothing. What it makes is undone when a later stage fails: a registered version is withdrawn, a
moved alias is moved back. Publishing comes last and is itself all or nothing, so a failed run leaves an earlier
champion and earlier exports as they were.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import display, tasks
from flows.clock import Clock
from flows.provenance import code_version
from flows.reports import Export, Report, numbers
from flows.scratch import Workspace, alone
from flows.settings import Settings
from flows.tasks import Incoming
from flows.tracking import registry
from flows.tracking.registry import Version
from flows.tracking.store import Run
from pipeline import exports
from pipeline.bound import ElboReport
from pipeline.drift import DriftReport
from pipeline.evaluation import Evaluation
from pipeline.progress import Progress, silent
from pipeline.promotion import Decision
from pipeline.records import Record

STAGES = 12  # at most


class Plan(Record):
    """What a run is asked to do.

    Attributes:
        data: The table: a Parquet file, or a directory of them.
        home: Where state and exports live.
        name: Of the model.
        settings: Every other choice.
        out: Where to publish; default: `<home>/data/exports/<name>/v<version>`.
    """

    data: Path
    home: Path
    name: str
    settings: Settings
    out: Path | None = None


class Job(NamedTuple):
    """What the steps of one run share.

    Attributes:
        plan: What to do.
        work: Where the run's tables are.
        tracked: Where MLflow remembers it.
        champion: Who was champion when it began.
        clock: Times the stages.
        code: Version of the code.
    """

    plan: Plan
    work: Workspace
    tracked: Run
    champion: Version | None
    clock: Clock
    code: str


class Judgement(NamedTuple):
    """What was found out about a challenger."""

    evaluation: Evaluation
    elbo: ElboReport
    decision: Decision


@flow(name="resynth-run", validate_parameters=False)
def run(plan: Plan, progress: Progress | None = None) -> Report:
    """Carry out a plan.

    Args:
        plan: What to do.
        progress: Told about every stage, if anybody listens.

    Raises:
        InputError: The table or the settings cannot be used; nothing was changed.
        ResynthError: A stage failed; nothing was changed.
    """
    if plan.out is not None:
        exports.check_target(plan.out)  # better now than after the training
    code = code_version()
    tags = {"flow": "run", "code_version": code, "mlflow.source.git.commit": code}
    clock = Clock(progress or silent, STAGES)
    with alone(plan.home, plan.name), Workspace.open(plan.home) as work:
        with clock.stage("connect"):
            champion = registry.champion(plan.name)
        with Run.start(plan.name, tags) as tracked:
            return execute(Job(plan, work, tracked, champion, clock, code))


def execute(job: Job) -> Report:
    """Do the work, undoing what was done if a later stage fails."""
    job.tracked.parameters({"data": job.plan.data, "settings": job.plan.settings.model_dump(mode="json")})
    job.tracked.record(job.plan.settings, "settings.json")
    incoming, drift = prepare(job)
    with ExitStack() as undo:
        challenger = train(job, incoming)
        undo.callback(registry.withdraw, challenger)
        judged = judge(job, challenger)
        publisher = job.champion
        if judged.decision.promote:
            undo.callback(registry.demote, challenger, job.champion)
            with job.clock.stage("promote"):
                tasks.promote(challenger)
            publisher = challenger
        export = publish(job, publisher, incoming) if publisher is not None else None
        undo.pop_all()  # from here on the new state is complete
    report = Report(
        name=job.plan.name,
        version=challenger.version,
        alias=registry.CHAMPION if judged.decision.promote else None,
        decision="promoted" if judged.decision.promote else "refused",
        reasons=judged.decision.reasons,
        warnings=incoming.warnings,
        drift=drift,
        evaluation=judged.evaluation,
        elbo=judged.elbo,
        published=publisher.version if publisher is not None else None,
        export=export,
        report=job.tracked.url,
        seconds=job.clock.seconds,
    )
    remember(job.tracked, challenger, report)
    job.clock.finish()
    return report


def prepare(job: Job) -> tuple[Incoming, DriftReport | None]:
    """Read, check and split the table, and look for drift."""
    plan, work, tracked = job.plan, job.work, job.tracked
    with job.clock.stage("read"):
        incoming = tasks.read(plan.data, work, plan.settings)
        if job.champion is not None:
            tasks.match(work, job.champion)
    tracked.data(plan.data, incoming.digest, work.columns.arrow, incoming.rows)
    tracked.text(work.columns.to_json(), "schema.json")
    with job.clock.stage("split"):
        rows = tasks.split(work, plan.settings)
    tracked.parameters({"rows": {"incoming": incoming.rows, **rows}, "data_digest": incoming.digest})
    drift = None
    with job.clock.stage("profile"):
        tasks.profile(work, tracked, plan.settings)
        if job.champion is not None:
            drift = tasks.check_drift(work, job.champion, tracked, plan.settings)
            tracked.record(drift, "drift.json")
            tracked.tags({"drift": str(drift.drifted).lower()})
    return incoming, drift


def train(job: Job, incoming: Incoming) -> Version:
    """Train a challenger and register it."""
    with job.clock.stage("train") as progress:
        tasks.train(job.work, job.tracked, job.plan.settings, progress)
    with job.clock.stage("register"):
        return tasks.register(job.work, job.tracked, incoming, job.code)


def judge(job: Job, challenger: Version) -> Judgement:
    """Evaluate the challenger, and the champion on the same hold-out, and decide."""
    work, tracked, settings = job.work, job.tracked, job.plan.settings
    with job.clock.stage("generate") as progress:
        tasks.generate(work, challenger, settings, progress)
    with job.clock.stage("evaluate") as progress:
        found = tasks.evaluate(work, challenger, settings, progress)
        elbo = tasks.measure(work, challenger, settings)
        tasks.picture(work, challenger, tracked, found)
    tracked.record(found, "evaluation.json")
    tracked.record(elbo, tasks.ELBO)
    tracked.metrics(numbers(found, elbo))
    defended = None
    if job.champion is not None:
        with job.clock.stage("champion") as progress:
            tasks.generate(work, job.champion, settings, silent)
            defended = tasks.evaluate(work, job.champion, settings, progress)
        tracked.record(defended, "champion-evaluation.json")
        tracked.metrics({f"champion.{score.name}": score.value for score in defended.scores})
    with job.clock.stage("decide"):
        decision = tasks.decide(found, defended, settings)
    tracked.record(decision, "decision.json")
    return Judgement(found, elbo, decision)


def publish(job: Job, version: Version, incoming: Incoming) -> Export:
    """Publish the champion's rows."""
    plan = job.plan
    directory = plan.out or plan.home / "data" / "exports" / plan.name / f"v{version.version}"
    with job.clock.stage("publish") as progress:
        rows = plan.settings.rows or incoming.rows
        manifest = tasks.publish(version, directory, rows, plan.settings.seed, progress)
    return Export(path=directory, rows=manifest.rows, manifest=directory / exports.MANIFEST)


def remember(tracked: Run, challenger: Version, report: Report) -> None:
    """Write the outcome where people look for it: on the MLflow run, on the version, in Prefect."""
    outcome = {"decision": report.decision, "reasons": "; ".join(report.reasons), "version": report.version}
    tracked.tags(outcome)
    tracked.metrics({f"seconds.{stage}": seconds for stage, seconds in report.seconds.items()})
    tracked.record(report, "report.json")
    registry.tag(challenger, outcome)
    create_markdown_artifact(display.markdown(report), key="resynth-run", description=f"{report.name}, one run")
