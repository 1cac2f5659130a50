"""The scheduled flows at work on this machine, and a line for everything that happens to them.

Prefect's runner starts every run as a process of its own, which may also be killed. So the serving process asks
Prefect's server for the runs of its deployments every other second, and tells what has changed. The server knows of
every run and of every end, and the lines say the same as its pages.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple, cast
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import schedules as client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.settings import PREFECT_UI_URL

from flows import schedule
from flows.settings import ScheduleSettings, Settings
from flows.telling.happenings import Happening, Told
from flows.verbs.drift import NO_DRIFT
from flows.verbs.shown import BUSY, CHECK, SKIPPED, TRAIN
from pipeline.errors import ResynthError

AT_ONCE = 2  # runs at work on this machine: one may check while another trains
POLL = 2.0  # seconds between two looks at the runs
NAMING = 30  # looks between two times when the next runs get their names
LONGEST_REASON = 200  # letters of a line; the page has the rest
RECENT = 50  # runs in a look, besides those at work
BEGUN = [kind for kind in StateType if kind != StateType.SCHEDULED]

Tell = Callable[[Happening], None]


class Served(NamedTuple):
    """A deployment.

    Attributes:
        table: The name of the table.
        purpose: What its runs are for.
        said: When they start, as the settings say it.
        times: The same for Prefect. None if they start when a check finds drift.
    """

    table: str
    purpose: str
    said: str
    times: CronSchedule | IntervalSchedule | None

    @classmethod
    def of(cls, deployment: RunnerDeployment, settings: ScheduleSettings) -> "Served":
        """The deployment that `flows.schedule` has made of the settings of its table."""
        trains = deployment.flow_name == schedule.retrain.name
        purpose, when = (TRAIN.name, settings.retrain) if trains else (CHECK.name, settings.drift)
        times = deployment.schedules[0].schedule if deployment.schedules else None
        made: CronSchedule | IntervalSchedule | None = None
        if isinstance(times, client.IntervalSchedule):
            made = IntervalSchedule(interval=times.interval, anchor_date=times.anchor_date, timezone=times.timezone)
        elif isinstance(times, client.CronSchedule):
            made = CronSchedule(cron=times.cron, timezone=times.timezone)
        return cls(deployment.name, purpose, schedule.said(when, settings), made)

    @property
    def title(self) -> str:
        """What its runs are called."""
        return f"{self.table}: {self.purpose}"

    async def upcoming(self) -> str:
        """The next run in words. Empty if the clock starts none."""
        if self.times is None:
            return ""
        date = (await self.times.get_dates(1, datetime.now(UTC)))[0]
        return f"next {self.purpose} {datetime.fromtimestamp(date.timestamp(), UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def start(home: Path, config: Path | None, tables: Mapping[str, Settings], tell: Tell) -> None:
    """Run the scheduled flows until interrupted. The schedules are paused while no process serves them.

    Args:
        home: The home directory.
        config: The settings file, if it is not the home's.
        tables: The settings of each table.
        tell: Called for everything that happens.

    Raises:
        SettingsError: There is nothing to serve.
    """
    made = schedule.deployments(home, config, tables)
    runner = _Runner(limit=at_once(tables), pause_on_shutdown=True)
    served = {
        cast("UUID", runner.add_deployment(deployment)): Served.of(deployment, tables[deployment.name].schedule)
        for deployment in made
    }
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(runner, served, tell))
    tell(Happening.now("stopped", "stopped: schedules are paused until the next resynth serve"))


def at_once(tables: Mapping[str, Settings]) -> int:
    """How many runs may be active: those at work, and one for every table that waits for a person."""
    return AT_ONCE + sum(settings.gate.approval == "person" for settings in tables.values())


class _Runner(Runner):
    """Prefect's runner, stopped by SIGTERM as by Ctrl-C: its own handler leaves a coroutine that is never awaited."""

    def handle_sigterm(self, *_: object, **__: object) -> None:
        """Stop as on Ctrl-C."""
        signal.raise_signal(signal.SIGINT)


async def _serve(runner: Runner, served: Mapping[UUID, Served], tell: Tell) -> None:
    """Run what is due, and tell of it."""
    async with get_client() as prefect:
        watch = Watch(prefect, served, tell)
        await watch.begin()
        watching = asyncio.create_task(watch.follow())
        try:
            await runner.start()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


