"""Servers of MLflow and Prefect on the stores of a home, for as long as they are needed.

A server that the environment names is not started again. A server that we start listens on loopback only and ends with
us. On Linux it also ends if we are killed; elsewhere only if we end in order. Addresses may contain a password.
So they are passed to a server through its environment, because anybody may read command lines, and shown without it.
"""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial

from flows.engine import embedded
from pipeline.errors import ResynthError
from pipeline.files import PRIVATE

HOST = "127.0.0.1"
PATIENCE = 300.0  # seconds for a server to answer; the first creates a database, and others wait for it
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


@contextmanager
def mlflow() -> Iterator[str]:
    """Serve MLflow's pages. Yields their address.

    Raises:
        ResynthError: The server ended or does not answer.
    """
    tracking = os.environ["MLFLOW_TRACKING_URI"]
    if tracking.startswith("http"):
        yield public(tracking)
        return
    port = free_port(5000)
    # its jobs, which judge language models, would be six more processes
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_BACKEND_STORE_URI": tracking}
    with _serving("mlflow", port, nullcontext(), "server", "--workers", "1", **environment):
        yield f"http://{HOST}:{port}"


@contextmanager
def prefect() -> Iterator[str]:
    """Serve Prefect's pages. Yields their address; the API is below it at `/api`.

    Raises:
        ResynthError: The server ended or does not answer.
    """
    api = os.environ.get("PREFECT_API_URL")
    if api is not None:
        yield public(api).removesuffix("/api")
        return
    port = free_port(4200)
    address = f"http://{HOST}:{port}"
    with _serving("prefect", port, embedded.starting(), "server", "start", PREFECT_UI_API_URL=f"{address}/api"):
        yield address


def public(address: str) -> str:
    """The address without user and password."""
    return re.sub("(?<=://)[^/]*@", "", address, count=1)


def start(module: str, port: int, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a server in this Python's environment. The terminal's Ctrl-C does not reach it; we pass it on.

    Only its owner may read the files that it writes.

    Call this in the main thread: on Linux, the server ends with the thread that started it.
    """
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module, *options, "--host", HOST, "--port", str(port)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=PRIVATE,
        preexec_fn=partial(end_with_parent, os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - it only calls the kernel
    )


def wait(name: str, port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a started server answers.

    Raises:
        ResynthError: It ended or does not answer.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ResynthError(f"expected the {name} server to run on port {port}, it ended ({server.returncode})")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise ResynthError(f"expected the {name} server to answer on port {port} within {PATIENCE:.0f} s, it did not")


def free_port(preferred: int | None = None) -> int:
    """The preferred port if it is free, else any free port."""
    with socket.socket() as probe:
        if preferred is not None and probe.connect_ex((HOST, preferred)) != 0:
            return preferred
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(
    name: str, port: int, alone: AbstractContextManager[object], *options: str, **environment: str
) -> Iterator[None]:
    """A server for as long as it is needed. `alone` is held while it starts."""
    with ExitStack() as running:
        with alone:
            server = start(name, port, *options, **environment)
            running.callback(server.wait, timeout=30)
            running.callback(server.terminate)
            wait(name, port, server)
        yield


def end_with_parent(parent: int) -> None:
    """Let this process end with its parent. If the parent has been killed already, it ends now."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
