"""Where each column's variables lie in the tensors.

The network knows no columns. It sees one sequence of variables, in *modelling order*. Their values lie in one tensor
per sort (`pipeline.models.rows`). Their own states lie in one tensor of *slots*: sort after sort, and within a sort in
the order that its head requires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.columns.variables import Variable
from pipeline.models.heads import HEADS


@dataclass(frozen=True)
class Layout:
    """The variables of a table in modelling order."""

    variables: tuple[Variable, ...]

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Positions in the sequence of the variables of each sort that occurs."""
        sorts = [variable.sort for variable in self.variables]
        return {sort: tuple(i for i, own in enumerate(sorts) if own == sort) for sort in HEADS if sort in sorts}

    def of(self, sort: str) -> tuple[Variable, ...]:
        """The variables of a sort, in order."""
        return tuple(self.variables[i] for i in self.positions[sort])

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The index of each variable of the sequence among the variables of its sort."""
        found = {i: k for own in self.positions.values() for k, i in enumerate(own)}
        return tuple(found[i] for i in range(len(self)))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The index of each variable of the sequence when the variables are ordered sort after sort."""
        sequence = [i for own in self.positions.values() for i in own]
        return tuple(sequence.index(i) for i in range(len(self)))

    @cached_property
    def spans(self) -> Mapping[str, slice]:
        """The slots of each sort."""
        ends, spans = 0, {}
        for sort, own in self.positions.items():
            spans[sort] = slice(ends, ends + len(own))
            ends += len(own)
        return spans

    @cached_property
    def slots(self) -> tuple[int, ...]:
        """The slot of each variable of the sequence."""
        slots = [0] * len(self)
        for sort, own in self.positions.items():
            for slot, k in enumerate(HEADS[sort].order(self.of(sort)), start=self.spans[sort].start):
                slots[own[k]] = slot
        return tuple(slots)

    @cached_property
    def normals(self) -> tuple[slice, ...]:
        """The standard normals of a row that each variable of the sequence uses when it is drawn."""
        ends, found = 0, []
        for variable in self.variables:
            found.append(slice(ends, ends + variable.normals))
            ends += variable.normals
        return tuple(found)

    @cached_property
    def refining(self) -> tuple[int, ...]:
        """Positions of the variables that apply only to some symbols of the variable before them."""
        return tuple(i for i, variable in enumerate(self.variables) if variable.applies is not None)

    def __len__(self) -> int:
        return len(self.variables)
