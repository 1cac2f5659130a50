"""A fingerprint of the first rows of a synthesizer.

A model that loads may still generate other rows than when it was evaluated: its weights were exchanged, or this machine
computes differently. So the first rows after the training are kept in a form that identifies them without storing them.
Numbers and times are floats, and other values are 64 bits of a hash.

Floating-point arithmetic differs in its last bits from one processor to the next. Now and then that changes a symbol,
and with it the rest of a row, so a few cells may differ. Weights that are off by a thousandth change 1 % of a column.
Two trainings on one table use the same random numbers in generation, so they agree in most cells, but in no column as
much as `AGREE`. An identifier that is unique with other columns (`Column.unique_with`) may change in many rows when one
of those changes, so it is not compared.
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
"""Least share of equal cells in a column."""
PRECISION = 1e-6
"""Largest relative difference of two equal numbers."""
IMPOSSIBLE = 1e-9
"""If the chance of a constant column is smaller than this, the column is not constant by chance."""

Fingerprint = Mapping[str, NDArray[Any]]


def fingerprint(table: pa.Table, schema: Schema) -> Fingerprint:
    """One array per column, keyed by the column's index, with one number per row."""
    return {str(i): _cells(table[column.name], column) for i, column in enumerate(schema)}


def check(found: Fingerprint, schema: Schema) -> None:
    """Raise a DamagedError unless `found` is a fingerprint of `ROWS` rows of a schema."""
    exactly(found, [str(i) for i in range(len(schema.columns))])
    for i, column in enumerate(schema):
        cells = np.nan_to_num(found[str(i)]) if _ordered(column) else found[str(i)]
        vector({"sample": cells}, "sample", np.float64 if _ordered(column) else np.uint64, length=ROWS)


def compare(kept: Fingerprint, table: pa.Table, schema: Schema, commonest: Mapping[str, float]) -> None:
    """Check that rows are those of a fingerprint, and that a sound model can generate them at all.

    Args:
        kept: The fingerprint.
        table: The same rows, generated again.
        schema: The schema of both.
        commonest: For each column, the share of its commonest value in training.

    Raises:
        DamagedError: The rows differ from the fingerprint, or a sound model cannot generate them.
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
        if same.mean() < AGREE and not column.unique_with:
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
