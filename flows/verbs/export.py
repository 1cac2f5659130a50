"""The verb `export`: publish rows of a registered version."""

from pathlib import Path

from prefect import flow

from flows.settings import Settings
from flows.stages import publication
from flows.tracking import registry, store
from pipeline.data import exports
from pipeline.data.exports import Manifest
from pipeline.progress import Progress, Tick, silent


@flow(name="resynth-export", validate_parameters=False)
def export(
    reference: str, out: Path, rows: int, home: Path, settings: Settings, progress: Progress | None = None
) -> Manifest:
    """Write `rows` rows of a version into `out`.

    Args:
        reference: `NAME`, `NAME@alias` or `NAME/version`.
        out: The directory to publish. An earlier export in it is replaced.
        rows: Number of rows.
        home: The home directory, which must not be inside `out`.
        settings: The seed (row i is a function of version, seed and i), and how the rows are written.
        progress: Called as rows are written, if given.

    Raises:
        NotFoundError: There is no such version.
        InputError: `out` cannot be written or holds something else.
    """
    (progress or silent)(Tick("export", 0, rows))
    exports.check_target(out, [home, Path.cwd()])
    with store.answering():
        return publication.publish(
            registry.resolve(reference),
            registry.Models(),
            out,
            rows,
            seed=settings.seed,
            partition_by=settings.partition_by,
            form=settings.format,
            progress=progress or silent,
        )
