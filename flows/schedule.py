"""Scheduled retraining and drift checks, by Prefect.

Every table of the settings with a schedule becomes two deployments: `retrain`, which is `resynth run`, and `check`,
which compares the current data with the champion's. A check that finds drift emits the event `resynth.drift`, and an
automation of Prefect starts `retrain` on it. A run publishes by itself, so there is no third deployment.

`resynth serve` runs them on this machine; `prefect.yaml` gives the same two flows to work pools. Both flows read the
settings when they start, so changes hold from the next run on. Only a changed schedule needs a restart of `serve`.

Time zones and clock changes: a cron expression is read in its time zone, and a daily schedule runs once on a day on
which the clock changes, as on any other day. An interval is elapsed time, whatever the clock shows.
"""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from prefect import Flow, State, flow
from prefect.deployments.runner import RunnerDeployment
from prefect.events import emit_event
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.states import Completed
from prefect.types.entrypoint import EntrypointType

from flows.engine import homes
from flows.settings import ScheduleSettings, Settings, interval
from flows.stages import memory, reading
from flows.telling import notify
from flows.tracking import registry
from flows.verbs.drift import compare
from flows.verbs.operation import Operation
from flows.verbs.run import RunRequest, run
from pipeline.errors import BusyError, SchemaError, SettingsError

DRIFT = "resynth.drift"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # intervals are counted from it, so a restart does not shift them
AT_ONCE = 2  # runs at work on this machine: one may check while another trains


@flow(name="resynth-retrain")
def retrain(table: str, home: str = ".", config: str | None = None, *, on_drift: bool = False) -> State[object]:
    """Run `resynth run` for a table of the settings.

    Args:
        table: The name of the table in the settings.
        home: The home directory.
        config: The settings file. By default resynth.toml in the home.
        on_drift: Whether a drift check starts it. A recent training holds such a run back.
    """
    settings, place = _chosen(table, home, config)
    request = RunRequest(data=settings.source(place), home=place, name=table, settings=settings, on_drift=on_drift)
    try:
        outcome = run(request)
    except BusyError as error:
        return Completed(name="Busy", message=str(error))
    return Completed(name=outcome.decision.capitalize(), message="; ".join(outcome.reasons))


@flow(name="resynth-check")
def check(table: str, home: str = ".", config: str | None = None) -> State[object]:
    """Check a table of the settings for drift, and start a retraining if there is drift.

    A champion that this code cannot read also starts a retraining.

    Args:
        table: The name of the table in the settings.
        home: The home directory.
        config: The settings file. By default resynth.toml in the home.
    """
    settings, place = _chosen(table, home, config)
    data = settings.source(place)
    with notify.failures(settings.notify, table), Operation.open("drift", place, table) as operation:
        champion = registry.champion(table)
        if champion is None:
            return Completed(name="Skipped", message="there is no champion yet")
        if outdated := memory.outdated(champion, operation.models):
            return _call(settings, table, "Outdated", outdated[0])
        arrivals = None
        if settings.incoming is not None:
            arrivals = reading.survey(data, table, settings, operation.contents)
        if arrivals is not None and not arrivals.new:
            return Completed(name="Skipped", message="nothing is new")
        try:
            found = compare(operation, champion, data, settings, arrivals)
        except SchemaError as error:
            if settings.policy.new_columns == "refuse":
                raise
            return _call(settings, table, "Columns", str(error))
    if not found.drifted:
        return Completed(message="no drift")
    return _call(settings, table, "Drift", next(finding.text for finding in found.findings if finding.drifted))


def deployments(home: Path, config: Path | None, tables: Mapping[str, Settings]) -> list[RunnerDeployment]:
    """The deployments for `serve`.

    Raises:
        SettingsError: No table has a schedule, or a schedule is invalid.
    """
    made = []
    for table, settings in tables.items():
        times = settings.schedule
        parameters = {"table": table, "home": str(home), "config": None if config is None else str(config.resolve())}
        if times.retrain is not None or (times.drift is not None and times.retrain_on_drift):
            when = [] if times.retrain is None else [timetable(times.retrain, times.timezone, f"{table}: retrain")]
            made.append(_deployment(retrain, parameters, when, [_on_drift(table, times)]))
        if times.drift is not None:
            when = [timetable(times.drift, times.timezone, f"{table}: drift")]
            made.append(_deployment(check, parameters, when, []))
    if not made:
        raise SettingsError("serve: expected a schedule.retrain or schedule.drift in the settings, got none")
    return made


