"""Publish rows of a registered version."""

from pathlib import Path

from prefect import flow

from flows import tasks
from flows.tracking import registry, store
from pipeline.exports import Manifest
from pipeline.progress import Progress, silent


@flow(name="resynth-export", validate_parameters=False)
def export(reference: str, out: Path, rows: int, seed: int, progress: Progress | None = None) -> Manifest:
    """Write `rows` rows of a version into `out`.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        out: The directory to publish; an export that is there is replaced.
        rows: How many.
        seed: Row i is a function of version, seed and i.
        progress: Told as rows are written, if anybody listens.

    Raises:
        NotFoundError: There is no such version.
        InputError: `out` cannot be written or holds something else.
    """
    with store.answering():
        return tasks.publish(registry.resolve(reference), out, rows, seed, progress or silent)
