"""Retraining and drift checks on schedule, by Prefect.

Every table of the settings that has a schedule becomes two deployments: `retrain`, which is `resynth run`, and
`check`, which compares what is there with the champion's data. A check that finds drift emits the event
`resynth.drift`; an automation of Prefect starts `retrain` on it. A promotion publishes, so there is no third.

`resynth serve` runs them on this machine; `prefect.yaml` hands the same two flows to work pools. Both flows read the
settings when they start, so what is changed there holds from the next run on, and only a changed schedule needs
`serve` to be started again.

Times and the change of clocks: a cron expression is read in its time zone, and a day on which the clock is changed
has one run of a daily schedule, as any other; an interval is elapsed time, whatever the clock says.
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
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # from which intervals are counted, so that a restart does not shift them
AT_ONCE = 2  # runs at work on this machine: one may check while another trains


@flow(name="resynth-retrain")
def retrain(table: str, home: str = ".", config: str | None = None, *, on_drift: bool = False) -> State[object]:
    """`resynth run` for a table of the settings.

    Args:
        table: Its name there.
        home: Where data, runs and exports live.
        config: The settings file; default: resynth.toml in the home.
        on_drift: Whether a check that found drift calls for it, which a recent training holds back.
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
    """Look for drift in a table of the settings, and call for a retraining when there is.

    So does a champion that this code does not understand.

    Args:
        table: Its name there.
        home: Where data, runs and exports live.
        config: The settings file; default: resynth.toml in the home.
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
    """What `serve` serves.

    Raises:
        SettingsError: No table has a schedule, or one is no schedule.
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
        SettingsError: It is neither.
    """
    try:
        if (elapsed := interval(when)) is not None:
            return Interval(elapsed, anchor_date=EPOCH, timezone="UTC")
        return Cron(when, timezone=timezone)
    except ValueError as error:
        raise SettingsError(f"{key}: expected an interval like 12h or a cron expression, got {when!r}") from error


def start(home: Path, config: Path | None, tables: Mapping[str, Settings]) -> None:
    """Run what the schedules call for, until interrupted; they rest while nobody does.

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
    """How many runs may go on: those at work, and of every table one that waits for a person."""
    return AT_ONCE + sum(settings.gate.approval == "person" for settings in tables.values())


class _Runner(Runner):
    """Prefect's runner; its own way to stop on SIGTERM leaves a coroutine that nobody awaits, Ctrl-C's does not."""

    def handle_sigterm(self, *_: object, **__: object) -> None:
        """Stop as on Ctrl-C."""
        signal.raise_signal(signal.SIGINT)


def _chosen(table: str, home: str, config: str | None) -> tuple[Settings, Path]:
    """The settings of a table, and the home made ready."""
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
    """Call for a retraining, and tell why."""
    emit_event(DRIFT, resource=resource(table), payload={"worst": worst})
    notify.tell(settings.notify, "drift", table, f"{name.lower()}: {worst}")
    return Completed(name=name, message=worst)


def _deployment(
    made_of: Flow[..., State[object]],
    parameters: dict[str, str | None],
    when: list[Schedule],
    triggers: list[DeploymentEventTrigger],
) -> RunnerDeployment:
    """One of the flows for one table."""
    made = made_of.to_deployment(
        str(parameters["table"]),
        schedules=when,
        parameters=parameters,
        triggers=list(triggers),
        tags=["resynth"],
        paused=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", made)  # a coroutine only where there is a loop


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
    """How events and automations name a table."""
    return {"prefect.resource.id": f"resynth.table.{table}", "prefect.resource.name": table}
