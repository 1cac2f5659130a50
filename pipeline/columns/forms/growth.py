"""How a normal form that was fitted to some numbers is extended to others.

What was known stays as it was, symbol by symbol and score by score. What is new is added:

- tokens: new values get cells of their own, cut as in a fit, if they lie beyond the ends, or between a value that
  stands alone and the next cell. A few rows beyond an end join the last cell, unless it holds a single value. Values
  inside a cell need nothing;
- quantile: new values get knots beyond the ends, with one unit of score for all new values of a side;
- affine forms: the ends move.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.forms.places import mean_places

Arrays = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]
Fit = Callable[[NDArray[Any], Ints, int], Arrays]
KNOTS = 32
"""Largest number of knots that a side of a quantile function gets at a time."""


def grow_tokens(
    known: Arrays, distinct: NDArray[Any], counts: Ints, *, width: int, few: int, least_rows: int = 1, fit: Fit
) -> tuple[Arrays, Ints]:
    """Add cells for values that lie in no cell.

    Args:
        known: `low`, `high`, `cells`, `rows`, `means` of the leaves; at least one leaf.
        distinct: New values, ascending, in the same positions.
        counts: Their numbers of rows.
        width: Number of cells of a fit. A column never grows beyond twice as many.
        few: Fewer rows beyond an end get no cell.
        least_rows: Values with fewer rows get no leaf and are not kept.
        fit: Makes the arrays of some values in a number of cells.

    Returns:
        The extended arrays, and for each cell the index of the known cell, −1 for a new one.
    """
    low, high, last, made = known["low"], known["high"], len(known["low"]) - 1, 0
    gap = np.searchsorted(low, distinct, side="right") - 1
    homeless = (gap < 0) | (distinct > high[np.maximum(gap, 0)])
    homeless &= np.append(_apart(known), True)[gap]  # the last entry is for the last leaf and, as index −1, for below
    values, rows = distinct[homeless], counts[homeless]
    room, added = 2 * width - int(known["cells"][-1]) - 1, []
    places, first = np.unique(gap[homeless], return_index=True)
    for place, start, stop in zip(places, first, np.append(first, len(values))[1:], strict=True):
        here, end = rows[start:stop], 0 if place < 0 else last
        if here.sum() < least_rows:
            continue
        wanted = min(room, max(1, round(width * int(here.sum()) / counts.sum())))
        outside, cell = place in {-1, last}, int(known["cells"][end])
        shared = low[end] < high[end] or (known["cells"] == cell).sum() > 1
        if outside and (wanted < 1 or (here.sum() < few and shared)):
            leaf = {"low": values[[start]], "high": values[[stop - 1]], "rows": here.sum(keepdims=True)}
            leaf["means"] = mean_places(values[start:stop], here, np.zeros(1, np.int64))
            added.append((place + 1, leaf, np.array([cell])))
        elif wanted > 0:
            leaves = fit(values[start:stop], here, wanted)
            added.append((place + 1, leaves, known["cells"][-1] + 1 + made + leaves["cells"]))
            made, room = made + int(leaves["cells"][-1]) + 1, room - int(leaves["cells"][-1]) - 1
    return _merged(known, added)


def grow_quantile(known: Arrays, distinct: NDArray[Any], counts: Ints) -> Arrays:
    """Add knots beyond the ends of a quantile function: `knots`, `scores`, `low`, `high`."""
    knots, scores = known["knots"], known["scores"]
    below, above = distinct < knots[0], distinct > knots[-1]
    high, high_scores = _outside(distinct[above].astype(np.float64), counts[above])
    low, low_scores = _outside(-distinct[below][::-1].astype(np.float64), counts[below][::-1])
    scores = np.concatenate([scores[0] - low_scores[::-1], scores, scores[-1] + high_scores])
    return {
        "knots": np.concatenate([-low[::-1], knots, high]),
        "scores": scores,
        "low": scores[:1],
        "high": scores[-1:],
    }


def grow_affine(known: Arrays, distinct: NDArray[Any]) -> Arrays:
    """Move the ends of an affine form: `low` and `high`, given `shift` and `scale`."""
    ends = (distinct.astype(np.float64)[[0, -1]] - known["shift"]) / known["scale"] if len(distinct) else np.zeros(0)
    low, high = np.append(ends, known["low"]).min(keepdims=True), np.append(ends, known["high"]).max(keepdims=True)
    return {**known, "low": low, "high": high}


def _apart(known: Arrays) -> NDArray[np.bool_]:
    """Whether each leaf but the last holds one value and ends its cell, so that later values are like neither."""
    alone = known["low"][:-1] == known["high"][:-1]
    return np.asarray(alone & (known["cells"][:-1] != known["cells"][1:]))


def _merged(known: Arrays, added: list[tuple[int, Arrays, Ints]]) -> tuple[Arrays, Ints]:
    """Insert new leaves before the known leaves at the given places. Cell numbers above the known ones are new."""
    if not added:
        return known, np.arange(int(known["cells"][-1]) + 1)
    at = np.concatenate([np.full(len(new["low"]), place) for place, new, _ in added])
    arrays = {
        name: np.insert(known[name], at, np.concatenate([new[name] for _, new, _ in added]))
        for name in ("low", "high", "rows", "means")
    }
    cells = np.insert(known["cells"], at, np.concatenate([own for _, _, own in added]))
    begins = np.diff(cells, prepend=-1) != 0
    origins = np.where(cells[begins] > known["cells"][-1], -1, cells[begins])
    return {**arrays, "cells": np.cumsum(begins) - 1}, origins


def _outside(values: NDArray[np.float64], counts: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Knots for ascending values beyond an end, and how far their scores lie beyond the score of the end, in (0, 1]."""
    if not len(values):
        return np.zeros(0), np.zeros(0)
    rank = np.cumsum(counts) / counts.sum()
    kept = np.unique(np.searchsorted(rank, np.linspace(0, 1, KNOTS + 1)[1:]).clip(max=len(values) - 1))
    return values[kept], rank[kept]
