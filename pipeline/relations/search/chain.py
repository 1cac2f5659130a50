"""The order in which columns are computed.

Each column follows from others in at most one way, and never from itself, through however many steps. A relation that
finds its target taken is not lost if a sum can be turned: of `total = paid + due` and `total = quantity × price`, the
sum is kept as `due = total − paid`. What neither computes its column nor is *implied* by what does has to be checked.
"""

from collections.abc import Callable, Iterable, Mapping

from pipeline.relations.base import Following
from pipeline.relations.sums import Sum
from pipeline.relations.texts import Composed
from pipeline.relations.units import Unit

Holds = Callable[[Following], bool]


class Chain:
    """Columns that follow from others.

    Args:
        holds: Whether a relation holds in every row.
        scales: The scales of columns of numbers and times.
    """

    def __init__(self, holds: Holds, scales: Mapping[str, Unit | None]) -> None:
        self.holds, self.scales, self.bound = holds, scales, dict[str, Following]()

    def takes(self, relation: Following) -> bool:
        """Add a relation that holds, if its target can be computed by it, or by another one that says the same."""
        if self._fits(self.bound, relation):
            self.bound[relation.target] = relation
            return True
        return self._turned(relation) if isinstance(relation, Sum) and relation.turns else self._displaces(relation)

    def implies(self, relation: Following) -> bool:
        """Whether a relation holds because others do.

        Its target follows from its sources, both follow from one column, or a source is a text that is written from
        the target.
        """
        written = [self.bound.get(name) for name in relation.sources]
        if any(isinstance(own, Composed) and relation.target in own.sources for own in written):
            return True
        known = set(relation.sources)
        while more := {name for name, own in self.bound.items() if known.issuperset(own.sources)} - known:
            known |= more
        origin = self._roots((relation.target,))
        return relation.target in known or (len(origin) == 1 and origin == self._roots(relation.sources))

    @property
    def order(self) -> list[Following]:
        """The relations, so that each comes before those that compute its sources."""
        left, found = dict(self.bound), list[Following]()
        while left:
            used = {name for own in left.values() for name in own.sources}
            free = [name for name in left if name not in used]
            found += [left.pop(name) for name in free]
        return found

    def _turned(self, relation: Sum) -> bool:
        """Add a sum whose total is computed in another way: a part follows from the total and the other parts."""
        for turned in relation.turns:
            if self._fits(self.bound, turned):
                self.bound[turned.target] = turned
                return True
        return False

    def _displaces(self, relation: Following) -> bool:
        """Add a relation that a sum is in the way of, if the sum can be turned."""
        ways = {relation.target, *ancestors(self.bound, relation.sources)}
        for name, total in self.bound.items():
            if not isinstance(total, Sum) or name not in ways or not total.turns:
                continue
            others = {each: own for each, own in self.bound.items() if each != name}
            if not self._fits(others, relation):
                continue
            others[relation.target] = relation
            for turned in total.turns:
                if self._fits(others, turned):
                    self.bound = {**others, turned.target: turned}
                    return True
        return False

    def _fits(self, bound: Mapping[str, Following], relation: Following) -> bool:
        """Whether a relation holds, and its column is not computed yet and does not follow from itself."""
        if relation.target in bound or relation.target in ancestors(bound, relation.sources):
            return False
        if isinstance(relation, Sum) and len(relation.sources) > 1 and relation.whole and self._coarser(relation):
            return False  # a whole number is no sum of cents
        return self.holds(relation)

    def _coarser(self, relation: Sum) -> bool:
        return self.scales.get(relation.target) != relation.scale

    def _roots(self, names: Iterable[str]) -> frozenset[str]:
        """The columns that are not computed, from which these follow."""
        return frozenset(name for name in ancestors(self.bound, names) if name not in self.bound)


def ancestors(bound: Mapping[str, Following], names: Iterable[str]) -> set[str]:
    """These columns, and all from which they are computed."""
    found, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += bound[name].sources if name in bound else ()
    return found
