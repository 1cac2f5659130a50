"""What the first rows of a synthesizer are known by.

A model that loads may still generate something else than when it was judged: its weights were exchanged, or this
machine computes differently. So the first rows after the training are kept in a form that tells them apart without
being them: numbers and times as floats, of anything else 64 bits of a hash.

Floating-point arithmetic differs in its last bits from one processor to the next. Now and then that turns a symbol, and
with it the rest of a row, so a few cells may differ: weights that are off by a thousandth change 1 % of a column. Two
trainings on one table draw with the same random numbers and so agree in most cells, but not in so many of every column.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import numbers
from pipeline.checks import exactly, expect, vector
from pipeline.data.tables.content import hashes
from pipeline.errors import DamagedError
from pipeline.schema import Column, Schema

ROWS = 256
AGREE = 0.98
"""Share of the cells of a column that are to be the same."""
PRECISION = 1e-6
"""How far two numbers may be apart, relative to their size, and still be the same."""
IMPOSSIBLE = 1e-9
"""Chance below which a column that came out constant did not do so by chance."""

Fingerprint = Mapping[str, NDArray[Any]]


def fingerprint(table: pa.Table, schema: Schema) -> Fingerprint:
    """One array per column, by its place, of as many numbers as there are rows."""
    return {str(i): _cells(table[column.name], column) for i, column in enumerate(schema)}


def check(found: Fingerprint, schema: Schema) -> None:
    """Raise a DamagedError unless `found` is a fingerprint of `ROWS` rows of a schema."""
    exactly(found, [str(i) for i in range(len(schema.columns))])
    for i, column in enumerate(schema):
        cells = np.nan_to_num(found[str(i)]) if _ordered(column) else found[str(i)]
        vector({"sample": cells}, "sample", np.float64 if _ordered(column) else np.uint64, length=ROWS)


def compare(kept: Fingerprint, table: pa.Table, schema: Schema, commonest: Mapping[str, float]) -> None:
    """See whether rows are those that a fingerprint was taken of, and such as a model may generate at all.

    Args:
        kept: The fingerprint.
        table: The same rows, generated again.
        schema: The schema of both.
        commonest: For each column, the share of its commonest value in training.

    Raises:
        DamagedError: They are not.
    """
    table.validate(full=True)
    for i, column in enumerate(schema):
        old, new = kept[str(i)], _cells(table[column.name], column)
        same = np.isclose(old, new, rtol=PRECISION, atol=0, equal_nan=True) if _ordered(column) else old == new
        constant = len(np.unique(new)) == 1
        if np.isinf(new).any():
            raise DamagedError(f"column {column.name!r}: expected finite values, got infinity")
        if constant and (len(np.unique(old)) > 1 or commonest[column.name] ** ROWS < IMPOSSIBLE):
            raise DamagedError(f"column {column.name!r}: expected values that vary, got {ROWS} rows of one value")
        if same.mean() < AGREE:
            raise DamagedError(
                f"column {column.name!r}: expected the rows that were generated after the training, "
                f"got {same.mean():.0%} of them (at least {AGREE:.0%})"
            )
    expect(table.num_rows == ROWS, f"{ROWS} rows")


def _ordered(column: Column) -> bool:
    measure = columns.measure(column.kind)
    return measure is not None and measure.orders


def _cells(array: pa.ChunkedArray, column: Column) -> NDArray[Any]:
    if _ordered(column):
        return numbers(array)
    return np.concatenate([np.zeros(0, np.uint64), *map(hashes, array.chunks)])
