"""How rare a number is among those of a sample: the law of an anomaly score.

`Rarity` keeps a few hundred numbers of the sample and how many of the sample are at least as large. It answers in two
ways:

- `p_value` is the conformal p-value (Vovk et al. 2005; Bates et al. 2023, arXiv 2104.08279): the share of the sample
  that is at least as large, with one added to both counts. It is valid for any law, if the sample is exchangeable with
  what is tested. Beyond the largest number it falls exponentially, because a sample of n cannot tell 1/n from less.
- `nats` is −log of the share that is at least as large, with an exponential tail above the highest tenth (peaks over
  threshold; Coles 2001, chapter 4). Numbers with different units become comparable in nats: the mean is about 1.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pipeline.records import Record

Floats = NDArray[np.float64]

TAIL = 0.1
"""Share of the sample to which the exponential tail is fitted."""
KEPT = 128
"""Every count up to this is kept exactly. Larger counts are kept in steps of about 3 %."""
_STEP = 1.03


class Rarity(Record):
    """The law of a number in a sample.

    Attributes:
        rows: Size of the sample.
        values: Some numbers of the sample, falling.
        counts: How many of the sample are at least as large as each of them, rising.
        start: Where the exponential tail begins.
        scale: Its scale.
    """

    rows: int = Field(ge=1)
    values: tuple[float, ...]
    counts: tuple[int, ...]
    start: float
    scale: float = Field(gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        values, counts = np.array(self.values), np.array(self.counts)
        if len(values) != len(counts) or not len(values) or not np.isfinite([*values, self.start, self.scale]).all():
            raise ValueError("expected a count for each of some finite values")
        if (np.diff(values) > 0).any() or (np.diff(counts) <= 0).any() or counts[0] < 1 or counts[-1] > self.rows:
            raise ValueError("expected values that fall and counts that rise")
        return self

    @classmethod
    def of(cls, sample: NDArray[np.floating]) -> Self:
        """The law of a sample of at least one finite number."""
        falling = np.sort(np.asarray(sample, dtype=np.float64))[::-1]
        n = len(falling)
        steps = np.arange(0, 1 + int(np.log(max(n, 2)) / np.log(_STEP)))
        kept = np.unique(np.concatenate([np.arange(1, min(n, KEPT) + 1), (_STEP**steps).astype(np.int64), [n]]))
        kept = kept[kept <= n]
        start = float(np.quantile(falling, 1 - TAIL))
        excess = falling[falling > start] - start
        least = 1e-6 * max(abs(float(falling[0])), abs(float(falling[-1])), 1e-6)
        scale = max(float(excess.mean()) if len(excess) else 0.0, least)
        return cls(
            rows=n,
            values=tuple(falling[kept - 1].tolist()),
            counts=tuple(kept.tolist()),
            start=start,
            scale=scale,
        )

    def p_value(self, x: Floats) -> Floats:
        """The conformal p-value of each number, [rows]. It errs upwards where a count was not kept."""
        largest = self.values[0]
        p = (self._reached(x) + 1) / (self.rows + 1)
        beyond = np.exp(-np.maximum(x - largest, 0) / self.scale) / (self.rows + 1)
        return np.asarray(np.where(x > largest, beyond, p))

    def nats(self, x: Floats) -> Floats:
        """−log of the share of the sample that is at least as large as each number, [rows]."""
        inside = -np.log((self._reached(x) + 1) / (self.rows + 1))
        beyond = -np.log(TAIL) + (x - self.start) / self.scale
        return np.asarray(np.where(x > self.start, beyond, np.minimum(inside, -np.log(TAIL))))

    def threshold(self, share: float) -> float:
        """A number beyond which p-values are at most `share`, as low as the kept numbers tell."""
        allowed = share * (self.rows + 1) - 1
        if allowed < 0:  # beyond the largest number
            return self.values[0] - self.scale * float(np.log(share * (self.rows + 1)))
        values = np.array(self.values)
        fitting = values[self._reached(values) <= allowed]
        return float(fitting[-1]) if len(fitting) else float(np.nextafter(values[0], np.inf))

    @property
    def median(self) -> float:
        """The median of the sample, as exactly as counts were kept."""
        return float(np.interp((self.rows + 1) / 2, self.counts, self.values))

    def _reached(self, x: Floats) -> Floats:
        """The number of the sample that is at least as large as each number; at most 3 % too many."""
        rising = np.array(self.values[::-1])
        below = np.searchsorted(rising, x, side="left")  # kept numbers that are smaller
        counts = np.array([*self.counts, self.rows + 1], dtype=np.float64)
        return np.asarray(counts[len(rising) - below] - 1)
