"""Serving: a line for everything that happens to scheduled runs, and one flow run for each of them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events import Event
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed, Crashed, Failed, Paused, Pending, Running, Scheduled
from small import LENIENT, TINY, Outcome, write

from flows import schedule, serving
from flows.engine import homes
from flows.engine.workspace import alone
from flows.settings import Settings
from flows.telling.happenings import Happening

Command = Callable[..., Outcome]
ROOT = Path(__file__).parents[2]
SETTINGS = TINY + LENIENT + '[schedule]\nretrain = "0 3 * * *"\ndrift = "1h"\ntimezone = "Europe/Berlin"\n'
MOMENT = datetime(2026, 3, 5, 3, 0, 0, tzinfo=UTC)


class Server:
    """A server that answers with the runs that it is given, or with an error."""

    def __init__(self) -> None:
        self.runs: list[FlowRun] = []
        self.named: list[str] = []
        self.error: Exception | None = None

    async def read_flow_runs(self, **_: object) -> list[FlowRun]:
        """All runs."""
        if self.error is not None:
            raise self.error
        return list(self.runs)

    async def update_flow_run(self, run: UUID, name: str) -> None:
        """Give a run another name."""
        self.named.append(name)
        self.runs = [each.model_copy(update={"name": name}) if each.id == run else each for each in self.runs]


class Watched:
    """The deployments of a table, watched on a server of our own."""

    def __init__(self, tmp_path: Path) -> None:
        times = {"retrain": "0 3 * * *", "drift": "90m", "timezone": "UTC"}
        tables = {"a": Settings.model_validate({"data": "in", "schedule": times})}
        made = schedule.deployments(tmp_path, None, tables)
        self.retrain, self.check = uuid4(), uuid4()
        served = {
            place: serving.Served.of(each, tables["a"].schedule)
            for place, each in zip((self.retrain, self.check), made, strict=True)
        }
        self.told: list[Happening] = []
        self.server = Server()
        self.watch = serving.Watch(self.server, served, self.told.append)  # type: ignore[arg-type]

    def run(self, deployment: UUID, state: Any, **facts: object) -> FlowRun:
        """A run of a deployment in a state, which replaces the last one."""
        values = {"flow_id": uuid4(), "deployment_id": deployment, "state": state, "state_type": state.type}
        begun = {} if state.type == StateType.PENDING else {"start_time": MOMENT}
        return FlowRun(**values | begun | {"expected_start_time": MOMENT} | facts)

    def see(self, *runs: FlowRun) -> list[tuple[str, str]]:
        """What is told of these runs, which are those that the server has now."""
        self.told.clear()
        self.server.runs = list(runs)
        asyncio.run(self.watch.look())
        return [(happening.event, happening.text) for happening in self.told if happening.event != "next"]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """Deployments that are watched."""
    return Watched(tmp_path)


def test_the_schedules_are_told_with_their_next_runs(watched: Watched) -> None:
    """The times are those of the settings, and the next run lies ahead by no more than a period."""
    asyncio.run(watched.watch.begin())
    train, check = (happening.text for happening in watched.told)
    assert train.startswith("train at '0 3 * * *' (UTC); next train ")
    assert check.startswith("drift check every 90m; next drift check ")
    ahead = datetime.strptime(check[-19:], "%Y-%m-%d %H:%M:%S").astimezone() - datetime.now(UTC)
    assert timedelta(minutes=-1) < ahead <= timedelta(minutes=90)
    assert not serving.Served("a", "train", "when a check finds drift", None).times


def test_a_run_is_told_when_it_starts_and_when_it_ends(watched: Watched) -> None:
    """Each change is told once, at the time of the run and not of the look. Then the next run is told."""
    begun = watched.run(watched.retrain, Running(), parameters={"on_drift": True})
    assert watched.see(watched.run(watched.retrain, Pending(), id=begun.id)) == []
    assert watched.see(begun) == [("started", "train started, because a check found drift")]
    assert watched.told[0].when == MOMENT
    assert watched.see(begun) == []
    over = begun.model_copy(
        update={"state": Completed(name="Promoted", message="version 3 promoted: fine"), "state_type": "COMPLETED"}
    )
    assert watched.see(over) == [("promoted", "train ended: version 3 promoted")]
    assert watched.told[-1].event == "next"
    assert watched.told[-1].text.startswith("next train ")
    assert watched.see(over) == []


@pytest.mark.parametrize(
    ("state", "event", "text"),
    [
        (
            Completed(name="Refused", message="version 2 refused: c2st"),
            "refused",
            "ended: version 2 refused: c2st; see ",
        ),
        (Completed(name="Skipped", message="nothing is new"), "skipped", "skipped: nothing is new"),
        (Completed(name="Skipped", message=serving.BUSY), "busy", "skipped: another run of it is at work"),
        (Completed(name="No drift", message="no drift in 9 comparisons"), "no drift", "found no drift in 9 "),
        (Completed(name="Drift", message="age moved"), "drift", "calls for a training: age moved"),
        (Paused(), "waiting", "waits for a person; see "),
        (Crashed(message="Process exited with -9"), "failed", "failed: its process ended, or did not start; see "),
        (
            Failed(message="Flow run encountered an exception: TableError: table: expected a file"),
            "failed",
            "failed: table: expected a file; see ",
        ),
        (
            Failed(message="Flow run encountered an exception: OutdatedError: model: of another format"),
            "failed",
            "failed: model: of another format; see ",
        ),
        (
            Failed(message="Flow run encountered an exception: ValueError: 'Ann Smith' is no number"),
            "failed",
            "failed: ValueError; see ",
        ),
    ],
)
def test_every_end_has_a_line(watched: Watched, state: Any, event: str, text: str) -> None:
    """The line says what came of it. The text of an error that is not ours is not told, since it may quote a value."""
    told = watched.see(watched.run(watched.check, state))
    assert told[0] == ("started", "drift check started")
    assert told[1][0] == event
    assert told[1][1].startswith(f"drift check {text}")
    assert len(told) == 2


def test_runs_of_the_past_and_of_others_are_not_told(watched: Watched) -> None:
    """What had ended before serving began is silent, and so is a run of another deployment."""
    old = watched.run(watched.check, Completed(name="No drift", message="no drift"))
    watched.server.runs = [old]
    asyncio.run(watched.watch.begin())
    assert watched.see(old, watched.run(uuid4(), Running())) == []


def test_runs_that_have_not_begun_have_their_names_too(watched: Watched) -> None:
    """The next runs on Prefect's page are called as those that have begun, once, and runs of others are left alone."""
    watched.server.runs = [
        watched.run(place, Scheduled(), name="economic-coyote") for place in (watched.retrain, watched.check, uuid4())
    ]
    asyncio.run(watched.watch.name())
    asyncio.run(watched.watch.name())
    assert watched.server.named == ["a: train", "a: drift check"]


