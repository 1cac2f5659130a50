"""Seconds per stage, and the news that a stage has begun or ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from pipeline.progress import Progress, Tick


class Clock:
    """Times the stages of a flow and tells of them: a person through `progress`, Prefect through an artifact."""

    def __init__(self, progress: Progress, stages: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stages = stages
        self._artifact = cast("UUID", create_progress_artifact(progress=0.0, description="stages done"))

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time the block. It is given a listener, under which its phases go by the stage's name."""
        began = time.perf_counter()
        self._progress(Tick(name, 0, 1))
        yield lambda tick: self._progress(tick._replace(phase=name))
        self._progress(Tick(name, 1, 1))
        self.seconds[name] = round(time.perf_counter() - began, 3)
        update_progress_artifact(self._artifact, progress=100 * len(self.seconds) / self._stages)

    def finish(self) -> None:
        """All that had to be done is done; stages that were not needed count as done."""
        update_progress_artifact(self._artifact, progress=100.0)
