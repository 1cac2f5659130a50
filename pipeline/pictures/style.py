"""The common style of all pictures: colours, panels, and rendering as PNG."""

import warnings
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.measures.drawing import MUTED, REAL, SYNTHETIC, written

__all__ = [
    "CLASSES",
    "MOST_PANELS",
    "MUTED",
    "PANELS_PER_ROW",
    "REAL",
    "SYNTHETIC",
    "Picture",
    "panel_rows",
    "plain",
    "png",
    "written",
]

CLASSES = ("#2563a8", "#d97b29", "#3f8f4f", "#8a5fb0", "#c8443a", "#8c6d4f", "#d982b5", "#38a3a5")
"""Colours of labels, the most frequent first. All other labels are drawn in `REAL`."""
PANELS_PER_ROW = 4
MOST_PANELS = 12


class Picture(Figure):
    """A figure that notebooks show."""

    def _repr_png_(self) -> bytes:
        """The figure as PNG, by IPython's protocol."""
        return png(self)


def png(figure: Figure) -> bytes:
    """Render a figure as PNG at 120 dots per inch."""
    content = BytesIO()
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a letter that the font lacks is drawn as a box
        figure.savefig(content, dpi=120, format="png")
    return content.getvalue()


def panel_rows(panels: int) -> int:
    """Number of rows for `panels` panels, at least one."""
    return max(1, -(-panels // PANELS_PER_ROW))


def plain(axes: Axes) -> None:
    """Remove all of the frame but the axes, and make ticks small."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
