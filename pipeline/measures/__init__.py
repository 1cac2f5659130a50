"""How columns are compared: a `Measure` defines how profiles, metrics, drift checks and pictures see a column.

`ORDERED`, `MOVING` and `NOMINAL` are the measures of the built-in kinds. A new one is a subclass of `Measure`.
`pipeline.measures.base` says what it has to define.
"""

from pipeline.measures.base import Binned, Effect, Measure, Redrawn, Resampled, Side, Values
from pipeline.measures.features import Features
from pipeline.measures.nominal import Nominal
from pipeline.measures.ordered import Moving, Ordered
from pipeline.measures.shares import Histogram, LabelBars, NoPicture, RankShares, Shares

__all__ = [
    "MOVING",
    "NOMINAL",
    "ORDERED",
    "Binned",
    "Effect",
    "Features",
    "Histogram",
    "LabelBars",
    "Measure",
    "Moving",
    "NoPicture",
    "Nominal",
    "Ordered",
    "RankShares",
    "Redrawn",
    "Resampled",
    "Shares",
    "Side",
    "Values",
]

ORDERED, MOVING, NOMINAL = Ordered(), Moving(), Nominal()
