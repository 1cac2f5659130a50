"""How far two samples of the same population differ by chance.

For every effect that drift measures there is a bound of one form: at `level` ℓ the effect exceeds

    expected + √(slope · ℓ) + jump · ℓ

with a chance of at most about 2·e^(−ℓ). Expectation, slope and jump follow from the sizes of the samples, from how
rare an event is and from how heavy a tail is; the level is what all tests have in common. Bounds hold for any
population and are therefore wide. How wide is found by resampling a real one: because every single level falls off
exponentially, so does the largest of many beyond some point, and a `Tail` is fitted to the highest fifth of resampled
ones (peaks over threshold; Coles 2001, "An introduction to statistical modeling of extreme values", chapter 4).
"""

from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Record

Floats = NDArray[np.float64]

PEAKS = 0.2
"""Share of the resampled levels that a tail is fitted to."""
LEVEL_95 = log(2 / 0.05)
"""The level of a 95 % confidence interval."""


@dataclass(frozen=True)
class Noise:
    """The bound of one effect, or of an array of effects."""

    expected: Floats | float = 0.0
    slope: Floats | float = 0.0
    jump: Floats | float = 0.0

    def at(self, level: float) -> Floats:
        """The largest effect that chance explains at a level."""
        return np.asarray(self.expected + np.sqrt(self.slope * level) + self.jump * level)

    def level(self, effect: Floats | float) -> Floats:
        """The level at which chance would just explain an effect; 0 for less than is expected."""
        a, b = np.asarray(self.jump), np.sqrt(self.slope)
        beyond = np.maximum(effect - self.expected, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            # the root of a·u² + b·u − beyond, in the form that stands a = 0
            root = 2 * beyond / (b + np.sqrt(b**2 + 4 * a * beyond))
        return np.where(beyond > 0, root, 0.0) ** 2


def kolmogorov(spread: Floats | float, error: float = 0.0) -> Noise:
    """Of a Kolmogorov–Smirnov distance (its asymptotic law); `spread` is 1/n + 1/m, `error` that of the sketches."""
    return Noise(expected=error, slope=spread / 2)


def total_variation(pooled: Floats, spread: Floats | float) -> Noise:
    """Of a total variation distance (its mean, and McDiarmid's inequality); `pooled` are the shares, [..., labels]."""
    mean = np.sqrt(np.maximum(pooled * (1 - pooled), 0)).sum(-1) * np.sqrt(spread / (2 * np.pi))
    return Noise(expected=mean, slope=spread / 2)


def share(pooled: Floats | float, spread: Floats | float) -> Noise:
    """Of the difference of two shares (Bernstein's inequality)."""
    return Noise(slope=2 * pooled * (1 - pooled) * spread, jump=spread / 3)


def unseen(once: Floats | float, without: Floats | float, having: Floats | float) -> Noise:
    """Of the share of one sample's rows whose labels the other one lacks.

    About as many rows have labels that the other sample lacks as it has labels once (Good & Turing). A label of share s
    is lacking in n rows with chance (1 − s)ⁿ ≤ e^(−ns), so at a level ℓ labels of a total share of ℓ/n may be lacking
    though none occurs once.

    Args:
        once: Share of the rows of the other sample whose label it has once.
        without: Rows of the other sample.
        having: Rows of the first.
    """
    slope = 2 * once * (1 - once) * (1 / without + 1 / having)
    return Noise(expected=once, slope=slope, jump=1 / without + 1 / (3 * having))


def mean(variance: Floats | float) -> Noise:
    """Of an estimate with this variance, if it is nearly normal."""
    return Noise(slope=2 * variance)


def discrepancy(spread: Floats | float) -> Noise:
    """Of an MMD, the square root of its unbiased square (McDiarmid's inequality, kernels being at most 1)."""
    return Noise(slope=2 * spread)


class Tail(Record):
    """The law of the largest level among many tests where nothing has changed: P(L > ℓ) = e^(−(ℓ − location)/scale).

    Attributes:
        location: Where the chance would be one, were all of the law exponential.
        scale: How fast it falls off.
    """

    location: float
    scale: float

    @classmethod
    def of(cls, levels: Floats) -> Self:
        """The law of resampled largest levels, fitted to their highest fifth."""
        start = float(np.quantile(levels, 1 - PEAKS))
        scale = float(np.mean(levels[levels >= start] - start))
        return cls(location=start + scale * log(PEAKS), scale=scale)

    @classmethod
    def bound(cls, tests: int) -> Self:
        """What holds for any population: `tests` chances of 2·e^(−ℓ)."""
        return cls(location=log(2 * max(1, tests)), scale=1.0)

    def level(self, chance: float) -> float:
        """The level that is exceeded with this chance."""
        return max(0.0, self.location - self.scale * log(chance))
