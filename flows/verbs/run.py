"""The whole chain, once: a table becomes a version, a decision and an export.

Run for a name that has no champion it is a training, otherwise a *re*training: the same flow, in which the champion
is asked about drift, the policy says what the new rows call for (nothing, a warm start, a training afresh), and the
champion defends its place on the same hold-out. Whoever is champion at the end publishes. A champion that this code
does not understand is asked nothing and publishes nothing.

The flow is all or nothing. What it makes is undone when a later stage fails: a registered version is withdrawn, a
moved alias is moved back, an export is removed. A run is complete once its outcome is written, in one write; what a
killed run left behind is undone by the next one. The export lies beside its place until then and is moved there last,
in one step; where a complete run was killed before that, the next one does it. So a failed run leaves an earlier
champion and earlier exports as they were. What a person promotes by hand meanwhile stays.

With an `[incoming]` section in the settings, a run trains only if something is new since the last complete one, or if
a training is due all the same (`tasks.due`). Its ledger of files is kept with the run, so it is complete when the run
is, and a killed run has taken nothing in.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, ParamSpec

from prefect import flow

from flows.engine.provenance import code_version
from flows.engine.workspace import Workspace, alone
from flows.settings import Settings
from flows.stages import approval, publication, tasks
from flows.stages.tasks import Incoming
from flows.telling import display, notify
from flows.telling.clock import Clock
from flows.telling.reports import Export, Report, numbers
from flows.tracking import registry, store
from flows.tracking.registry import Version
from flows.tracking.store import COMPLETE, MARK, Run
from pipeline import inspection
from pipeline.data import exports, parts
from pipeline.data.incoming import Arrivals
from pipeline.data.storage import Place
from pipeline.decisions import policy
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.promotion import Decision
from pipeline.errors import SchemaError
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.progress import Progress, Tick, silent
from pipeline.queries.bound import ElboReport
from pipeline.records import Record

STAGES = 15  # at most

P = ParamSpec("P")


class Plan(Record):
    """What a run is asked to do.

    Attributes:
        data: The table: a Parquet file, or a directory or an object store's prefix of them.
        home: Where state and exports live.
        name: The model's name.
        settings: Every other choice.
        out: Where to publish; default: `<home>/data/exports/<name>/v<version>`.
        on_drift: Whether a check that found drift called for it, and neither a schedule nor a person.
    """

    data: Place
    home: Path
    name: str
    settings: Settings
    out: Path | None = None
    on_drift: bool = False


class Job(NamedTuple):
    """What the steps of one run share.

    Attributes:
        plan: What to do.
        work: Where the run's tables are.
        tracked: Where MLflow remembers it.
        champion: Who was champion when it began; None also where this code does not understand it.
        clock: Times the stages.
        code: Version of the code.
        arrivals: What is new, where that is asked for.
        due: Whether it is called for though nothing is new.
        outdated: Why the champion cannot be asked, where that is so.
    """

    plan: Plan
    work: Workspace
    tracked: Run
    champion: Version | None
    clock: Clock
    code: str
    arrivals: Arrivals | None
    due: bool = False
    outdated: tuple[str, ...] = ()


class Outlook(NamedTuple):
    """What was found out before any training.

    Attributes:
        drift: The new rows against the champion's; None without a champion, or with one of other columns or format.
        plan: What they call for; None without a champion.
        privacy: What of the table is not shown.
    """

    drift: DriftReport | None
    plan: policy.Plan | None
    privacy: PrivacyReport


class Judgement(NamedTuple):
    """What was found out about a challenger."""

    evaluation: Evaluation
    elbo: ElboReport | None
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
    code = code_version()
    tags = {"flow": "run", "code_version": code, "mlflow.source.git.commit": code}
    clock = Clock(progress or silent, STAGES)
    with (
        notify.failures(plan.settings.notify, plan.name),
        store.answering(),
        alone(plan.home, plan.name),
        Workspace.open(plan.home) as work,
        publication.settling(plan.home, plan.name) as warnings,
    ):
        if plan.out is not None:
            check_target(plan, plan.out)  # better now than after the training
        with clock.stage("connect"):
            registry.recover(plan.name, work.died)
            champion = registry.champion(plan.name)
        if held := held_back(plan, champion):
            return warned(idle(plan, clock, held), warnings)
        arrivals, due = survey(plan, clock, champion)
        if arrivals is not None and not (arrivals.new or arrivals.quarantined or due):
            return warned(idle(plan, clock, nothing_new(plan)), warnings)
        with Run.start(plan.name, tags | {MARK: work.mark}) as tracked:
            outdated = tasks.outdated(champion) if champion is not None else ()
            asked = None if outdated else champion
            report = warned(execute(Job(plan, work, tracked, asked, clock, code, arrivals, due, outdated)), warnings)
    notify.outcome(plan.settings.notify, report)
    return report


def warned(report: Report, warnings: tuple[str, ...]) -> Report:
    """A report with what a person should know besides."""
    return report.model_copy(update={"warnings": (*warnings, *report.warnings)})


def held_back(plan: Plan, champion: Version | None) -> tuple[str, ...]:
    """Why a run that nobody needs is put off until the cool-down is over.

    It takes nothing in, or the next scheduled run would find nothing new.
    """
    can_wait = plan.on_drift or (plan.settings.incoming is not None and plan.settings.policy.train == "needed")
    return tasks.cooling_down(plan.name, plan.settings) if can_wait and champion is not None else ()


def survey(plan: Plan, clock: Clock, champion: Version | None) -> tuple[Arrivals | None, bool]:
    """What has arrived, where that is asked for, and whether a training is due though nothing is new."""
    if plan.settings.incoming is None:
        return None, False
    with clock.stage("survey"):
        arrivals = tasks.survey(plan.data, plan.name, plan.settings)
        known = bool(arrivals.files) and not arrivals.new
        due = known and champion is not None and tasks.due(champion, plan.settings)
    return arrivals, due


def execute(job: Job) -> Report:
    """Do the work, undoing what was done if a later stage fails."""
    job.tracked.parameters({"data": job.plan.data, "settings": job.plan.settings.model_dump(mode="json")})
    job.tracked.record(job.plan.settings, "settings.json")
    incoming = read(job)
    if not incoming.new_rows and not job.due:
        report = idle(job.plan, job.clock, nothing_new(job.plan), job)
        complete(job, report, incoming)
        return report
    outlook = prepare(job, incoming)
    if job.champion is not None and outlook.plan is not None and outlook.plan.action == "skip":
        report = skip(job, job.champion, incoming, outlook)
    else:
        report = retrain(job, incoming, outlook)
    job.clock.finish("resynth-run", display.markdown(report))
    return report


def skip(job: Job, champion: Version, incoming: Incoming, outlook: Outlook) -> Report:
    """Let the champion publish; nothing is trained."""
    export = publish(job, champion, incoming)
    report = Report(
        name=job.plan.name,
        decision="skipped",
        reasons=outlook.plan.reasons if outlook.plan is not None else (),
        warnings=incoming.warnings,
        privacy=outlook.privacy,
        quarantined=job.arrivals.quarantined if job.arrivals is not None else (),
        plan=outlook.plan,
        drift=outlook.drift,
        published=champion.version,
        export=export,
        report=job.tracked.url,
        seconds=job.clock.seconds,
    )
    complete(job, report, incoming)
    return report


def retrain(job: Job, incoming: Incoming, outlook: Outlook) -> Report:
    """Train a challenger, let it meet the champion, and let the winner publish."""
    with ExitStack() as undo:
        challenger, hidden = train(job, incoming, outlook)
        undo.callback(take_back, job, registry.withdraw, challenger)
        judged = judge(job, challenger, job.champion if outlook.drift is not None else None)
        publisher = registry.champion(job.plan.name)  # a person may have moved the alias meanwhile
        moved = publisher is not None and publisher.version == challenger.version
        undo.callback(take_back, job, registry.demote, challenger, publisher)
        if judged.decision.promote:
            with job.clock.stage("promote"):
                tasks.promote(challenger)
            publisher = challenger
        elif publisher is not None and tasks.outdated(publisher):
            publisher = None  # what it has published stays
        export = publish(job, publisher, incoming) if publisher is not None else None
        report = Report(
            name=job.plan.name,
            version=challenger.version,
            alias=registry.CHAMPION if moved or judged.decision.promote else None,
            decision="promoted" if judged.decision.promote else "refused",
            reasons=judged.decision.reasons,
            warnings=incoming.warnings,
            privacy=hidden,
            quarantined=job.arrivals.quarantined if job.arrivals is not None else (),
            plan=outlook.plan,
            drift=outlook.drift,
            evaluation=judged.evaluation,
            elbo=judged.elbo,
            published=publisher.version if publisher is not None else None,
            export=export,
            report=job.tracked.url,
            seconds=job.clock.seconds,
        )
        registry.tag(challenger, outcome(report))
        complete(job, report, incoming)
        undo.pop_all()  # the new state is complete
    return report


def take_back(job: Job, step: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Undo a step, unless the run is complete after all; where the server that tells is gone, the next run does it."""
    if not store.away() and not job.tracked.complete:
        step(*arguments, **named)


