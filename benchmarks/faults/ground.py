"""A home to break: small tables of people, settings for a training of a second, and commands in their own processes.

Commands run as a user runs them. All that they write lies below one directory, with their temporary files, so that
leftovers can be found. A mark in their environment finds processes that they leave.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
SECRET = "@kontor-9c1e.net"  # noqa: S105 - in every real address of the tables, and in no made-up value
SETTINGS = """
[training]
epochs = 1
batch = 256
[model]
width = 16
hidden = 16
components = 4
[evaluation]
permutations = 20
[gate]
active_units = 0
[gate.limits]
shape_error = 1.0
[gate.margins]
shape_error = 1.0
[retention]
versions = 1
exports = 1
"""
MARK = "RESYNTH_FAULTS"
LATEST = 600.0  # seconds for a command to end


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        code: Its exit code, or minus the number of the signal that killed it.
        out: Its standard output.
        err: Its standard error.
        seconds: How long it took.
    """

    code: int
    out: str
    err: str
    seconds: float

    @property
    def answer(self) -> dict[str, Any]:
        """The last line of standard output, which `--json` makes an object. Empty if it is no object."""
        try:
            return dict(json.loads(self.out.splitlines()[-1]))
        except (IndexError, ValueError):
            return {}

    def faults(self) -> list[str]:
        """What is wrong with the report of a failure. It must be one line, equal in the JSON, without a traceback."""
        said = self.err.strip()
        if self.code not in {1, 2}:
            return [f"exit code {self.code}: {said[-300:]!r}"]
        if "\n" in said or not said.startswith("resynth: "):
            return [f"expected one line, got {said[-600:]!r}"]
        return [] if self.answer.get("error") == said.removeprefix("resynth: ") else ["the answer has another error"]


class Ground:
    """A home below a directory, its tables, and commands on it.

    Args:
        root: The directory. Everything below it belongs to the campaign.
        disk: The directory of the home and the exports, if they lie elsewhere.
    """

    def __init__(self, root: Path, disk: Path | None = None) -> None:
        self.root = root
        self.home = (disk or root) / "home"
        self.out = (disk or root) / "out" / "twins"
        self.temporary = root / "tmp"
        self._mark = uuid.uuid4().hex
        self.settle()

    def settle(self) -> None:
        """Create missing directories and the settings."""
        for directory in (self.home, self.temporary, self.out.parent):
            directory.mkdir(parents=True, exist_ok=True)
        (self.home / "resynth.toml").write_text(SETTINGS)

    def table(self, name: str, rows: int = 600, seed: int = 0) -> Path:
        """The file of a table of people: their addresses, a group, a number that depends on it, and a date."""
        file = self.root / f"{name}.parquet"
        if not file.exists():
            random = np.random.default_rng(seed)
            group = random.integers(0, 3, rows)
            days = pa.array(random.integers(18_000, 18_300, rows), pa.int32())
            columns = {
                "mail": [f"{uuid.UUID(bytes=random.bytes(16)).hex[:9]}{SECRET}" for _ in range(rows)],
                "group": pa.array(np.array(["north", "south", "west"])[group]),
                "value": np.round(group * 10.0 + random.normal(size=rows), 2),
                "day": days.cast(pa.date32()),
            }
            pq.write_table(pa.table(columns), file)
        return file

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start a command in a process group of its own."""
        servers = ("MLFLOW_", "PREFECT_")  # variables of the environment that starts the campaign
        environment = {name: value for name, value in os.environ.items() if not name.startswith(servers)}
        environment |= {MARK: self._mark, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "flows", *map(str, arguments), "--home", str(self.home), "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(self, *arguments: object) -> Ended:
        """Run a command to its end."""
        return self.finish(self.start(*arguments))

    def finish(self, process: "subprocess.Popen[str]") -> Ended:
        """Wait for a command to end, and kill it if it takes too long."""
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=LATEST)
        except BaseException:
            kill(process)
            raise
        return Ended(process.returncode, out, err, time.monotonic() - began)

    def processes(self, patience: float = 5.0) -> Sequence[str]:
        """Processes that commands have left, after some time to end."""
        end = time.monotonic() + patience
        while (left := self._processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def _processes(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline())[:80])
            except psutil.Error:
                continue
        return found


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a command with its process group at once. It may have ended already."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
