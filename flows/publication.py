"""What a run publishes, from when it is written to when it is in its place.

A run writes its export beside the place, concludes its MLflow run, and only then moves the export there, in one step.
What waits is kept in a file of the home, by the model's name. So whoever looks after a kill or a failure can settle it:
the export of a complete run goes to its place, any other is removed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.scratch import publication_file
from flows.tracking import store
from flows.tracking.store import Run
from pipeline import exports
from pipeline.errors import ResynthError
from pipeline.exports import Manifest
from pipeline.records import Record


class Publication(Record):
    """An export that waits beside its place for the run that made it to be complete.

    Attributes:
        run: The MLflow run.
        staged: Where it lies.
        directory: Its place.
        digest: Of its content; empty until all of it is written.
    """

    run: str
    staged: Path
    directory: Path
    digest: str = ""


def begin(home: Path, name: str, run: str, directory: Path) -> Publication:
    """Say where the export of a run will wait."""
    waiting = Publication(run=run, staged=directory.parent / f".{directory.name}.{run}", directory=directory)
    _keep(home, name, waiting)
    return waiting


def written(home: Path, name: str, waiting: Publication, manifest: Manifest) -> None:
    """Say that all of an export is there."""
    _keep(home, name, waiting.model_copy(update={"digest": manifest.digest}))


@contextmanager
def settling(home: Path, name: str) -> Iterator[None]:
    """Settle the export of an earlier run, and afterwards that of a run that could not do so itself.

    Where the server is gone that tells whether the run is complete, the next run does it.
    """
    settle(home, name)
    try:
        yield
    finally:
        if publication_file(home, name).exists() and not store.away():
            settle(home, name)


def settle(home: Path, name: str) -> None:
    """Finish an export that waits if its run is complete, else remove it.

    Raises:
        ResynthError: It cannot be moved to its place; the next run tries again.
    """
    file = publication_file(home, name)
    if not file.exists():
        return
    waiting = _waiting(file)
    if Run(id=waiting.run, name=name).complete:
        finish(home, name)
    else:
        exports.discard(waiting.staged)
        file.unlink()


def finish(home: Path, name: str) -> None:
    """Move an export to its place; one that has been moved already has left what was there before.

    Raises:
        ResynthError: It cannot be moved there; the next run tries again.
    """
    file = publication_file(home, name)
    waiting = _waiting(file)
    manifest = waiting.staged / exports.MANIFEST
    if manifest.exists() and exports.load_manifest(waiting.staged).digest == waiting.digest:
        try:
            exports.place(waiting.staged, waiting.directory)
        except ResynthError as error:
            why = f"publish: the run is complete, and its rows wait in {waiting.staged}; {error}"
            raise ResynthError(why) from error
    exports.discard(waiting.staged)
    file.unlink()


def _waiting(file: Path) -> Publication:
    return Publication.model_validate_json(file.read_text("utf-8"))


def _keep(home: Path, name: str, waiting: Publication) -> None:
    file = publication_file(home, name)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(waiting.model_dump_json(), "utf-8")
    fresh.replace(file)
