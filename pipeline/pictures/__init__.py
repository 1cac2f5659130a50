"""Pictures: the course of a training, drift, synthetic rows beside real ones, and the latent space.

The functions return figures of Matplotlib that belong to no window and no global state. `png` renders one. The
`Measure` of a column draws it (`pipeline.measures`). Names of columns and labels, which people wrote, go through
`written` before they are drawn.
"""

from pipeline.pictures.drifts import drift
from pipeline.pictures.latents import Colours, latent_density, latent_map, latent_rates
from pipeline.pictures.losses import loss_curves
from pipeline.pictures.qualities import quality
from pipeline.pictures.stories import story
from pipeline.pictures.style import png, written
from pipeline.pictures.walks import arithmetic_columns, walk_columns, walk_rows

__all__ = [
    "Colours",
    "arithmetic_columns",
    "drift",
    "latent_density",
    "latent_map",
    "latent_rates",
    "loss_curves",
    "png",
    "quality",
    "story",
    "walk_columns",
    "walk_rows",
    "written",
]
