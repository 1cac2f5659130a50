"""The distribution of a column of numbers: its extremes, moments and quantiles."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat

from pipeline.statistics.quantiles import Quantiles
from pipeline.statistics.sketches import Sketch


class Distribution(Sketch):
    """A summary of at least one number.

    Attributes:
        low: Least value.
        high: Greatest value.
        mean: Mean.
        deviation: Population standard deviation (divisor n).
        quantiles: The distribution function.
    """

    low: FiniteFloat
    high: FiniteFloat
    mean: FiniteFloat
    deviation: FiniteFloat
    quantiles: Quantiles

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Summarise values without NaN, at least one."""
        low, high = float(values.min()), float(values.max())
        unit = 2.0 ** (int(np.frexp(max(abs(low), abs(high)))[1]) - 1)  # squares of huge values would overflow
        scaled = values / unit
        mean = float(scaled.mean())
        centred = scaled - mean
        return cls(
            low=low,
            high=high,
            mean=unit * mean,
            deviation=unit * float(np.sqrt(centred @ centred / len(values))) if low < high else 0.0,
            quantiles=Quantiles.of(values),
        )

    @property
    def rows(self) -> int:
        """Number of values."""
        return self.quantiles.rows

    def merge(self, other: Self) -> Self:
        """The distribution of both sides together."""
        sides = self, other
        shares = np.array([side.rows for side in sides]) / sum(side.rows for side in sides)
        mean = float(shares @ [side.mean for side in sides])
        about_mean = [np.hypot(side.deviation, side.mean - mean) for side in sides]
        return type(self)(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            mean=mean,
            deviation=float(np.hypot(*(np.sqrt(shares) * about_mean))),
            quantiles=self.quantiles.merge(other.quantiles),
        )
