"""Verbs about published rows: export, verify."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path
from typing import Annotated

from flows.cli.app import COLUMNS, DEFAULTS, DONE, REFUSED, WHOLE, Common, Reply, Written, errors, lines, model_of, verb


@verb
def export(
    name: str,
    *,
    rows: Annotated[int, WHOLE],
    out: Path,
    partition_by: Annotated[list[str] | None, COLUMNS] = None,
    format: Written | None = None,  # noqa: A002 - the option's name
    common: Common = DEFAULTS,
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
    home = common.embed()
    from flows.engine import homes
    from flows.telling import progress

    with progress.shown(errors()) as listener:
        with homes.starting(listener):
            from flows.verbs.export import export as flow

        with homes.running():
            manifest = flow(name, out, rows, home, settings, listener)
    answer = {"path": str(out), "rows": manifest.rows, "manifest": str(out / manifest.file)}
    return Reply(answer, lines(f"{manifest.rows:,} rows in {out}"))


@verb
def verify(directory: Path, *, common: Common = DEFAULTS) -> Reply:  # noqa: ARG001 - every verb takes them
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
