"""The bar of a run on Prefect's page."""

import pytest

from flows.telling import clock
from flows.telling.clock import Clock
from pipeline.progress import Tick, silent


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """What the bar shows, one pair of percent and text for every move."""
    moves: list[tuple[float, str]] = []
    monkeypatch.setattr(clock, "NEWS", 0.0)
    monkeypatch.setattr(clock, "create_progress_artifact", lambda at, description: moves.append((at, description)) or 1)
    monkeypatch.setattr(
        clock, "update_progress_artifact", lambda _, progress, description: moves.append((progress, description))
    )
    return moves


def test_the_bar_follows_the_work_and_is_full_only_at_the_end(shown: list[tuple[float, str]]) -> None:
    """A stage counts by its share of the time, also while it goes on. Stages that were not needed count at the end."""
    times = Clock(silent, {"read": 1, "train": 3, "defend": 4})
    assert shown == []
    with times.stage("read"):
        pass
    with times.stage("train") as progress:
        progress(Tick("epoch", 2, 3))
    times.finish()
    assert shown == [(0.0, "read"), (12.5, "train"), (37.2, "train"), (100.0, "done")]


def test_a_bar_of_unfinished_work_is_not_full(shown: list[tuple[float, str]]) -> None:
    """A run that fails in its last stage does not look complete."""

    def fail() -> None:
        times = Clock(silent, {"train": 1, "publish": 0})
        with times.stage("train"):
            pass
        with times.stage("publish"):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert shown[-1] == (99.0, "publish")


def test_a_server_that_takes_no_artifact_is_asked_again_only_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client waits a minute each time."""
    asked: list[float] = []

    def refuse(percent: float, **_: object) -> None:
        asked.append(percent)
        raise RuntimeError("503")

    monkeypatch.setattr(clock, "create_progress_artifact", refuse)
    times = Clock(silent, {"read": 1, "train": 1})
    for name in ("read", "train"):
        with times.stage(name):
            pass
    times.finish()
    assert asked == [0.0, 100.0]
