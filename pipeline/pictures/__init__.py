"""Pictures of a run: how the training went, and how the synthetic rows look beside real ones.

The functions return `matplotlib.figure.Figure`s that belong to no window and no global state; `png` renders one. How a
column is drawn is a matter of its measure (`pipeline.measures`). Whatever people wrote, names of columns and labels,
goes through `written` before it is drawn.
"""

from pipeline.pictures.drifts import drift
from pipeline.pictures.losses import loss_curves
from pipeline.pictures.qualities import quality
from pipeline.pictures.stories import story
from pipeline.pictures.style import png, written

__all__ = ["drift", "loss_curves", "png", "quality", "story", "written"]
