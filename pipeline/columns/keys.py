"""Composite keys: identifiers that name a row together with other columns, such as an order and a line.

Columns name a row together if no two rows agree in all of them, though chance would let many rows agree. One column
beside the identifier is preferred to two, and one of few values to one of many. A column that no name calls an
identifier is one too if lines 1, 2, … number the few rows of each of its many values.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

from pipeline.arrow.arrays import combined
from pipeline.columns.fanout import joined, numbered, together
from pipeline.errors import SchemaError
from pipeline.personal.mixing import Ints
from pipeline.schema import value_type

CHANCE = 20.0
"""Least number of pairs of rows that would agree by chance."""
MOST = 2
"""Most columns beside an identifier."""
WIDEST = 12
"""Most columns that are looked at together."""
HEAD = 20_000
"""About as many rows rule out most columns."""
FEWEST, LINES = 100, 5
"""Least number of identifiers, in all and for each line, for lines to show that a column holds identifiers."""
UNNAMED = 200
"""The same for a column whose name says nothing: a hundred years of four quarters are no orders."""


def beside(table: pa.Table, name: str, others: Sequence[str]) -> tuple[str, ...]:
    """The columns that name a row together with the column `name`, in which rows share values. Empty if none do.

    Args:
        table: The table.
        name: The column of identifiers. Rows without one do not count.
        others: The columns that may stand beside it.
    """
    table = table.filter(table[name].is_valid())
    codes = joined([table[name]])
    sizes = np.bincount(codes)
    if len(sizes) == len(codes):
        return ()
    few = np.flatnonzero(codes <= np.searchsorted(np.cumsum(sizes), HEAD))  # all rows of some identifiers
    head = {other: joined([table[other].take(pa.array(few))]) for other in others}
    for count in range(1, MOST + 1):
        groups = list(combinations(others if count == 1 else others[:WIDEST], count))
        chances = [_agreeing(codes[few], [head[other] for other in group]) for group in groups]
        for chance, group in sorted(zip(chances, groups, strict=True), key=lambda pair: -pair[0]):
            if chance >= CHANCE and _agreeing(codes, [joined([table[other]]) for other in group]):
                return group
    return ()


def numbers(table: pa.Table, name: str, others: Sequence[str]) -> bool:
    """Whether other columns number the rows of each value of the column `name`, as lines do, and there are many."""
    table = table.filter(table[name].is_valid())
    codes, lines = joined([table[name]]), joined([table[other] for other in others])
    return len(np.unique(codes)) >= max(FEWEST, LINES * len(np.unique(lines))) and numbered(codes, lines)


def line(table: pa.Table, name: str, others: Sequence[str], least_rows: int) -> str | None:
    """The column of lines 1, 2, … or 0, 1, … that numbers the rows of each value of a column, whose name says nothing.

    Args:
        table: The table.
        name: The column.
        others: The columns that may hold lines.
        least_rows: Most rows must share their value with fewer rows. Other values, such as the years of a table of
            months, are quantities.
    """
    held = table.filter(table[name].is_valid())
    codes = joined([held[name]])
    sizes = np.bincount(codes)
    if len(sizes) < UNNAMED or len(sizes) == len(codes) or 2 * sizes[sizes < least_rows].sum() <= len(codes):
        return None
    lines = [other for other in others if _counted(held[other])]
    return next((each for each in lines if beside(held, name, [each]) and numbers(held, name, [each])), None)


def _counted(array: pa.ChunkedArray) -> bool:
    """Whether a column holds the integers from 0 or 1 to some other, without a gap."""
    if not pa.types.is_integer(value_type(array.type)) or array.null_count:
        return False
    values = np.unique(combined(array).to_numpy())
    return len(values) > 1 and int(values[0]) in {0, 1} and int(np.ptp(values)) == len(values) - 1


def expect_unique(table: pa.Table, name: str, others: Sequence[str]) -> None:
    """Expect that no two rows with a value in the column `name` agree in it and the others.

    Raises:
        SchemaError: Some do. The line says how many, and the number of one of them, from 0.
    """
    rows = np.flatnonzero(table[name].is_valid().to_numpy())
    codes = joined([table[column] for column in (name, *others)])[rows]
    first = np.unique(codes, return_index=True)[1]
    if len(first) < len(rows):
        again = np.setdiff1d(np.arange(len(rows)), first)
        share = len(again) / len(rows)
        raise SchemaError(
            f"column {name!r} is set to be unique with {' and '.join(map(repr, others))}, but {share:.2%} of the rows"
            f" repeat another one's values, such as row {rows[again[0]]:,}"
        )


def _agreeing(codes: Ints, others: Sequence[Ints]) -> float:
    """How many pairs of rows that share an identifier would agree in other columns by chance; 0 if any pair does."""
    whole = together(others)
    if len(np.unique(together([codes, whole]))) < len(codes):
        return 0.0
    sizes, shares = np.bincount(codes), np.bincount(whole) / len(whole)
    return float((sizes * (sizes - 1.0)).sum() / 2 * (shares**2).sum())
