"""The split of a table into training, validation and hold-out rows, by the content of each row.

A row falls into the same part in every order of the rows, and also when the table has grown. So rows that are held out
of one training are held out of every later one.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.data.tables.content import STEP, mix, row_hashes
from pipeline.errors import TableError
from pipeline.frames import Frame, to_arrow
from pipeline.randomness import key
from pipeline.records import Record

LEAST_ROWS = 20
"""Fewer rows cannot be split into training, validation and hold-out."""


class SplitSettings(Record):
    """Shares of the rows that are kept out of training.

    Attributes:
        validation: Share that decides when training stops.
        holdout: Share that no part of training sees. The evaluation uses it.

    Example:
        >>> import pandas as pd
        >>> from pipeline import SplitSettings, split
        >>> parts = split(pd.DataFrame({"x": range(1000)}), SplitSettings(holdout=0.3))
        >>> 250 < parts.holdout.num_rows < 350
        True
    """

    validation: float = Field(default=0.05, gt=0, lt=0.5)
    holdout: float = Field(default=0.1, gt=0, lt=0.5)


class Split(NamedTuple):
    """The three parts of a table, each in the table's row order.

    Example:
        >>> import pandas as pd
        >>> from pipeline import split
        >>> split(pd.DataFrame({"x": range(100)})).train.column_names
        ['x']
    """

    train: pa.Table
    validation: pa.Table
    holdout: pa.Table


def split(table: Frame, settings: SplitSettings | None = None, seed: int = 0) -> Split:
    """Split by content: a row's part depends on its values, on the number of equal rows before it, and on `seed`.

    The shares are met in expectation. Each part gets at least four rows.

    Args:
        table: An Arrow table, a pandas or a Polars frame.
        settings: The shares.
        seed: Another seed gives another split.

    Raises:
        TableError: The table has fewer than `LEAST_ROWS` rows.

    Example:
        >>> import pandas as pd
        >>> from pipeline import split
        >>> train, validation, holdout = split(pd.DataFrame({"x": range(100)}))
        >>> train.num_rows + validation.num_rows + holdout.num_rows
        100
    """
    table, settings = to_arrow(table), settings or SplitSettings()
    if table.num_rows < LEAST_ROWS:
        raise TableError(f"expected at least {LEAST_ROWS} rows to split, got {table.num_rows}")
    place = _places(table, seed)
    least = max(2, LEAST_ROWS // 5)
    holdout_end = max(settings.holdout, float(np.partition(place, least - 1)[least - 1]))
    rest = np.sort(place[place > holdout_end])
    end = max(holdout_end + settings.validation, float(rest[least - 1]))
    return Split(
        _picked(table, place > end),
        _picked(table, (place > holdout_end) & (place <= end)),
        _picked(table, place <= holdout_end),
    )


def _picked(table: pa.Table, rows: NDArray[np.bool_]) -> pa.Table:
    try:
        return table.filter(pa.array(rows))
    except pa.ArrowNotImplementedError:  # Arrow cannot filter views and run-end encodings, for example
        return pa.concat_tables([table.slice(i, 1) for i in np.flatnonzero(rows)])


def _places(table: pa.Table, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for every row, from the row's content and rank among equal rows."""
    row = row_hashes(table, key(seed, "split") % 2**64)
    order = np.argsort(row, kind="stable")
    ordered = row[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    begin = np.maximum.accumulate(np.where(first, np.arange(len(row)), 0))
    rank = np.empty(len(row), dtype=np.uint64)
    rank[order] = (np.arange(len(row)) - begin).astype(np.uint64)
    return np.asarray(mix(row + rank * STEP) >> np.uint64(11), dtype=np.float64) / 2.0**53
