"""Made-up values of any Arrow type.

A `Mould` is a tree that follows a type: lists, structures and maps of texts, numbers, times and bytes. It is fitted to
all real values of a column. It keeps none of them, and makes none of them. `fit` makes a mould, and `filled` makes the
values of rows. A mould is JSON, and `check` verifies that a mould from a file makes values of a type.
"""

from pipeline.columns.moulds.leaf import ENDLESS, Nothing, Wanted
from pipeline.columns.moulds.nested import Mould, check, filled, fit
from pipeline.columns.moulds.texts import shape_of, unrecognised

__all__ = ["ENDLESS", "Mould", "Nothing", "Wanted", "check", "filled", "fit", "shape_of", "unrecognised"]
