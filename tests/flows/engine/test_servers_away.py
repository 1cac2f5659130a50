"""Servers of MLflow and Prefect that go away while a run is at work: real ones, killed and started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from small import LENIENT, TINY, write

ROOT = Path(__file__).parents[3]
HEALTH = "/health", "/api/health"
HELD_UP = """
import sys, time
from pathlib import Path
from flows.engine import homes
homes.embed(Path())
from pipeline import loop
fit, here = loop.fit, Path(sys.argv.pop())
def held_up(*given, **named):
    here.touch()
    while here.exists():
        time.sleep(0.05)
    return fit(*given, **named)
loop.fit = held_up
from flows.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The command, in which a training waits until the file that is named last is removed."""


class Server:
    """A server on loopback that can be killed and started again where it was."""

    def __init__(self, home: Path, *command: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        self.home, self.command = home, [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", self.port]
        self.start()

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            self.command,
            cwd=self.home,
            env=environment(self.home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill it and all its workers."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ready(self, health: str) -> str:
        """Wait until it answers, started again if it has been killed; returns its address."""
        if self.process.poll() is not None:
            self.start()
        for _ in range(1800):
            try:
                urllib.request.urlopen(self.address + health, timeout=5).close()  # noqa: S310
            except OSError:
                time.sleep(0.1)
            else:
                return self.address
        raise AssertionError(self.command)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the embedded servers of the other tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    ours = {"PREFECT_HOME": str(home / ".prefect"), "PYTHONPATH": str(ROOT)}
    quiet = dict.fromkeys(("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "PREFECT_SERVER_ANALYTICS_ENABLED"), "false")
    return kept | ours | quiet | {"MLFLOW_DISABLE_TELEMETRY": "true"} | more


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a table and settings."""
    directory = tmp_path_factory.mktemp("away")
    write(directory, "table", 300)
    (directory / "resynth.toml").write_text(TINY + LENIENT)
    return directory


@pytest.fixture(scope="module")
def servers(processes: None, home: Path) -> Iterator[tuple[Server, Server]]:
    """MLflow and Prefect, each with its database."""
    with ExitStack() as stack:
        mlflow = Server(
            home, "mlflow", "server", "--workers", "1", "--backend-store-uri", f"sqlite:///{home}/mlflow.db"
        )
        stack.callback(mlflow.kill)
        prefect = Server(home, "prefect", "server", "start")
        stack.callback(prefect.kill)
        yield mlflow, prefect


@contextmanager
def training(home: Path, name: str, **reached: str) -> Iterator["tuple[subprocess.Popen[str], Path]"]:
    """A run of `name` that has just begun to train, and the file whose removal lets it go on."""
    held = home / "held"
    command = [sys.executable, "-c", HELD_UP, "run", "table.parquet", "--name", name, "--json", str(held)]
    with subprocess.Popen(
        command, env=environment(home, **reached), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home
    ) as run:
        for _ in range(3600):
            if held.exists():
                break
            assert run.poll() is None, run.communicate()
            time.sleep(0.05)
        yield run, held


def failed(run: "subprocess.Popen[str]", server: Server) -> str:
    """The error of a run that ends with exit code 1: one line, without a traceback and without the server's address."""
    out, err = run.communicate(timeout=240)
    told = json.loads(out)["error"]
    assert (run.returncode, "Traceback" in err, server.port in err) == (1, False, False), err
    assert err.endswith(f"resynth: {told}\n")  # Prefect's own log may come before it
    return str(told)


def test_a_server_that_comes_back_is_waited_for_and_one_that_stays_away_fails_the_run(
    home: Path, servers: tuple[Server, Server]
) -> None:
    """Both servers are killed during a training and started again after it: the run ends as any other.

    Standard output has the answer and nothing else, as without servers. The next training loses the tracking server
    for good: the run fails, the champion stays, and no version is half registered.
    """
    mlflow, prefect = (server.ready(health) for server, health in zip(servers, HEALTH, strict=True))
    with training(home, "back", MLFLOW_TRACKING_URI=mlflow, PREFECT_API_URL=f"{prefect}/api") as (run, held):
        for server in servers:
            server.kill()
        held.unlink()
        time.sleep(4)
        for server in servers:
            server.start()
        out, err = run.communicate(timeout=240)
    assert run.returncode == 0, err
    assert json.loads(out)["decision"] == "promoted"
    assert champion(home, "back") == ("1", ["1"])

    mlflow, prefect = (server.ready(health) for server, health in zip(servers, HEALTH, strict=True))
    reached = {"MLFLOW_TRACKING_URI": mlflow, "PREFECT_API_URL": f"{prefect}/api"}
    with training(home, "back", MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", **reached) as (run, held):
        servers[0].kill()
        held.unlink()
        assert "MLflow server of MLFLOW_TRACKING_URI to go on answering" in failed(run, servers[0])
    assert champion(home, "back") == ("1", ["1"])


def test_an_orchestration_server_that_stays_away_fails_the_run(home: Path, servers: tuple[Server, Server]) -> None:
    """The work is recorded in MLflow, here the embedded one, so the version is complete."""
    _, prefect = servers
    address = prefect.ready(HEALTH[1])
    with training(home, "orchestrated", PREFECT_API_URL=f"{address}/api", PREFECT_CLIENT_MAX_RETRIES="1") as (
        run,
        held,
    ):
        prefect.kill()
        held.unlink()
        assert "Prefect server of PREFECT_API_URL to go on answering" in failed(run, prefect)
    assert champion(home / "mlruns", "orchestrated") == ("1", ["1"])


def champion(place: Path, name: str) -> tuple[str, list[str]]:
    """The champion of `name` and all its versions, as the database of a tracking server has them."""
    database = MlflowClient(f"sqlite:///{place}/mlflow.db")
    versions = [str(version.version) for version in database.search_model_versions(f"name='{name}'")]
    return str(database.get_registered_model(name).aliases["champion"]), versions
