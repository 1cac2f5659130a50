"""A person's approval of a version before it becomes champion, if the settings ask for it.

A version that passes the gate waits in the run that made it. Prefect shows the run as paused, with a form that asks for
the answer, who gives it and why (or `POST /api/flow_runs/<id>/resume` with `run_input`). `resynth promote` is an answer
too and needs no form. No answer in time counts as a no. If Prefect's server is the embedded one, which ends with the
run, nobody could answer. Then the version is kept for `resynth promote`, and the run does not wait.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread
from uuid import UUID

from prefect.flow_runs import pause_flow_run, resume_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.settings import PREFECT_UI_URL
from pydantic import Field

from flows.engine import homes
from flows.settings import NotifySettings
from flows.telling import notify
from flows.tracking import registry
from flows.tracking.registry import Version
from pipeline.decisions.promotion import Decision
from pipeline.settings import GateSettings

POLL = 5  # seconds between two checks for an answer
SPARE = 600  # seconds that Prefect waits longer than this module; after its own timeout it would fail the run


class Answer(RunInput):
    """The form for a person."""

    promote: bool = Field(description="Make this version the champion?")
    who: str = Field(min_length=1, description="Your name, for the record")
    why: str = Field(default="", description="A reason, for the record")


def ask(version: Version, found: Decision, settings: GateSettings, told: NotifySettings) -> Decision:
    """Ask a person about a version that passes the gate.

    Args:
        version: The challenger.
        found: The decision of the gate, which is to promote.
        settings: How long to wait.
        told: Where to announce that a person has to answer.
    """
    by_hand = f"resynth promote {version.name} {version.version}"
    if homes.embedded():
        return Decision(promote=False, reasons=(*found.reasons, f"a person has to approve: {by_hand}"))
    registry.tag(version, {"decision": "waiting"})
    run, hours = flow_run.get_id(), settings.patience_hours
    page = f"{PREFECT_UI_URL.value()}/runs/flow-run/{run}"
    text = f"version {version.version} waits for a person: {page} or {by_hand}"
    notify.tell(told, "waiting", version.name, text, version=version.version, reasons=found.reasons)
    with _watched(UUID(run), version, hours):
        answer = pause_flow_run(Answer, timeout=round(hours * 3600) + SPARE, poll_interval=POLL)
    word = "approved" if answer.promote else "refused"
    reason = f"{word} by {answer.who}" + (f": {answer.why}" if answer.why else "")
    return Decision(promote=answer.promote, reasons=(*found.reasons, reason))


@contextmanager
def _watched(run: UUID, version: Version, hours: float) -> Iterator[None]:
    """While the form waits, answer it if a person promotes by hand, and refuse when the time is over."""
    answered = Event()
    given = (run, version, time.monotonic() + hours * 3600, hours, answered)
    watch = Thread(target=copy_context().run, args=(_watch, *given), daemon=True)
    watch.start()
    try:
        yield
    finally:
        answered.set()
        watch.join()


def _watch(run: UUID, version: Version, end: float, hours: float, answered: Event) -> None:
    while not answered.wait(POLL):
        try:
            champion = registry.champion(version.name)
            if champion is not None and champion.version == version.version:
                resume_flow_run(run, run_input={"promote": True, "who": "resynth promote"})
            elif time.monotonic() > end:
                resume_flow_run(run, run_input={"promote": False, "who": "nobody", "why": f"no answer in {hours:g} h"})
        except Exception as error:  # noqa: BLE001 - a server is away, or an answer was faster: the next check shows
            logging.getLogger(__name__).info("approval: %s, looking again", type(error).__name__)
