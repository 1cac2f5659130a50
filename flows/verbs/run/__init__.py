"""The verb `run`: the whole chain, once. A table becomes a version, a decision and an export.

For a name without a champion, the run is a training. Otherwise it is a *re*training by the same flow: the rows are
compared with the champion's, the policy says what the new rows call for (nothing, a warm start, a training afresh), and
the champion defends its place on the same hold-out. The champion at the end publishes. A champion that this code cannot
read is not used and publishes nothing.

The flow is all or nothing. If a later stage fails, everything is undone: a registered version is withdrawn, a moved
alias is moved back, an export is removed. A run is complete when its outcome is written, in one write. The next run
undoes what a killed run left. The export lies beside its place until then, and is moved there last, in one step. If a
complete run was killed before this move, the next run moves the export. So a failed run leaves an earlier champion and
earlier exports as they were. A promotion by hand in the meantime stays.

With an `[incoming]` section in the settings, a run trains only if something is new since the last complete run, or if a
training is due all the same (`planning.due`). The ledger of files is kept with the run, so it is complete when the run
is, and a killed run has taken nothing in.

job             the request of a run, and what its steps share
outlook         before any training: the rows are read and split, and the policy decides
challenge       a challenger is trained and compared with the champion, and the winner publishes
ending          rows are published, the outcome is written, the run is complete
"""

from collections.abc import Mapping

from flows.stages import memory, planning, publication, reading
from flows.telling import notify, pages
from flows.telling.clock import Clock
from flows.telling.outcome import RunOutcome
from flows.tracking import registry
from flows.tracking.registry import Version
from flows.verbs.operation import Operation
from flows.verbs.run.challenge import retrain
from flows.verbs.run.ending import check_target, complete, idle, nothing_new, skip
from flows.verbs.run.job import Job, RunRequest
from flows.verbs.run.outlook import prepare, read
from flows.verbs.shown import TRAIN, Ending, shown
from pipeline.data.incoming import Arrivals
from pipeline.progress import Progress, silent

__all__ = ["RunRequest", "carry_out", "ending", "run"]

SHARES: Mapping[str, float] = {
    "connect": 1,
    "survey": 1,
    "read": 4,
    "split": 6,
    "profile": 4,
    "plan": 1,
    "train": 54,
    "register": 1,
    "generate": 4,
    "evaluate": 14,
    "champion": 5,
    "decide": 0,
    "approve": 0,
    "promote": 1,
    "publish": 4,
    "report": 1,
}
"""The usual share of each stage in the time of a run, for the bar on Prefect's page."""


def run(request: RunRequest, progress: Progress | None = None) -> RunOutcome:
    """Carry out a request as a flow run.

    Args:
        request: What to do.
        progress: Called for every stage, if given.

    Raises:
        InputError: The table or the settings cannot be used. Nothing was changed.
        BusyError: Another run of the same name is at work.
        ResynthError: A stage failed. Nothing was changed.
    """
    rows = request.settings.rows
    told = {"table": request.name, "data": request.data, "home": request.home, "out": request.out, "rows": rows}
    return shown(TRAIN, request.name, lambda: carry_out(request, progress), ending, told)


def ending(outcome: RunOutcome) -> Ending:
    """How a run with this outcome ended."""
    told = "; ".join(outcome.reasons)
    return Ending(outcome.decision.capitalize(), told if outcome.version is None else f"{outcome.title}: {told}")


def carry_out(request: RunRequest, progress: Progress | None = None) -> RunOutcome:
    """Do the work of `run` in the flow run of the caller, if there is one. Arguments and errors are the same."""
    home, name, settings = request.home, request.name, request.settings
    clock = Clock(progress or silent, SHARES)
    with (
        notify.failures(settings.notify, name),
        Operation.open("run", home, name, lock=name) as operation,
        publication.settling(home, name) as warnings,
    ):
        if request.out is not None:
            check_target(request, request.out)  # raises now rather than after the training
        outcome = warned(turn(request, operation, clock), warnings)
    clock.finish()
    pages.show(name, TRAIN.name, outcome.title, pages.run(outcome, settings.gate))
    notify.outcome(settings.notify, outcome)
    return outcome


def turn(request: RunRequest, operation: Operation, clock: Clock) -> RunOutcome:
    """Go round the loop once, unless there is nothing to do."""
    name = request.name
    with clock.stage("connect"):
        registry.recover(name, operation.work.died)
        champion = registry.champion(name)
    if held := held_back(request, champion):
        return idle(request, clock, held)
    arrivals, due = survey(request, operation, clock, champion)
    if arrivals is not None and not (arrivals.new or arrivals.quarantined or due):
        return idle(request, clock, nothing_new(request))
    with operation.tracked() as tracked:
        outdated = memory.outdated(champion, operation.models) if champion is not None else ()
        asked = None if outdated else champion
        return execute(Job(request, operation, tracked, asked, clock, arrivals, due, outdated))


def warned(outcome: RunOutcome, warnings: tuple[str, ...]) -> RunOutcome:
    """The outcome with further warnings for a person."""
    return outcome.model_copy(update={"warnings": (*warnings, *outcome.warnings)})


def held_back(request: RunRequest, champion: Version | None) -> tuple[str, ...]:
    """Why a run that nobody needs waits until the cool-down is over.

    It takes no file in, because the next scheduled run would then find nothing new.
    """
    settings = request.settings
    can_wait = request.on_drift or (settings.incoming is not None and settings.policy.train == "needed")
    return planning.cooling_down(request.name, settings.policy) if can_wait and champion is not None else ()


def survey(
    request: RunRequest, operation: Operation, clock: Clock, champion: Version | None
) -> tuple[Arrivals | None, bool]:
    """What has arrived, if the settings ask for it, and whether a training is due although nothing is new."""
    settings = request.settings
    if settings.incoming is None:
        return None, False
    with clock.stage("survey"):
        arrivals = reading.survey(request.data, request.name, settings, operation.contents)
        known = bool(arrivals.files) and not arrivals.new
        due = known and champion is not None and planning.due(champion, operation.models, settings.policy)
    return arrivals, due


def execute(job: Job) -> RunOutcome:
    """Do the work, and undo it if a later stage fails."""
    job.tracked.parameters({"data": job.request.data, "seed": job.settings.seed, "settings": job.settings.chosen})
    job.tracked.record(job.settings, "settings.json")
    incoming = read(job)
    if not incoming.new_rows and not job.due:
        outcome = idle(job.request, job.clock, nothing_new(job.request), job)
        complete(job, outcome, incoming)
        return outcome
    outlook = prepare(job, incoming)
    if job.champion is not None and outlook.plan is not None and outlook.plan.action == "skip":
        return skip(job, job.champion, incoming, outlook)
    return retrain(job, incoming, outlook)
