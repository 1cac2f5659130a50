"""How much dependence between columns may a small table teach?

A network trained on a few hundred rows learns them by heart, and a copied row discloses a person. So a small table is
rehearsed first. A model is trained on one half of the rows. A nearest-neighbour attack (membership inference; van
Breugel et al. 2023, arXiv 2302.12580, compare several) tries to tell that half from the other by the generated rows.
Generated rows are then *shrunk* towards independent columns: a share of them is taken apart, and the values of each
column are shuffled among these rows. The least share is used that meets two conditions: the attack does no better than
chance allows, and generated rows equal rows of the trained half no more often than rows of the other half do.

Below `FEWEST` rows a rehearsal shows nothing, and the columns are independent.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.columns import measure
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.schema import Schema
from pipeline.statistics.auc import auc, by_chance

FEWEST, ENOUGH = 100, 500
"""The least number of rows for a rehearsal, and the number of rows that need none."""
SHARES = (0.0, 0.25, 0.5, 0.75)
"""Shares that are tried before all columns are independent."""
GENERATED = 2000
"""Number of generated rows for the attack."""
TOLERANCE = 0.02
"""How far the AUC of the attack may lie above ½ at least, even if its standard error is smaller."""

Floats = NDArray[np.float64]
Generate = Callable[[int], pa.Table]
"""Generates the given number of rows."""


class Shrinkage(Record):
    """How far generated rows are shrunk towards independent columns, and why.

    Attributes:
        share: The share of rows whose columns are shuffled. 1 if the network was taught no dependence at all.
        auc: The AUC of the attack with this share. None without a rehearsal.
        copied: Share of generated rows that equal a unique row of the trained half.
        coincided: Share of the other half's rows that equal a unique row of the trained half.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    auc: float | None = None
    copied: float = 0.0
    coincided: float = 0.0


def rehearse(rows: pa.Table, schema: Schema, fit: Callable[[pa.Table], Generate], *, seed: int) -> Shrinkage:
    """Choose the share of rows to take apart.

    Args:
        rows: Every row that a training may know.
        schema: The schema of the rows.
        fit: Trains a model on some rows.
        seed: The seed of the halves.
    """
    if rows.num_rows < FEWEST:
        return Shrinkage(share=1.0)
    order = stream(seed, "rehearsal").permutation(rows.num_rows)
    halves = [rows.take(pa.array(half)) for half in (order[::2], order[1::2])]
    drawn = [fit(half)(GENERATED) for half in halves]
    m, n = halves[0].num_rows, halves[1].num_rows
    allowed = max(TOLERANCE, by_chance(m, n) / np.sqrt(2))
    tried = Shrinkage()
    for share in SHARES:
        apart = [_taken_apart(made, share, seed) for made in drawn]
        first, second = halves
        found = [_attacked(first, second, apart[0], schema), _attacked(second, first, apart[1], schema)]
        told, copied, coincided = (float(np.mean(values)) for values in zip(*found, strict=True))
        tried = Shrinkage(share=share, auc=told, copied=copied, coincided=coincided)
        if told <= 0.5 + allowed and copied <= coincided + 1 / n:
            return tried
    return tried.model_copy(update={"share": 1.0})


def independent(rows: pa.Table, *, seed: int) -> pa.Table:
    """The same columns, each in a random order of its own."""
    for i, name in enumerate(rows.column_names):
        order = stream(seed, "independent", name).permutation(rows.num_rows)
        rows = rows.set_column(i, rows.schema.field(i), rows.column(i).take(pa.array(order)))
    return rows


def _taken_apart(made: pa.Table, share: float, seed: int) -> pa.Table:
    """Generated rows. The columns of a share of them are shuffled."""
    count = round(share * made.num_rows)
    return pa.concat_tables([independent(made.slice(0, count), seed=seed), made.slice(count)])


def _attacked(trained: pa.Table, other: pa.Table, made: pa.Table, schema: Schema) -> tuple[float, float, float]:
    """AUC of the attack, and the shares of generated rows and of the other half that equal a unique trained row."""
    seen = {c.name: found for c in schema if (found := measure(c.kind)) is not None}
    if not seen:
        return 0.5, 0.0, 0.0
    unordered = np.array([not found.orders for found in seen.values()], dtype=bool)
    whole = pa.concat_tables([table.select(list(seen)) for table in (trained, other, made)])
    x = np.column_stack([found.places(whole[name]) for name, found in seen.items()])
    real, unseen, drawn = np.split(x, [trained.num_rows, trained.num_rows + other.num_rows])
    near = [-_nearest(rows, drawn, unordered) for rows in (real, unseen)]
    unique, counts = np.unique(real, axis=0, return_counts=True)
    keys = {row.tobytes() for row in unique[counts == 1]}
    shares = [float(np.mean([row.tobytes() in keys for row in rows])) for rows in (drawn, unseen)]
    return auc(*near).value, shares[0], shares[1]


def _nearest(rows: Floats, drawn: Floats, unordered: NDArray[np.bool_]) -> Floats:
    """Distance of each row to the nearest generated one (Gower 1971): differences of ranks, and differing labels."""
    nearest = np.empty(len(rows))
    for i, row in enumerate(rows):
        apart = np.abs(drawn - row)
        apart[:, unordered] = apart[:, unordered] > 0
        nearest[i] = apart.sum(axis=1).min()
    return nearest
