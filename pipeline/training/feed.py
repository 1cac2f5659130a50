"""Training rows, as a training reads them.

A training needs the number of rows, all rows in random batches again and again, a random sample, and the marginals of
the variables. No other code of the training knows where the rows are kept.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pipeline.models.heads import HEADS
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows


class Feed:
    """Training rows in memory.

    Args:
        layout: The variables of the rows.
        rows: The rows, at least one.
    """

    def __init__(self, layout: Layout, rows: Rows) -> None:
        self.layout, self.rows = layout, rows

    def to(self, device: torch.device) -> "Feed":
        """The same rows on `device`."""
        return Feed(self.layout, self.rows.to(device))

    def batches(self, size: int, random: np.random.Generator) -> Iterator[Rows]:
        """All rows once in a random order, `size` at a time. Rows that do not fill a batch are left out."""
        order = random.permutation(len(self))
        for k in range(max(1, len(self) // size)):
            yield self.rows.take(order[k * size : (k + 1) * size])

    def sample(self, size: int, random: np.random.Generator) -> Iterator[Rows]:
        """At most `size` random rows, in pieces that suit a network without gradients."""
        yield from self.rows.parts(random.permutation(len(self))[:size])

    @cached_property
    def tallies(self) -> tuple[Tensor, ...]:
        """The count of each variable by its head (`Head.tally`), in modelling order."""
        places = zip(self.layout.variables, self.layout.places, strict=True)
        return tuple(HEADS[v.sort].tally(v, self.rows.values[v.sort][:, k]) for v, k in places)

    @property
    def nats(self) -> float:
        """The sum of the marginal entropies of the variables, in nats per row."""
        pairs = zip(self.layout.variables, self.tallies, strict=True)
        return sum(HEADS[variable.sort].nats(tally) for variable, tally in pairs)

    def __len__(self) -> int:
        return len(self.rows)
