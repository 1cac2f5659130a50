"""Bars."""

import io

from rich.console import Console

from flows.telling.progress import shown
from pipeline.progress import Tick, silent


def test_a_terminal_sees_every_phase_and_its_figures() -> None:
    """Phases become bars, with the share that is done, the time left and the latest figures."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with shown(console) as listener:
        listener(Tick("read", 1, 1))
        listener(Tick("train", 1, 4, {"elbo": -12.345}))
        listener(Tick("train", 2, 4, {"elbo": -11.5}))
    assert isinstance(console.file, io.StringIO)
    drawn = console.file.getvalue()
    assert "read" in drawn
    assert "50 %" in drawn
    assert "left" in drawn
    assert "elbo -11.5" in drawn


def test_a_pipe_sees_nothing() -> None:
    """Off a terminal nothing is drawn."""
    console = Console(file=io.StringIO(), force_terminal=False)
    with shown(console) as listener:
        assert listener is silent
        listener(Tick("train", 1, 4))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""
