"""Verbs about generated rows: export, preview, verify."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path
from typing import Annotated

from flows.cli import checks
from flows.cli.app import (
    ANSWERING,
    COLUMNS,
    DONE,
    REFUSED,
    SEEDED,
    WHOLE,
    Answering,
    Reply,
    Seeded,
    Shown,
    Written,
    lines,
    model_of,
    verb,
)
from pipeline.errors import SettingsError
from pipeline.progress import Tick, silent

MOST_SHOWN = 1_000  # rows of a preview


@verb
def export(
    name: str,
    *,
    rows: Annotated[int, WHOLE],
    out: Path,
    partition_by: Annotated[list[str] | None, COLUMNS] = None,
    format: Written | None = None,  # noqa: A002 - the option's name
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Generate rows from a registered version and write them with a manifest.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    rows
        Number of rows.
    out
        Directory for the rows. Only an earlier export is replaced.
    partition_by
        Column whose values go into the paths (country=DE/part-00000.parquet); repeatable.
    format
        What the rows are written as: parquet, csv, feather or duckdb.
    """
    settings = common.settings(name=model_of(name), rows=rows, partition_by=partition_by, format=format)
    settings.check_format()
    checks.target(out, common.home)
    checks.version(name, common.home)
    home = common.embed()
    from flows.engine import homes

    with homes.starting(progress):
        from flows.verbs.export import export as flow

    with homes.running():
        manifest = flow(name, out, rows, home, settings, progress)
    answer = {"path": str(out), "rows": manifest.rows, "manifest": str(out / manifest.file)}
    return Reply(answer, lines(f"{manifest.rows:,} rows in {out}"))


@verb
def preview(what: str, *, rows: Annotated[int, WHOLE] = 10, common: Seeded = SEEDED, progress: Shown = silent) -> Reply:
    """Print a few rows: generated ones of a model, or the first ones of a table as it would be read.

    Parameters
    ----------
    what
        NAME (the champion), NAME@alias or NAME/version; or a table: a path, or an address such as s3://bucket/prefix.
    rows
        Number of rows, at most 1,000.
    """
    if not 1 <= rows <= MOST_SHOWN:
        raise SettingsError(f"preview: --rows: expected 1 to {MOST_SHOWN:,} rows, got {rows}")
    named = checks.is_table(what)
    if not named:
        checks.version(what, common.home)
    settings = common.settings(name=None if named else model_of(what))
    table = checks.table(what, settings, common.home) if named else None
    progress(Tick("start", 1, 2))
    from flows.telling import display
    from flows.verbs.preview import of_table, of_version

    found = of_table(table, rows, settings) if table is not None else of_version(what, rows, settings.seed)
    return Reply(found.answer(), lambda console: display.preview(console, *found))


@verb
def verify(directory: Path, *, common: Answering = ANSWERING) -> Reply:  # noqa: ARG001 - every verb takes them
    """Check an export against its manifest.

    Parameters
    ----------
    directory
        Directory of the export.
    """
    from pipeline.data import exports

    problems = exports.verify(directory)
    manifest = exports.load_manifest(directory).model_dump(mode="json")
    answer = {"path": str(directory), "holds": not problems, "problems": list(problems), "manifest": manifest}
    return Reply(answer, lines(*problems or [f"{directory} holds"]), REFUSED if problems else DONE)
