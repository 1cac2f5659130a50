"""Arithmetic with groups of rows: `income = '>50K' & sex = 'Female' - sex = 'Female' + sex = 'Male'`.

A group is a condition on columns, in the language of rules (`pipeline.relations.rules`), and stands for the mean of
E[z|x] of its rows. Means are added and subtracted (Mikolov et al. 2013, arXiv 1301.3781, for words; Radford et al.
2015, arXiv 1511.06434, for pictures), and the sum is decoded to rows. In a condition, `=` may stand for `==`, `&` for
`and`, `|` for `or`, and `−` for `-`. A sum or difference in a condition stands in brackets: `(end - start) > 3 days`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.arrays import combined
from pipeline.arrow.labels import counted, labels
from pipeline.errors import SettingsError
from pipeline.fitted import Fitted
from pipeline.queries.generation import decoded
from pipeline.queries.latent import posterior
from pipeline.records import Record
from pipeline.relations.rules import Rule
from pipeline.relations.rules.syntax import Refused, Word, quoted, words
from pipeline.schema import Schema

ROWS = 200
"""Decoded rows."""
SHORT = re.compile(r"(?P<kept>`[^`]*`|'[^']*'|\"[^\"]*\")|&+|\|+|−|(?<![<>=!])=(?!=)")
"""Signs that the language of rules does not have. What is in quotes or backticks is kept."""
LONG = {"&": " and ", "|": " or ", "−": "-", "=": "=="}
OPEN, CLOSED = {"(", "["}, {")", "]"}
BEFORE_SIGN = {*OPEN, "+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", ",", "and", "or", "not", "in", "is"}
"""Words after which a sign belongs to a number, and joins no groups."""


class RowGroup(Record):
    """A group of an expression.

    Attributes:
        text: Its condition, in the language of rules.
        sign: Whether its mean is added (1) or subtracted (−1).
        rows: Number of its rows.
    """

    text: str
    sign: int
    rows: int


class Typical(Record):
    """What is typical of a column in some rows, as a text.

    Attributes:
        value: The most frequent label, or the median of numbers and times. None if all rows are null.
        share: The share of the rows that have the label. None for numbers and times.
    """

    value: str | None
    share: float | None = None


class Composition(Record):
    """A column in every group and in the decoded rows.

    Attributes:
        name: The column.
        groups: What is typical of it in each group.
        decoded: The same in the decoded rows.
        distance: Distance of its distribution in the decoded rows from that in the first group, from 0 to 1.
    """

    name: str
    groups: tuple[Typical, ...]
    decoded: Typical
    distance: float


class Arithmetic(NamedTuple):
    """The result of an expression.

    Attributes:
        groups: The groups, in order.
        members: The rows of each group.
        z: The point, [latent].
        rows: The point decoded with `ROWS` different noises.
    """

    groups: tuple[RowGroup, ...]
    members: tuple[pa.Table, ...]
    z: NDArray[np.float32]
    rows: pa.Table

    def compositions(self, schema: Schema) -> tuple[Composition, ...]:
        """Every comparable column, those that differ most from the first group first."""
        found = []
        for column in schema:
            measure = columns.measure(column.kind)
            if measure is None:
                continue
            sides = [each[column.name] for each in (*self.members, self.rows)]
            first, after = measure.views([sides[0], sides[-1]])
            *groups, last = (_typical(side, ordered=measure.orders) for side in sides)
            distance = measure.error(first, after)
            found.append(Composition(name=column.name, groups=tuple(groups), decoded=last, distance=distance))
        return tuple(sorted(found, key=lambda each: -each.distance))


def arithmetic(model: Fitted, table: pa.Table, text: str, *, seed: int = 0) -> Arithmetic:
    """Add and subtract the means of groups of rows, and decode the result.

    Args:
        model: The model.
        table: A table of the schema, whose rows make up the groups.
        text: The expression; see above.
        seed: Fixes the noises.

    Raises:
        SettingsError: The text is no such expression, or a group has no rows.
        TableError: The model has no network.
    """
    z = np.zeros(model.network.shape.latent)
    groups, members = [], []
    for sign, condition in terms(text):
        mine = table.filter(pa.array(Rule.parse(condition, table.schema).met(table)))
        if not mine.num_rows:
            raise SettingsError(f"{quoted(condition)}: expected a group with rows, got none that meet it")
        groups.append(RowGroup(text=condition, sign=sign, rows=mine.num_rows))
        members.append(mine)
        z += sign * posterior(model, mine).mean.mean(0, dtype=np.float64)
    point = z.astype(np.float32)
    rows = decoded(model, np.repeat(point[None], ROWS, axis=0), seed=seed)
    return Arithmetic(tuple(groups), tuple(members), point, rows)


def terms(text: str) -> list[tuple[int, str]]:
    """The conditions of an expression with their signs, 1 or −1.

    Raises:
        SettingsError: The text is empty or too long, or something in it is no word of a rule; or a group is missing.

    Example:
        >>> from pipeline.queries.arithmetic import terms
        >>> terms("age > 40 & (end - start) > 3 − sex = 'F'")
        [(1, 'age > 40 and ( end - start ) > 3'), (-1, "sex == 'F'")]
    """
    try:
        found = words(SHORT.sub(_long, text))
    except Refused as refused:
        raise SettingsError(f"{quoted(text)}: {refused}") from None
    signs, groups, depth = [1], [list[Word]()], 0
    for word in found:
        depth += (word.python in OPEN) - (word.python in CLOSED)
        if depth == 0 and word.python in {"+", "-"} and groups[-1] and groups[-1][-1].python not in BEFORE_SIGN:
            signs.append(1 if word.python == "+" else -1)
            groups.append([])
        else:
            groups[-1].append(word)
    if not all(groups):
        raise SettingsError(f"{quoted(text)}: expected a condition on each side of + and -, got none")
    return [(sign, " ".join(word.written for word in group)) for sign, group in zip(signs, groups, strict=True)]


def _long(match: re.Match[str]) -> str:
    """What stands in the language of rules for a sign."""
    return match[0] if match["kept"] else LONG[match[0][0]]


def _typical(values: pa.ChunkedArray, *, ordered: bool) -> Typical:
    """What is typical of the values of a column."""
    present = combined(values).drop_null()
    if not len(present):
        return Typical(value=None)
    if ordered:
        middle = present.take(pc.array_sort_indices(present)).slice((len(present) - 1) // 2, 1)
        return Typical(value=_texts(middle)[0])
    texts, counts = counted(values)
    most = int(np.argmax(counts))
    return Typical(value=texts[most].as_py(), share=float(counts[most]) / len(values))


def _texts(values: pa.Array) -> Sequence[str]:
    return list(labels(values).dictionary_decode().to_pylist())
