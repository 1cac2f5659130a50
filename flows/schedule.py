"""Scheduled retraining and drift checks, by Prefect.

Every table of the settings with a schedule becomes two deployments: `retrain`, which is `resynth run`, and `check`,
which compares the current data with the champion's. A check that finds drift emits the event `resynth.drift`, and an
automation of Prefect starts `retrain` on it. A run publishes by itself, so there is no third deployment.

`resynth serve` runs them on this machine (`flows.serving`); `prefect.yaml` gives the same two flows to work pools. Both
flows read the settings when they start, so changes hold from the next run on. Only a changed schedule needs a restart
of `serve`.

Time zones and clock changes: a cron expression is read in its time zone, and a daily schedule runs once on a day on
which the clock changes, as on any other day. An interval is elapsed time, whatever the clock shows.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from prefect import Flow, State, flow
from prefect.deployments.runner import RunnerDeployment
from prefect.events import emit_event
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.engine import homes
from flows.settings import ScheduleSettings, Settings, interval
from flows.stages import memory, reading
from flows.telling import journal, notify
from flows.telling.outcome import RunOutcome
from flows.tracking import registry
from flows.verbs import drift, run
from flows.verbs.operation import Operation
from flows.verbs.run import RunRequest
from flows.verbs.shown import CHECK, SKIPPED, TAG, TRAIN, Ending, ended
from pipeline.errors import BusyError, SchemaError, SettingsError

DRIFT = "resynth.drift"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # intervals are counted from it, so a restart does not shift them


@flow(name="resynth-retrain", flow_run_name="{table}: train", description=TRAIN.about)
def retrain(
    table: str, home: str = ".", config: str | None = None, *, on_drift: bool = False
) -> State[RunOutcome | BusyError]:
    """Run `resynth run` for a table of the settings.

    Args:
        table: The name of the table in the settings.
        home: The home directory.
        config: The settings file. By default resynth.toml in the home.
        on_drift: Whether a drift check starts it. A recent training holds such a run back.
    """
    settings, place = _chosen(table, home, config)
    request = RunRequest(data=settings.source(place), home=place, name=table, settings=settings, on_drift=on_drift)
    return ended(lambda: run.carry_out(request), run.ending)


@flow(name="resynth-check", flow_run_name="{table}: drift check", description=CHECK.about)
def check(table: str, home: str = ".", config: str | None = None) -> State[Ending | BusyError]:
    """Check a table of the settings for drift, and start a retraining if there is drift.

    A champion that this code cannot read also starts a retraining.

    Args:
        table: The name of the table in the settings.
        home: The home directory.
        config: The settings file. By default resynth.toml in the home.
    """
    settings, place = _chosen(table, home, config)
    return ended(lambda: _checked(table, place, settings), lambda ending: ending)


def _checked(table: str, home: Path, settings: Settings) -> Ending:
    """Check a table for drift, and start a retraining if it is called for."""
    data = settings.source(home)
    with notify.failures(settings.notify, table), Operation.open("drift", home, table) as operation:
        champion = registry.champion(table)
        if champion is None:
            return _idle("there is no champion yet")
        if outdated := memory.outdated(champion, operation.models):
            return _call(settings, table, "Outdated", outdated[0])
        arrivals = None
        if settings.incoming is not None:
            arrivals = reading.survey(data, table, settings, operation.contents)
        if arrivals is not None and not arrivals.new:
            return _idle("nothing is new")
        try:
            found = drift.compare(operation, champion, data, settings, arrivals)
        except SchemaError as error:
            if settings.policy.new_columns == "refuse":
                raise
            return _call(settings, table, "Columns", str(error))
    ending = drift.ending(found)
    return _call(settings, table, *ending) if found.drifted else ending


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
            about = f"Trains on {table} and publishes, {said(times.retrain, times)}."
            made.append(_deployment(retrain, about, parameters, when, [_on_drift(table, times)]))
        if times.drift is not None:
            when = [timetable(times.drift, times.timezone, f"{table}: drift")]
            about = f"Checks {table} for drift, {said(times.drift, times)}."
            made.append(_deployment(check, about, parameters, when, []))
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


def said(when: str | None, times: ScheduleSettings) -> str:
    """When runs start, in words."""
    if when is None:
        return "when a check finds drift"
    return f"every {when}" if interval(when) is not None else f"at {when!r} ({times.timezone})"


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


def _idle(why: str) -> Ending:
    """The ending of a check that had nothing to do."""
    journal.note(f"skipped: {why}")
    return Ending(SKIPPED, why)


def _call(settings: Settings, table: str, name: str, worst: str) -> Ending:
    """Start a retraining through an event, and notify of the reason."""
    journal.note(f"calls for a training: {worst}")
    emit_event(DRIFT, resource=resource(table), payload={"worst": worst})
    notify.tell(settings.notify, "drift", table, f"{name.lower()}: {worst}")
    return Ending(name, worst)


def _deployment(
    made_of: Flow[..., Any],
    about: str,
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
        tags=[TAG, str(parameters["table"])],
        description=about,
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
