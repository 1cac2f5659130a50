"""Relations between the columns of a table: what holds in every real row holds in every generated row.

`find` looks for relations in a table (`pipeline.relations.search`). `Relations` rewrites tables into free columns and
back, one relation after the other.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from pipeline import columns
from pipeline.checks import expect
from pipeline.errors import DamagedError
from pipeline.records import Record
from pipeline.relations.absences import Absent
from pipeline.relations.bands import Band
from pipeline.relations.base import Following, Relation
from pipeline.relations.declared import Declared
from pipeline.relations.extremes import Extreme
from pipeline.relations.groups import Exclusive
from pipeline.relations.lookups import Agreement, Lookup
from pipeline.relations.orders import Later, Least, Positive
from pipeline.relations.pairs import Never
from pipeline.relations.products import Product
from pipeline.relations.seasons import Season
from pipeline.relations.sums import Same, Sum
from pipeline.relations.texts import Composed
from pipeline.relations.times import DatePart, Elapsed, Since
from pipeline.relations.written import Written
from pipeline.schema import Schema

__all__ = ["KINDS", "Kept", "Relation", "Relations"]

Computed = Same | Sum | Product | Extreme | Composed | Elapsed | Since | DatePart | Season | Band | Lookup
Rewritten = Written | Later | Exclusive | Absent
Checked = Declared | Agreement | Least | Positive | Never
AnyRelation = Annotated[Computed | Rewritten | Checked, Field(discriminator="kind")]
KINDS: TypeAdapter[tuple[Relation, ...]] = TypeAdapter(tuple[AnyRelation, ...])
"""Relations in JSON."""


class Kept(Record):
    """A relation that every generated row keeps, and the number of rows that show it."""

    text: str
    rows: int


class Relations:
    """The relations of a table, in the order in which they rewrite it.

    Args:
        schema: The schema of the table.
        found: The relations. Each sees the table as those before it have left it.
    """

    def __init__(self, schema: Schema, found: Sequence[Relation] = ()) -> None:
        self.schema, self.found = schema, tuple(found)

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """The schema of the table, and those that each relation leaves."""
        schemas = [self.schema]
        for relation in self.found:
            schemas.append(relation.freed(schemas[-1]))
        return tuple(schemas)

    @property
    def free_schema(self) -> Schema:
        """The schema of the free table."""
        return self.schemas[-1]

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The relations as records for people."""
        return tuple(Kept(text=relation.text, rows=relation.support) for relation in self.found)

    def free(self, table: pa.Table) -> pa.Table:
        """The free columns of a table of the schema."""
        for relation in self.found:
            table = relation.free(table)
        return table.select(self.free_schema.names).cast(self.free_schema.arrow) if self.found else table

    def bind(self, table: pa.Table) -> pa.Table:
        """The inverse of `free`."""
        for relation, schema in zip(reversed(self.found), reversed(self.schemas[:-1]), strict=True):
            table = relation.bind(table, schema)
        return table.cast(self.schema.arrow) if self.found else table

    def settled(self, table: pa.Table) -> pa.Table:
        """A bound table whose made-up values have changed, with what follows from them computed again."""
        changed = {column.name for column in self.schema if not columns.is_modelled(column.kind)}
        for relation in reversed(self.found):
            if isinstance(relation, Following) and not changed.isdisjoint(relation.sources):
                table = relation.bind(table, self.schema)
        return table

    def strange(self, table: pa.Table) -> dict[str, int]:
        """Number of unknown labels of each column that follows from labels and has such labels in the table."""
        found = {}
        for relation in self.found:
            measure = columns.measure(self.schema[relation.target].kind)
            named = measure is not None and measure.labels
            if isinstance(relation, Lookup) and named and (count := relation.strange(table)):
                found[relation.target] = count
            table = relation.free(table)
        return found

    def extended(self, table: pa.Table) -> "Relations":
        """The same relations for further rows, none of which breaks one."""
        found = []
        for relation in self.found:
            found.append(relation.extended(table))
            table = relation.free(table)
        return Relations(self.schema, found)

    def broken(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of a table of the schema break each relation, [relations, rows]."""
        lost = np.zeros((len(self.found), table.num_rows), dtype=bool)
        for i, relation in enumerate(self.found):
            lost[i] = relation.broken(table)
            table = relation.free(table)
        return lost

    def lost(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of a bound table break a relation that binding does not make true, [rows]."""
        lost = np.zeros(table.num_rows, dtype=bool)
        last = max((i for i, relation in enumerate(self.found) if not relation.binds), default=-1)
        for relation in self.found[: last + 1]:
            if not relation.binds:
                lost |= relation.lost(table)
            table = relation.free(table)
        return lost

    @cached_property
    def rewritten(self) -> frozenset[str]:
        """Columns that are not in the free table as they are in the table."""
        steps = zip(self.found, self.schemas, self.schemas[1:], strict=False)
        changed = {relation.target for relation, before, after in steps if after is not before}
        return frozenset(changed | {name for name in self.schema.names if name not in self.free_schema.names})

    def shown(self, table: pa.Table) -> "Relations":
        """The same relations without values that a free table of values that may be shown does not hold."""
        found = list(self.found)
        for i in reversed(range(len(found))):
            table = found[i].bind(table, self.schemas[i])
            found[i] = found[i].shown(table)
        return Relations(self.schema, found)

    @classmethod
    def load(cls, schema: Schema, states: Sequence[object]) -> Self:
        """Read relations from their JSON.

        Raises:
            DamagedError: They are no relations of columns of the schema.
        """
        try:
            found = KINDS.validate_python(states)
        except ValidationError as error:
            raise DamagedError(f"expected relations, got others ({error.error_count()} problems)") from None
        left = schema
        for relation in found:
            expect({relation.target, *relation.sources} <= set(left.names), "relations of columns of the table")
            left = relation.freed(left)
        return cls(schema, found)

    def __iter__(self) -> Iterator[Relation]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)
