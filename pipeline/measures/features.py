"""How the values of one column become raw features, the coordinates of a row before principal components."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipeline.arrow.arrays import Array, numbers
from pipeline.statistics.frequencies import Frequencies
from pipeline.statistics.quantiles import Quantiles

Floats = NDArray[np.float64]

LEAST_VARIANCE = 0.1  # a nearly constant column is not blown up to the weight of a number
RAREST = 0.02  # share of a label that is a trait


class Features(ABC):
    """Raw features of a column, of about unit variance in all."""

    width: int
    """Number of features."""

    @abstractmethod
    def of(self, array: Array) -> Floats:
        """Features of each row, [rows, width]; NaN is the place of a null, which counts as 0."""

    def traits(self, most: int) -> Sequence[int]:  # noqa: ARG002
        """Places of the features, at most `most`, whose correlations with other columns' are looked at."""
        return ()


class NormalScores(Features):
    """Numbers by their normal scores Φ⁻¹(F(x)): no unit, no heavy tail. A second feature says null, where nulls are.

    Args:
        quantiles: F; None where there is no value.
        rate: Share of nulls.
    """

    def __init__(self, quantiles: Quantiles | None, rate: float) -> None:
        self.null_weight = _weight(np.array([rate, 1 - rate])) if 0 < rate < 1 else 0.0
        self.width = 2 if self.null_weight else 1
        self.knots = self.scores = np.zeros(1)
        if quantiles is not None:
            weights = quantiles.weights
            middle = (np.cumsum(weights) - weights / 2) / weights.sum()  # a repeated value has its mid-rank
            self.knots, self.scores = quantiles.values, ndtri(middle)

    def traits(self, most: int) -> Sequence[int]:  # noqa: ARG002
        """The score."""
        return range(1)

    def of(self, array: Array) -> Floats:
        """Score, NaN for null, and null indicator."""
        values = numbers(array)
        scores = np.interp(values, self.knots, self.scores)
        stuck = ~np.isfinite(scores) & ~np.isnan(values)  # knots so close that the slope between them is not finite
        place = np.searchsorted(self.knots, values[stuck], side="right") - 1
        scores[stuck] = self.scores[np.clip(place, 0, None)]
        return np.column_stack([scores, self.null_weight * np.isnan(values)] if self.null_weight else [scores])


class OneHot(Features):
    """The most frequent labels, others and null, scaled so that the column varies as much in total as a number does.

    Args:
        frequencies: The labels.
        rate: Share of nulls.
        most: Most labels with a feature of their own.
    """

    def __init__(self, frequencies: Frequencies, rate: float, most: int) -> None:
        counts = np.array(list(frequencies.counts.values())[:most], np.float64)
        self.frequencies = frequencies
        self.shares = counts / max(1, frequencies.rows) * (1 - rate)
        self.weight = _weight(np.array([*self.shares, max(0.0, 1 - rate - self.shares.sum()), rate]))
        self.width = len(self.shares) + 2

    def traits(self, most: int) -> Sequence[int]:
        """The labels that are frequent, and not nearly all."""
        usual = np.flatnonzero((self.shares >= RAREST) & (self.shares <= 1 - RAREST))
        return range(min(most, len(usual)) if len(usual) and usual[0] == 0 else 0)

    def of(self, array: Array) -> Floats:
        """One-hot of labels, others, null."""
        places = self.frequencies.codes(array, len(self.shares)) % self.width
        return np.asarray(self.weight * np.equal(places[:, None], np.arange(self.width)), np.float64)


def _weight(shares: Floats) -> float:
    """The factor that brings a one-hot's total variance, 1 − Σ share², to 1."""
    return float(1 / np.sqrt(max(1 - (shares**2).sum(), LEAST_VARIANCE)))
