"""The search for relations.

Finders look at a sample of the rows and propose relations, one sort after the other: equal columns and sums, products,
times, labels, flags, absences, orders, and pairs of labels that never occur. A proposal is taken if it holds in every
row. Then the columns that it rewrites are out of the way of further proposals.

A finder proposes only what chance does not explain. Under the hypothesis that the target is dealt out to the rows at
random, the probability that all rows fulfil the relation must be below `CHANCE`, divided by the number of combinations
of columns that were tried (Bonferroni). So a table with independent columns gets a false relation of one sort with a
probability below `CHANCE`.
"""

from collections.abc import Callable, Iterator

import pyarrow as pa

from pipeline.relations import Relations
from pipeline.relations.base import Relation
from pipeline.relations.declared import Declared
from pipeline.relations.lookups import Lookup
from pipeline.relations.rules import Rule, check
from pipeline.relations.search.absent import absences
from pipeline.relations.search.bands import bands
from pipeline.relations.search.labels import duplicates, exclusives, lookups, pair_lookups
from pipeline.relations.search.numbers import multiples, products, ratios, scaled, sums
from pipeline.relations.search.orders import orders
from pipeline.relations.search.sample import Extract
from pipeline.relations.search.times import elapsed, parts
from pipeline.relations.search.zeros import zeros
from pipeline.relations.units import Unit
from pipeline.schema import Schema
from pipeline.settings import RelationSettings

__all__ = ["find"]

Finder = Callable[[Extract], Iterator[Relation]]
FINDERS: tuple[Finder, ...] = (
    *(duplicates, bands, multiples, sums, scaled, elapsed, parts, products, ratios),
    *(lookups, pair_lookups, exclusives, absences, orders, zeros),
)
"""All finders. What the first ones have rewritten, the later ones do not see. So a label that follows from a total is
found before the total itself, which follows from its parts."""


def find(table: pa.Table, schema: Schema, settings: RelationSettings | None = None) -> Relations:
    """Find the relations that hold in every row of a table.

    Args:
        table: The rows.
        schema: Their schema.
        settings: Whether to look, declared rules, and relations that are not kept.

    Raises:
        SettingsError: A declared rule cannot be read, or rows break it.
    """
    settings = settings or RelationSettings()
    rules = [Rule.parse(text, schema.arrow) for text in settings.rules]
    check(rules, table)
    found: list[Relation] = [Declared.of(rule, table.num_rows) for rule in rules]
    free, left = table, schema
    scales: dict[str, Unit | None] = {}
    for finder in FINDERS if settings.find else ():
        touched: set[str] = set()
        for relation in finder(Extract(free, left, scales)):
            apart = touched.isdisjoint((relation.target, *relation.sources))
            if not apart or relation.text in settings.off or relation.broken(free).any():
                continue
            touched.update(_rewritten(relation, left))
            found.append(relation.model_copy(update={"support": _support(relation, free)}))
            free, left = relation.free(free), relation.freed(left)
        for name in touched:
            scales.pop(name, None)
    return Relations(schema, found)


def _support(relation: Relation, table: pa.Table) -> int:
    """Number of rows that show a relation."""
    return relation.support if isinstance(relation, Lookup) else table.num_rows - table[relation.target].null_count


def _rewritten(relation: Relation, schema: Schema) -> set[str]:
    """The columns that a relation changes or removes."""
    after = relation.freed(schema)
    names = (relation.target, *relation.sources)
    return {name for name in names if name not in after.names or after[name] != schema[name]}
