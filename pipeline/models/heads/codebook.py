"""The arrangement of the symbols of all discrete variables.

Variables are grouped by similar size, so that one batched softmax serves a group without much padding. Symbols in a
meaningful order share strength through linear splines over their rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pipeline.columns.variables import Discrete, Variable

HATS = 16
"""Number of knots of the linear splines through which ordered symbols share strength."""
_FEW = 16
"""Ordered variables with at most this many symbols learn the symbols one by one."""
_SIZES = (4, 16, 64, 160, 512)


@dataclass(frozen=True)
class Group:
    """Discrete variables, given by their indices, that share one padded softmax of `width` symbols."""

    members: tuple[int, ...]
    width: int
    ordered: bool


@dataclass(frozen=True)
class Codebook:
    """The discrete variables of a layout."""

    variables: tuple[Discrete, ...]

    @classmethod
    def of(cls, variables: Sequence[Variable]) -> "Codebook":
        """The codebook of the `Discrete` variables among `variables`."""
        return cls(tuple(variable for variable in variables if isinstance(variable, Discrete)))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of symbols of each variable."""
        return tuple(variable.size for variable in self.variables)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Row of each variable's symbol 0 in a table of all symbols."""
        return tuple(sum(self.sizes[:k]) for k in range(len(self.sizes)))

    @cached_property
    def ordered(self) -> tuple[int, ...]:
        """Indices of variables with many symbols in a meaningful order."""
        return tuple(k for k, variable in enumerate(self.variables) if variable.ordered and variable.size > _FEW)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Groups of variables of similar size. Ordered variables have groups of their own."""
        members: dict[tuple[int, bool], list[int]] = {}
        for k, size in enumerate(self.sizes):
            bound = next((bound for bound in _SIZES if size <= bound), size)
            members.setdefault((bound, k in self.ordered), []).append(k)
        return tuple(
            Group(tuple(ks), max(self.sizes[k] for k in ks), ordered=ordered)
            for (_, ordered), ks in sorted(members.items())
        )

    @cached_property
    def place(self) -> dict[int, tuple[int, int]]:
        """The group of each variable, and its row in the group."""
        return {k: (g, row) for g, group in enumerate(self.groups) for row, k in enumerate(group.members)}


def hat_basis(size: int, width: int) -> Tensor:
    """Linear splines over the rank of symbols 1 … size − 1, [width, HATS]; 0 for symbol 0 and from `size` on."""
    rank = torch.linspace(0, HATS - 1, max(size - 1, 1)).unsqueeze(1)
    basis = torch.zeros(width, HATS)
    basis[1:size] = (1 - (rank - torch.arange(HATS)).abs()).clamp(min=0)[: size - 1]
    return basis
