"""Rows as the network reads them during training: with noise on the ranks of their values.

A network that reads exact values can tell a row by a combination that no other row has, and learn the rest of that row
by heart. So encoder and decoder read values with noise, while the likelihood judges the exact ones. To the first order,
noise at the input is a penalty on steep functions of it (Bishop 1995, "Training with noise is equivalent to Tikhonov
regularization"): what is learned of a row holds for its neighbours too.

The noise acts on ranks, so it has one unit for all columns. Its standard deviation follows Silverman's rule (1986, eq.
3.28) for ranks, which are uniform: 1.06 · n^(−1/5) / √12. Values with a symbol of their own stay exact. With noise on
hours and days too, Beijing lost .5 nats on held-out rows (`benchmarks/results/ablations.md`).
"""

import math

import torch

from pipeline.models.heads import HEADS
from pipeline.models.rows import Rows
from pipeline.randomness import torch_seed
from pipeline.training.feed import Feed

SHARE = 0.5
"""The standard deviation of the noise, relative to Silverman's rule."""


def deviation(rows: int) -> float:
    """Standard deviation of the noise for `rows` training rows, in ranks, which lie in [0, 1]."""
    return SHARE * 1.06 * math.pow(rows, -0.2) / math.sqrt(12)


class Blurring:
    """Adds noise to rows.

    Args:
        feed: The training rows, whose ranks count.
        deviation: Standard deviation of the noise, in ranks.
        seed: Fixes the noise.
    """

    def __init__(self, feed: Feed, deviation: float, seed: int) -> None:
        self.deviation = deviation
        self.random = torch.Generator().manual_seed(torch_seed(seed, "blur"))
        layout = feed.layout
        self.blurs = {
            sort: HEADS[sort].blur(layout.of(sort), [feed.tallies[i] for i in places])
            for sort, places in layout.positions.items()
        }

    def read(self, rows: Rows) -> Rows:
        """The same rows with noise. The same cells are known."""
        if not self.deviation:
            return rows
        blurred = {sort: blur(rows.values[sort], self.deviation, self.random) for sort, blur in self.blurs.items()}
        return Rows(blurred, rows.known)
