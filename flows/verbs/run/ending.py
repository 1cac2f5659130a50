"""Rows are published, the outcome is written, and the run is complete."""

from pathlib import Path

from flows.stages import publication, reading
from flows.stages.reading import Incoming
from flows.telling import card, journal
from flows.telling.clock import Clock
from flows.telling.outcome import Export, RunOutcome
from flows.tracking.registry import Version
from flows.tracking.store import COMPLETE
from flows.verbs.run.job import Job, Outlook, RunRequest
from pipeline.data import exports


def publish(job: Job, version: Version, incoming: Incoming) -> Export:
    """Write the champion's rows beside their place. `complete` moves them there."""
    request, settings = job.request, job.settings
    directory = request.out or request.home / "data" / "exports" / request.name / f"v{version.version}"
    with job.clock.stage("publish") as progress:
        check_target(request, directory)
        waiting = publication.begin(request.home, request.name, job.tracked.id, directory)
        manifest = publication.publish(
            version,
            job.models,
            waiting.staged,
            incoming.rows if settings.rows is None else settings.rows,
            seed=settings.seed,
            partition_by=settings.partition_by,
            form=settings.format,
            progress=progress,
        )
        publication.written(request.home, request.name, waiting, manifest)
    return Export(path=directory, rows=manifest.rows, manifest=directory / manifest.file)


def check_target(request: RunRequest, directory: Path) -> None:
    """Check that a run can publish at a place, which must contain neither its home nor its data."""
    data = [request.data] if isinstance(request.data, Path) else []
    exports.check_target(directory, [request.home, Path.cwd(), *data])


def nothing_new(request: RunRequest) -> tuple[str, ...]:
    """Why a run that has found nothing new does nothing."""
    return (f"nothing is new in {request.data} since the last complete run",)


def idle(request: RunRequest, clock: Clock, reasons: tuple[str, ...], job: Job | None = None) -> RunOutcome:
    """The outcome of a run that neither trained nor published."""
    journal.note(journal.reasoned("skipped", reasons))
    return RunOutcome(
        name=request.name,
        decision="skipped",
        reasons=reasons,
        quarantined=job.quarantined if job is not None else (),
        documents=job.tracked.url if job is not None else None,
        seconds=clock.seconds,
    )


def skip(job: Job, champion: Version, incoming: Incoming, outlook: Outlook) -> RunOutcome:
    """Let the champion publish; nothing is trained."""
    export = publish(job, champion, incoming)
    outcome = RunOutcome(
        name=job.request.name,
        decision="skipped",
        reasons=outlook.plan.reasons if outlook.plan is not None else (),
        warnings=incoming.warnings,
        assumptions=outlook.prepared.assumptions,
        privacy=outlook.prepared.privacy,
        relations=outlook.prepared.relations,
        quarantined=job.quarantined,
        plan=outlook.plan,
        drift=outlook.drift,
        published=champion.version,
        export=export,
        documents=job.tracked.url,
        seconds=job.clock.seconds,
    )
    complete(job, outcome, incoming)
    return outcome


def complete(job: Job, outcome: RunOutcome, incoming: Incoming, note: str | None = None) -> None:
    """Record the outcome in the MLflow run, make the run complete in one last write, and move the export.

    Args:
        job: The run.
        outcome: Its outcome.
        incoming: The table.
        note: The card of the version that the run has made, if it has made one.
    """
    tracked, kept = job.tracked, {}
    tracked.metrics({f"seconds/{stage}": seconds for stage, seconds in outcome.seconds.items()})
    tracked.record(outcome, "report.json")
    tracked.entitle(card.title(outcome), card.note(outcome) if note is None else note)
    if job.arrivals is not None:
        ledger = job.arrivals.ledger.model_copy(update={"latest": incoming.latest})
        tracked.record(ledger, reading.LEDGER)
        kept = {"ledger": "kept"}
    tracked.conclude(tags_of(outcome) | kept)
    if outcome.export is not None:
        publication.finish(job.request.home, job.request.name)
        rows, place = outcome.export.rows, outcome.export.path
        journal.note(f"published {rows:,} rows of version {outcome.published} in {place}")


def tags_of(outcome: RunOutcome) -> dict[str, str]:
    """The tags of a run with this outcome."""
    version = {"version": outcome.version} if outcome.version is not None else {}
    return {COMPLETE: outcome.decision, "reasons": "; ".join(outcome.reasons), **version}
