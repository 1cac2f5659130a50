"""Rows in normal form, as the network takes them.

Values lie in one tensor per *sort* of variable, and a cell of a row may be unknown. An unknown cell is not a null. A
null is a value like any other. An unknown cell has a value that is hidden from the network and no likelihood counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PART_ROWS, PART_VALUES = 2048, 2**17
"""Largest number of rows, and of values, that are processed together if no gradient is needed."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows of a table with at least one variable.

    Attributes:
        values: By sort, the values of its variables in order, [rows, variables of the sort, …].
        known: Which cells are known, 1 or 0, [rows, variables] in modelling order. None if all are known.
    """

    values: Mapping[str, Tensor]
    known: Tensor | None = None

    def take(self, index: "NDArray[np.int64] | slice") -> "Rows":
        """The rows at `index`."""
        where = torch.from_numpy(index) if isinstance(index, np.ndarray) else index
        values = {sort: tensor[where] for sort, tensor in self.values.items()}
        return Rows(values, None if self.known is None else self.known[where])

    def parts(self, order: "NDArray[np.int64] | None" = None) -> "Iterator[Rows]":
        """All rows, or those at `order`, in pieces so small that a network without gradients needs little memory."""
        size = self.part_size
        for start in range(0, len(self) if order is None else len(order), size):
            part = slice(start, start + size)
            yield self.take(part if order is None else order[part])

    @property
    def part_size(self) -> int:
        """Rows that a network without gradients looks at together: fewer of many variables."""
        variables = sum(tensor.shape[1] for tensor in self.values.values())
        return min(PART_ROWS, max(PART_ROWS // 8, PART_VALUES // max(1, variables)))

    def to(self, device: torch.device) -> "Rows":
        """The rows on `device`."""
        values = {sort: tensor.to(device) for sort, tensor in self.values.items()}
        return Rows(values, None if self.known is None else self.known.to(device))

    def knowing(self, known: Tensor | None) -> "Rows":
        """The same values, with other cells known, [rows, variables]."""
        return replace(self, known=known)

    @property
    def device(self) -> torch.device:
        """The device of the values."""
        return next(iter(self.values.values())).device

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))
