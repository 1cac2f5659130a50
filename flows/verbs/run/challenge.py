"""A challenger is trained and compared with the champion on the same hold-out, and the winner publishes."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple, ParamSpec

from flows.engine.provenance import release
from flows.settings import name_of
from flows.stages import approval, judging, memory, reading, reporting, training
from flows.stages.reading import Incoming
from flows.stages.reporting import Made
from flows.stages.training import FitSummary
from flows.telling import card, journal
from flows.telling.card import Facts
from flows.telling.outcome import RunOutcome, numbers
from flows.tracking import registry, store
from flows.tracking.registry import Version
from flows.verbs.run.ending import complete, publish, tags_of
from flows.verbs.run.job import Job, Outlook
from pipeline.decisions.promotion import Decision
from pipeline.evaluation import Evaluation
from pipeline.loop import PrivacyReport
from pipeline.progress import Tick, part
from pipeline.queries.bound import ElboReport

P = ParamSpec("P")


class Judgement(NamedTuple):
    """The evaluation of a challenger, its bound and the decision of the gate; and the evaluation of its rival."""

    evaluation: Evaluation
    elbo: ElboReport | None
    decision: Decision
    defended: Evaluation | None = None


def retrain(job: Job, incoming: Incoming, outlook: Outlook) -> RunOutcome:
    """Train a challenger, compare it with the champion, and let the winner publish."""
    with ExitStack() as undo:
        challenger, facts = train(job, incoming, outlook)
        undo.callback(take_back, job, registry.withdraw, challenger)
        judged = judge(job, challenger, other := rival(job, outlook))
        publisher = registry.champion(job.request.name)  # a person may have moved the alias meanwhile
        moved = publisher is not None and publisher.version == challenger.version
        undo.callback(take_back, job, registry.demote, challenger, publisher)
        if judged.decision.promote:
            with job.clock.stage("promote"):
                judging.promote(challenger, job.models)
            publisher = challenger
        elif publisher is not None and memory.outdated(publisher, job.models):
            publisher = None  # its earlier exports stay
        export = publish(job, publisher, incoming) if publisher is not None else None
        outcome = RunOutcome(
            name=job.request.name,
            version=challenger.version,
            alias=registry.CHAMPION if moved or judged.decision.promote else None,
            decision="promoted" if judged.decision.promote else "refused",
            reasons=judged.decision.reasons,
            warnings=incoming.warnings,
            assumptions=outlook.prepared.assumptions,
            privacy=facts.privacy,
            relations=outlook.prepared.relations,
            quarantined=job.quarantined,
            plan=outlook.plan,
            drift=outlook.drift,
            evaluation=judged.evaluation,
            elbo=judged.elbo,
            published=publisher.version if publisher is not None else None,
            export=export,
            documents=job.tracked.url,
            seconds=job.clock.seconds,
        )
        known = Made(outcome, facts, job.request.data, job.settings, other, judged.defended)
        outcome = reported(job, challenger, known)
        told = card.version(outcome.name, facts, job.settings.gate, outcome)
        registry.describe(challenger, told)
        registry.tag(challenger, tags_of(outcome))
        complete(job, outcome, incoming, told)
        undo.pop_all()  # the new state is complete
    return outcome


def reported(job: Job, version: Version, known: Made) -> RunOutcome:
    """The outcome of a run with the address of the report, which is made and kept."""
    with job.clock.stage("report"):
        page = reporting.keep(job.work, version, job.models, job.tracked, known)
    return known.outcome.model_copy(update={"page": page, "seconds": dict(job.clock.seconds)})


def rival(job: Job, outlook: Outlook) -> Version | None:
    """The champion, if it has the columns of the table, so that its rows can be compared with the same hold-out."""
    if job.champion is None or outlook.drift is None or not reading.covered(job.work, job.champion, job.models):
        return None
    return job.champion


def take_back(job: Job, step: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Undo a step, unless the run is complete after all. If the server that knows is away, the next run undoes it."""
    if not store.away() and not job.tracked.complete:
        step(*arguments, **named)


