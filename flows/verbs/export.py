"""The verb `export`: publish rows of a registered version."""

from pathlib import Path

from flows.settings import Settings
from flows.stages import publication
from flows.telling import journal
from flows.tracking import registry, store
from flows.verbs.shown import EXPORT, Ending, shown
from pipeline.data import exports
from pipeline.data.exports import Manifest
from pipeline.progress import Progress, Tick, silent


def export(
    reference: str, out: Path, rows: int, home: Path, settings: Settings, progress: Progress | None = None
) -> Manifest:
    """Write `rows` rows of a version into `out`, as a flow run.

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
        version = registry.resolve(reference)

    def work() -> Manifest:
        with store.answering():
            return publication.publish(
                version,
                registry.Models(),
                out,
                rows,
                seed=settings.seed,
                partition_by=settings.partition_by,
                form=settings.format,
                progress=progress or silent,
            )

    def ending(manifest: Manifest) -> Ending:
        message = f"{manifest.rows:,} rows of version {version.version} in {out}"
        journal.note(f"published {message}")
        return Ending("Published", message)

    told = {"table": version.name, "version": version.version, "rows": rows, "out": out, "home": home}
    return shown(EXPORT, version.name, work, ending, told)
