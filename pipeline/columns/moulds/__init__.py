"""Made-up values of any Arrow type.

A `Mould` is a tree that follows a type: lists, structures and maps of texts, numbers, times and bytes. It is fitted to
all real values of a column and keeps none of them, and none of what it makes is one of them. `fit` makes a mould,
`filled` the values of rows; a mould is JSON, and `check` says whether one that was read makes values of a type.
"""

from pipeline.columns.moulds.leaf import ENDLESS, Nothing, Wanted
from pipeline.columns.moulds.nested import Mould, check, filled, fit
from pipeline.columns.moulds.texts import unrecognised

__all__ = ["ENDLESS", "Mould", "Nothing", "Wanted", "check", "filled", "fit", "unrecognised"]
