"""What sets quick tests apart cannot be forgotten: doing what they must not do fails, and says what to ask for."""

import os
import sqlite3
import subprocess
import sys

import pytest
import torch


def test_a_process_is_not_started() -> None:
    """Of whatever program."""
    with pytest.raises(pytest.fail.Exception, match="to ask for the fixture 'processes'"):
        subprocess.run([sys.executable, "--version"], check=True)


def test_the_store_of_the_tests_is_not_opened() -> None:
    """The first to open it makes its tables, which takes seconds."""
    file = os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")
    with pytest.raises(pytest.fail.Exception, match="to ask for the fixture 'home'"):
        sqlite3.connect(file)


def test_a_training_is_short() -> None:
    """It ends after some hundred steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)

    def train(steps: int) -> None:
        for _ in range(steps):
            optimizer.step()

    train(200)
    with pytest.raises(pytest.fail.Exception, match="to ask for the fixture 'training'"):
        train(200)


@pytest.mark.usefixtures("processes")
def test_who_asks_may(request: pytest.FixtureRequest) -> None:
    """Asking is what marks a test."""
    assert request.node.get_closest_marker("whole") is not None
    subprocess.run([sys.executable, "--version"], check=True, capture_output=True)
