"""Bars: they tell the truth."""

import io
from contextlib import suppress

import pytest
from rich.console import Console

from flows.telling import clock
from flows.telling.clock import ALMOST, Clock
from flows.telling.progress import shown
from pipeline.progress import Tick, part, silent


def drawn(console: Console) -> str:
    """What a console was sent."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_sees_every_phase_and_its_figures() -> None:
    """Phases become bars, with the share that is done, the time left and the latest figures."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with shown(console) as listener:
        listener(Tick("read", 1, 1))
        listener(Tick("train", 1, 4, {"elbo": -12.345}))
        listener(Tick("train", 2, 4, {"elbo": -11.5}))
        listener.bars.refresh()
    text = drawn(console)
    assert "read" in text
    assert "50 %" in text
    assert "left 0:00:0" in text
    assert "elbo -11.5" in text


def test_no_time_is_guessed_before_anything_is_done() -> None:
    """A phase without a share has no time left, and neither has one that is over."""
    for done in (0, 1):
        console = Console(file=io.StringIO(), force_terminal=True, width=120)
        with shown(console) as listener:
            listener(Tick("read", done, 1))
        assert "read" in drawn(console)
        assert "left" not in drawn(console)


def test_a_phase_is_over_when_the_next_begins() -> None:
    """Its bar is filled then, and the last one's when all is done. A failure fills nothing."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with shown(console) as listener:
        listener(Tick("start", 3, 4))
        listener(Tick("read", 1, 2))
        assert {task.description: task.percentage for task in listener.bars.tasks} == {"start": 100, "read": 50}
    assert [task.percentage for task in listener.bars.tasks] == [100, 100]
    with suppress(ValueError), shown(console) as listener:
        listener(Tick("start", 3, 4))
        raise ValueError
    assert [task.percentage for task in listener.bars.tasks] == [75]


@pytest.mark.parametrize("width", [80, 120])
def test_a_bar_is_a_line(width: int) -> None:
    """A phase with figures is one line of a terminal of 80 columns."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    with shown(console) as listener:
        listener(Tick("train", 1, 4, {"elbo": -12.345}))
        listener.bars.refresh()
        last = [line for line in drawn(console).splitlines() if "train" in line][-1]
    assert "25 %" in last
    assert "elbo -12.35" in last


def test_a_stage_is_full_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its parts tell, a stage stands below 100 % until it ends."""
    monkeypatch.setattr(clock, "offer", lambda show: False)
    told: list[Tick] = []
    timed = Clock(told.append, {"evaluate": 1.0})
    with timed.stage("evaluate") as progress:
        progress(Tick("areas", 3, 3))
        part(progress, 0.5, 1)(Tick("view", 1, 1))
        assert {tick.phase for tick in told} == {"evaluate"}
        assert max(tick.share for tick in told) == ALMOST < 1
    assert told[-1].share == 1
    assert list(timed.seconds) == ["evaluate"]


def test_a_pipe_sees_nothing() -> None:
    """Off a terminal nothing is drawn."""
    console = Console(file=io.StringIO(), force_terminal=False)
    with shown(console) as listener:
        assert listener is silent
        listener(Tick("train", 1, 4))
    assert drawn(console) == ""
