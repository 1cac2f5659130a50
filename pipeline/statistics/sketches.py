"""Small mergeable summaries of columns: quantiles, frequent labels, products.

Each has a fixed largest size, is made from an array in one pass (`of`), and merges with another of its kind as if
both arrays had been one, up to an error that it bounds and carries along. None keeps rows; what remains of the
values are single quantiles and frequent labels. Arrays are kept as bytes (little-endian, base64 in JSON): exact,
immutable, comparable, and a fifth of the size and time of lists of numbers.
"""

import hashlib
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ConfigDict

from pipeline.arrow.labels import counted, places
from pipeline.records import Record

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

POINTS = 512
LABELS = 256
LABEL_LENGTH = 64  # characters; longer labels are cut and told apart by a digest
HASHES = 64
MANY = 20_000  # values from which on counting is faster than sorting
CELLS = 2**14


class Packed(Record):
    """A record of arrays, kept as bytes."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Quantiles(Packed):
    """An empirical distribution as at most 512 weighted points.

    Up to 512 distinct values are exact. Beyond, neighbours of 1/512 of the mass are gathered at their weighted
    median, which moves the distribution function by at most that much. Every merge that has to gather anew adds
    its own move to `error`, so merge many shards pairwise rather than one after the other.

    Attributes:
        points: Float64, ascending.
        counts: Int64, rows at each point.
        error: Largest possible error of `below`, in rows.
    """

    points: bytes
    counts: bytes
    error: int = 0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """The sketch of finite values."""
        return cls.gathered(*_counted(values))

    @classmethod
    def gathered(cls, points: Floats, weights: Integers, error: int = 0) -> Self:
        """The sketch of distinct ascending `points`, each with its rows."""
        if len(points) > POINTS:
            cumulated = np.cumsum(weights)
            middle = cumulated - weights / 2
            group = np.minimum(middle * POINTS / cumulated[-1], POINTS - 1).astype(np.int64)
            first = np.flatnonzero(np.diff(group, prepend=-1))
            last = np.append(first[1:], len(points)) - 1
            before, until = cumulated[first] - weights[first], cumulated[last]
            median = np.searchsorted(cumulated, (before + until) / 2)
            moved = np.maximum(cumulated[median] - weights[median] - before, until - cumulated[median])
            points, weights, error = points[median], until - before, error + int(moved.max())
        return cls(points=points.astype("<f8").tobytes(), counts=weights.astype("<i8").tobytes(), error=error)

    def merge(self, other: Self) -> Self:
        """The sketch of both."""
        both = np.frombuffer(self.points + other.points, "<f8")
        points, which = np.unique(both, return_inverse=True)
        weights = np.bincount(which, weights=np.concatenate([self.weights, other.weights]), minlength=len(points))
        return self.gathered(points, weights.astype(np.int64), self.error + other.error)

    @property
    def values(self) -> Floats:
        """Points, ascending."""
        return np.frombuffer(self.points, "<f8")

    @property
    def weights(self) -> Integers:
        """Rows at each point."""
        return np.frombuffer(self.counts, "<i8")

    @property
    def rows(self) -> int:
        """Rows summarised."""
        return int(self.weights.sum())

    def below(self, x: Floats) -> Floats:
        """Share of rows with a value of at most `x`; 0 where there are no rows."""
        cumulated = np.concatenate([[0], np.cumsum(self.weights)])
        return np.asarray(cumulated[np.searchsorted(self.values, x, side="right")] / max(1, self.rows))

    def quantile(self, share: float) -> float:
        """The least point with at least `share` of the rows at or below it.

        Raises:
            ValueError: There are no rows.
        """
        if not len(self.values):
            raise ValueError("a quantile needs at least one row")
        place = int(np.searchsorted(np.cumsum(self.weights), share * self.rows))
        return float(self.values[min(place, len(self.values) - 1)])

    def codes(self, values: Floats) -> Integers:
        """Number of the first point that is not below each value, the last point's for values beyond it."""
        return np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)


