"""Pictures and pages whose failure fails no run."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure


T = TypeVar("T")


def draw(file: str, figure: Callable[[], "Figure"]) -> bytes | None:
    """Draw a picture as the content of a file. If that fails, returns None and warns with the type of the error."""
    from pipeline import pictures  # noqa: PLC0415 - who asks for a name waits for no picture

    return attempt(file, lambda: pictures.png(figure()))


def attempt(file: str, make: Callable[[], T]) -> T | None:
    """Make the content of a file for people. If that fails, returns None and warns with the type of the error."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - a plotting library may raise anything; its message may quote a value
        logging.getLogger(__name__).warning("%s could not be made (%s)", file, type(error).__name__)
        return None
