"""Rules that a user declares (`pipeline.relations.rules`): rows that break one are drawn again."""

from typing import ClassVar, Literal

import pyarrow as pa

from pipeline.relations.base import Mask, Relation
from pipeline.relations.rules import Rule


class Declared(Relation):
    """A rule over columns that are modelled as they are. The target is the first column that it names.

    Attributes:
        rule: The rule as written.
    """

    number: ClassVar[int | None] = None
    kind: Literal["declared"] = "declared"
    rule: str

    @classmethod
    def of(cls, rule: Rule, rows: int) -> "Declared":
        """The relation of a rule that so many rows keep."""
        target, *sources = rule.columns
        return cls(target=target, sources=tuple(sources), support=rows, rule=rule.text)

    def _sized(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return self.rule

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        return ~Rule.parse(self.rule, table.schema).holds(table)
