"""What a run publishes, from when it is written to when it is in its place.

A run writes its export beside the place, concludes its MLflow run, and only then moves the export there, in one step.
What waits is kept in a file of the home, by the model's name. So whoever looks after a kill or a failure can settle it:
the export of a complete run goes to its place, any other is removed.

The file is obeyed with care. One that cannot be read, or that names a place which is not this home's to change, is set
aside with a warning: in a copy of a home it speaks of the original. Whatever it says, nothing is moved or removed but
exports and what publishers leave.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from flows.engine.workspace import publication_file
from flows.stages.stage import stage
from flows.tracking import store
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run
from pipeline import files
from pipeline.data import exports
from pipeline.data.exports import Manifest, Source
from pipeline.errors import InputError, NotFoundError, ResynthError
from pipeline.progress import Progress
from pipeline.records import Record


class Publication(Record):
    """An export that waits beside its place for the run that made it to be complete.

    Attributes:
        home: The home that it was made in.
        run: The MLflow run.
        directory: Its place, below the home or chosen by the run's `--out`.
        digest: The digest of its content; empty until all of it is written.
    """

    home: Path
    run: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    directory: Path
    digest: str = ""

    @property
    def staged(self) -> Path:
        """Where it lies."""
        return self.directory.parent / f".{self.directory.name}.{self.run}"

    def at(self, home: Path) -> Self | None:
        """The same in a home that may have been moved or copied; None where the place is not below the home."""
        if self.home == home:
            return self
        if not self.directory.is_relative_to(self.home):
            return None
        return self.model_copy(update={"home": home, "directory": home / self.directory.relative_to(self.home)})


@stage
def publish(
    version: Version,
    models: Models,
    directory: Path,
    rows: int,
    *,
    seed: int,
    partition_by: tuple[str, ...],
    progress: Progress,
) -> Manifest:
    """Write rows of a version as Parquet parts and a manifest.

    Raises:
        InputError: `directory` cannot be written or holds something else.
    """
    synthesizer = models(version)
    return exports.publish(
        synthesizer.batches(rows, seed=seed),
        directory,
        schema=synthesizer.schema.arrow,
        rows=rows,
        source=Source(
            name=version.name,
            version=version.version,
            data_digest=version.tags["data_digest"],
            code_version=version.tags["code_version"],
        ),
        seed=seed,
        partition_by=partition_by,
        progress=progress,
    )


def begin(home: Path, name: str, run: str, directory: Path) -> Publication:
    """Say where the export of a run will wait."""
    waiting = Publication(home=home, run=run, directory=directory.resolve())
    _keep(home, name, waiting)
    return waiting


def written(home: Path, name: str, waiting: Publication, manifest: Manifest) -> None:
    """Say that all of an export is there."""
    _keep(home, name, waiting.model_copy(update={"digest": manifest.digest}))


@contextmanager
def settling(home: Path, name: str) -> Iterator[tuple[str, ...]]:
    """Settle the export of an earlier run, and afterwards that of a run that could not do so itself.

    Where the server is gone that tells whether the run is complete, the next run does it.

    Yields:
        What a person should know of it.
    """
    warnings = settle(home, name)
    try:
        yield warnings
    finally:
        if publication_file(home, name).exists() and not store.away():
            settle(home, name)


def settle(home: Path, name: str) -> tuple[str, ...]:
    """Finish an export that waits if its run is complete, else remove it.

    Returns:
        What a person should know of it.

    Raises:
        ResynthError: It cannot be moved to its place; the next run tries again.
    """
    file = publication_file(home, name)
    files.clear(file)
    if not file.exists():
        return ()
    waiting = _waiting(home, file)
    if waiting is None:
        aside = file.replace(file.with_name(f"{file.name}.unusable"))
        return (f"{file.name} cannot be used and was set aside as {aside}; an export may wait beside its place",)
    if Run(id=waiting.run, name=name).complete:
        finish(home, name)
    else:
        _discard(waiting)
        file.unlink()
    return ()


def finish(home: Path, name: str) -> None:
    """Move an export to its place; one that has been moved already has left what was there before.

    Raises:
        ResynthError: It cannot be moved there; the next run tries again.
    """
    file = publication_file(home, name)
    waiting = _waiting(home, file)
    if waiting is None:
        raise ResynthError(f"publish: expected {file} to say which rows wait, it does not")
    if _digest(waiting.staged) == waiting.digest:
        try:
            exports.place(waiting.staged, waiting.directory)
        except ResynthError as error:
            why = f"publish: the run is complete, and its rows wait in {waiting.staged}; {error}"
            raise ResynthError(why) from error
    _discard(waiting)
    file.unlink()


def _waiting(home: Path, file: Path) -> Publication | None:
    """What waits; None where that cannot be read, or its place is not this home's."""
    try:
        return Publication.model_validate_json(file.read_text("utf-8")).at(home)
    except (OSError, ValueError):  # ValidationError is one
        return None


def _digest(export: Path) -> str | None:
    """The digest of an export, if it is there."""
    try:
        return exports.load_manifest(export).digest
    except NotFoundError:
        return None


def _discard(waiting: Publication) -> None:
    """Remove an export that waited; if somebody has put other files into it, it stays."""
    with suppress(InputError):
        exports.discard(waiting.staged)


def _keep(home: Path, name: str, waiting: Publication) -> None:
    files.write(publication_file(home, name), waiting.model_dump_json())
