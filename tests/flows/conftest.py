"""What tests of the operations share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flows.cli import main


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The last line of standard output, as JSON."""
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The `resynth` command, run in this process on the home of the tests."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([*(str(argument) for argument in arguments), "--home", str(home)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run
