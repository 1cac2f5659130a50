"""Prefect and MLflow embedded in a home directory.

Nothing has to be installed or started: Prefect's server runs as a child of the process and keeps its state under
`<home>/.prefect`; MLflow writes `<home>/mlruns/mlflow.db` and `<home>/mlruns/artifacts`. Both tools read their own
environment variables, and whatever is set there wins: with `PREFECT_API_URL` and `MLFLOW_TRACKING_URI` the same
code runs against servers.

A server that is away when a command begins is waited for, for half a minute; while it works, both tools' own clients
try again. What a run cannot undo for want of the server, the next one does.

Both read the environment when they are imported, so `embed` is called before either is, and a process works in
one home.
"""

import atexit
import gc
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flows.engine import addresses, servers
from pipeline.errors import InputError, ResynthError
from pipeline.progress import Progress, Tick, silent

PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds before each try to reach a server
PATIENCE = 10.0  # seconds for its answer


class LostError(ResynthError):
    """Prefect's server has gone, for which its client would wait for minutes more when the process ends."""


def defaults(home: Path) -> dict[str, str]:
    """The environment variables that embed both tools in `home`."""
    prefect = home / ".prefect" / "prefect.db"
    address = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": addresses.database(prefect, "sqlite+aiosqlite")}
    return (address if "?" in str(prefect) else {}) | {  # any other path Prefect gets right itself
        "PREFECT_HOME": str(home / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        # A failed task prints its traceback there; the command says the same in one line.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # events that a lost server does not take
        "DO_NOT_TRACK": "1",
        "MLFLOW_TRACKING_URI": addresses.database(home / "mlruns" / "mlflow.db"),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",  # a minute in all; its default, 7, is four, and again for every undoing
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # tracebacks of a database that fails
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


def embed(home: Path) -> None:
    """Set what the environment leaves open, so that Prefect and MLflow live in `home`.

    Raises:
        InputError: `home` cannot be written.
    """
    home = home.resolve()
    try:
        for directory in (".prefect", ".prefect/storage", "mlruns"):
            (home / directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            (home / directory).chmod(0o700)  # what they hold tells of real rows
    except OSError as error:
        raise InputError(f"home: expected a directory that can be written, got {home} ({error.strerror})") from error
    for name, value in defaults(home).items():
        os.environ.setdefault(name, value)


def reach() -> None:
    """Wait a while for the servers that the environment names, if they are away.

    Raises:
        ResynthError: One does not answer; nothing has been begun.
    """
    for tool, name in (("Prefect", "PREFECT_API_URL"), ("MLflow", "MLFLOW_TRACKING_URI")):
        address = os.environ.get(name, "")
        if address.startswith("http") and not any(answers(f"{address.rstrip('/')}/health", pause) for pause in PAUSES):
            patience = sum(PAUSES)
            raise ResynthError(f"expected the {tool} server of {name} to answer within {patience:.0f} s, it does not")


def answers(address: str, pause: float = 0.0) -> bool:
    """Whether a server says anything at all, after a pause."""
    time.sleep(pause)
    try:
        urllib.request.urlopen(address, timeout=PATIENCE).close()  # noqa: S310 - the environment is ours
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def starting(progress: Progress = silent) -> Iterator[None]:
    """Import flows within this: Prefect's embedded server starts meanwhile, which takes as long as the imports.

    What is imported is never garbage, so the collector need not look at it: that saves two seconds of the imports
    and one and a half of the exit.

    Args:
        progress: Receives the phase "start".

    Raises:
        ResynthError: The embedded server does not start.
    """
    progress(Tick("start", 0, 2))
    gc.disable()
    child = server() if embedded() else None
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
    progress(Tick("start", 1, 2))
    if child is not None:
        servers.wait("Prefect", child.port, child.process)
    progress(Tick("start", 2, 2))


class Server(NamedTuple):
    """Prefect's server as a child of this process."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{servers.HOST}:{self.port}"


@cache
def server() -> Server:
    """The embedded server of this process, and the last to end with it."""
    port = servers.free_port()
    options = (
        "--factory",
        "flows.engine.embedded:app",
        "--app-dir",
        str(Path(__file__).parents[2]),
        "--log-level",
        "error",
    )
    process = servers.start("uvicorn", port, *options)
    atexit.register(process.terminate)
    return Server(process, port)


def embedded() -> bool:
    """Whether Prefect's server is the embedded one, which ends with this process: no other is named anywhere."""
    if "PREFECT_API_URL" in os.environ:
        return False
    if not (Path(os.environ["PREFECT_HOME"]) / "profiles.toml").exists():
        return True  # found out without importing Prefect
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    own = f"{server().address}/api" if server.cache_info().currsize else None  # as it is while flows run
    return PREFECT_API_URL.value() in {None, own}


@contextmanager
def running() -> Iterator[None]:
    """Call flows within this: the embedded server needs no heartbeat, which would cost a second per flow.

    Raises:
        LostError: A flow failed because the server no longer answers.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

    here = {}
    if embedded():
        here = {PREFECT_API_URL: f"{server().address}/api", PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(here):
        try:
            yield
        except ResynthError:
            raise
        except Exception as error:
            api = str(PREFECT_API_URL.value())
            if answers(f"{api.rstrip('/')}/health"):
                raise
            raise LostError(f"expected {_named()} to go on answering, it does not; see MLflow") from error


def _named() -> str:
    """Prefect's server, as a user knows it."""
    if embedded():
        return "the embedded Prefect server"
    where = "PREFECT_API_URL" if "PREFECT_API_URL" in os.environ else "Prefect's profile"
    return f"the Prefect server of {where}"
