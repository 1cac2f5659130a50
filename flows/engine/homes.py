"""Prefect and MLflow embedded in a home directory.

Nothing has to be installed or started. Prefect's server runs as a child process and keeps its state under
`<home>/.prefect`. MLflow writes `<home>/mlruns/mlflow.db` and `<home>/mlruns/artifacts`. Both tools read their own
environment variables, and values that are already set win: with `PREFECT_API_URL` and `MLFLOW_TRACKING_URI`, the same
code runs against servers.

If a server is away when a command begins, the command waits for half a minute. During the work, the clients of both
tools try again. If a run cannot undo something because the server is away, the next run does.

Both tools read the environment when they are imported. So `embed` is called before either is imported, and a process
works in one home.
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
PATIENCE = 10.0  # seconds for a server's answer


class LostError(ResynthError):
    """Prefect's server has gone. Its client would wait for minutes more when the process ends."""


def defaults(home: Path) -> dict[str, str]:
    """The environment variables that embed both tools in `home`."""
    prefect = home / ".prefect" / "prefect.db"
    address = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": addresses.database(prefect, "sqlite+aiosqlite")}
    return (address if "?" in str(prefect) else {}) | {  # Prefect makes the right address of any other path
        "PREFECT_HOME": str(home / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "INFO",  # the log on the page of a run
        # a failed task prints its traceback to the console, and the command reports the same in one line
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # such as events that a lost server does not take
        "DO_NOT_TRACK": "1",
        "MLFLOW_TRACKING_URI": addresses.database(store_file(home)),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",  # a minute in all; the default of 7 takes four, again for every undo
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # such as tracebacks of a database that fails
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


def store_file(home: Path) -> Path:
    """The database of a home's own MLflow store."""
    return home / "mlruns" / "mlflow.db"


def embed(home: Path) -> None:
    """Set the variables that the environment leaves open, so that Prefect and MLflow work in `home`.

    Raises:
        InputError: `home` cannot be written.
    """
    home = home.resolve()
    try:
        for directory in (".prefect", ".prefect/storage", "mlruns"):
            (home / directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            (home / directory).chmod(0o700)  # their content derives from real rows
    except OSError as error:
        raise InputError(f"home: expected a directory that can be written, got {home} ({error.strerror})") from error
    for name, value in defaults(home).items():
        os.environ.setdefault(name, value)


def is_new(home: Path) -> bool:
    """Whether nothing was ever registered in a home: its own MLflow store would be used, and there is none yet."""
    return "MLFLOW_TRACKING_URI" not in os.environ and not store_file(home.resolve()).exists()


def reach() -> None:
    """Wait a while for the servers that the environment names, if they are away.

    Raises:
        ResynthError: A server does not answer. Nothing has begun.
    """
    for tool, name in (("Prefect", "PREFECT_API_URL"), ("MLflow", "MLFLOW_TRACKING_URI")):
        address = os.environ.get(name, "")
        if address.startswith("http") and not any(answers(f"{address.rstrip('/')}/health", pause) for pause in PAUSES):
            patience = sum(PAUSES)
            raise ResynthError(f"expected the {tool} server of {name} to answer within {patience:.0f} s, it does not")


def answers(address: str, pause: float = 0.0) -> bool:
    """Whether a server answers anything at all, after a pause."""
    time.sleep(pause)
    try:
        urllib.request.urlopen(address, timeout=PATIENCE).close()  # noqa: S310 - the environment is ours
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def importing() -> Iterator[None]:
    """Import large packages within this context.

    Imported modules never become garbage, so the collector is switched off for them. This saves a third of the time,
    and as much again at the exit.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def starting(progress: Progress = silent) -> Iterator[None]:
    """Import flows within this context. Prefect's embedded server starts meanwhile, which takes as long as the imports.

    Args:
        progress: Receives the phase "start".

    Raises:
        ResynthError: The embedded server does not start.
    """
    progress(Tick("start", 1, 4))
    with importing():
        child = server() if embedded() else None
        yield
    progress(Tick("start", 3, 4))
    if child is not None:
        servers.wait("Prefect", child.port, child.process)
    progress(Tick("start", 3.8, 4))  # the phase is over when the next begins


class Server(NamedTuple):
    """Prefect's server as a child of this process."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def address(self) -> str:
        """The server's address."""
        return f"http://{servers.HOST}:{self.port}"


@cache
def server() -> Server:
    """Start the embedded server of this process, once. It ends with the process, after everything else."""
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
    """Whether Prefect's server is the embedded one, because no other is named. It ends with this process."""
    if "PREFECT_API_URL" in os.environ:
        return False
    if not (Path(os.environ["PREFECT_HOME"]) / "profiles.toml").exists():
        return True  # known without importing Prefect
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    own = f"{server().address}/api" if server.cache_info().currsize else None  # the value while flows run
    return PREFECT_API_URL.value() in {None, own}


@contextmanager
def running() -> Iterator[None]:
    """Call flows within this context. The embedded server gets no heartbeats, which would cost a second per flow.

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
    """A name of Prefect's server that a user recognises."""
    if embedded():
        return "the embedded Prefect server"
    where = "PREFECT_API_URL" if "PREFECT_API_URL" in os.environ else "Prefect's profile"
    return f"the Prefect server of {where}"
