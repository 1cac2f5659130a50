"""Pictures never stand in the way of a run."""

import logging

import pytest
from matplotlib.figure import Figure

from flows.tracking.figures import draw


def test_a_picture_is_a_png() -> None:
    """What can be drawn is the content of a PNG file."""
    content = draw("empty.png", Figure)
    assert content is not None
    assert content.startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is raised, on making or on rendering it, the warning tells file and type and quotes nothing."""

    def broken() -> Figure:
        raise ValueError("the secret label")

    def unreadable() -> Figure:
        figure = Figure()
        figure.text(0, 0, r"$\\frac{secret$")
        return figure

    with caplog.at_level(logging.WARNING):
        assert draw("a.png", broken) is None
        assert draw("b.png", unreadable) is None
    assert [record.getMessage() for record in caplog.records] == [
        "picture a.png could not be drawn (ValueError)",
        "picture b.png could not be drawn (ValueError)",
    ]
