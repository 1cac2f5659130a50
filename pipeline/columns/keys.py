"""Composite keys: identifiers that name a row together with other columns, such as an order and a line.

Columns name a row together if no two rows agree in all of them, though chance would let many rows agree. One column
beside the identifier is preferred to two, and one of few values to one of many.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

from pipeline.columns.fanout import joined, numbered, together
from pipeline.personal.mixing import Ints

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


def _agreeing(codes: Ints, others: Sequence[Ints]) -> float:
    """How many pairs of rows that share an identifier would agree in other columns by chance; 0 if any pair does."""
    whole = together(others)
    if len(np.unique(together([codes, whole]))) < len(codes):
        return 0.0
    sizes, shares = np.bincount(codes), np.bincount(whole) / len(whole)
    return float((sizes * (sizes - 1.0)).sum() / 2 * (shares**2).sum())
