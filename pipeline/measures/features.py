"""How the values of one column become raw features, the coordinates of a row before principal components."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, numbers
from pipeline.statistics.frequencies import Frequencies
from pipeline.statistics.quantiles import Quantiles

Floats = NDArray[np.float64]

LEAST_VARIANCE = 0.1  # limits the scale, so that a nearly constant column does not weigh as much as a number
RAREST = 0.02  # share; rarer labels are not traits


class Features(ABC):
    """Raw features of a column, with a total variance of about one."""

    width: int
    """Number of features."""

    @abstractmethod
    def of(self, array: Array) -> Floats:
        """Features of each row, [rows, width]. NaN marks a null, which counts as 0."""

    def traits(self, most: int) -> Sequence[int]:  # noqa: ARG002
        """Indices of at most `most` features whose correlations with features of other columns are computed."""
        return ()


class NormalScores(Features):
    """Numbers as normal scores Φ⁻¹(F(x)), which have no unit and no heavy tail.

    A second feature says where nulls are, if there are any.

    Args:
        quantiles: The distribution function F. None if there is no value.
        rate: Share of nulls.
    """

    def __init__(self, quantiles: Quantiles | None, rate: float) -> None:
        self.null_weight = _weight(np.array([rate, 1 - rate])) if 0 < rate < 1 else 0.0
        self.width = 2 if self.null_weight else 1
        self.knots = self.scores = np.zeros(1)
        if quantiles is not None:
            weights = quantiles.weights
            middle = (np.cumsum(weights) - weights / 2) / weights.sum()  # mid-ranks, for repeated values
            from scipy.special import ndtri  # noqa: PLC0415 - a fifth of the start of a command

            self.knots, self.scores = quantiles.values, ndtri(middle)

    def traits(self, most: int) -> Sequence[int]:  # noqa: ARG002
        """The score only."""
        return range(1)

    def of(self, array: Array) -> Floats:
        """The score, NaN for null, and the null indicator if there is one."""
        values = numbers(array)
        scores = np.interp(values, self.knots, self.scores)
        stuck = ~np.isfinite(scores) & ~np.isnan(values)  # the slope between knots that are too close is not finite
        place = np.searchsorted(self.knots, values[stuck], side="right") - 1
        scores[stuck] = self.scores[np.clip(place, 0, None)]
        return np.column_stack([scores, self.null_weight * np.isnan(values)] if self.null_weight else [scores])


class OneHot(Features):
    """Indicators of the most frequent labels, of all others and of null, scaled to the total variance of a number.

    Args:
        frequencies: The labels.
        rate: Share of nulls.
        most: Largest number of labels with a feature of their own.
    """

    def __init__(self, frequencies: Frequencies, rate: float, most: int) -> None:
        counts = np.array(list(frequencies.counts.values())[:most], np.float64)
        self.frequencies = frequencies
        self.shares = counts / max(1, frequencies.rows) * (1 - rate)
        self.weight = _weight(np.array([*self.shares, max(0.0, 1 - rate - self.shares.sum()), rate]))
        self.width = len(self.shares) + 2

    def traits(self, most: int) -> Sequence[int]:
        """The labels that are frequent, but do not make up nearly all rows."""
        usual = np.flatnonzero((self.shares >= RAREST) & (self.shares <= 1 - RAREST))
        return range(min(most, len(usual)) if len(usual) and usual[0] == 0 else 0)

    def of(self, array: Array) -> Floats:
        """Scaled indicators of labels, others and null, in this order."""
        places = self.frequencies.codes(array, len(self.shares)) % self.width
        return np.asarray(self.weight * np.equal(places[:, None], np.arange(self.width)), np.float64)


def _weight(shares: Floats) -> float:
    """The factor that scales a one-hot's total variance, 1 − Σ share², to 1."""
    return float(1 / np.sqrt(max(1 - (shares**2).sum(), LEAST_VARIANCE)))