def read(job: Job) -> Incoming:
    """Read and check the table."""
    plan, work = job.plan, job.work
    with job.clock.stage("read") as progress:
        incoming = tasks.read(plan.data, work, plan.settings, job.arrivals, job.champion)
        progress(Tick("read", 1, 1, notes=inspection.brief(work.columns)))
        if job.champion is not None and plan.settings.policy.new_columns == "refuse":
            tasks.match(work, job.champion, kept=False)
        parts.check(work.columns.arrow, plan.settings.partition_by, work.read("incoming"))
    job.tracked.data(plan.data, incoming.digest, work.columns.arrow, incoming.rows)
    job.tracked.text(work.columns.to_json(), "schema.json")
    return incoming


def prepare(job: Job, incoming: Incoming) -> Outlook:
    """Split the table, look for drift, and ask the policy what that calls for."""
    plan, work, tracked = job.plan, job.work, job.tracked
    with job.clock.stage("split"):
        rows, hidden = tasks.split(work, tracked, plan.settings)
    counts = {"incoming": incoming.rows, "new": incoming.new_rows, **rows}
    tracked.parameters({"rows": counts, "data_digest": incoming.digest})
    with job.clock.stage("profile"):
        tasks.profile(work, tracked, plan.settings)
        if job.champion is None:
            afresh = policy.Plan(action="retrain", reasons=job.outdated)
            return Outlook(None, remember(job, afresh) if job.outdated else None, hidden)
        drift = None
        if not tasks.differences(work, job.champion):
            drift = tasks.check_drift(work, job.champion, tracked, plan.settings)
            tracked.record(drift, "drift.json")
            tracked.tags({"drift": str(drift.drifted).lower()})
    with job.clock.stage("plan"):
        chosen = tasks.consider(work, job.champion, incoming, drift, plan.settings)
    remember(job, chosen)
    if chosen.action == "refuse":
        raise SchemaError(f"table: refused for {job.champion.uri}; {'; '.join(chosen.reasons)}")
    return Outlook(drift, chosen, hidden)


