"""Rules over columns, which a user declares: `gross == net + tax`, `end >= start`, `age >= 18 or guardian is not null`.

A rule is read like a CHECK constraint of SQL: with null, a comparison is unknown, and a row holds unless its rule is
false. NaN counts as null, and a quotient by zero is unknown.

The language: `and`, `or`, `not`, comparisons (`==`, `!=`, `<`, `<=`, `>`, `>=`, also chained), `in` and `not in` with a
list of literals, `is null`, `is not null`, `+`, `-`, `*`, `/`, names of columns (in backticks where they are no plain
names or are words of the language), numbers, texts in either quotes, `true`, `false`, and durations (`30 days`,
`1.5 hours`). Words may be in capitals. A quote inside quotes is written twice. Nothing else is read, and nothing of a
rule is ever run as code.

Texts such as '2024-01-31' and '2024-01-31T10:00' are dates beside dates and timestamps. A date is its midnight. Beside
a timestamp with a zone they are local times of that zone, unless they have an offset. Two dates or times differ by a
duration, and a date plus a duration is a date or timestamp; a day is 24 hours.

**When numbers are equal.** Integers, decimals, dates, and columns of floats with at most nine decimal places are
compared exactly, as whole units of their last decimal place, so `0.1 + 0.2 == 0.3` holds. Integers do not overflow.
A side with a product or quotient is rounded first, if the other side has a column and fewer decimal places: it equals
what lies at most half a unit of its last place away, so totals may be rounded half up or half to even. For a sum of n
products it is n halves, since each may have been rounded. Other floats are compared with a relative tolerance of 1e-9
of the largest term (==, !=, <=, >=), or plainly (<, >).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.errors import SchemaError, SettingsError
from pipeline.relations.rules.expressions import Compiler, Expression
from pipeline.relations.rules.reading import Sort, read, sort_of
from pipeline.relations.rules.syntax import Refused, quoted, tree, words
from pipeline.relations.rules.values import Truth

__all__ = ["Rule", "check"]


@dataclass(frozen=True)
class Rule:
    """A condition that every row of a table meets. Rules are equal if only blanks between their words differ.

    Attributes:
        text: The rule as written.
        words: The words of the text.
        columns: The columns that the rule names, in this order.
    """

    text: str = field(compare=False)
    words: tuple[str, ...]
    columns: tuple[str, ...] = field(compare=False)
    _sorts: tuple[Sort, ...] = field(compare=False, repr=False)
    _condition: Expression = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, schema: pa.Schema) -> "Rule":
        """A rule for tables of a schema.

        Args:
            text: The rule.
            schema: The columns of the table.

        Raises:
            SettingsError: The text is no rule, it names no column of the table, or types do not fit.
        """
        try:
            found = words(text)
            compiler = Compiler(schema, {word.python: word for word in found})
            condition = compiler.rule(tree(found))
        except Refused as refused:
            raise SettingsError(f"{quoted(text)}: {refused}") from None
        used = compiler.used
        return cls(text, tuple(word.written for word in found), tuple(used), tuple(used.values()), condition)

    def holds(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows do not break the rule, [rows].

        Raises:
            SchemaError: The table lacks a column of the rule, or has one of another type.
        """
        return np.array(np.broadcast_to(~self._truths(table).no, table.num_rows))

    def met(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows meet the condition for sure, [rows]: with a null it may be unknown, and then it is not met.

        Raises:
            SchemaError: The table lacks a column of the rule, or has one of another type.
        """
        return np.array(np.broadcast_to(self._truths(table).yes, table.num_rows))

    def _truths(self, table: pa.Table) -> Truth:
        """Whether each row meets the condition."""
        names = table.schema.names
        for name, sort in zip(self.columns, self._sorts, strict=True):
            if names.count(name) != 1 or sort_of(table.schema.field(name).type) is not sort:
                raise SchemaError(f"{quoted(self.text)}: expected a column {name!r} that holds {sort}, got none")
        with np.errstate(all="ignore"):
            found: Truth = self._condition.of(cache(lambda name: read(table.column(name))))
        return found


def check(rules: Sequence[Rule], table: pa.Table) -> None:
    """Check that all rows of a table meet all rules.

    Raises:
        SettingsError: Rows break a rule. The message names the first such rule, how many rows, and one of them.
        SchemaError: The table lacks a column of a rule, or has one of another type.
    """
    for rule in rules:
        broken = ~rule.holds(table)
        if broken.any():
            count, rows = int(broken.sum()), len(broken)
            share = Decimal(f"{100 * count / rows:.2g}")
            raise SettingsError(
                f"{quoted(rule.text)}: expected every row to meet it, got {count:,} of {rows:,} rows ({share:f} %) "
                f"that break it, such as row {int(broken.argmax())} (counted from 0)"
            )
