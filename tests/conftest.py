"""Fixtures of all tests: homes, servers, and the difference between quick tests and the whole suite.

A test that uses a fixture of `WHOLE` gets the marker `whole`, and `make check` runs the others. The rule enforces
itself: a test that needs such a fixture and does not use it fails, and the line says which fixture to use.

Every worker of pytest-xdist is a process with its own home and servers, so concurrent tests share nothing.
"""

import atexit
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from store import Store, serving

from flows.engine import homes

WHOLE = ("home", "store", "processes", "training")
STEPS = 300
"""Steps of training that a test may do without the fixture, a second or two."""
HOME = Path(tempfile.mkdtemp(prefix="resynth-tests-")).resolve()
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("PREFECT_", "MLFLOW_"))]:
    del os.environ[name]  # the tests must not write to real servers
os.environ.setdefault("OMP_NUM_THREADS", "1")
homes.embed(HOME)  # before anything imports Prefect or MLflow


@pytest.fixture(scope="session")
def home() -> Path:
    """The home of this process, with Prefect and MLflow. Tests share it and use different names of models."""
    return HOME


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    """An object store of this process. Tests use different prefixes."""
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def processes() -> Iterator[None]:
    """For tests that start processes.

    The ports that commands prefer are occupied meanwhile, because two commands could both find them free.
    """
    with ExitStack() as held:
        for port in (4200, 5000):
            with suppress(OSError):  # another worker holds it
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.fixture(scope="session")
def training() -> None:
    """For tests that train for more than `STEPS` steps."""


class Quick:
    """The running test, if it is a quick one, which may do only what its fixtures allow."""

    test: str | None = None
    steps = 0

    def begin(self, item: pytest.Item | None) -> None:
        """Watch another test, or none."""
        self.test = item.name if item is not None and item.get_closest_marker("whole") is None else None
        self.steps = 0

    def heard(self, event: str, arguments: tuple[object, ...]) -> None:
        """Check an audit event of Python's interpreter."""
        if self.test is None:
            return
        if event in {"subprocess.Popen", "os.fork", "os.posix_spawn"}:
            self.ask("processes")
        if event == "sqlite3.connect" and str(HOME) in str(arguments[0]):
            self.ask("home")

    def stepped(self, *_: object) -> None:
        """Count a step of training."""
        self.steps += 1
        if self.test is not None and self.steps > STEPS:
            self.ask("training")

    def ask(self, fixture: str) -> None:
        """Fail."""
        pytest.fail(f"expected {self.test} to ask for the fixture {fixture!r}, as it is no quick test")


QUICK = Quick()


def pytest_sessionstart() -> None:
    """Begin to listen."""
    from torch.optim.optimizer import register_optimizer_step_post_hook  # noqa: PLC0415 - OMP_NUM_THREADS is set now

    sys.addaudithook(QUICK.heard)
    register_optimizer_step_post_hook(QUICK.stepped)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that are not quick."""
    if not set(WHOLE).isdisjoint(getattr(item, "fixturenames", ())):
        item.add_marker("whole")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that are not quick first, so that two workers end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("whole") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch a test while it runs."""
    QUICK.begin(item)
    try:
        return (yield)
    finally:
        QUICK.begin(None)
