"""Verbs about a table: run, inspect, drift, evaluate, replay."""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.app import (
    COLUMNS,
    DEFAULTS,
    DONE,
    REFUSED,
    WHOLE,
    Common,
    Reply,
    Written,
    both,
    errors,
    lines,
    model_of,
    verb,
)

if TYPE_CHECKING:
    from flows.settings import Settings
    from pipeline.data.storage import Place


@verb
def run(
    data: str | None = None,
    *,
    name: str | None = None,
    rows: Annotated[int | None, WHOLE] = None,
    out: Path | None = None,
    partition_by: Annotated[list[str] | None, COLUMNS] = None,
    format: Written | None = None,  # noqa: A002 - the option's name
    common: Common = DEFAULTS,
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

    table = _checked(data, settings, common, trains=True)
    home = common.embed()
    from flows.engine import homes
    from flows.telling import progress

    with progress.shown(errors()) as listener:
        with homes.starting(listener):
            from flows.settings import name_of
            from flows.telling import display
            from flows.verbs.run import RunRequest
            from flows.verbs.run import run as flow

        model, target = settings.name or name_of(table), out.resolve() if out is not None else None
        request = RunRequest(data=absolute(table), home=home, name=model, settings=settings, out=target)
        with homes.running():
            outcome = flow(request, listener)
    code = REFUSED if outcome.decision == "refused" else DONE
    return Reply(outcome.answer(), lambda console: display.run(console, outcome), code)


@verb
def inspect(
    data: str | None = None,
    *,
    name: str | None = None,
    write: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULTS,
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
    from pipeline import assumptions, columns, inspection
    from pipeline.data import storage, tables
    from pipeline.relations import search

    file = _new(common.home) if write else None
    table = _checked(data, settings, common)
    gathered = tables.gather(table, settings.read, settings.columns)
    rows, notes = gathered.loaded
    schema = columns.infer(rows, settings.columns, settings.privacy)
    relations = search.find(rows.select(schema.names), schema, settings.relations)
    seen = inspection.inspect(rows, schema, relations, seed=settings.seed)
    withheld = [each.withheld for each in seen if each.withheld is not None]
    assumed = assumptions.assumed(schema, relations, withheld)
    if file is not None:
        given = {"data": str(storage.absolute(table))}
        text = inspection.settings(seen, settings.privacy, given, assumed, gathered.guessed, settings.read)
        file.write_text(text, "utf-8")
    answer = {
        "rows": rows.num_rows,
        "warnings": list(notes),
        "columns": [each.model_dump(mode="json") for each in seen],
        "relations": [each.model_dump(mode="json") for each in relations.kept],
        "assumptions": [each.model_dump(mode="json") for each in assumed],
    }
    return Reply(answer, both(lambda c: display.inspection(c, rows.num_rows, seen, assumed, file), lines(*notes)))


@verb
def drift(name: str, data: str, *, common: Common = DEFAULTS) -> Reply:
    """Check a table for drift from the one that a version was trained on.

    Parameters
    ----------
    name
        NAME (the champion), NAME@alias or NAME/version.
    data
        File (Parquet, CSV, Arrow, JSON lines), directory, quoted pattern, s3:// prefix or query.
    """
    settings = common.settings(name=model_of(name))
    table = _checked(data, settings, common)
    home = common.embed()
    from flows.engine import homes
    from flows.telling import progress

    with progress.shown(errors()) as listener:
        with homes.starting(listener):
            from flows.telling import display
            from flows.verbs.drift import drift as flow

        with homes.running():
            report = flow(name, table, home, settings)
    code = REFUSED if report.drifted else DONE
    return Reply(report.model_dump(mode="json"), lambda console: display.drift(console, report), code)


@verb
def evaluate(
    real: str,
    synthetic: str,
    *,
    test: str | None = None,
    target: str | None = None,
    common: Common = DEFAULTS,
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
    """
    settings = common.settings()
    if target is not None:
        chosen = settings.evaluation.model_copy(update={"target": target})
        settings = settings.model_copy(update={"evaluation": chosen})
    from flows.telling import display, progress
    from flows.verbs.evaluate import evaluate as compare
    from pipeline.data.storage import place

    with progress.shown(errors()) as listener:
        unseen = None if test is None else place(test)
        found = compare(place(real), place(synthetic), test=unseen, settings=settings, progress=listener)
    return Reply(found.model_dump(mode="json"), lambda console: display.evaluation(console, found))


@verb
def replay(
    data: str,
    *,
    time: str,
    every: str,
    name: str | None = None,
    out: Path | None = None,
    common: Common = DEFAULTS,
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
    table = _checked(data, settings, common, trains=True)
    home = common.embed()
    from flows.engine import homes
    from flows.telling import progress

    with progress.shown(errors()) as listener:
        with homes.starting(listener):
            from flows.settings import name_of
            from flows.telling import display
            from flows.verbs import replay

        model = settings.name or name_of(table)
        target = out.resolve() if out is not None else home / "data" / "replays" / model
        request = replay.ReplayRequest(
            data=absolute(table), home=home, name=model, settings=settings, column=time, every=every, out=target
        )
        with homes.running():
            outcome = replay.replay(request, listener)
    return Reply(outcome.answer(), lambda console: display.replay(console, outcome.story, outcome.path))


def _new(home: Path) -> Path:
    """The settings file of a home that has none yet."""
    from flows.settings import FILE
    from pipeline.errors import SettingsError

    if (home / FILE).exists():
        raise SettingsError(f"inspect: expected no {FILE} in {home} yet, found one; it was left alone")
    return home / FILE


def _checked(data: str | None, settings: "Settings", common: Common, *, trains: bool = False) -> "Place":
    """The table that was named, or that the settings name; mistakes are told before the engines have started."""
    from pipeline.data import storage, tables

    if trains:
        settings.check_device()
        settings.check_format()
    table = storage.place(data) if data is not None else settings.source(common.home)
    found = tables.files(table)
    settings.check(found, whole=len(found) == 1)
    return table
