"""Seconds per stage, and messages that a stage has begun, moves on or has ended.

Prefect shows them as an artifact, a bar with the name of the stage. Artifacts are only for people to read, so a run
does not fail if the server takes none. After a failure the server is not asked again until the end, because its client
waits a minute each time.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from pipeline.progress import Progress, Tick, part

ALMOST = 0.99  # share at which a stage stands until it is over

NEWS = 2.0  # seconds between two moves of the bar within a stage


def offer(show: Callable[[], object]) -> bool:
    """Show an artifact in Prefect. Returns whether the server took it."""
    try:
        show()
    except Exception as error:  # noqa: BLE001 - see the module's docstring
        logging.getLogger(__name__).info("clock: Prefect took no artifact (%s)", type(error).__name__)
        return False
    return True


class Clock:
    """Times the stages of a flow, and reports them to a person through `progress` and to Prefect as an artifact.

    Args:
        progress: Receives the ticks of all stages.
        shares: The share of each stage in the time that all stages take, in any unit.
    """

    def __init__(self, progress: Progress, shares: Mapping[str, float]) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._shares = shares
        self._artifact: UUID | None = None
        self._told = 0.0
        self._shown = True

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time the block. It receives a listener whose ticks become ticks of the stage.

        A stage is at 100 % when it is over, whatever its last tick says.
        """
        began = time.perf_counter()

        def listen(tick: Tick) -> None:
            self._progress(tick)
            if time.perf_counter() - self._told >= NEWS:
                self._move(name, tick.share)

        self._progress(Tick(name, 0, 1))
        self._move(name)
        yield part(listen, 0, ALMOST, name)
        self._progress(Tick(name, 1, 1))
        self.seconds[name] = round(time.perf_counter() - began, 3)

    def finish(self) -> None:
        """Report that all is done. Stages that were not needed count as done."""
        self._shown = True
        self._show(100.0, "done")

    def _move(self, stage: str, done: float = 0.0) -> None:
        """Show how far the stages are, with a share `done` of this one."""
        over = sum(self._shares.get(name, 0.0) for name in self.seconds) + done * self._shares.get(stage, 0.0)
        self._told = time.perf_counter()
        self._show(min(99.0, 100 * over / sum(self._shares.values())), stage)

    def _show(self, percent: float, text: str) -> None:
        percent = round(percent, 1)

        def show() -> None:
            if self._artifact is None:
                self._artifact = cast("UUID", create_progress_artifact(percent, description=text))
            else:
                update_progress_artifact(self._artifact, progress=percent, description=text)

        self._shown = self._shown and offer(show)