def remember(job: Job, plan: policy.Plan) -> policy.Plan:
    """Keep what the new rows called for."""
    job.tracked.record(plan, "plan.json")
    job.tracked.tags({"plan": plan.action, "plan_reasons": "; ".join(plan.reasons)})
    return plan


def train(job: Job, incoming: Incoming, outlook: Outlook) -> tuple[Version, PrivacyReport]:
    """Train a challenger, from the champion if that is the plan, and register it; complete what is not shown."""
    warm = outlook.plan is not None and outlook.plan.action == "warm-start"
    start = job.champion if warm else None
    with job.clock.stage("train") as progress:
        shrinkage = tasks.train(job.work, job.tracked, start, job.plan.settings, progress)
    hidden = outlook.privacy.model_copy(update={"shrinkage": shrinkage})
    job.tracked.record(hidden, tasks.PRIVACY)
    with job.clock.stage("register"):
        return tasks.register(job.work, job.tracked, start, incoming.digest, job.code, job.plan.settings), hidden


def judge(job: Job, challenger: Version, champion: Version | None) -> Judgement:
    """Evaluate the challenger, and a champion of the same columns on the same hold-out, and decide."""
    work, tracked, settings = job.work, job.tracked, job.plan.settings
    with job.clock.stage("generate") as progress:
        tasks.generate(work, challenger, settings, progress)
    with job.clock.stage("evaluate") as progress:
        elbo = tasks.measure(work, challenger, settings)
        found = tasks.evaluate(work, challenger, settings, progress, elbo)
        tasks.picture(work, challenger, tracked, found)
        tasks.view(work, challenger, tracked, settings)
    tracked.record(found, "evaluation.json")
    if elbo is not None:
        tracked.record(elbo, tasks.ELBO)
    tracked.metrics(numbers(found))
    defended = None
    if champion is not None:
        with job.clock.stage("champion") as progress:
            tasks.generate(work, champion, settings, silent)
            defended = tasks.evaluate(work, champion, settings, progress)
        tracked.record(defended, "champion-evaluation.json")
        tracked.metrics({f"champion.{score.name}": score.value for score in defended.scores})
    with job.clock.stage("decide"):
        decision = tasks.decide(found, defended, settings)
    if decision.promote and settings.gate.approval == "person":
        with job.clock.stage("approve"):
            decision = approval.ask(challenger, decision, settings)
    tracked.record(decision, "decision.json")
    return Judgement(found, elbo, decision)