def test_a_server_that_does_not_answer_is_told_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch goes on, and tells what has happened meanwhile when the server is back."""
    monkeypatch.setattr(serving, "POLL", 0.0)
    watched.server.error = ConnectionError("away")

    async def follow() -> None:
        watching = asyncio.create_task(watched.watch.follow())
        await asyncio.sleep(0.05)
        watched.server.error = None
        watched.server.runs = [watched.run(watched.check, Running())]
        await asyncio.sleep(0.05)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    asyncio.run(follow())
    assert [happening.event for happening in watched.told] == ["away", "started"]


def test_a_line_has_the_local_time_the_table_and_the_text() -> None:
    """Line breaks within a text do not break the line."""
    happening = Happening.now("failed", "train failed:\n  no  room", "a", MOMENT)
    assert happening.line == f"{MOMENT.astimezone():%Y-%m-%d %H:%M:%S} a: train failed: no room"
    assert Happening.model_validate_json(happening.model_dump_json()) == happening


def test_a_run_that_finds_another_at_work_is_skipped_on_its_page(command: Command, home: Path, tmp_path: Path) -> None:
    """By hand the command says so and fails. Prefect shows both runs as skipped, and none as failed."""
    (tmp_path / "busy.toml").write_text(f'name = "busy-served"\ndata = "{write(tmp_path)}"\n{SETTINGS}')
    with alone(home, "busy-served"):
        outcome = command("run", "--config", tmp_path / "busy.toml")
        assert (outcome.code, outcome.err.count("found one still going on")) == (1, 1)
        with homes.running():
            schedule.retrain("busy-served", str(home), str(tmp_path / "busy.toml"), return_state=True)
            with get_client(sync_client=True) as prefect:
                found = [run for run in prefect.read_flow_runs() if run.name == "busy-served: train"]
    assert {(run.state_type, run.state_name) for run in found} == {(StateType.COMPLETED, "Skipped")}
    assert len(found) == 2
    by_hand = next(run for run in found if "data" in run.parameters)
    assert by_hand.parameters == {
        "table": "busy-served",
        "data": str(tmp_path / "data.parquet"),
        "home": str(home),
        "out": None,
        "rows": None,
    }
    assert set(by_hand.tags) == {"resynth", "busy-served"}


@pytest.mark.usefixtures("processes")
def test_serve_retrains_on_drift_and_asks_a_person(tmp_path: Path) -> None:
    """The event alone starts a retraining through the automation, in its own process. SIGTERM ends all in order.

    The retraining waits until a person has answered Prefect's form, and the version records who it was. It is one flow
    run, named by table and purpose, with a readable log and its outcome as an artifact. Every event is a line and a
    JSON object.
    """
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", "monday", 300)
    settings = SETTINGS.replace("[gate]", '[gate]\napproval = "person"')
    (tmp_path / "resynth.toml").write_text(f'name = "served"\ndata = "in"\n{settings}')
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "flows", "serve", "--json"]
    with (
        subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as server,
        ExitStack() as stack,
    ):
        stack.callback(server.kill)  # a failure must not wait for what nobody ends
        assert server.stderr is not None
        assert server.stdout is not None
        assert server.stderr.readline().endswith("the settings are read\n")
        assert "serving served: Prefect's server starts" in server.stderr.readline()
        address = server.stderr.readline().partition(" prefect: ")[2].strip()
        with SyncPrefectClient(f"{address}/api") as prefect:
            deployed(prefect, "resynth-check/served")
            found(prefect, lambda run: run.state.is_scheduled())  # Prefect's scheduler has read the schedules
            event = Event(event=schedule.DRIFT, resource=schedule.resource("served"), payload={})
            prefect._client.post("/events", json=[event.model_dump(mode="json")]).raise_for_status()
            told = until(server.stdout, "waiting")
            answer = {"promote": True, "who": "ann", "why": "seen"}
            prefect.resume_flow_run(found(prefect, lambda run: run.state.is_paused()).id, run_input=answer)
            ended = found(prefect, lambda run: run.deployment_id is not None and run.state.is_final())
            assert (ended.state.name, ended.state.message.rpartition("; ")[2]) == ("Promoted", "approved by ann: seen")
            shows_one_run(prefect, ended)
        told += until(server.stdout, "promoted")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
        told += [json.loads(line) for line in server.stdout.read().splitlines()]
    assert told[-1]["tables"] == ["served"]
    events = [each["event"] for each in told[:-1]]
    assert events[:5] == ["starting", "starting", "serving", "schedule", "schedule"]
    assert [event for event in events[5:-1] if event != "next"] == ["started", "waiting", "promoted"]
    assert events[-1] == "stopped"
    assert {each["table"] for each in told[3:-2]} == {"served"}
    assert list((tmp_path / "data" / "exports" / "served").iterdir())


def shows_one_run(prefect: SyncPrefectClient, ended: Any) -> None:
    """Check what Prefect's pages show of a retraining."""
    begun = [run for run in prefect.read_flow_runs() if not run.state.is_scheduled()]
    assert [(run.id, run.name) for run in begun] == [(ended.id, "served: train")]
    assert {"resynth", "served"} <= set(ended.tags)
    tasks = {run.name for run in prefect.read_task_runs()}
    assert {"read the table", "train", "evaluate version 1", "publish rows of version 1"} <= tasks
    log = logged(prefect, ended.id, "Finished in state")
    for beginning in ("read 300 rows of 4 columns", "assumed: ", "training: ", "scores: columns ", "published "):
        assert [line for line in log if line.startswith(beginning)], beginning
    assert any(line.startswith("decision: version 1 promoted: ") for line in log)
    artifacts = prefect._client.post("/artifacts/filter", json={}).raise_for_status().json()
    kinds = {each["type"]: each for each in artifacts}
    assert len(artifacts) == len(kinds) == 2
    assert kinds["progress"]["data"] == 100
    assert kinds["markdown"]["key"] == "served-train"
    assert kinds["markdown"]["description"] == "served: train: version 1 promoted"


