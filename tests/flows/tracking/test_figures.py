"""Pictures never make a run fail."""

import logging

import pytest
from matplotlib.figure import Figure

from flows.tracking.figures import draw


def test_a_picture_is_a_png() -> None:
    """A picture that can be drawn is the content of a PNG file."""
    content = draw("empty.png", Figure)
    assert content is not None
    assert content.startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails in making or rendering it, the warning names file and error type and quotes nothing."""

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
        "a.png could not be made (ValueError)",
        "b.png could not be made (ValueError)",
    ]
