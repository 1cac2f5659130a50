"""Forms that scale a number to a real variable, whose likelihood is a mixture of Gaussians.

- `quantile`: the normal score of the value's rank. A value that repeats owns an interval of ranks, so that inflated
  values come back exactly.
- `zscore`, `minmax`, `robust`: (x − mean)/std, 2(x − min)/(max − min) − 1, (x − median)/IQR.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain, moved
from pipeline.checks import exactly, expect, rising, vector
from pipeline.columns.base import Encoded, Origin, unrelated
from pipeline.columns.forms.base import Arrays, Floats, Form, Ints
from pipeline.columns.forms.growth import grow_affine, grow_quantile
from pipeline.columns.variables import Discrete, Real, Variable

KNOTS = 1024
"""Largest number of knots of the empirical quantile function."""
_TOP = float(np.nextafter(2.0**64, 0))  # the greatest float that fits uint64


class Scored(Form):
    """A real variable, after a null flag if nulls occur. `low` and `high` are the scores of the ends."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A `Real`, after a null flag if nulls occur. Empty if there are no values."""
        if not len(self.arrays["low"]):
            return ()
        ends = float(self.arrays["low"][0]), float(self.arrays["high"][0])
        if not self.nulls:
            return (Real(*ends),)
        return (Discrete(2, missing=True), Real(*ends, applies=(False, True)))

    def encode(self, positions: NDArray[Any], mask: NDArray[np.bool_]) -> Encoded:
        """The score, and what rounding loses."""
        score = np.zeros(len(mask))
        score[mask] = self._normalized(positions.astype(np.float64))
        values = (mask.astype(np.int64), score) if self.nulls else (score,)
        rest = np.zeros(len(mask), dtype=positions.dtype)
        rest[mask] = positions - self._denormalized(score[mask])  # modular for grids
        return Encoded(values[: len(self.variables)], rest)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: Ints) -> NDArray[Any]:
        """The correction that keeps the value in the training range."""
        del random
        if not len(self.arrays["low"]):
            return np.zeros(len(index))
        positions = self._denormalized(np.asarray(values[-1], dtype=np.float64))
        return np.asarray(np.clip(positions, *self.arrays["ends"]) - positions)

    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Position of every row, and which rows hold a value."""
        rows = len(encoded.rest)
        if not len(self.arrays["low"]):
            return np.zeros(rows), np.zeros(rows, dtype=bool)
        mask = np.asarray(encoded.values[0]) > 0 if self.nulls else np.ones(rows, dtype=bool)
        return self._denormalized(np.asarray(encoded.values[-1], dtype=np.float64)) + encoded.rest, mask

    @classmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """See `Form.check`."""
        del positions
        exactly(arrays, ("ends", "low", "high", *cls._own()))
        low = vector(arrays, "low", np.float64)
        expect(len(low) <= 1, "at most one least value")
        high = vector(arrays, "high", np.float64, length=len(low))
        expect(bool((low <= high).all()), "a least value that is no greater than the greatest")
        return ("ends",)

    @classmethod
    @abstractmethod
    def _own(cls) -> tuple[str, ...]:
        """Names of the arrays that only this form has."""

    @abstractmethod
    def _scores(self, positions: Floats) -> Floats:
        """The score of each position."""

    @abstractmethod
    def _positions(self, scores: Floats) -> Floats:
        """The position of each score, not yet rounded."""

    def _normalized(self, positions: Floats) -> Floats:
        return self._scores(positions) if len(self.arrays["low"]) else np.zeros(len(positions))

    def _denormalized(self, scores: Floats) -> NDArray[Any]:
        values = self._positions(scores) if len(self.arrays["low"]) else np.zeros(len(scores))
        return np.asarray(np.rint(np.clip(values, 0, _TOP)).astype(np.uint64) if self._grid else values)

    def _origins(self, grown: Self, cells: Ints) -> tuple[Origin, ...]:
        del cells
        nothing = np.zeros(0, np.int64)
        if self.nulls:
            return Origin(0, np.arange(2)), Origin(1, nothing)
        return (*unrelated(grown.variables[:-1]), Origin(0, nothing))


class Quantile(Scored):
    """Normal scores of ranks. `knots` and their `scores` are the quantile function."""

    name: ClassVar[str] = "quantile"
    placed: ClassVar[tuple[str, ...]] = ("ends", "knots")

    @classmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """See `Form.check`."""
        used = super().check(arrays, positions)
        knots = vector(arrays, "knots", np.float64)
        expect(len(knots) >= 2 * len(arrays["low"]), "two knots or more")
        rising("knots", knots, strictly=False)
        rising("scores", vector(arrays, "scores", np.float64, length=len(knots)), strictly=False)
        return used

    @classmethod
    def _own(cls) -> tuple[str, ...]:
        return ("knots", "scores")

    @classmethod
    def _fitted(cls, positions: NDArray[Any], distinct: NDArray[Any], counts: Ints, least_rows: int) -> Arrays:
        del positions, least_rows
        return _quantile_function(distinct, counts)

    def _grown(
        self, known: Arrays, domain: Domain, distinct: NDArray[Any], counts: Ints, least_rows: int
    ) -> tuple[Arrays, Ints]:
        del domain, least_rows
        return grow_quantile(known, distinct, counts) | _ends(known, distinct), np.zeros(0, np.int64)

    def _scores(self, positions: Floats) -> Floats:
        knots, scores = self.arrays["knots"], self.arrays["scores"]
        # a plateau (one value with several ranks) is entered at its middle
        left = np.interp(positions, knots, scores)
        right = -np.interp(-positions, -knots[::-1], -scores[::-1])
        return np.asarray((left + right) / 2 + _beyond(positions, knots[0], knots[-1]))

    def _positions(self, scores: Floats) -> Floats:
        knots, known = self.arrays["knots"], self.arrays["scores"]
        return np.asarray(np.interp(scores, known, knots) + _beyond(scores, known[0], known[-1]))


class Affine(Scored):
    """(x − `shift`) / `scale`."""

    placed: ClassVar[tuple[str, ...]] = ("ends", "shift")

    @classmethod
    @abstractmethod
    def measured(cls, x: Floats) -> tuple[float, float]:
        """Shift and scale of at least one value."""

    @classmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """See `Form.check`."""
        used = super().check(arrays, positions)
        vector(arrays, "shift", np.float64, length=1)
        expect(bool(vector(arrays, "scale", np.float64, length=1)[0] > 0), "a scale above 0")
        return used

    @classmethod
    def _own(cls) -> tuple[str, ...]:
        return ("shift", "scale")

    @classmethod
    def _fitted(cls, positions: NDArray[Any], distinct: NDArray[Any], counts: Ints, least_rows: int) -> Arrays:
        del distinct, counts, least_rows
        x = positions.astype(np.float64)
        if not len(x):
            return {"shift": np.zeros(1), "scale": np.ones(1), "low": np.zeros(0), "high": np.zeros(0)}
        shift, scale = cls.measured(x)
        if not scale > 0:  # a constant, or most values are equal: any scale will do
            scale = x.std() or 1.0
        ends = (np.array([x.min(), x.max()]) - shift) / scale
        return {"shift": np.array([shift]), "scale": np.array([scale]), "low": ends[:1], "high": ends[1:]}

    def _grown(
        self, known: Arrays, domain: Domain, distinct: NDArray[Any], counts: Ints, least_rows: int
    ) -> tuple[Arrays, Ints]:
        del counts, least_rows
        # the length of one step of the old grid in steps of the new one
        unit = np.diff(moved(np.array([0.0, 1.0]), self.domain, domain))
        scale = known["scale"] * unit
        arrays = grow_affine({**known, "scale": np.where(scale > 0, scale, 1.0)}, distinct)  # may underflow
        return arrays | _ends(known, distinct), np.zeros(0, np.int64)

    def _scores(self, positions: Floats) -> Floats:
        return np.asarray((positions - self.arrays["shift"][0]) / self.arrays["scale"][0])

    def _positions(self, scores: Floats) -> Floats:
        return np.asarray(scores * self.arrays["scale"][0] + self.arrays["shift"][0])


class ZScore(Affine):
    """(x − mean) / standard deviation."""

    name: ClassVar[str] = "zscore"

    @classmethod
    def measured(cls, x: Floats) -> tuple[float, float]:
        """See `Affine.measured`."""
        return float(x.mean()), float(x.std())


class MinMax(Affine):
    """Scaled so that the least value is −1 and the greatest is 1."""

    name: ClassVar[str] = "minmax"

    @classmethod
    def measured(cls, x: Floats) -> tuple[float, float]:
        """See `Affine.measured`."""
        return float((x.min() + x.max()) / 2), float((x.max() - x.min()) / 2)


class Robust(Affine):
    """(x − median) / interquartile range."""

    name: ClassVar[str] = "robust"

    @classmethod
    def measured(cls, x: Floats) -> tuple[float, float]:
        """See `Affine.measured`."""
        low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
        return float(middle), float(high - low)


def _quantile_function(distinct: NDArray[Any], counts: Ints) -> Arrays:
    """Knots of the quantile function: each kept value with its first and last rank."""
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - a fifth of the start of a command, for this form only

    if not len(distinct):
        return {"knots": np.zeros(0), "scores": np.zeros(0), "low": np.zeros(0), "high": np.zeros(0)}
    n = counts.sum()
    last = np.cumsum(counts)
    first = last - counts
    keep = np.zeros(len(distinct), dtype=bool)
    even = np.linspace(0, 1, KNOTS // 2)
    tails = ndtr(np.linspace(ndtri(0.5 / n), -ndtri(0.5 / n), KNOTS // 2))  # even in scores: more knots in the tails
    ranks = np.clip(np.concatenate([even, tails]) * n, 1, n).astype(int)
    keep[np.searchsorted(last, ranks)] = True
    keep[[0, -1]] = True
    keep |= counts > n / KNOTS
    knots = np.repeat(distinct[keep].astype(np.float64), 2)
    ranks = np.stack([first[keep] + 0.5, last[keep] - 0.5], axis=1).ravel() / n
    scores = ndtri(np.clip(ranks, 0.5 / n, 1 - 0.5 / n))
    return {"knots": knots, "scores": scores, "low": scores[:1], "high": scores[-1:]}


def _ends(known: Arrays, distinct: NDArray[Any]) -> Arrays:
    """The ends of the known and the new positions."""
    ends = np.append(known["ends"], distinct[[0, -1]])
    return {"ends": np.array([ends.min(), ends.max()])}


def _beyond(x: Floats, low: float, high: float) -> Floats:
    """How far x lies outside [low, high]. This keeps the quantile map invertible beyond the training range."""
    return np.minimum(x - low, 0.0) + np.maximum(x - high, 0.0)