def logged(prefect: SyncPrefectClient, run: UUID, last: str) -> list[str]:
    """The log of a run, once it has a last line, for lines are sent now and then."""
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    for _ in range(100):
        log = [line.message for line in prefect.read_logs(wanted)]
        if any(line.startswith(last) for line in log):
            return log
        time.sleep(0.3)
    raise AssertionError(f"no line {last!r} in {log}")


def until(lines: Any, event: str) -> list[dict[str, Any]]:
    """The events up to the first of this sort."""
    told: list[dict[str, Any]] = []
    while not told or told[-1]["event"] != event:
        told.append(json.loads(lines.readline()))
    return told


def deployed(prefect: SyncPrefectClient, name: str) -> None:
    """Wait for a deployment, the last to be registered."""
    for _ in range(200):
        with suppress(ObjectNotFound):
            prefect.read_deployment_by_name(name)
            return
        time.sleep(0.3)
    raise AssertionError(f"{name} was not deployed")


def found(prefect: SyncPrefectClient, wanted: Callable[[Any], bool]) -> Any:
    """The first run of that kind, once there is one."""
    for _ in range(400):
        for run in prefect.read_flow_runs():
            if run.state is not None and wanted(run):
                return run
        time.sleep(0.3)
    raise AssertionError("no such run")
