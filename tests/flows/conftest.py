"""What tests of the operations share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small import Outcome

from flows.cli import main


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The `resynth` command, run in this process on the home of the tests."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([*(str(argument) for argument in arguments), "--home", str(home)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run
