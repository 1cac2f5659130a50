"""How far two samples of the same population differ by chance.

Every effect in a drift check has a bound of one form. At `level` ℓ, the effect exceeds

    expected + √(slope · ℓ) + jump · ℓ

with a chance of at most about 2·e^(−ℓ). Expectation, slope and jump follow from the sizes of the samples, the rarity of
an event and the weight of a tail. The level is common to all tests. The bounds hold for any population and are
therefore wide. Resampling a real table shows how wide: every single level has an exponential tail, so the largest of
many levels has one too beyond some point. A `Tail` is fitted to the highest fifth of the resampled levels (peaks over
threshold; Coles 2001, "An introduction to statistical modeling of extreme values", chapter 4).
"""

from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Record

Floats = NDArray[np.float64]

PEAKS = 0.2
"""Share of the resampled levels to which a tail is fitted."""
LEVEL_95 = log(2 / 0.05)
"""The level of a 95 % confidence interval."""


@dataclass(frozen=True)
class Noise:
    """The chance bound of one effect, or of an array of effects."""

    expected: Floats | float = 0.0
    slope: Floats | float = 0.0
    jump: Floats | float = 0.0

    def at(self, level: float) -> Floats:
        """The largest effect that chance explains at a level."""
        return np.asarray(self.expected + np.sqrt(self.slope * level) + self.jump * level)

    def level(self, effect: Floats | float) -> Floats:
        """The level at which chance would just explain an effect; 0 if the effect is below its expectation."""
        a, b = np.asarray(self.jump), np.sqrt(self.slope)
        beyond = np.maximum(effect - self.expected, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            # the root of a·u² + b·u − beyond, in the form that allows a = 0
            root = 2 * beyond / (b + np.sqrt(b**2 + 4 * a * beyond))
        return np.where(beyond > 0, root, 0.0) ** 2


def kolmogorov(spread: Floats | float, error: float = 0.0) -> Noise:
    """The bound of a Kolmogorov–Smirnov distance, by its asymptotic law.

    Args:
        spread: 1/n + 1/m for samples of n and m rows.
        error: Error of the sketches.
    """
    return Noise(expected=error, slope=spread / 2)


def total_variation(pooled: Floats, spread: Floats | float) -> Noise:
    """The bound of a total variation distance, by its mean and McDiarmid's inequality.

    Args:
        pooled: Shares of the labels in both samples together, [..., labels].
        spread: 1/n + 1/m for samples of n and m rows.
    """
    mean = np.sqrt(np.maximum(pooled * (1 - pooled), 0)).sum(-1) * np.sqrt(spread / (2 * np.pi))
    return Noise(expected=mean, slope=spread / 2)


def share(pooled: Floats | float, spread: Floats | float) -> Noise:
    """The bound of the difference of two shares, by Bernstein's inequality."""
    return Noise(slope=2 * pooled * (1 - pooled) * spread, jump=spread / 3)


def unseen(once: Floats | float, without: Floats | float, having: Floats | float) -> Noise:
    """The bound of the share of one sample's rows whose labels the other sample lacks.

    The expected share of such rows is about the share of the other sample's rows whose label occurs once (Good &
    Turing). In n rows, a label of share s is absent with chance (1 − s)ⁿ ≤ e^(−ns). So at a level ℓ, labels with a
    total share of ℓ/n may be absent even if no label occurs once.

    Args:
        once: Share of the other sample's rows whose label occurs once in it.
        without: Rows of the other sample.
        having: Rows of the first sample.
    """
    slope = 2 * once * (1 - once) * (1 / without + 1 / having)
    return Noise(expected=once, slope=slope, jump=1 / without + 1 / (3 * having))


def mean(variance: Floats | float) -> Noise:
    """The bound of a nearly normal estimate with this variance."""
    return Noise(slope=2 * variance)


def discrepancy(spread: Floats | float) -> Noise:
    """The bound of an MMD, the square root of its unbiased square (McDiarmid's inequality, for kernels up to 1)."""
    return Noise(slope=2 * spread)


class Tail(Record):
    """The law of the largest level of many tests if nothing has changed: P(L > ℓ) = e^(−(ℓ − location)/scale).

    Attributes:
        location: The level at which an exponential law would have chance one.
        scale: The scale of the exponential tail.
    """

    location: float
    scale: float

    @classmethod
    def of(cls, levels: Floats) -> Self:
        """Fit the law to the highest fifth of resampled largest levels."""
        start = float(np.quantile(levels, 1 - PEAKS))
        scale = float(np.mean(levels[levels >= start] - start))
        return cls(location=start + scale * log(PEAKS), scale=scale)

    @classmethod
    def bound(cls, tests: int) -> Self:
        """A bound for any population: the union of `tests` chances of 2·e^(−ℓ)."""
        return cls(location=log(2 * max(1, tests)), scale=1.0)

    def level(self, chance: float) -> float:
        """The level that is exceeded with this chance."""
        return max(0.0, self.location - self.scale * log(chance))
