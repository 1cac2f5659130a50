"""The ranks of symbols in order, and steps on them.

A symbol stands for an interval of ranks in [0, 1], as long as its share of the training rows. A step leads from the
middle of this interval to another rank, and to the symbol to which that belongs. Only coarse symbols are moved, and
only to coarse ones. A symbol for a single value, which enough rows share, may be a key or a code.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.columns.variables import Discrete

_BEYOND = 2.0
"""A rank that no symbol reaches."""


class Ranks:
    """The ranks of discrete variables.

    Args:
        variables: The variables, at least one.
        tallies: The count of every symbol of each variable in the training rows.
    """

    def __init__(self, variables: Sequence[Discrete], tallies: Sequence[Tensor]) -> None:
        size = max(map(len, tallies))
        self.coarse = torch.zeros(len(variables), size, dtype=torch.bool, device=tallies[0].device)
        self.upper = torch.full((len(variables), size), _BEYOND, device=tallies[0].device)
        self.middle = torch.zeros_like(self.upper)
        for k, (variable, tally) in enumerate(zip(variables, tallies, strict=True)):
            self.coarse[k, : len(tally)] = torch.tensor(variable.coarse or False)
            shares = tally.clone()
            shares[0] = 0  # null has no rank
            shares /= shares.sum().clamp(min=1)
            ends = shares.cumsum(0)
            self.middle[k, : len(tally)] = ends - shares / 2
            self.upper[k, : len(tally) - 1] = ends[:-1]

    def moved(self, symbols: Tensor, steps: Tensor) -> Tensor:
        """Symbols [rows, variables] whose ranks are moved by `steps`, [variables, rows]. The ends reflect."""
        before = symbols.T
        place = (self.middle.gather(1, before) + steps).abs()
        place = (1 - (1 - place).abs()).contiguous()
        after = torch.searchsorted(self.upper, place)
        return torch.where(self.coarse.gather(1, before) & self.coarse.gather(1, after), after, before).T