def timetable(when: str, timezone: str, key: str = "schedule") -> Schedule:
    """A schedule from an interval (`90m`, `12h`, `7d`) or a cron expression, the setting called `key`.

    Raises:
        SettingsError: The text is neither.
    """
    try:
        if (elapsed := interval(when)) is not None:
            return Interval(elapsed, anchor_date=EPOCH, timezone="UTC")
        return Cron(when, timezone=timezone)
    except ValueError as error:
        raise SettingsError(f"{key}: expected an interval like 12h or a cron expression, got {when!r}") from error


def start(home: Path, config: Path | None, tables: Mapping[str, Settings]) -> None:
    """Run the scheduled flows until interrupted. The schedules are paused while no process serves them.

    Raises:
        SettingsError: There is nothing to serve.
    """
    made = deployments(home, config, tables)
    runner = _Runner(limit=at_once(tables), pause_on_shutdown=True)
    for deployment in made:
        runner.add_deployment(deployment)
    with suppress(KeyboardInterrupt):
        asyncio.run(runner.start())


def at_once(tables: Mapping[str, Settings]) -> int:
    """How many runs may be active: those at work, and one for every table that waits for a person."""
    return AT_ONCE + sum(settings.gate.approval == "person" for settings in tables.values())


class _Runner(Runner):
    """Prefect's runner, stopped by SIGTERM as by Ctrl-C: its own handler leaves a coroutine that is never awaited."""

    def handle_sigterm(self, *_: object, **__: object) -> None:
        """Stop as on Ctrl-C."""
        signal.raise_signal(signal.SIGINT)


def _chosen(table: str, home: str, config: str | None) -> tuple[Settings, Path]:
    """The settings of a table, and its home, ready for use."""
    place = Path(home).resolve()
    homes.embed(place)
    tables = Settings.tables(place, Path(config) if config is not None else None)
    if table not in tables:
        raise SettingsError(f"schedule: expected a table of the settings ({', '.join(tables)}), got {table!r}")
    settings = tables[table]
    with notify.failures(settings.notify, table):
        homes.reach()
        settings.check_source(place)
    return settings, place


def _call(settings: Settings, table: str, name: str, worst: str) -> State[object]:
    """Start a retraining through an event, and notify of the reason."""
    emit_event(DRIFT, resource=resource(table), payload={"worst": worst})
    notify.tell(settings.notify, "drift", table, f"{name.lower()}: {worst}")
    return Completed(name=name, message=worst)


def _deployment(
    made_of: Flow[..., State[object]],
    parameters: dict[str, str | None],
    when: list[Schedule],
    triggers: list[DeploymentEventTrigger],
) -> RunnerDeployment:
    """The deployment of one of the flows for one table."""
    made = made_of.to_deployment(
        str(parameters["table"]),
        schedules=when,
        parameters=parameters,
        triggers=list(triggers),
        tags=["resynth"],
        paused=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", made)  # it is a coroutine only within an event loop


def _on_drift(table: str, times: ScheduleSettings) -> DeploymentEventTrigger:
    """Starts a retraining of a table on the event that `check` emits."""
    return DeploymentEventTrigger(
        name=f"resynth: retrain {table} on drift",
        enabled=times.retrain_on_drift,
        expect={DRIFT},
        match={"prefect.resource.id": resource(table)["prefect.resource.id"]},
        parameters={"on_drift": True},
    )


def resource(table: str) -> dict[str, str]:
    """The resource that stands for a table in events and automations."""
    return {"prefect.resource.id": f"resynth.table.{table}", "prefect.resource.name": table}
