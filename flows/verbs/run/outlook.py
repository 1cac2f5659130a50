"""Before any training: the rows are read and split, compared with the champion's, and the policy decides."""

from flows.stages import memory, planning, reading
from flows.stages.reading import Incoming
from flows.telling import journal
from flows.verbs.run.job import Job, Outlook
from pipeline import inspection
from pipeline.data import parts
from pipeline.decisions.policy import Plan
from pipeline.errors import SchemaError
from pipeline.progress import Tick, part


def read(job: Job) -> Incoming:
    """Read and check the table."""
    work, settings = job.work, job.settings
    with job.clock.stage("read") as progress:
        incoming = reading.read(
            job.request.data,
            work,
            job.operation.contents,
            settings,
            arrivals=job.arrivals,
            like=job.champion,
            models=job.models,
            progress=progress,
        )
        progress(Tick("read", 9, 10, notes=inspection.brief(work.columns)))
        if job.champion is not None and settings.policy.new_columns == "refuse":
            reading.match(work, job.champion, job.models, kept=False)
        parts.check(work.columns.arrow, settings.partition_by, work.read("incoming"), settings.format)
    new = f", {incoming.new_rows:,} of them new" if incoming.new_rows < incoming.rows else ""
    journal.note(f"read {incoming.rows:,} rows of {len(work.columns.names)} columns{new}")
    job.tracked.data(job.request.data, incoming.digest, work.columns.arrow, incoming.rows)
    job.tracked.text(work.columns.to_json(), "schema.json")
    return incoming


def prepare(job: Job, incoming: Incoming) -> Outlook:
    """Split the table, check it for drift, and ask the policy what that calls for."""
    work, tracked, settings = job.work, job.tracked, job.settings
    with job.clock.stage("split") as progress:
        prepared = reading.split(work, tracked, settings, progress)
    journal.note(journal.assumed(prepared.assumptions))
    counts = {"incoming": incoming.rows, "new": incoming.new_rows, **prepared.rows}
    tracked.parameters({"rows": counts, "data_digest": incoming.digest})
    with job.clock.stage("profile") as progress:
        alone = job.champion is None  # else the check for drift takes the other half of the stage
        memory.profile(work, tracked, settings.drift, settings.seed, part(progress, 0, 1 if alone else 0.5))
        if job.champion is None:
            afresh = Plan(action="retrain", reasons=job.outdated)
            return Outlook(None, remember(job, afresh) if job.outdated else None, prepared)
        drift = None
        if not reading.differences(work, job.champion, job.models):
            drift = memory.check_drift(work, job.champion, job.models, tracked, settings)
            journal.note(journal.drifted(drift))
            tracked.record(drift, "drift.json")
            tracked.tags({"drift": str(drift.drifted).lower()})
    with job.clock.stage("plan"):
        chosen = planning.consider(work, job.champion, job.models, incoming, drift, settings)
    remember(job, chosen)
    if chosen.action == "refuse":
        raise SchemaError(f"table: refused for {job.champion.uri}; {'; '.join(chosen.reasons)}")
    return Outlook(drift, chosen, prepared)


def remember(job: Job, plan: Plan) -> Plan:
    """Keep what the new rows call for."""
    journal.note(journal.reasoned(f"plan: {plan.action}", plan.reasons))
    job.tracked.record(plan, "plan.json")
    job.tracked.tags({"plan": plan.action, "plan_reasons": "; ".join(plan.reasons)})
    return plan
