"""What tests of the operations share."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from small import Outcome

from flows.cli import main
from flows.tracking import store as tracking
from pipeline.evaluation import detection


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """The `resynth` command, run in this process on the home of the tests.

    Half of the time of a small run goes to classifiers and to rendering pictures. Here classifiers have ten trees, and
    figures are made but not rendered; `tests/test_end_to_end.py` has runs with all of both.
    """

    def drawn(_: str, figure: Callable[[], Figure]) -> bytes:
        assert isinstance(figure(), Figure)
        return b"\x89PNG"

    few = partial(detection.HistGradientBoostingClassifier, max_iter=10)
    monkeypatch.setattr(detection, "HistGradientBoostingClassifier", few)
    monkeypatch.setattr(tracking, "draw", drawn)

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([*(str(argument) for argument in arguments), "--home", str(home)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run
