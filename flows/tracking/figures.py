"""Pictures that no run fails for."""

import logging
from collections.abc import Callable

from matplotlib.figure import Figure

from pipeline import pictures


def draw(file: str, figure: Callable[[], Figure]) -> bytes | None:
    """The content of a picture's file; None, with a warning that tells the kind of error, where it cannot be drawn."""
    try:
        return pictures.png(figure())
    except Exception as error:  # noqa: BLE001 - whatever a plotting library raises; its message may quote a value
        logging.getLogger(__name__).warning("picture %s could not be drawn (%s)", file, type(error).__name__)
        return None
