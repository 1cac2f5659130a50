"""Noise on the ranks of symbols: how often a symbol is read as another, and which symbols stay."""

import numpy as np
import torch
from scipy import stats

from pipeline.columns.variables import Discrete, Real
from pipeline.models.heads import HEADS

COUNTS = (7, 100, 50, 400, 50, 300, 100)
COARSE = (False, True, True, True, True, False, True)
ROWS = 40_000


def read(symbol: int, deviation: float, variable: Discrete | None = None) -> np.ndarray:
    """Share of the rows with `symbol` that are read as each symbol."""
    own = variable or Discrete(len(COUNTS), ordered=True, coarse=COARSE)
    blur = HEADS["symbols"].blur([own], [torch.tensor(COUNTS, dtype=torch.float32)])
    values = torch.full((ROWS, 1), symbol)
    found = blur(values, deviation, torch.Generator().manual_seed(0))
    assert found.shape == values.shape
    return np.bincount(found[:, 0], minlength=len(COUNTS)) / ROWS


def test_a_symbol_is_read_as_a_neighbour_as_often_as_the_noise_reaches_its_ranks():
    """Shares agree with the normal law over intervals of ranks, reflected at both ends, within 5 standard errors."""
    ends = np.cumsum([0, *COUNTS[1:]]) / sum(COUNTS[1:])
    for symbol in (1, 2, 4):
        law = stats.norm((ends[symbol - 1] + ends[symbol]) / 2, 0.1)
        expected = np.zeros(len(COUNTS))
        for other in range(1, len(COUNTS)):
            low, high = ends[other - 1 : other + 1]
            images = ((low, high), (-high, -low), (2 - high, 2 - low))
            expected[other] = sum(law.cdf(b) - law.cdf(a) for a, b in images)
        stays = [k for k in range(len(COUNTS)) if not COARSE[k]]
        expected[symbol] += expected[stays].sum()
        expected[stays] = 0
        assert np.abs(read(symbol, 0.1) - expected).max() < 5 * 0.5 / np.sqrt(ROWS)


def test_nulls_and_symbols_for_single_values_are_read_as_they_are():
    """So are all symbols of a variable without an order, whatever the noise."""
    assert read(0, 1.0)[0] == read(5, 1.0)[5] == 1
    assert all(read(symbol, 1.0, Discrete(len(COUNTS)))[symbol] == 1 for symbol in range(len(COUNTS)))


def test_noise_on_reals_is_relative_to_a_standard_deviation_of_one():
    """Ranks are uniform, with a standard deviation of 1 / √12, so noise of d ranks is d √12 of the values'."""
    blur = HEADS["reals"].blur([Real(-3.0, 3.0)], [torch.zeros(0)])
    noise = blur(torch.ones(ROWS, 1), 0.05, torch.Generator().manual_seed(0)) - 1
    assert stats.kstest(noise.numpy()[:, 0], stats.norm(0, 0.05 * np.sqrt(12)).cdf).pvalue > 1e-4
