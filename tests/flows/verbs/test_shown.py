"""Verbs as runs on Prefect's pages."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import StateType
from prefect.logging.handlers import APILogWorker
from small import LENIENT, TINY, Outcome, write

from flows.engine import homes
from flows.telling import journal
from flows.verbs.shown import EXPORT, Ending, shown
from pipeline.errors import BusyError, TableError

Command = Callable[..., Outcome]


@pytest.fixture
def prefect(home: Path) -> Iterator[SyncPrefectClient]:
    """A client of the server of the tests."""
    with homes.running(), get_client(sync_client=True) as client:
        yield client


def runs(prefect: SyncPrefectClient, table: str) -> list[Any]:
    """The flow runs for a table, the first to begin first."""
    tagged = FlowRunFilter(tags=FlowRunFilterTags(all_=["resynth", table]))
    return sorted(prefect.read_flow_runs(flow_run_filter=tagged), key=lambda run: run.start_time)


def test_a_run_has_a_name_parameters_a_log_and_an_end(prefect: SyncPrefectClient) -> None:
    """The result of the work is returned. Prefect shows the parameters that were chosen, and what was told of it."""

    def work() -> int:
        journal.note("100 % of {braces} are shown")
        return 42

    given = {"table": "shown {x}", "out": Path("some/where"), "rows": None}
    found = shown(EXPORT, "shown {x}", work, lambda result: Ending("Published", f"{result} rows"), given)
    assert found == 42
    (run,) = runs(prefect, "shown {x}")
    assert (run.name, run.state_name, run.state.message) == ("shown {x}: export", "Published", "42 rows")
    assert run.parameters == {"table": "shown {x}", "out": "some/where", "rows": None}
    flow = prefect._client.get(f"/flows/{run.flow_id}").json()
    assert flow["name"] == "resynth-export"
    APILogWorker.drain_all(timeout=30)
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    assert "100 % of {braces} are shown" in [line.message for line in prefect.read_logs(wanted)]


@pytest.mark.usefixtures("home")
def test_a_result_outlives_a_request_that_is_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server answers late, the client asks again, and the second answer is a state without the result."""
    send = httpx.Client.send

    def twice(client: httpx.Client, request: httpx.Request, **given: Any) -> httpx.Response:
        if request.url.path.endswith("/set_state"):
            send(client, request, **given)
        return send(client, request, **given)

    monkeypatch.setattr(httpx.Client, "send", twice)
    assert shown(EXPORT, "asked twice", lambda: 42, lambda _: Ending("Published", "42 rows"), {}) == 42


@pytest.mark.parametrize(("error", "state"), [(BusyError("busy"), "Skipped"), (TableError("bad"), "Failed")])
def test_an_error_reaches_the_caller(prefect: SyncPrefectClient, error: Exception, state: str) -> None:
    """Work that another process does is no failure on the page, but the caller hears of it."""

    def work() -> int:
        raise error

    table = f"erring-{state}"
    with pytest.raises(type(error), match=str(error)):
        shown(EXPORT, table, work, lambda _: Ending("Published", ""), {"table": table})
    (run,) = runs(prefect, table)
    assert run.state_name == state
    assert (run.state_type == StateType.COMPLETED) == (state == "Skipped")


def test_nothing_is_logged_outside_of_a_run() -> None:
    """Verbs work without Prefect, as in a replay of the library."""
    journal.note("nobody hears this")


def test_every_verb_is_named_by_table_and_purpose(command: Command, prefect: SyncPrefectClient, tmp_path: Path) -> None:
    """A training, an export and a drift check are told apart in a list of runs, and so is how they ended."""
    data, other = write(tmp_path, "named", 300), write(tmp_path, "other", 300, seed=1)
    (tmp_path / "tiny.toml").write_text(TINY + LENIENT)
    config = ("--config", tmp_path / "tiny.toml")
    assert command("run", data, *config).code == 0
    assert command("export", "named", "--rows", 10, "--out", tmp_path / "out", *config).code == 0
    assert command("drift", "named", other, *config).code == 0
    found = runs(prefect, "named")
    assert [(run.name, run.state_name) for run in found] == [
        ("named: train", "Promoted"),
        ("named: export", "Published"),
        ("named: drift check", "No drift"),
    ]
    assert found[1].state.message == f"10 rows of version 1 in {tmp_path / 'out'}"
    assert found[2].parameters == {
        "table": "named",
        "version": "1",
        "data": str(other),
        "home": found[0].parameters["home"],
    }
