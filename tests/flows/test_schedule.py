"""Schedules: what is deployed, when it runs, and that it runs."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Schedule
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from small import LENIENT, TINY, Outcome, write

from flows import schedule, serving
from flows.engine import homes, servers
from flows.engine.workspace import alone
from flows.settings import Settings
from flows.telling import notify
from pipeline.decisions.drift import DriftReport, Finding
from pipeline.errors import BusyError, ResynthError, SettingsError

Command = Callable[..., Outcome]
ROOT = Path(__file__).parents[2]
SETTINGS = TINY + LENIENT + '[schedule]\nretrain = "0 3 * * *"\ndrift = "1h"\ntimezone = "Europe/Berlin"\n'


def finding(*, drifted: bool) -> Finding:
    """A finding about a column."""
    sizes = {"size": 0.4, "low": 0.3, "high": 0.5, "threshold": 0.1}
    return Finding(column="count", kind="numeric", what="values", drifted=drifted, text="count moved", **sizes)


def settings(**schedules: object) -> Settings:
    """Settings of a table with a schedule."""
    return Settings.model_validate({"data": "in", "schedule": schedules})


def test_every_table_has_a_retraining_and_a_check(tmp_path: Path) -> None:
    """Both deployments know their table, and the retraining also starts on drift of its own table only."""
    tables = {"a": settings(retrain="0 3 * * *", drift="90m", timezone="Europe/Berlin"), "b": settings(retrain="1d")}
    made = schedule.deployments(tmp_path, None, tables)
    assert [deployment.full_name for deployment in made] == [
        "resynth-retrain/a",
        "resynth-check/a",
        "resynth-retrain/b",
    ]
    assert [deployment.parameters["table"] for deployment in made] == ["a", "a", "b"]
    cron = made[0].schedules[0].schedule
    assert (cron.cron, cron.timezone) == ("0 3 * * *", "Europe/Berlin")
    assert made[1].schedules[0].schedule.interval == timedelta(minutes=90)
    assert made[0].triggers[0].match["prefect.resource.id"] == ["resynth.table.a"]
    assert made[0].triggers[0].parameters == {"on_drift": True}
    assert made[1].triggers == []
    assert [deployment.description for deployment in made] == [
        "Trains on a and publishes, at '0 3 * * *' (Europe/Berlin).",
        "Checks a for drift, every 90m.",
        "Trains on b and publishes, every 1d.",
    ]
    assert made[0].tags == ["resynth", "a"]


def test_drift_may_be_the_only_reason_to_retrain(tmp_path: Path) -> None:
    """A retraining without a schedule is deployed for its automation, unless the automation is off."""
    made = schedule.deployments(tmp_path, None, {"a": settings(drift="1h")})
    assert [deployment.full_name for deployment in made] == ["resynth-retrain/a", "resynth-check/a"]
    assert made[0].schedules == []
    made = schedule.deployments(tmp_path, None, {"a": settings(drift="1h", retrain_on_drift=False)})
    assert [deployment.full_name for deployment in made] == ["resynth-check/a"]


def test_a_schedule_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    """Settings without a schedule, or with an invalid one, are refused in one line."""
    with pytest.raises(SettingsError, match="expected a schedule"):
        schedule.deployments(tmp_path, None, {"a": settings()})
    with pytest.raises(SettingsError, match=r"a: retrain: .*'at dawn'"):
        schedule.timetable("at dawn", "UTC", "a: retrain")


def test_runs_that_wait_for_a_person_keep_no_other_from_its_turn() -> None:
    """At most one run per table may wait for a person, and two more may be at work."""
    tables = {name: Settings.model_validate({"data": name, "gate": {"approval": "person"}}) for name in "abc"}
    assert serving.at_once({"x": settings(), "y": settings()}) == 2
    assert serving.at_once(tables | {"x": settings()}) == 5


def runs(times: Schedule, start: datetime, hours: int) -> list[datetime]:
    """Every run that Prefect's scheduler makes, asking for the next ones every hour."""
    if times.cron is not None:
        scheduler: Any = CronSchedule(cron=times.cron, timezone=times.timezone)
    else:
        assert times.interval is not None
        scheduler = IntervalSchedule(interval=times.interval, anchor_date=times.anchor_date, timezone=times.timezone)
    found: set[datetime] = set()
    for step in range(hours):
        now = start + timedelta(hours=step, minutes=40)
        found |= {
            datetime.fromtimestamp(date.timestamp(), UTC) for date in asyncio.run(scheduler.get_dates(n=3, start=now))
        }
    return sorted(date for date in found if date < start + timedelta(hours=hours))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("hour", ["30 1", "30 2", "0 3"])
@pytest.mark.parametrize("month", [(3, 6), (3, 27), (10, 23), (10, 30)])
def test_a_change_of_clocks_neither_skips_nor_doubles_a_daily_run(zone: str, hour: str, month: tuple[int, int]) -> None:
    """Around the clock changes of 2026, every local day has one run, even if its time is missing or exists twice."""
    start = datetime(2026, *month, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    days = [
        date.astimezone(ZoneInfo(zone)).date() for date in runs(schedule.timetable(f"{hour} * * *", zone), start, 96)
    ]
    assert len(days) in {3, 4, 5}
    assert len(set(days)) == len(days)
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@pytest.mark.parametrize(("when", "hours"), [("6h", 6), ("1d", 24)])
def test_an_interval_is_elapsed_time_whatever_the_clock_says(when: str, hours: int) -> None:
    """Across a clock change and a restart of the server, the distance stays the same."""
    found = runs(schedule.timetable(when, "Europe/Berlin"), datetime(2026, 10, 23, 23, 10, tzinfo=UTC), 72)
    assert len(found) == 72 // hours
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=hours)}
    assert schedule.timetable(when, "UTC").anchor_date == schedule.EPOCH


