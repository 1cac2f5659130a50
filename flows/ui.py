"""Both web interfaces on the stores of a home, until interrupted."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipeline.errors import ResynthError

HOST = "127.0.0.1"
PATIENCE = 120.0  # seconds for a server to answer; the first start of each migrates a database


@contextmanager
def serving() -> Iterator[Mapping[str, str]]:
    """The addresses of MLflow's and Prefect's pages; what the environment names is not started again.

    Raises:
        ResynthError: A server ended or does not answer.
    """
    tracking, api = os.environ["MLFLOW_TRACKING_URI"], os.environ.get("PREFECT_API_URL")
    addresses, servers = {}, {}
    if tracking.startswith("http"):
        addresses["mlflow"] = tracking
    else:
        port = _port(5000)
        addresses["mlflow"] = f"http://{HOST}:{port}"
        store = ["--backend-store-uri", tracking, "--workers", "1"]
        servers["mlflow", port] = ["mlflow", "server", "--host", HOST, "--port", str(port), *store]
    if api is not None:
        addresses["prefect"] = api.removesuffix("/api")
    else:
        port = _port(4200)
        addresses["prefect"] = f"http://{HOST}:{port}"
        servers["prefect", port] = ["prefect", "server", "start", "--host", HOST, "--port", str(port)]
    started = []
    try:
        for (name, port), command in servers.items():
            started.append((name, port, _start(command, addresses["prefect"])))
        for name, port, server in started:
            _await(name, port, server)
        yield addresses
    finally:
        for _, _, server in started:
            server.terminate()
        for _, _, server in started:
            server.wait(timeout=30)


def _start(command: list[str], prefect: str) -> "subprocess.Popen[bytes]":
    """Start a server of this Python's environment, out of reach of the terminal's Ctrl-C, which we pass on."""
    environment = os.environ | {"PREFECT_UI_API_URL": f"{prefect}/api"}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _await(name: str, port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ResynthError(f"ui: expected the {name} server to run on port {port}, it ended ({server.returncode})")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    raise ResynthError(f"ui: expected the {name} server to answer on port {port} within {PATIENCE:.0f} s, it did not")


def _port(preferred: int) -> int:
    """The preferred port if it is free, else any that is."""
    with socket.socket() as probe:
        if probe.connect_ex((HOST, preferred)) != 0:
            return preferred
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
