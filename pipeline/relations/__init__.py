"""Relations between the columns of a table: what holds in every real row holds in every generated row.

`find` looks for relations in a table (`pipeline.relations.search`). `Relations` rewrites tables into free columns and
back, one relation after the other.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from pipeline.relations.absences import Absent
from pipeline.relations.base import Relation
from pipeline.relations.groups import Exclusive
from pipeline.relations.lookups import Lookup
from pipeline.relations.orders import Later, Least
from pipeline.relations.products import Product
from pipeline.relations.sums import Same, Sum
from pipeline.relations.times import Elapsed, Part
from pipeline.schema import Schema

__all__ = ["KINDS", "Relation", "Relations"]

Any = Annotated[
    Same | Sum | Product | Lookup | Elapsed | Part | Later | Least | Exclusive | Absent, Field(discriminator="kind")
]
KINDS: TypeAdapter[tuple[Relation, ...]] = TypeAdapter(tuple[Any, ...])
"""Relations in JSON."""


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

    def broken(self, table: pa.Table) -> NDArray[np.bool_]:
        """Which rows of a table of the schema break a relation, [rows]."""
        lost = np.zeros(table.num_rows, dtype=bool)
        for relation in self.found:
            lost |= relation.broken(table)
            table = relation.free(table)
        return lost

    def shown(self, table: pa.Table) -> "Relations":
        """The same relations without values that a free table of values that may be shown does not hold."""
        found = list(self.found)
        for i in reversed(range(len(found))):
            table = found[i].bind(table, self.schemas[i])
            found[i] = found[i].shown(table)
        return Relations(self.schema, found)

    def __iter__(self) -> Iterator[Relation]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)
