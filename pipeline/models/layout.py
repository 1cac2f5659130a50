"""Where each column's variables stand in the tensors.

The network knows no columns. It sees one sequence of variables, discrete ones as symbol numbers in `codes`
[rows, D] and real ones as floats in `reals` [rows, R]. A `Layout` maps that sequence to the two tensors, and
groups the discrete variables by size, so that one kernel serves a whole group without much padding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.columns.base import Discrete, Real, Variable

_FEW = 16
"""Ordered variables of so few symbols learn them one by one."""
_SIZES = (4, 16, 64, 160, 512)


@dataclass(frozen=True)
class Layout:
    """The variables of a table in modelling order."""

    variables: tuple[Variable, ...]

    @cached_property
    def discrete(self) -> tuple[int, ...]:
        """Positions of the discrete variables in the sequence, in the order of the columns of `codes`."""
        return tuple(i for i, variable in enumerate(self.variables) if isinstance(variable, Discrete))

    @cached_property
    def real(self) -> tuple[int, ...]:
        """Positions of the real variables in the sequence, in the order of the columns of `reals`."""
        return tuple(i for i, variable in enumerate(self.variables) if isinstance(variable, Real))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Column of `codes` or of `reals` in which each variable of the sequence stands."""
        columns = {i: k for positions in (self.discrete, self.real) for k, i in enumerate(positions)}
        return tuple(columns[i] for i in range(len(self.variables)))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of symbols of each discrete variable."""
        return tuple(variable.size for variable in self.variables if isinstance(variable, Discrete))

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Row of each discrete variable's symbol 0 in a table of all symbols."""
        total, offsets = 0, []
        for size in self.sizes:
            offsets.append(total)
            total += size
        return tuple(offsets)

    @cached_property
    def ordered(self) -> tuple[int, ...]:
        """Discrete variables of many symbols in a meaningful order, as columns of `codes`."""
        found = enumerate(self.variables[i] for i in self.discrete)
        return tuple(k for k, v in found if isinstance(v, Discrete) and v.ordered and v.size > _FEW)

    @cached_property
    def groups(self) -> tuple["Group", ...]:
        """Discrete variables of similar size together, those in order apart from the others."""
        members: dict[tuple[int, bool], list[int]] = {}
        for k, size in enumerate(self.sizes):
            bound = next((bound for bound in _SIZES if size <= bound), size)
            members.setdefault((bound, k in self.ordered), []).append(k)
        return tuple(
            Group(tuple(ks), max(self.sizes[k] for k in ks), ordered=ordered)
            for (_, ordered), ks in sorted(members.items())
        )

    @cached_property
    def slots(self) -> tuple[int, ...]:
        """Where each variable's state stands among all states: groups one after the other, then the real ones."""
        order = [self.discrete[k] for group in self.groups for k in group.members] + list(self.real)
        slots = [0] * len(order)
        for slot, position in enumerate(order):
            slots[position] = slot
        return tuple(slots)

    def __len__(self) -> int:
        return len(self.variables)


@dataclass(frozen=True)
class Group:
    """Discrete variables, as columns of `codes`, that share one padded softmax of `width` symbols."""

    members: Sequence[int]
    width: int
    ordered: bool
