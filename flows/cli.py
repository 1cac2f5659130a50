"""The `resynth` command.

Each verb turns its arguments into a call and returns a `Reply`: an object for programs, a way to show it to people,
and an exit code. `main` prints one or the other and turns every failure into one line.

    0   done
    1   failed
    2   bad input or usage; nothing was changed
    3   the check said no: drift found, gate refused, verification failed

Nothing heavy is imported before a verb runs, so that help answers at once.
"""
# ruff: noqa: PLC0415 - see the last sentence

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from flows.engine import LostError
from pipeline.errors import InputError, ResynthError

if TYPE_CHECKING:
    from flows.settings import Settings

DONE, FAILED, BAD_INPUT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
SERVE = "resynth serve"  # its lock is beside those of models, no name of which has a space
PLAIN_WIDTH = 160  # of tables that no terminal bounds

app = App(
    name="resynth",
    help="Keep synthetic data fresh: drift-checked, evaluated, versioned synthetic twins of Parquet tables.",
    help_epilogue="Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 the check said no.",
    version=lambda: metadata.version("resynth"),
    help_format="plaintext",
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)


class Reply(NamedTuple):
    """What a verb answers."""

    answer: dict[str, Any]
    show: Callable[[Console], None]
    code: int = DONE


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of every verb.

    Parameters
    ----------
    home
        Where data/, mlruns/ and Prefect's state live.
    config
        Settings file; default: resynth.toml in the home, if there is one.
    seed
        Fixes the training, the evaluation and the generated rows.
    json
        Print one JSON object as the last line of standard output.
    """

    home: Path = Path()
    config: Path | None = None
    seed: int | None = None
    json: Annotated[bool, Parameter(negative="")] = False

    def settings(self, **given: object) -> "Settings":
        """The settings file, overridden by what was given."""
        from flows.settings import Settings

        return Settings.load(self.home, self.config, seed=self.seed, **given)

    def embed(self) -> Path:
        """Embed Prefect and MLflow in the home, or reach the servers that the environment names."""
        from flows import engine

        engine.embed(self.home)
        engine.reach()
        return self.home.resolve()


DEFAULTS = Common()


@app.command
def run(
    data: str,
    *,
    name: str | None = None,
    rows: int | None = None,
    out: Path | None = None,
    common: Common = DEFAULTS,
) -> Reply:
    """Train, evaluate, decide and publish: the whole chain once.

    It trains afresh every time, unless train = "needed" in [policy] lets it skip or continue the champion.

    Parameters
    ----------
    data
        A Parquet file, or a directory, a quoted pattern or an s3://bucket/prefix of Parquet files.
    name
        Of the model; default: the data's file name.
    rows
        How many rows to publish; default: as many as the data has.
    out
        Directory to publish into; default: data/exports/NAME/vVERSION in the home.
    """
    settings = common.settings(name=name, rows=rows)
    from pipeline import storage, tables

    table = storage.place(data)
    settings.check(tables.files(table))  # mistakes are told at once, not when the engines have started
    home = common.embed()
    from flows import engine, progress

    with progress.shown(errors()) as listener:
        with engine.starting(listener):
            from flows import display
            from flows.run import Plan
            from flows.run import run as flow
            from flows.settings import name_of

        model, target = settings.name or name_of(table), out.resolve() if out is not None else None
        plan = Plan(data=storage.absolute(table), home=home, name=model, settings=settings, out=target)
        with engine.running():
            report = flow(plan, listener)
    return Reply(
        report.answer(), lambda console: display.run(console, report), REFUSED if report.decision == "refused" else DONE
    )


@app.command
def export(name: str, *, rows: int, out: Path, common: Common = DEFAULTS) -> Reply:
    """Generate rows of a registered model and publish them.

    Parameters
    ----------
    name
        NAME (its champion), NAME@alias or NAME/version.
    rows
        How many rows.
    out
        Directory to publish into.
    """
    settings = common.settings(rows=rows)
    common.embed()
    from flows import engine, progress

    with progress.shown(errors()) as listener:
        with engine.starting(listener):
            from flows.export import export as flow

        with engine.running():
            manifest = flow(name, out, rows, settings.seed, listener)
    answer = {"path": str(out), "rows": manifest.rows, "manifest": str(out / "manifest.json")}
    return Reply(answer, _lines(f"{manifest.rows:,} rows in {out}"))


@app.command
def drift(name: str, data: str, *, common: Common = DEFAULTS) -> Reply:
    """Compare a table with the one a model was trained on.

    Parameters
    ----------
    name
        NAME (its champion), NAME@alias or NAME/version.
    data
        A Parquet file, or a directory, a quoted pattern or an s3://bucket/prefix of Parquet files.
    """
    settings = common.settings(name=name.partition("@")[0].partition("/")[0])
    from pipeline import storage, tables

    table = storage.place(data)
    settings.check(tables.files(table))
    home = common.embed()
    from flows import engine, progress

    with progress.shown(errors()) as listener:
        with engine.starting(listener):
            from flows import display
            from flows.drift import drift as flow

        with engine.running():
            report = flow(name, table, home, settings)
    code = REFUSED if report.drifted else DONE
    return Reply(report.model_dump(mode="json"), lambda console: display.drift(console, report), code)


@app.command
def evaluate(
    real: str,
    synthetic: str,
    *,
    test: str | None = None,
    target: str | None = None,
    common: Common = DEFAULTS,
) -> Reply:
    """Compare any synthetic table with real rows; needs no model.

    Parameters
    ----------
    real
        The table the synthetic rows imitate.
    synthetic
        The synthetic table.
    test
        Real rows that the generator has not seen; default: a hold-out split off REAL.
    target
        Column to predict, for the utility of the rows.
    """
    settings = common.settings()
    if target is not None:
        chosen = settings.evaluation.model_copy(update={"target": target})
        settings = settings.model_copy(update={"evaluation": chosen})
    from flows import display, progress
    from flows.evaluate import evaluate as compare
    from pipeline.storage import place

    with progress.shown(errors()) as listener:
        unseen = None if test is None else place(test)
        found = compare(place(real), place(synthetic), test=unseen, settings=settings, progress=listener)
    return Reply(found.model_dump(mode="json"), lambda console: display.evaluation(console, found))


@app.command
def replay(
    data: str,
    *,
    time: str,
    every: str,
    name: str | None = None,
    out: Path | None = None,
    common: Common = DEFAULTS,
) -> Reply:
    """Run the closed loop over history as if it were live, beside training every time and never again.

    No version is registered and no alias moves. An interrupted replay goes on where it was.

    Parameters
    ----------
    data
        A Parquet file, or a directory, a quoted pattern or an s3://bucket/prefix of Parquet files.
    time
        Column of dates or timestamps: when rows came in.
    every
        How often the loop has its turn: 12h, 30d, 2w, or 1mo for calendar months.
    name
        Of the model; default: the data's file name.
    out
        Directory for story.json and replay.png; default: data/replays/NAME in the home.
    """
    settings = common.settings(name=name)
    from pipeline import storage, tables
    from pipeline.replay.periods import Every

    Every.parse(every)
    table = storage.place(data)
    settings.check(tables.files(table))
    home = common.embed()
    from flows import engine, progress

    with progress.shown(errors()) as listener:
        with engine.starting(listener):
            from flows import display
            from flows.replay import Plan
            from flows.replay import replay as flow
            from flows.settings import name_of

        model = settings.name or name_of(table)
        target = out.resolve() if out is not None else home / "data" / "replays" / model
        source = storage.absolute(table)
        plan = Plan(data=source, home=home, name=model, settings=settings, column=time, every=every, out=target)
        with engine.running():
            outcome = flow(plan, listener)
    return Reply(outcome.answer(), lambda console: display.replay(console, outcome.story, outcome.path))


@app.command
def promote(name: str, version: int, *, common: Common = DEFAULTS) -> Reply:
    """Make a version the champion.

    Parameters
    ----------
    name
        Of the model.
    version
        Its number.
    """
    common.embed()
    from flows.tracking import registry

    chosen = registry.resolve(f"{name}/{version}")
    registry.promote(chosen, by_hand=True)
    return _champion(chosen.name, chosen.version)


@app.command
def rollback(name: str, *, common: Common = DEFAULTS) -> Reply:
    """Make the previous champion the champion again.

    Parameters
    ----------
    name
        Of the model.
    """
    common.embed()
    from flows.tracking import registry

    previous = registry.rollback(name)
    return _champion(previous.name, previous.version)


@app.command
def models(name: str | None = None, *, common: Common = DEFAULTS) -> Reply:
    """List the registered models and their versions.

    Parameters
    ----------
    name
        Only this model.
    """
    common.embed()
    from flows import display
    from flows.tracking import registry

    found = [version for each in ([name] if name else registry.names()) for version in registry.versions(each)]
    answer = {"models": [version.model_dump(mode="json") for version in found]}
    return Reply(answer, lambda console: display.versions(console, found))


@app.command
def verify(directory: Path, *, common: Common = DEFAULTS) -> Reply:  # noqa: ARG001 - every verb takes them
    """Check an export against its manifest.

    Parameters
    ----------
    directory
        The export.
    """
    from pipeline import exports

    problems = exports.verify(directory)
    answer = {"path": str(directory), "holds": not problems, "problems": list(problems)}
    return Reply(answer, _lines(*problems or [f"{directory} holds"]), REFUSED if problems else DONE)


@app.command
def serve(*, common: Common = DEFAULTS) -> Reply:
    """Retrain and check for drift on schedule, as [schedule] in the settings says, until Ctrl-C."""
    from flows.settings import Settings

    tables = Settings.tables(common.home, common.config)
    for settings in tables.values():
        settings.check_source(common.home)
    home = common.embed()
    from flows import servers
    from flows.scratch import alone

    with alone(home, SERVE), servers.prefect() as address:
        os.environ.setdefault("PREFECT_API_URL", f"{address}/api")
        from flows import schedule

        print(f"prefect: {address}", *tables, sep="\n", file=sys.stderr if common.json else sys.stdout, flush=True)
        schedule.start(home, common.config, tables)
    return Reply({"prefect": address, "tables": list(tables)}, _lines())


@app.command
def ui(*, common: Common = DEFAULTS) -> Reply:
    """Show the runs: start the web interfaces of MLflow and Prefect, until Ctrl-C."""
    import time

    common.embed()
    from flows.ui import serving

    with serving() as addresses:
        out = sys.stderr if common.json else sys.stdout
        print(*(f"{name}: {address}" for name, address in addresses.items()), sep="\n", file=out, flush=True)
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            return Reply(dict(addresses), _lines())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops us wants us to clean up, as Ctrl-C does
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with this one ignored
    try:
        reply = app(given)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, it ends in one line
        code = _fail(error, as_json=as_json)
        if isinstance(error, LostError):
            os._exit(code)  # nothing is left to do but what cannot be done: to deliver Prefect's events
        return code
    if not isinstance(reply, Reply):
        return DONE  # help or version, already printed
    if as_json:
        print(json.dumps(reply.answer), flush=True)  # noqa: T201
    else:
        reply.show(Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH))
    return reply.code


def errors() -> Console:
    """Where people see progress."""
    return Console(stderr=True)


def _champion(name: str, version: str) -> Reply:
    answer = {"name": name, "version": version, "alias": "champion"}
    return Reply(answer, _lines(f"{name} version {version} is the champion"))


def _lines(*lines: str) -> Callable[[Console], None]:
    return lambda console: console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)


def _fail(error: BaseException, *, as_json: bool) -> int:
    """Say in one line what went wrong; a traceback only of what nobody foresaw."""
    code, message = FAILED, str(error)
    if isinstance(error, CycloptsError | InputError):
        code = BAD_INPUT
    elif isinstance(error, KeyboardInterrupt):
        code, message = INTERRUPTED, "interrupted"
    elif not isinstance(error, ResynthError):
        traceback.print_exception(error)
        message = f"unexpected {type(error).__name__}: {error}"
    line = " ".join(message.split())
    print(f"resynth: {line}", file=sys.stderr, flush=True)  # noqa: T201
    if as_json:
        print(json.dumps({"error": line, "exit_code": code}), flush=True)  # noqa: T201
    return code