def train(job: Job, incoming: Incoming, outlook: Outlook) -> tuple[Version, Facts]:
    """Train and register a challenger, from the champion if planned. Completes the privacy report."""
    warm = outlook.plan is not None and outlook.plan.action == "warm-start"
    start = job.champion if warm else None
    with job.clock.stage("train") as progress:
        trained = training.train(job.work, job.tracked, start, job.models, job.settings, progress)
    hidden = outlook.prepared.privacy.model_copy(update={"shrinkage": trained.shrinkage})
    job.tracked.record(hidden, reading.PRIVACY)
    with job.clock.stage("register"):
        made = training.register(
            job.work,
            job.tracked,
            start,
            digest=incoming.digest,
            code=job.operation.code,
            shown=job.settings.shown,
        )
        facts = facts_of(job, incoming, outlook, made, trained, hidden)
        registry.describe(made, card.version(made.name, facts, job.settings.gate))
    return made, facts


def facts_of(
    job: Job, incoming: Incoming, outlook: Outlook, made: Version, trained: FitSummary, privacy: PrivacyReport
) -> Facts:
    """What the card of a version says before the gate has decided."""
    return Facts(
        version=made.version,
        data=name_of(job.request.data),
        digest=incoming.digest,
        rows={"incoming": incoming.rows, **outlook.prepared.rows},
        columns=len(job.work.columns.names),
        relations=len(outlook.prepared.relations),
        epochs=trained.epochs,
        seconds=job.clock.seconds["train"],
        start=made.tags.get(registry.START),
        privacy=privacy,
        code=job.operation.code,
        release=release(),
    )


def judge(job: Job, challenger: Version, champion: Version | None) -> Judgement:
    """Evaluate the challenger, and a champion with the same columns on the same hold-out, and decide."""
    work, tracked, models, settings = job.work, job.tracked, job.models, job.settings
    with job.clock.stage("generate") as progress:
        judging.generate(work, challenger, models, settings.evaluation, settings.seed, progress)
    with job.clock.stage("evaluate") as progress:
        elbo = judging.lower_bound(work, challenger, models, settings.seed, part(progress, 0, 0.2))
        seen = part(progress, 0.2, 0.85)
        rows = judging.likelihood(challenger, models, settings.seed)
        found = judging.evaluate(work, challenger, settings.evaluation, settings.seed, seen, elbo, rows)
        judging.picture(work, challenger, tracked, found)
        progress(Tick("evaluate", 0.93, 1))
        memory.view(work, challenger, models, tracked, settings)
    journal.note(journal.scored(found))
    tracked.record(found, "evaluation.json")
    if elbo is not None:
        tracked.record(elbo, judging.ELBO)
    tracked.metrics(numbers(found), model=registry.model_of(challenger))
    defended = None
    if champion is not None:
        with job.clock.stage("champion") as progress:
            judging.generate(work, champion, models, settings.evaluation, settings.seed, part(progress, 0, 0.1))
            seen = part(progress, 0.1, 1)
            defended = judging.evaluate(work, champion, settings.evaluation, settings.seed, seen)
        tracked.record(defended, "champion-evaluation.json")
        tracked.metrics({f"champion/{score.name}": score.value for score in defended.scores})
    with job.clock.stage("decide"):
        decision = judging.decide(found, defended, settings.gate)
    if decision.promote and settings.gate.approval == "person":
        with job.clock.stage("approve"):
            models.clear()  # approval may take a day, and the version must be checked as it is in the store then
            decision = approval.ask(challenger, decision, settings.gate, settings.notify)
    verdict = "promoted" if decision.promote else "refused"
    journal.note(journal.reasoned(f"decision: version {challenger.version} {verdict}", decision.reasons))
    tracked.record(decision, "decision.json")
    return Judgement(found, elbo, decision, defended)
