"""Seconds per stage, and messages that a stage has begun or ended.

Prefect shows them as artifacts. Artifacts are only for people to read, so a run does not fail if the server takes none.
After a failure the server is not asked again until the end, because its client waits a minute each time.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact

from pipeline.progress import Progress, Tick, part

ALMOST = 0.99  # share at which a stage stands until it is over


def offer(show: Callable[[], object]) -> bool:
    """Show an artifact in Prefect. Returns whether the server took it."""
    try:
        show()
    except Exception as error:  # noqa: BLE001 - see the module's docstring
        logging.getLogger(__name__).info("clock: Prefect took no artifact (%s)", type(error).__name__)
        return False
    return True


class Clock:
    """Times the stages of a flow, and reports them to a person through `progress` and to Prefect as artifacts."""

    def __init__(self, progress: Progress, stages: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stages = stages
        self._artifact: UUID | None = None
        self._shown = True
        self._try(lambda: self._move(0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time the block. It receives a listener whose ticks become ticks of the stage.

        A stage is at 100 % when it is over, whatever its last tick says.
        """
        began = time.perf_counter()
        self._progress(Tick(name, 0, 1))
        yield part(self._progress, 0, ALMOST, name)
        self._progress(Tick(name, 1, 1))
        self.seconds[name] = round(time.perf_counter() - began, 3)
        self._try(lambda: self._move(100 * len(self.seconds) / self._stages))

    def finish(self, key: str, summary: str) -> None:
        """Report that all is done, with the outcome in Markdown. Stages that were not needed count as done."""
        self._shown = True
        self._try(lambda: self._move(100.0))
        self._try(lambda: create_markdown_artifact(summary, key=key))

    def _move(self, percent: float) -> None:
        if self._artifact is None:
            self._artifact = cast("UUID", create_progress_artifact(percent, description="stages done"))
        else:
            update_progress_artifact(self._artifact, progress=percent)

    def _try(self, show: Callable[[], object]) -> None:
        self._shown = self._shown and offer(show)