def publish(job: Job, version: Version, incoming: Incoming) -> Export:
    """Write the champion's rows beside their place; `complete` moves them there."""
    plan = job.plan
    directory = plan.out or plan.home / "data" / "exports" / plan.name / f"v{version.version}"
    with job.clock.stage("publish") as progress:
        check_target(plan, directory)
        waiting = publication.begin(plan.home, plan.name, job.tracked.id, directory)
        rows = incoming.rows if plan.settings.rows is None else plan.settings.rows
        manifest = tasks.publish(version, waiting.staged, rows, plan.settings, progress)
        publication.written(plan.home, plan.name, waiting, manifest)
    return Export(path=directory, rows=manifest.rows, manifest=directory / manifest.file)


def check_target(plan: Plan, directory: Path) -> None:
    """See whether a run can publish at a place, which must hold neither its home nor its data."""
    exports.check_target(directory, [plan.home, Path.cwd(), *([plan.data] if isinstance(plan.data, Path) else [])])


def nothing_new(plan: Plan) -> tuple[str, ...]:
    """Why a run does nothing that has found nothing new."""
    return (f"nothing is new in {plan.data} since the last complete run",)


def idle(plan: Plan, clock: Clock, reasons: tuple[str, ...], job: Job | None = None) -> Report:
    """The report of a run that neither trained nor published."""
    report = Report(
        name=plan.name,
        decision="skipped",
        reasons=reasons,
        quarantined=job.arrivals.quarantined if job is not None and job.arrivals is not None else (),
        report=job.tracked.url if job is not None else None,
        seconds=clock.seconds,
    )
    clock.finish("resynth-run", display.markdown(report))
    return report


def complete(job: Job, report: Report, incoming: Incoming) -> None:
    """Write the outcome on the MLflow run, in one last write that it is complete, and move the export to its place."""
    tracked, kept = job.tracked, {}
    tracked.metrics({f"seconds.{stage}": seconds for stage, seconds in report.seconds.items()})
    tracked.record(report, "report.json")
    if job.arrivals is not None:
        ledger = job.arrivals.ledger.model_copy(update={"latest": incoming.latest})
        tracked.record(ledger, tasks.LEDGER)
        kept = {"ledger": "kept"}
    tracked.conclude(outcome(report) | kept)
    if report.export is not None:
        publication.finish(job.plan.home, job.plan.name)


def outcome(report: Report) -> dict[str, str]:
    """What tags say of a run."""
    version = {"version": report.version} if report.version is not None else {}
    return {COMPLETE: report.decision, "reasons": "; ".join(report.reasons), **version}
