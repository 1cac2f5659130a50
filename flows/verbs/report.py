"""The verb `report`: fetch the report of a version, which its run has made. It starts no server."""

from pathlib import Path
from typing import Any, NamedTuple

from flows.engine import webpages
from flows.stages.reporting import PAGE
from flows.tracking import registry, store
from pipeline.errors import NotFoundError, ResynthError


class Fetched(NamedTuple):
    """A report that was fetched."""

    name: str
    version: str
    path: Path
    bytes: int

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts."""
        return {"name": self.name, "version": self.version, "path": str(self.path), "bytes": self.bytes}


def report(reference: str, out: Path | None, home: Path) -> Fetched:
    """Write the report of a version to a file.

    Args:
        reference: NAME, NAME@alias or NAME/version.
        out: The file. By default `<home>/data/reports/<name>-v<version>.html`.
        home: The home directory.

    Raises:
        NotFoundError: There is no such version, or it has no report.
        SettingsError: The file cannot be written.
        ResynthError: The MLflow server does not answer.
    """
    version = registry.resolve(reference)
    file = out if out is not None else home / "data" / "reports" / f"{version.name}-v{version.version}.html"
    webpages.check(file, "report", "--out")
    try:
        text = version.origin.read(PAGE)
    except ResynthError as error:
        if store.away():
            raise
        raise NotFoundError(
            f"report: expected a version that a run has made with a report, got {version.uri} without one; "
            "`resynth evaluate REAL SYNTHETIC --report FILE` makes one of any two tables"
        ) from error
    webpages.write(file, text)
    return Fetched(version.name, version.version, file, len(text.encode()))
