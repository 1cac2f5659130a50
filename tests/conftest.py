"""One home for the whole test run: Prefect and MLflow are embedded in it before anything imports them."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from store import Store, serving

from flows.engine import homes

HOME = Path(tempfile.mkdtemp(prefix="resynth-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("PREFECT_", "MLFLOW_"))]:
    del os.environ[name]  # the tests must not write into anybody's servers
os.environ.setdefault("OMP_NUM_THREADS", "1")
homes.embed(HOME)


@pytest.fixture(scope="session")
def home() -> Path:
    """The home of the test run; tests share it and keep apart by the names of their models."""
    return HOME


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    """An object store for the whole test run; tests keep apart by prefix."""
    with serving() as served:
        yield served
