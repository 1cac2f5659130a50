"""The verb about reports: report."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path

from flows.cli import checks
from flows.cli.app import AT_HOME, AtHome, Reply, Shown, lines, verb
from pipeline.progress import Tick, silent


@verb
def report(name: str, *, out: Path | None = None, common: AtHome = AT_HOME, progress: Shown = silent) -> Reply:
    """Fetch the report of a version as an HTML page, which any browser opens without a network.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    out
        File for the report; default: data/reports/NAME-vVERSION.html in the home.
    """
    if out is not None:
        from flows.engine import webpages

        webpages.check(out, "report", "--out")
    checks.version(name, common.home)
    progress(Tick("start", 1, 2))
    from flows.verbs.report import report as fetch

    found = fetch(name, out, common.home.resolve())
    return Reply(found.answer(), lines(f"report of {found.name} version {found.version}", str(found.path)))