class Watch:
    """Tells what happens to the runs of deployments.

    Args:
        prefect: A client of Prefect's server.
        served: The deployments.
        tell: Called for everything that happens.
    """

    def __init__(self, prefect: PrefectClient, served: Mapping[UUID, Served], tell: Tell) -> None:
        self._prefect = prefect
        self._served = served
        self._tell = tell
        self._known: dict[UUID, StateType | None] = {}  # the last state of runs that have begun
        self._away = False

    async def begin(self) -> None:
        """Tell what is served. Runs that have ended before are not told."""
        for own in self._served.values():
            text = f"{own.purpose} {own.said}; {await own.upcoming()}"
            self._tell(Happening.now("schedule", text.removesuffix("; "), own.table))
        self._known = {run.id: run.state_type for run in await self._runs()}

    async def follow(self) -> None:
        """Look again and again."""
        for turn in count():
            try:
                await self.look()
                if turn % NAMING == 0:
                    await self.name()
                self._away = False
            except Exception as error:  # noqa: BLE001 - whatever its client raises: the next look shows
                if not self._away:
                    why = type(error).__name__
                    self._tell(Happening.now("away", f"Prefect's server does not answer ({why}), trying again"))
                self._away = True
            await asyncio.sleep(POLL)

    async def look(self) -> None:
        """Tell what has changed since the last look."""
        found = await self._runs()
        known, self._known = self._known, {run.id: run.state_type for run in found}
        for run in found:
            before = known.get(run.id)
            own = self._served.get(run.deployment_id) if run.deployment_id is not None else None
            if own is None or run.state is None or run.state_type in {before, StateType.PENDING}:
                continue
            if before in {None, StateType.PENDING} and run.start_time is not None:
                self._tell(began(own, run))
            if run.state_type == StateType.PAUSED or run.state.is_final():
                self._tell(became(own, run))
            if run.state.is_final() and own.times is not None:
                self._tell(Happening.now("next", await own.upcoming(), own.table))

    async def name(self) -> None:
        """Name the next runs. Prefect calls a run by two random words until it starts, also if it never does."""
        waiting = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))
        for run in await self._prefect.read_flow_runs(
            flow_run_filter=waiting,
            deployment_filter=self._own,
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=RECENT,
        ):
            own = self._served.get(run.deployment_id) if run.deployment_id is not None else None
            if own is not None and run.name != own.title:
                await self._prefect.update_flow_run(run.id, name=own.title)

    @property
    def _own(self) -> DeploymentFilter:
        return DeploymentFilter(id=DeploymentFilterId(any_=list(self._served)))

    async def _runs(self) -> list[FlowRun]:
        """The runs that began last, and those that were at work at the last look. The first to begin comes first."""
        latest = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=BEGUN)))
        sort = FlowRunSort.EXPECTED_START_TIME_DESC
        found = await self._prefect.read_flow_runs(
            flow_run_filter=latest, deployment_filter=self._own, sort=sort, limit=RECENT
        )
        seen = {run.id for run in found}
        ended = {StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}
        missing = [run for run, state in self._known.items() if state not in ended and run not in seen]
        if missing:
            others = FlowRunFilter(id=FlowRunFilterId(any_=missing))
            found += await self._prefect.read_flow_runs(flow_run_filter=others, limit=len(missing))
        return sorted(found, key=lambda run: run.expected_start_time or datetime.min.replace(tzinfo=UTC))


def began(own: Served, run: FlowRun) -> Happening:
    """A run has started."""
    why = ", because a check found drift" if run.parameters.get("on_drift") else ""
    return Happening.now("started", f"{own.purpose} started{why}", own.table, run.start_time)


def became(own: Served, run: FlowRun) -> Happening:
    """A run has ended, or waits for a person."""
    assert run.state is not None, "a run without a state has not begun"
    name, message = run.state.name or "", run.state.message or ""
    page = f"{PREFECT_UI_URL.value()}/runs/flow-run/{run.id}"
    event, text = ended(name, message, run.state_type)
    if event in {"failed", "waiting", "refused"}:
        text += f"; see {page}"
    return Happening.now(event, f"{own.purpose} {text}", own.table, run.end_time)


def ended(name: str, message: str, kind: StateType | None) -> tuple[Told, str]:
    """What came of a run, from the name, the message and the type of its state."""
    if kind in {StateType.FAILED, StateType.CRASHED}:
        return "failed", f"failed: {reason(message)}"
    if kind in {StateType.PAUSED, StateType.CANCELLED}:
        return ("waiting", "waits for a person") if kind == StateType.PAUSED else ("cancelled", "was cancelled")
    if name == SKIPPED:
        return "busy" if message == BUSY else "skipped", f"skipped: {message}"
    known: dict[str, tuple[Told, str]] = {
        NO_DRIFT: ("no drift", f"found {message}"),
        "Promoted": ("promoted", f"ended: {message.partition(': ')[0]}"),
        "Refused": ("refused", f"ended: {shorten(message, LONGEST_REASON, placeholder=' …')}"),
    }
    return known.get(name, ("drift", f"calls for a training: {message}"))


def reason(message: str) -> str:
    """Why a run failed, from the message of its state. The text of an error that is not ours may quote a value."""
    found = message.removeprefix("Flow run encountered an exception: ")
    name, _, text = found.partition(": ")
    if found == message:
        return "its process ended, or did not start"
    return text if name in {kind.__name__ for kind in _kinds(ResynthError)} else name


def _kinds(error: type[ResynthError]) -> Iterator[type[ResynthError]]:
    """An error and all that are special cases of it."""
    yield error
    for kind in error.__subclasses__():
        yield from _kinds(kind)
