"""The publication of a run's rows, from the first write until the export is in its place.

A run writes its export beside the place, concludes its MLflow run, and only then moves the export to the place, in one
step. A file of the home, named after the model, remembers what waits. So any process can settle it after a kill or a
failure: the export of a complete run is moved to its place, any other is removed.

The file is used with care. A file that cannot be read, or that names a place which this home may not change, is set
aside with a warning: in a copy of a home, it describes the original. Whatever the file says, only exports and leftovers
of publication are moved or removed.
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
from pipeline.data.formats import Written
from pipeline.errors import InputError, NotFoundError, ResynthError
from pipeline.progress import Progress
from pipeline.records import Record


class Publication(Record):
    """An export that waits beside its place until the run that made it is complete.

    Attributes:
        home: The home in which it was made.
        run: The MLflow run.
        directory: Its place, below the home or chosen by the run's `--out`.
        digest: The digest of its content. Empty until all of it is written.
    """

    home: Path
    run: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    directory: Path
    digest: str = ""

    @property
    def staged(self) -> Path:
        """The directory in which it waits."""
        return self.directory.parent / f".{self.directory.name}.{self.run}"

    def at(self, home: Path) -> Self | None:
        """The same in a home that was moved or copied. None if the place is not below the home."""
        if self.home == home:
            return self
        if not self.directory.is_relative_to(self.home):
            return None
        return self.model_copy(update={"home": home, "directory": home / self.directory.relative_to(self.home)})


@stage("publish rows of version {version.version}")
def publish(
    version: Version,
    models: Models,
    directory: Path,
    rows: int,
    *,
    seed: int,
    partition_by: tuple[str, ...],
    form: Written,
    progress: Progress,
) -> Manifest:
    """Write rows of a version as parts and a manifest.

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
        form=form,
        progress=progress,
    )


def begin(home: Path, name: str, run: str, directory: Path) -> Publication:
    """Remember where the export of a run will wait."""
    waiting = Publication(home=home, run=run, directory=directory.resolve())
    _keep(home, name, waiting)
    return waiting


def written(home: Path, name: str, waiting: Publication, manifest: Manifest) -> None:
    """Remember that all of an export is written."""
    _keep(home, name, waiting.model_copy(update={"digest": manifest.digest}))


@contextmanager
def settling(home: Path, name: str) -> Iterator[tuple[str, ...]]:
    """Settle the export of an earlier run on entering, and on leaving that of a run that could not settle its own.

    If the server that knows whether the run is complete is away, the next run settles it.

    Yields:
        Warnings for a person.
    """
    warnings = settle(home, name)
    try:
        yield warnings
    finally:
        if publication_file(home, name).exists() and not store.away():
            settle(home, name)


def settle(home: Path, name: str) -> tuple[str, ...]:
    """Finish a waiting export if its run is complete, else remove it.

    Returns:
        Warnings for a person.

    Raises:
        ResynthError: The export cannot be moved to its place. The next run tries again.
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
    """Move an export to its place. If it was moved already, only the export that it replaced is removed.

    Raises:
        ResynthError: The export cannot be moved to its place. The next run tries again.
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
    """The waiting export. None if the file cannot be read, or the place is not in this home."""
    try:
        return Publication.model_validate_json(file.read_text("utf-8")).at(home)
    except (OSError, ValueError):  # ValidationError is one
        return None


def _digest(export: Path) -> str | None:
    """The digest of an export, if it exists."""
    try:
        return exports.load_manifest(export).digest
    except NotFoundError:
        return None


def _discard(waiting: Publication) -> None:
    """Remove an export that waited. It stays if it holds other files too."""
    with suppress(InputError):
        exports.discard(waiting.staged)


def _keep(home: Path, name: str, waiting: Publication) -> None:
    files.write(publication_file(home, name), waiting.model_dump_json())
