"""A person's approval, in every way to give it and without any, with Prefect's real server."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.runtime import flow_run
from small import synthesizer

from flows.engine import homes
from flows.settings import NotifySettings
from flows.stages import approval
from flows.tracking import history, registry
from flows.tracking.registry import Version
from flows.tracking.store import Run
from pipeline.decisions.promotion import Decision
from pipeline.settings import GateSettings

PAUSED = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))
FOUND = Decision(promote=True, reasons=("the gate's",))


@pytest.fixture(scope="module")
def saved(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthesizer's files."""
    directory = tmp_path_factory.mktemp("approval") / "synthesizer"
    synthesizer().save(directory)
    return directory


@pytest.fixture
def version(saved: Path, request: pytest.FixtureRequest) -> Version:
    """A version that waits, of a name of its own."""
    with Run.start(f"approval-{request.node.name}", {}) as run:
        return registry.register(run, saved, {"data_digest": "d", "code_version": "c"})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collects the webhook's messages. The server counts as one that stays, and answers are checked often."""
    texts: list[str] = []
    with homes.starting():
        pass
    monkeypatch.setattr(approval, "POLL", 0.1)
    monkeypatch.setattr(approval.notify, "tell", lambda _settings, event, _name, text, **_: texts.append(event + text))
    with homes.running():
        monkeypatch.setattr(homes, "embedded", lambda: False)
        yield texts


@contextmanager
def beside(person: Callable[[], None]) -> Iterator[None]:
    """A person at work in another thread, whose errors fail the test."""
    with ThreadPoolExecutor(1) as pool:
        done: Future[None] = pool.submit(copy_context().run, person)
        yield
        done.result()


def asked(version: Version, hours: float = 1 / 30) -> tuple[Decision, str]:
    """The decision, and the state of the flow run that asked for it."""
    seen: list[UUID] = []

    @flow
    def asking() -> Decision:
        seen.append(UUID(flow_run.get_id()))
        return approval.ask(version, FOUND, GateSettings(patience_hours=hours), NotifySettings())

    decision = asking()
    with get_client(sync_client=True) as prefect:
        return decision, str(prefect.read_flow_run(seen[0]).state_name)


def paused() -> UUID:
    """The run that waits, once it does."""
    with get_client(sync_client=True) as prefect:
        for _ in range(600):
            for run in prefect.read_flow_runs(flow_run_filter=PAUSED):
                return run.id
            time.sleep(0.05)
    raise AssertionError("no run waits")


@pytest.mark.parametrize(("promote", "word"), [(True, "approved"), (False, "refused")])
def test_an_answer_in_the_form_decides(version: Version, told: list[str], promote: bool, word: str) -> None:  # noqa: FBT001
    """The answer, its author and reason become the decision. Meanwhile, version and webhook say that it waits."""
    tags: list[str] = []

    def answer() -> None:
        run = paused()
        tags.append(registry.resolve(f"{version.name}/1").tags["decision"])
        with get_client(sync_client=True) as prefect:
            prefect.resume_flow_run(run, run_input={"promote": promote, "who": "ann", "why": "as agreed"})

    with beside(answer):
        decision, state = asked(version)
    assert decision == Decision(promote=promote, reasons=("the gate's", f"{word} by ann: as agreed"))
    assert (state, tags) == ("Completed", ["waiting"])
    assert len(told) == 1
    assert told[0].startswith("waitingversion 1 waits for a person: ")
    assert told[0].endswith(f"resynth promote {version.name} 1")
    assert registry.champion(version.name) is None  # to move the alias is the run's business


def test_promoting_by_hand_is_an_answer(version: Version, told: list[str]) -> None:
    """`resynth promote` in another terminal ends the waiting."""

    def answer() -> None:
        paused()
        registry.promote(version)

    with beside(answer):
        decision, state = asked(version)
    assert decision == Decision(promote=True, reasons=("the gate's", "approved by resynth promote"))
    assert (state, len(told)) == ("Completed", 1)
    registry.promote(version)
    assert len(history.read(version.name)) == 1  # the run's own promotion adds nothing


@pytest.mark.usefixtures("told")
def test_no_answer_in_time_is_a_no(version: Version) -> None:
    """The reason says that no answer came in time, and the run ends in order."""
    decision, state = asked(version, hours=1 / 3600)
    assert decision.promote is False
    assert decision.reasons[-1].startswith("refused by nobody: no answer in 0.00")
    assert state == "Completed"


def test_without_a_server_that_stays_nobody_is_waited_for(version: Version) -> None:
    """The version is kept, and the reason names the command that promotes it."""
    decision = approval.ask(version, FOUND, GateSettings(), NotifySettings())
    assert decision == Decision(
        promote=False, reasons=("the gate's", f"a person has to approve: resynth promote {version.name} 1")
    )
