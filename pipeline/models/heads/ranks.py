"""The ranks of symbols in order, and noise on them.

A symbol stands for an interval of ranks in [0, 1], as long as its share of the training rows. Noise moves a symbol from
the middle of its interval to the interval in which it then is. So a symbol that many rows share stays what it is, and
one of many rare symbols becomes a neighbour.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.columns.variables import Discrete

_BEYOND = 2.0
"""A rank that no symbol reaches."""


class Ranks:
    """The ranks of discrete variables. Those without an order have none.

    Args:
        variables: The variables, at least one.
        tallies: The count of every symbol of each variable in the training rows.
    """

    def __init__(self, variables: Sequence[Discrete], tallies: Sequence[Tensor]) -> None:
        self.ordered = torch.tensor([variable.ordered for variable in variables], device=tallies[0].device).unsqueeze(1)
        size = max(map(len, tallies))
        self.upper = torch.full((len(variables), size), _BEYOND, device=tallies[0].device)
        self.middle = torch.zeros_like(self.upper)
        for k, tally in enumerate(tallies):
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
        after = torch.searchsorted(self.upper, place).clamp(min=1)
        return torch.where(self.ordered & (before > 0), after, before).T