def test_serve_is_alone_in_a_home(command: Command, home: Path, tmp_path: Path) -> None:
    """A second `serve` says so and ends before anything starts."""
    (tmp_path / "tables.toml").write_text(f'data = "in"\n{SETTINGS}')
    with alone(home, "resynth serve"):
        outcome = command("serve", "--config", tmp_path / "tables.toml")
    assert outcome.code == 1
    assert "found one still going on" in outcome.err
    assert command("serve", "--config", tmp_path / "none.toml").code == 2


def test_settings_that_name_other_columns_are_told_before_serving(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only an existing table is checked, because one that comes later may have any column. Later runs report it too."""
    config = tmp_path / "resynth.toml"
    settings = SETTINGS.replace("[evaluation]", '[evaluation]\ntarget = "colour"')
    config.write_text(f'data = "{tmp_path}/in"\n{settings}')
    served: list[str] = []
    monkeypatch.setattr(serving, "start", lambda *_: served.append("started"))
    monkeypatch.setattr(servers, "prefect", lambda: nullcontext("http://127.0.0.1:9"))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setattr(homes, "reach", lambda: None)
    assert (command("serve", "--config", config).code, served) == (0, ["started"])
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", "monday")
    refused = command("serve", "--config", config)
    assert (refused.code, served) == (2, ["started"])
    assert refused.err.startswith("resynth: settings: evaluation.target: expected a column of ")
    told: list[str] = []
    monkeypatch.setattr(notify, "tell", lambda _settings, event, *_: told.append(event))
    for flow in (schedule.retrain, schedule.check):
        with pytest.raises(SettingsError, match=r"evaluation\.target"):
            flow.fn("in", str(tmp_path))
    assert told == ["failed", "failed"]


def test_servers_that_are_away_when_a_run_begins_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The webhook of the table is called once, and the run fails."""
    (tmp_path / "resynth.toml").write_text('data = "in"\n')
    told: list[tuple[object, ...]] = []

    def away() -> None:
        raise ResynthError("expected the MLflow server to answer")

    monkeypatch.setattr(notify, "tell", lambda _settings, *facts: told.append(facts))
    monkeypatch.setattr(homes, "reach", away)
    for flow in (schedule.retrain, schedule.check):
        with pytest.raises(ResynthError):
            flow.fn("in", str(tmp_path))
    assert told == [("failed", "in", "expected the MLflow server to answer")] * 2


def test_a_retraining_that_meets_another_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The flow run ends as completed and is called skipped, and its message says that another run is at work."""

    def busy(*_: object, **__: object) -> None:
        raise BusyError("found one still going on")

    monkeypatch.setattr(schedule.run, "carry_out", busy)
    monkeypatch.setattr(schedule.Operation, "open", busy)
    (tmp_path / "resynth.toml").write_text('data = "in"\n')
    for flow in (schedule.retrain, schedule.check):
        state = flow.fn("in", str(tmp_path))
        assert (state.type.value, state.name, state.message) == ("COMPLETED", "Skipped", "another run of it is at work")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("events", [["resynth.drift"], []])
def test_a_check_that_finds_drift_calls_for_a_retraining(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: list[str]
) -> None:
    """It emits the event that this table's automation waits for. Without drift it emits nothing."""
    drifted = bool(events)
    emitted: list[tuple[str, dict[str, str]]] = []
    report = DriftReport(drifted=drifted, findings=(finding(drifted=drifted),), reference_rows=1, rows=1)
    monkeypatch.setattr(schedule.registry, "champion", lambda name: object())
    monkeypatch.setattr(schedule.memory, "outdated", lambda *_: ())
    monkeypatch.setattr(schedule.drift, "compare", lambda *_: report)
    monkeypatch.setattr(schedule, "emit_event", lambda event, resource, payload: emitted.append((event, resource)))
    (tmp_path / "resynth.toml").write_text('data = "in"\n')
    state = schedule.check.fn("in", str(tmp_path))
    assert [event for event, _ in emitted] == events
    assert all(resource["prefect.resource.id"] == "resynth.table.in" for _, resource in emitted)
    assert (state.name, state.message) == (
        ("Drift", "count moved") if drifted else ("No drift", "no drift in 1 comparisons")
    )
    monkeypatch.setattr(schedule.memory, "outdated", lambda *_: ("of another format",))
    state = schedule.check.fn("in", str(tmp_path))
    assert (state.name, state.message, emitted[-1][0]) == ("Outdated", "of another format", "resynth.drift")


def test_the_file_for_work_pools_is_about_these_flows() -> None:
    """Every deployment of `prefect.yaml` names an existing flow and its parameters, and runs one at a time.

    In a container the home is a volume.
    """
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert {entry["work_pool"]["name"] for entry in listed} == {"processes", "docker", "kubernetes"}
    for entry in listed:
        chosen = load_flow_from_entrypoint(entry["entrypoint"])
        assert set(entry["parameters"]) <= set(chosen.parameters.properties)
        assert entry["concurrency_limit"] == 1
    docker, kubernetes = (entry["work_pool"]["job_variables"] for entry in listed[-2:])
    home = listed[-1]["parameters"]["home"]
    assert docker["volumes"] == [f"resynth:{home}"]
    (volume,), (mount,) = kubernetes["volumes"], kubernetes["volume_mounts"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], home)
    assert volume["persistentVolumeClaim"]["claimName"]
