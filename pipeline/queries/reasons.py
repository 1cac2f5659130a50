"""Why is a row an anomaly? The columns that stand out, and what the model expects there.

A column stands out by its marginal rarity, by how much less likely its value is beside the other cells of the row than
alone, or because it is the target of a relation that the row breaks. All three are in nats, and they are added. The
*share* of a column is its part of their sum over columns.

Expected values are the model's own, so none of them is taken from a real row: for a column that follows from others,
what follows; else values that the model draws for the cell beside the other cells of the row; or the usual values of
the model's rows, if the value does go together with the others. Numbers are given as the interval of the middle 80 %.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import Array, numbers
from pipeline.arrow.labels import coded
from pipeline.measures import Measure
from pipeline.models.evidence import Evidence
from pipeline.models.rows import Rows
from pipeline.progress import Progress, Tick, silent
from pipeline.queries.generation import completed
from pipeline.queries.scorer import Scorer, breaks
from pipeline.randomness import apart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REASONS = pa.list_(pa.struct([("column", pa.string()), ("share", pa.float64()), ("expected", pa.string())]))
"""The type of the reasons of rows."""
NAMED = 3
"""Most columns that are named for a row."""
DRAWN = 16
"""Values that are drawn for a cell."""
TOGETHER = 1024
"""Rows that are explained together."""
MIDDLE = (0.1, 0.9)
"""The interval of numbers that is given as expected."""
MISSING = "no value"
"""What is expected where most draws are null."""


def reasons(scorer: Scorer, table: pa.Table, chosen: Ints, progress: Progress = silent) -> pa.Array:
    """The reasons of the rows `chosen`, worst first; an empty list for all other rows, [rows] of type `REASONS`."""
    found: list[list[dict[str, object]]] = [[] for _ in range(table.num_rows)]
    for start in range(0, len(chosen), TOGETHER):
        some = chosen[start : start + TOGETHER]
        for row, why in zip(some, _explained(scorer, table.take(pa.array(some))), strict=True):
            found[row] = why
        progress(Tick("reasons", start + len(some), len(chosen)))
    return pa.array(found, REASONS)


def _explained(scorer: Scorer, table: pa.Table) -> list[list[dict[str, object]]]:
    """The reasons of each row."""
    names = list(scorer.surroundings.columns)
    alone, beside = scorer.surroundings.rarities(table), _surprises(scorer, table, names)
    blame = np.maximum(alone - 1, 0) + np.maximum(beside, 0) + _broken(scorer, table, names)
    blame = np.where(blame.sum(1, keepdims=True) > 0, blame, alone)
    shares = blame / np.maximum(blame.sum(1, keepdims=True), 1e-12)
    worst = np.argsort(-shares, axis=1, kind="stable")[:, :NAMED]
    found: list[list[dict[str, object]]] = [[] for _ in range(table.num_rows)]
    expected: dict[tuple[int, int], str] = {}
    for j in np.unique(worst) if worst.size else ():
        rows = np.flatnonzero((worst == j).any(1) & (shares[:, j] > 0))
        texts = _expected(scorer, table.take(pa.array(rows)), names[j], beside[rows, j] > 0)
        expected |= {(int(row), int(j)): text for row, text in zip(rows, texts, strict=True)}
    for row, order in enumerate(worst):
        for j in order:
            if shares[row, j] > 0:
                share = float(shares[row, j])
                found[row].append({"column": names[j], "share": share, "expected": expected[row, int(j)]})
    return found


def _surprises(scorer: Scorer, table: pa.Table, names: Sequence[str]) -> Floats:
    """How much less likely each column is beside the other cells than alone, in nats, [rows, columns]."""
    found = np.zeros((table.num_rows, len(names)))
    if not scorer.taught or scorer.cells is None:
        return found
    rows = scorer.model.encode(table)
    for name, own in _variables(scorer):
        if name in names and len(own):
            found[:, names.index(name)] = scorer.cells.surprise(rows, own)
    return found


def _broken(scorer: Scorer, table: pa.Table, names: Sequence[str]) -> Floats:
    """Nats for the relations that each row breaks, at their targets, [rows, columns]."""
    found = np.zeros((table.num_rows, len(names)))
    for relation, nats in zip(scorer.model.relations, breaks(scorer.model.relations, table), strict=True):
        if relation.target in names:
            j = names.index(relation.target)
            found[:, j] = np.maximum(found[:, j], nats)
    return found


def _variables(scorer: Scorer) -> Iterator[tuple[str, range]]:
    """The variables of each free column."""
    return zip(scorer.model.normalization.codecs, scorer.model.normalization.columns, strict=True)


def _expected(scorer: Scorer, table: pa.Table, name: str, unlike: NDArray[np.bool_]) -> list[str]:
    """What the model expects in a column of each row. `unlike` says where its value does not go with the others."""
    relations, measure = scorer.model.relations, columns.measure(scorer.model.schema[name].kind)
    assert measure is not None
    if name not in relations.free_schema.names:
        bound = relations.bind(relations.free(table))[name]
        return [MISSING if text is None else text for text in measure.texts(bound)]
    usual = _in_words(scorer.surroundings.rows[name], measure, 1)[0]
    own = dict(_variables(scorer))[name]
    if scorer.cells is None or not len(own) or not unlike.any():
        return [usual] * table.num_rows
    rows = scorer.cells.known(scorer.model.encode(table)).take(np.flatnonzero(unlike))
    drawn = _in_words(_drawn(scorer, rows, name, own), measure, int(unlike.sum()))
    texts = iter(drawn)
    return [next(texts) if each else usual for each in unlike]


def _drawn(scorer: Scorer, rows: Rows, name: str, own: range) -> pa.ChunkedArray:
    """`DRAWN` values of a column for each row, given the other cells, row after row."""
    model = scorer.model
    assert model.vae is not None
    assert rows.known is not None
    known = rows.known.clone()
    known[:, torch.tensor(own)] = 0
    repeated = rows.knowing(known).take(np.repeat(np.arange(len(rows)), DRAWN))
    made = completed(model.vae, Evidence(repeated), seed=0)
    index = np.arange(len(made))
    decoded = model.normalization.decode(made, apart(0, "expected", name), index, len(index))
    return model.relations.bind(decoded)[name]


def _in_words(array: Array, measure: Measure[Any], rows: int) -> list[str]:
    """Values of each row in words: the middle interval of numbers, the commonest label, [rows].

    Args:
        array: As many values for each row, row after row.
        measure: The measure of the column.
        rows: Number of rows.
    """
    if measure.orders:
        values = numbers(array).reshape(rows, -1)
        order = np.argsort(values, axis=1, kind="stable")  # nulls last
        present = (~np.isnan(values)).sum(1)
        ends = [order[np.arange(rows), (share * np.maximum(present - 1, 0)).astype(int)] for share in MIDDLE]
        texts = [measure.texts(array.take(pa.array(end + np.arange(rows) * values.shape[1]))) for end in ends]
        found = [low if low == high else f"{low} to {high}" for low, high in zip(*texts, strict=True)]
        return [
            text or MISSING if 2 * n >= values.shape[1] else MISSING for text, n in zip(found, present, strict=True)
        ]
    codes = coded([array])[0].reshape(rows, -1)
    places = [
        int(np.flatnonzero(own == np.bincount(own).argmax())[0]) + i * codes.shape[1] for i, own in enumerate(codes)
    ]
    return [MISSING if text is None else text for text in measure.texts(array.take(pa.array(places)))]
