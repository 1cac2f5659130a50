"""Values that stand alone: codes among quantities, and values that few rows share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_APART = 4
"""Largest number of values that are taken for codes, which mean something else than a quantity."""


def isolated(distinct: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values at either end are farther from all others than the others are from each other.

    Args:
        distinct: Ascending values.
    """
    x = distinct.astype(np.float64)
    first, last = 0, len(x) - 1
    apart = np.zeros(len(x), dtype=bool)
    while last - first >= 2:  # noqa: PLR2004 - two values have no range to be far from
        if x[last] - x[last - 1] > x[last - 1] - x[first]:
            apart[last] = True
            last -= 1
        elif x[first + 1] - x[first] > x[last] - x[first + 1]:
            apart[first] = True
            first += 1
        else:
            break
    return apart if apart.sum() <= MOST_APART else np.zeros(len(x), dtype=bool)


def without_lone(
    distinct: NDArray[Any], counts: NDArray[np.int64], least_rows: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The values, without those between two values that stand alone which together have too few rows for a leaf.

    Their rows are counted for the nearer neighbour.
    """
    alone = (counts >= least_rows) | isolated(distinct)
    bounds = np.flatnonzero(np.diff(alone, prepend=True, append=True))  # borders of stretches of the other values
    kept, rows = np.ones(len(distinct), dtype=bool), counts.copy()
    for first, stop in zip(bounds[::2], bounds[1::2], strict=True):
        if rows[first:stop].sum() >= least_rows:
            continue
        kept[first:stop] = False
        beside = np.array([j for j in (first - 1, stop) if 0 <= j < len(distinct)], dtype=np.int64)
        if len(beside):
            gaps = np.abs(distinct[first:stop, None].astype(np.float64) - distinct[beside].astype(np.float64))
            np.add.at(rows, beside[gaps.argmin(axis=1)], counts[first:stop])
    return distinct[kept], rows[kept]
