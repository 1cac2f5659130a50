"""Rows with gaps: some cells are hidden from the encoder.

A model that knows only some cells of a row must find a z that suits these: q(z | known cells). So every `EVERY`-th step
trains on rows with gaps. It hides another share of cells in each row, and maximises the ELBO of the known cells
(partial VAE: Ma et al. 2019, arXiv 1809.11142). A hidden cell is not a null, which is a value. A hidden cell adds
nothing to the sums in encoder and decoder, and no likelihood counts it.
"""

import torch
from torch import Tensor

from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.randomness import torch_seed

EVERY = 16
"""One step in this many uses rows with gaps."""


class Gaps:
    """Hides cells at random.

    Args:
        layout: The variables of the rows.
        seed: Fixes which cells are hidden.
    """

    def __init__(self, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.random = torch.Generator().manual_seed(torch_seed(seed, "gaps"))

    def hide(self, rows: Rows) -> Rows:
        """The same rows with random gaps. The share of hidden cells of each row is uniform in [0, 1]."""
        known = self._known(len(rows))
        return rows.knowing(known.to(rows.device))

    def _known(self, rows: int) -> Tensor:
        """1 or 0 for each cell, [rows, variables]. A refining variable is known if the one before it is."""
        shares = torch.rand(rows, 1, generator=self.random)
        known = (torch.rand(rows, len(self.layout), generator=self.random) >= shares).float()
        for i in self.layout.refining:
            known[:, i] = known[:, i - 1]
        return known