class Frequencies(Record):
    """The most frequent labels, at most 256, and how many rows and labels there are besides.

    Attributes:
        counts: Rows by label, most frequent first.
        rest: Rows of all other labels.
        missed: Most rows that the count of a label may lack because a merged part did not list it.
        hashes: The 64 least hashes of all labels; they estimate the number of distinct ones.
    """

    counts: dict[str, int]
    rest: int = 0
    missed: int = 0
    hashes: tuple[int, ...] = ()

    @classmethod
    def of(cls, array: pa.ChunkedArray) -> Self:
        """The frequencies of the labels that are not null."""
        labels, counts = counted(array)
        hashes = np.sort(pd.util.hash_array(labels.to_numpy(zero_copy_only=False).astype(object)))[:HASHES]
        order = np.argsort(-counts, kind="stable")
        kept = order[:LABELS]
        return cls(
            counts=dict(zip(map(_short, labels.take(pa.array(kept)).to_pylist()), counts[kept].tolist(), strict=True)),
            rest=int(counts[order[LABELS:]].sum()),
            missed=int(counts[order[LABELS]]) if len(order) > LABELS else 0,
            hashes=tuple(hashes.tolist()),
        )

    def merge(self, other: Self) -> Self:
        """The frequencies of both; labels that were not listed in one are counted as they were in the other."""
        counts = {k: self.counts.get(k, 0) + other.counts.get(k, 0) for k in self.counts | other.counts}
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        dropped = [count for _, count in ordered[LABELS:]]
        return type(self)(
            counts=dict(ordered[:LABELS]),
            rest=self.rest + other.rest + sum(dropped),
            missed=self.missed + other.missed + max(dropped, default=0),
            hashes=tuple(sorted({*self.hashes, *other.hashes})[:HASHES]),
        )

    def codes(self, array: pa.ChunkedArray, labels: int = LABELS) -> Integers:
        """Place of each label among the `labels` most frequent ones; their number for others, −1 for null."""
        known = [label for label in list(self.counts)[:labels] if not _is_cut(label)]
        found = places(array, pa.array(known, pa.string()))
        return np.where(found == len(known), labels, found)

    @property
    def rows(self) -> int:
        """Rows that have a label."""
        return sum(self.counts.values()) + self.rest

    @property
    def distinct(self) -> int:
        """Number of distinct labels; exact below 64, else an estimate with a standard error of 13 %.

        From the k-th least of uniform hashes (Bar-Yossef et al. 2002, "Counting distinct elements in a stream").
        """
        if len(self.hashes) < HASHES:
            return len(self.hashes)
        return max(round((HASHES - 1) * 2.0**64 / self.hashes[-1]), len(self.counts))


class Products(Packed):
    """Sums of products of features of order one, each over the rows in which both features have a value.

    Entry [i, j] of each matrix, [features, features], belongs to features i and j. Rows may count more than once.

    Attributes:
        names: The column that each feature is made of.
        sums: Float32 matrices of Σ 1, Σ x_i, Σ x_i² and Σ x_i·x_j over the rows that have both, one after the other.
    """

    names: tuple[str, ...]
    sums: bytes

    @classmethod
    def of(cls, names: tuple[str, ...], x: NDArray[np.floating], weight: float = 1.0) -> Self:
        """The sums over the rows of `x`, [rows, features]; NaN is null; each row counts `weight` times."""
        present = ~np.isnan(x)
        mask = present.astype(x.dtype)
        x = np.where(present, x, 0)
        return cls._from(names, weight * np.array([mask.T @ mask, x.T @ mask, (x * x).T @ mask, x.T @ x]))

    def merge(self, other: Self) -> Self:
        """The sums over the rows of both."""
        return self._from(self.names, self.matrices + other.matrices)

    @property
    def matrices(self) -> Floats:
        """The four matrices, [4, features, features]."""
        size = len(self.names)
        return np.frombuffer(self.sums, "<f4").reshape(4, size, size).astype(np.float64)

    def correlations(self) -> Floats:
        """Pearson's correlation of each pair, [features, features]; NaN where a feature does not vary."""
        n, s, q, p = self.matrices
        n = np.maximum(n, 1)
        variance = q - s**2 / n
        varies = variance > 1e-5 * np.maximum(q, np.finfo(float).tiny)  # below it is rounding
        with np.errstate(invalid="ignore", divide="ignore"):
            rho = (p - s * s.T / n) / np.sqrt(variance * variance.T)
        return np.where(varies & varies.T, np.clip(rho, -1, 1), np.nan)

    def pair_rows(self) -> Floats:
        """Rows that have both features of each pair, [features, features]."""
        return np.asarray(self.matrices[0])

    @classmethod
    def _from(cls, names: tuple[str, ...], matrices: NDArray[np.floating]) -> Self:
        return cls(names=names, sums=matrices.astype("<f4").tobytes())


def _counted(values: Floats) -> tuple[Floats, Integers, int]:
    """Points, ascending, the values at or next to each, and by how many rows that may move the distribution function.

    Many values are counted in equal cells, three times as fast as they are sorted, where no cell then holds more than
    1/1024 of them and different ones. Most columns allow it; those with long tails are sorted.
    """
    if len(values) >= MANY:
        low, high = float(values.min()), float(values.max())
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            scale = (CELLS - 1) / (high - low) if high > low else 0.0
        if np.isfinite(scale) and np.isfinite(high - low):
            cells = ((values - low) * scale).astype(np.intp)
            counts = np.bincount(cells, minlength=CELLS)
            points = np.empty(CELLS)
            points[cells] = values
            mixed = cells[values != points[cells]]
            error = int(counts[mixed].max(initial=0))
            if error <= len(values) // (2 * POINTS):
                filled = np.flatnonzero(counts)
                return points[filled], counts[filled], error
    return *np.unique(values, return_counts=True), 0


def _short(label: Any) -> str:  # noqa: ANN401 - what Arrow returns
    """The label itself, or its beginning and a digest."""
    text = str(label)
    if len(text) <= LABEL_LENGTH:
        return text
    return text[: LABEL_LENGTH - 17] + "…" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _is_cut(label: str) -> bool:
    return len(label) == LABEL_LENGTH and label[LABEL_LENGTH - 17] == "…"
