"""The columns and pairs of columns that are farthest from the real ones, as numbers to draw.

The rows are a random sample of at most `ROWS` of each side. A pair is drawn as shares of rows in a grid of the strata
of its two columns: numbers from low to high, labels from frequent to rare. No cell has a name.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.evaluation import ColumnError, Evaluation, PairError
from pipeline.evaluation.views import View
from pipeline.measures import NoPicture, Shares
from pipeline.schema import Schema

Floats = NDArray[np.float64]

DRAWN = 200
"""Most columns that are drawn. All are listed."""
NAME = 80  # most letters of a column's name
PLAIN = 6  # columns that are shown unfolded
LISTED = 2_000  # columns in the list of all
PAIRS = 12
PLAIN_PAIRS = 3


class ColumnView(NamedTuple):
    """A column, its errors, and what is drawn of it."""

    name: str
    kind: str
    error: float
    ceiling: float
    shares: Shares


class PairView(NamedTuple):
    """A pair of columns: its errors, and shares of rows in the cells of a grid, [strata of first, strata of second]."""

    first: str
    second: str
    error: float
    ceiling: float
    real: Floats
    synthetic: Floats


def column_views(real: pa.Table, synthetic: pa.Table, schema: Schema, found: Evaluation) -> tuple[ColumnView, ...]:
    """The columns with the largest errors, worst first."""
    return tuple(_column(real, synthetic, schema, each) for each in worst(found)[:DRAWN])


def worst(found: Evaluation) -> list[ColumnError]:
    """The columns by how far they are behind real rows, worst first."""
    return sorted(found.columns, key=lambda each: each.ceiling - each.error)


def pair_views(real: View, synthetic: View, found: Evaluation) -> tuple[PairView, ...]:
    """The pairs with the largest errors, worst first."""
    views = (_pair(real, synthetic, each) for each in found.pairs[:PAIRS])
    return tuple(view for view in views if view is not None)


def _column(real: pa.Table, synthetic: pa.Table, schema: Schema, found: ColumnError) -> ColumnView:
    column = schema[found.name]
    measure = columns.measure(column.kind)
    shares: Shares = NoPicture("no picture")
    if measure is not None:
        shares = measure.shares(real[found.name], synthetic[found.name], column.least_rows)
    return ColumnView(found.name, column.kind, found.error, found.ceiling, shares)


def _pair(real: View, synthetic: View, found: PairError) -> PairView | None:
    names = found.first, found.second
    if not all(name in real.values for name in names):
        return None
    one, two = (real.measures[name].strata(real[name], synthetic[name]) for name in names)
    if one is None or two is None:
        return None
    sides = []
    for first, second in ((one.real, two.real), (one.other, two.other)):
        cells = np.bincount(first * two.size + second, minlength=one.size * two.size)
        sides.append(cells.reshape(one.size, two.size) / max(1, len(first)))
    used = sides[0] + sides[1] > 0
    kept = np.ix_(used.any(axis=1), used.any(axis=0))
    return PairView(*names, found.error, found.ceiling, sides[0][kept], sides[1][kept])
