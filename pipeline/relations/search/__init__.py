"""The search for relations.

Finders look at a sample of the rows and propose relations. A proposal is taken if it holds in every row.

Texts that are dates become dates, which all other finders see. Columns that follow from others come next: equal columns
and units, sums, products, times, labels. All of these finders see every column, so that a total may be the target of
one relation and the source of another; a `Chain` keeps the order in which columns are computed. Then, one sort after
the other, the columns that are left are looked at for what rewrites them or has rows drawn again: flags, absences,
orders, and labels that never occur together.

A finder proposes only what chance does not explain. Under the hypothesis that the target is dealt out to the rows at
random, the probability that all rows fulfil the relation must be below `CHANCE`, divided by the number of combinations
of columns that were tried (Bonferroni). So a table with independent columns gets a false relation of one sort with a
probability below `CHANCE`.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial

import pyarrow as pa

from pipeline.progress import Progress, part, silent, ticked
from pipeline.relations import Relations
from pipeline.relations.base import Following, Relation
from pipeline.relations.declared import Declared
from pipeline.relations.lookups import Agreement, Lookup
from pipeline.relations.orders import Later, Least
from pipeline.relations.pairs import Never
from pipeline.relations.rules import Rule, check
from pipeline.relations.search.absent import absences, noughts
from pipeline.relations.search.bands import bands
from pipeline.relations.search.chain import Chain
from pipeline.relations.search.extremes import extremes
from pipeline.relations.search.labels import duplicates, exclusives, lookups, pair_lookups
from pipeline.relations.search.numbers import proven
from pipeline.relations.search.orders import checks, orders
from pipeline.relations.search.products import products, ratios, triples
from pipeline.relations.search.rates import absolutes, clipped, multiples, scaled
from pipeline.relations.search.sample import Extract
from pipeline.relations.search.sums import counts, means, sums
from pipeline.relations.search.texts import composed
from pipeline.relations.search.times import elapsed, parts, seasons
from pipeline.relations.search.written import dates
from pipeline.relations.search.zeros import zeros
from pipeline.relations.seasons import Season
from pipeline.relations.units import Unit
from pipeline.schema import Schema
from pipeline.settings import RelationSettings

__all__ = ["declared_rules", "find"]

Finder = Callable[[Extract], Iterator[Relation]]
COPIES: tuple[Callable[[Extract], Iterator[Following]], ...] = (duplicates, multiples)
"""Finders of columns that say what others say. Later finders do not see them, but for those of `SEE_COPIES`."""
COMPUTED: tuple[Callable[[Extract], Iterator[Following]], ...] = (
    *(composed, parts, seasons, clipped, absolutes, sums, counts, scaled, means, elapsed, products, triples, ratios),
    *(extremes, bands, lookups, pair_lookups),
)
"""Finders of columns that follow from others. Of two that compute a column, the earlier one does."""
SEE_COPIES = (scaled, parts, seasons)
"""Finders that see copies too. Rounded numbers and local parts of times may follow from one of two copies only."""
LEFT: tuple[Finder, ...] = (exclusives, orders, absences, noughts, zeros)
"""Finders of what holds between columns that do not follow from others. What the first ones have rewritten, the later
ones do not see."""


def find(
    table: pa.Table,
    schema: Schema,
    settings: RelationSettings | None = None,
    every: pa.Table | None = None,
    progress: Progress = silent,
) -> Relations:
    """Find the relations that hold in every row of a table.

    Args:
        table: The rows, from which relations are learned.
        schema: Their schema.
        settings: Whether to look, declared rules, and relations that are not kept.
        every: All rows there are, none of which breaks a relation. `table` by default.
        progress: Called after every finder.

    Raises:
        SettingsError: A declared rule cannot be read, or rows break it.
    """
    settings, every = settings or RelationSettings(), table if every is None else every
    rules = declared_rules(table, settings)
    declared = [Declared.of(rule, table.num_rows) for rule in rules]
    if settings.find:
        read = [own for own in dates(table, schema) if own.text not in settings.off and not own.broken(every).any()]
        relations = Relations(schema, [*declared, *read])
        sample = Extract(relations.free(table), relations.free_schema)
        wanted = partial(_wanted, settings.off)
        computed = _computed(sample, relations.free(every), wanted, part(progress, 0, 0.7))
        relations = Relations(schema, [*relations, *computed])
        return Relations(schema, [*relations, *_left(relations, table, every, settings.off, part(progress, 0.7, 1))])
    # what a rule calls equal is computed: rows drawn again would hardly ever be equal
    equal = [set(rule.columns) for rule in rules if "==" in rule.words]
    others = [name for name in schema.names if not any(name in names for names in equal)]

    def told(relation: Relation) -> bool:
        return any({relation.target, *relation.sources} <= names for names in equal)

    return Relations(schema, [*declared, *_computed(Extract(table, schema).without(others), every, told)])


def declared_rules(table: pa.Table, settings: RelationSettings) -> list[Rule]:
    """The declared rules, which every row of a table keeps.

    Raises:
        SettingsError: A rule cannot be read, or rows break it.
    """
    rules = [Rule.parse(text, table.schema) for text in settings.rules]
    check(rules, table)
    return rules


def _wanted(off: Collection[str], relation: Relation) -> bool:
    """Whether the settings do not switch a relation off."""
    return relation.text not in off


def _computed(
    sample: Extract, every: pa.Table, wanted: Callable[[Relation], bool], progress: Progress = silent
) -> list[Relation]:
    """Columns that follow from others, each before those that it follows from, and what has to be checked of them."""

    def holds(relation: Relation) -> bool:
        return wanted(relation) and not relation.broken(sample.whole).any() and not relation.broken(every).any()

    chain, view, spare = Chain(holds, sample.scales), sample, list[Lookup]()
    for finder in COPIES:
        for relation in finder(view):
            if proven(sample, relation):
                chain.takes(relation)
        view = sample.without(chain.bound)
    for finder in ticked(COMPUTED, "relations", progress):
        for relation in finder(sample if finder in SEE_COPIES else view):
            if proven(sample, relation) and not chain.takes(relation) and isinstance(relation, Lookup):
                spare.append(relation)
    checked: list[Relation] = [Agreement.of(each) for each in spare if not chain.implies(each) and holds(each)]
    ordered = [own for own in checks(view, chain) if holds(own)]
    checked += sorted(ordered, key=lambda own: isinstance(own, Later))  # which rewrites what the others look at
    nearest = [own.nearest(sample.whole) for own in chain.order]
    return [own.model_copy(update={"support": _support(own, sample.whole)}) for own in (*checked, *nearest)]


def _left(
    relations: Relations, table: pa.Table, every: pa.Table, off: Collection[str], progress: Progress
) -> list[Relation]:
    """What holds between columns that do not follow from others."""
    found: list[Relation] = []
    free, rows, left = relations.free(table), relations.free(every), relations.free_schema
    scales: dict[str, Unit | None] = {}
    for finder in ticked(LEFT, "relations", progress):
        touched: set[str] = set()
        before, group, aside = (free, rows), list[Relation](), list[Relation]()
        sample = Extract(free, left, scales)
        for proposed in finder(sample.without(relations.rewritten) if finder is orders else sample):
            relation = proposed.without(rows) if isinstance(proposed, Never) else proposed
            if relation is None or relation.text in off or any(relation.broken(own).any() for own in before):
                continue
            if touched.isdisjoint((relation.target, *relation.sources)):
                touched.update(_rewritten(relation, left))
                group.append(relation.model_copy(update={"support": _support(relation, free)}))
                free, rows, left = relation.free(free), relation.free(rows), relation.freed(left)
            elif isinstance(relation, Later | Least):  # a column takes one difference, and other orders are checked
                aside.append(Least.of(relation))
        found += [*aside, *group]
        for name in touched:
            scales.pop(name, None)
    return found


def _support(relation: Relation, table: pa.Table) -> int:
    """Number of rows that show a relation."""
    counted = isinstance(relation, Lookup | Agreement | Season)
    return relation.support if counted else table.num_rows - table[relation.target].null_count


def _rewritten(relation: Relation, schema: Schema) -> set[str]:
    """The columns that a relation changes or removes."""
    after = relation.freed(schema)
    return {relation.target} | ({*schema.names} - {*after.names}) if after is not schema else set()
