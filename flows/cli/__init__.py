"""The `resynth` command.

Each verb turns its arguments into a call and returns a `Reply`: an object for programs, a way to show it to people,
and an exit code. `main` prints the object or shows it, and turns every failure into one line.

    0   done
    1   failed
    2   bad input or usage; nothing was changed
    3   the check said no: drift found, gate refused, verification failed

Nothing heavy is imported before a verb runs, so help answers at once.

app         the command itself, options of verbs, replies
usage       wrong usage in one line
checks      what can be known before an engine starts
data        verbs about a table: run, inspect, drift, evaluate, replay
examples    the verb example
exports     verbs about generated rows: export, preview, verify
reports     the verb report
scores      the verb score
latents     the verb latent
versions    verbs about registered versions: promote, rollback, models, prune
services    verbs that run until they are stopped: serve, ui
"""

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from cyclopts import CycloptsError
from rich.console import Console

from flows.cli import (  # noqa: F401 - importing them registers their verbs
    data,
    examples,
    exports,
    latents,
    reports,
    scores,
    services,
    usage,
    versions,
)
from flows.cli.app import BAD_INPUT, DONE, FAILED, INTERRUPTED, STOPPED, Reply, app
from flows.engine.homes import LostError
from pipeline.errors import InputError, ResynthError

PLAIN_WIDTH = 160  # width of tables when no terminal limits it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    logging.raiseExceptions = False  # or a log line that Prefect's server refuses would print a traceback
    STOPPED.clear()
    signal.signal(signal.SIGTERM, _stop)  # SIGTERM cleans up as Ctrl-C does
    signal.signal(signal.SIGINT, _stop)  # shells start background jobs with SIGINT ignored
    try:
        reply = app(given)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every failure ends in one line
        code = _fail(error, as_json=as_json)
        if isinstance(error, LostError) or isinstance(error.__cause__, LostError):
            os._exit(code)  # a normal exit would wait minutes to deliver Prefect's events
        return code
    if not isinstance(reply, Reply):
        return DONE  # help or version, already printed
    if as_json:
        print(json.dumps(reply.answer), flush=True)  # noqa: T201
    else:
        reply.show(Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH))
    return reply.code


def _stop(*_: object) -> None:
    """Stop, and remember that somebody asked for it."""
    STOPPED.set()
    raise KeyboardInterrupt


def _fail(error: BaseException, *, as_json: bool) -> int:
    """Print what went wrong in one line, after a traceback if the error was not foreseen. Returns the exit code."""
    code, message = FAILED, str(error)
    if isinstance(error, CycloptsError):
        code, message = BAD_INPUT, usage.line(app, error)
    elif isinstance(error, InputError):
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
