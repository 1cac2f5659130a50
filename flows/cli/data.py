"""Verbs about a table: run, inspect, drift, evaluate, replay."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli import checks
from flows.cli.app import (
    COLUMNS,
    DONE,
    REFUSED,
    SEEDED,
    WHOLE,
    Reply,
    Seeded,
    Shown,
    Written,
    both,
    lines,
    model_of,
    verb,
)
from pipeline.progress import silent


@verb
def run(
    data: str | None = None,
    *,
    name: str | None = None,
    rows: Annotated[int | None, WHOLE] = None,
    out: Path | None = None,
    partition_by: Annotated[list[str] | None, COLUMNS] = None,
    format: Written | None = None,  # noqa: A002 - the option's name
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Train, evaluate, decide and publish: the whole chain once.

    Every run trains afresh. With train = "needed" in [policy], a run may also skip or continue the champion.

    Parameters
    ----------
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, pattern, s3:// prefix or query; default: `data` in settings.
    name
        Name of the model; default: the file name of the data.
    rows
        Number of rows to publish; default: as many as the data has.
    out
        Directory for the rows; default: data/exports/NAME/vVERSION in the home.
    partition_by
        Column whose values go into the paths (country=DE/part-00000.parquet); repeatable.
    format
        What the rows are written as: parquet, csv, feather or duckdb.
    """
    settings = common.settings(name=name, rows=rows, partition_by=partition_by, format=format)
    from pipeline.data.storage import absolute

    with checks.notifying(settings, settings.name or Path(data or "resynth run").stem):
        table = checks.table(data, settings, common.home, trains=True)
        checks.target(out, common.home, table)
    home = common.embed()
    from flows.engine import homes

    with homes.starting(progress):
        from flows.settings import name_of
        from flows.telling import closing
        from flows.verbs.run import RunRequest
        from flows.verbs.run import run as flow

    given = {"data": absolute(table), "home": home, "name": settings.name or name_of(table), "settings": settings}
    with homes.running():
        outcome = flow(RunRequest(**given, out=None if out is None else out.resolve()), progress)
    code = REFUSED if outcome.decision == "refused" else DONE
    return Reply(outcome.answer(), lambda console: closing.run(console, outcome, settings.gate), code)


@verb
def inspect(
    data: str | None = None,
    *,
    name: str | None = None,
    write: Annotated[bool, Parameter(negative="")] = False,
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Show how each column of a table would be taken, with made-up examples, and relations. Trains nothing.

    Parameters
    ----------
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, pattern, s3:// prefix or query; default: `data` in settings.
    name
        Name of the table, if the settings are about several.
    write
        Write the result to resynth.toml in the home, for you to edit. An existing file is never replaced.
    """
    settings = common.settings(name=name)
    from flows.telling import display
    from flows.verbs.inspect import inspect as look

    file = _new(common.home) if write else None
    table = checks.table(data, settings, common.home)
    found = look(table, settings, progress)
    if file is not None:
        found.write(file, settings)
    return Reply(
        found.answer(),
        both(
            lambda console: display.inspection(console, found.rows, found.columns, found.assumptions, file),
            lines(*found.notes),
        ),
    )


@verb
def drift(name: str, data: str, *, common: Seeded = SEEDED, progress: Shown = silent) -> Reply:
    """Check a table for drift from the one that a version was trained on.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, quoted pattern, s3:// prefix or query.
    """
    settings = common.settings(name=model_of(name))
    table = checks.table(data, settings, common.home)
    checks.version(name, common.home)
    home = common.embed()
    from flows.engine import homes

    with homes.starting(progress):
        from flows.telling import display
        from flows.verbs.drift import drift as flow

    with homes.running():
        report = flow(name, table, home, settings, progress)
    code = REFUSED if report.drifted else DONE
    return Reply(report.model_dump(mode="json"), lambda console: display.drift(console, report), code)


@verb
def evaluate(
    real: str,
    synthetic: str,
    *,
    test: str | None = None,
    target: str | None = None,
    report: Path | None = None,
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Compare a synthetic table with a real one. Needs no model.

    Parameters
    ----------
    real
        The table that the synthetic rows imitate.
    synthetic
        The synthetic table.
    test
        Real rows that the generator has not seen; default: a hold-out of REAL.
    target
        Column to predict for the utility score.
    report
        File for the report, an HTML page. Only an earlier report is replaced.
    """
    if report is not None:
        from flows.engine import webpages

        webpages.check(report, "evaluate", "--report")
    settings = common.settings()
    if target is not None:
        chosen = settings.evaluation.model_copy(update={"target": target})
        settings = settings.model_copy(update={"evaluation": chosen})
    places = [checks.table(each, settings, common.home) for each in (real, synthetic, test) if each is not None]
    from flows.telling import closing
    from flows.verbs.evaluate import evaluate as compare

    unseen = places[2] if test is not None else None
    found = compare(places[0], places[1], test=unseen, settings=settings, report=report, progress=progress)
    answer = found.model_dump(mode="json") | {"page": str(report) if report is not None else None}
    told = lines(f"report {report}") if report is not None else lines()
    return Reply(answer, both(lambda console: closing.evaluation(console, found, settings.gate), told))


@verb
def replay(
    data: str,
    *,
    time: str,
    every: str,
    name: str | None = None,
    out: Path | None = None,
    common: Seeded = SEEDED,
    progress: Shown = silent,
) -> Reply:
    """Run the loop over a table's history as if it were live, beside training every time and training once.

    No version is registered and no alias moves. An interrupted replay continues where it stopped.

    Parameters
    ----------
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, quoted pattern, s3:// prefix or query.
    time
        Column of dates or timestamps that says when each row came in.
    every
        Length of a period: 12h, 30d, 2w, or 1mo for a calendar month.
    name
        Name of the model; default: the file name of the data.
    out
        Directory for story.json and replay.png; default: data/replays/NAME in the home.
    """
    settings = common.settings(name=name)
    from pipeline.data.storage import absolute
    from pipeline.replay.periods import Every

    Every.parse(every)
    table = checks.table(data, settings, common.home, trains=True, time=time)
    home = common.embed()
    from flows.engine import homes

    with homes.starting(progress):
        from flows.settings import name_of
        from flows.telling import display
        from flows.verbs import replay

    model = settings.name or name_of(table)
    target = out.resolve() if out is not None else home / "data" / "replays" / model
    request = replay.ReplayRequest(
        data=absolute(table), home=home, name=model, settings=settings, column=time, every=every, out=target
    )
    with homes.running():
        outcome = replay.replay(request, progress)
    return Reply(outcome.answer(), lambda console: display.replay(console, outcome.story, outcome.path))


def _new(home: Path) -> Path:
    """The settings file of a home that has none yet."""
    from flows.settings import FILE
    from pipeline.errors import SettingsError

    if (home / FILE).exists():
        raise SettingsError(f"inspect: expected no {FILE} in {home} yet, found one; it was left alone")
    return home / FILE
