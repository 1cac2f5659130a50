"""Small mergeable summaries of columns: quantiles, frequent labels, products.

Each has a fixed largest size, is made from an array in one pass (`of`), and merges with another of its kind as if
both arrays had been one, up to an error that it bounds and carries along. None keeps rows; what remains of the
values are single quantiles and frequent labels.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.columns.base import combined
from pipeline.records import Record

Floats = NDArray[np.float64]

POINTS = 512
LABELS = 256
LABEL_LENGTH = 64  # characters; longer labels are cut and told apart by a digest
HASHES = 64
PRODUCT_COLUMNS = 50


class Quantiles(Record):
    """An empirical distribution as at most 512 weighted points.

    Up to 512 distinct values are exact. Beyond, neighbours of 1/512 of the mass are gathered at their weighted
    median, which moves the distribution function by at most that much. Every merge that has to gather anew adds
    its own move to `error`, so merge many shards pairwise rather than one after the other.

    Attributes:
        values: Points, ascending.
        weights: Rows at each point.
        error: Largest possible error of `below`, in rows.
    """

    values: tuple[float, ...]
    weights: tuple[int, ...]
    error: int = 0

    @classmethod
    def of(cls, values: Floats) -> Self:
        """The sketch of values without NaN."""
        points, counts = np.unique(values, return_counts=True)
        return cls._gathered(points, counts, 0)

    def merge(self, other: Self) -> Self:
        """The sketch of both."""
        both = np.array([*self.values, *other.values])  # noqa: PD011 - a field, not pandas
        points, which = np.unique(both, return_inverse=True)
        weights = np.bincount(which, weights=self.weights + other.weights, minlength=len(points)).astype(np.int64)
        return self._gathered(points, weights, self.error + other.error)

    @property
    def rows(self) -> int:
        """Rows summarised."""
        return sum(self.weights)

    def below(self, x: Floats) -> Floats:
        """Share of rows with a value of at most `x`; 0 where there are no rows."""
        cumulated = np.concatenate([[0], np.cumsum(self.weights)])
        return np.asarray(cumulated[np.searchsorted(self.values, x, side="right")] / max(1, self.rows))

    def quantile(self, share: float) -> float:
        """The least point with at least `share` of the rows at or below it.

        Raises:
            ValueError: There are no rows.
        """
        if not self.values:
            raise ValueError("a quantile needs at least one row")
        place = int(np.searchsorted(np.cumsum(self.weights), share * self.rows))
        return self.values[min(place, len(self.values) - 1)]

    @classmethod
    def _gathered(cls, points: Floats, weights: NDArray[np.int64], error: int) -> Self:
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
        return cls(values=tuple(points.tolist()), weights=tuple(weights.tolist()), error=error)


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
        counted = pc.value_counts(combined(array).drop_null())
        counts = counted.field("counts").to_numpy(zero_copy_only=False)
        labels = counted.field("values").cast(pa.string())
        hashes = np.sort(pd.util.hash_array(np.asarray(labels.to_pylist(), dtype=object)))[:HASHES]
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


class Products(Record):
    """Sums of products of ordered columns (the first 50), each over the rows in which both columns have a value.

    Entry [i][j] belongs to columns i and j. Values are taken relative to `origin`, a value amid the data, so that
    the differences of large sums stay exact.

    Attributes:
        names: The columns.
        origin: What is subtracted from each column.
        counts: Rows with both.
        sums: Σ x_i over these rows.
        squares: Σ x_i² over these rows.
        products: Σ x_i·x_j over these rows.
    """

    names: tuple[str, ...]
    origin: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    sums: tuple[tuple[float, ...], ...]
    squares: tuple[tuple[float, ...], ...]
    products: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, columns: dict[str, Floats]) -> Self:
        """The sums over columns of equal length; NaN is null."""
        names = tuple(columns)[:PRODUCT_COLUMNS]
        rows = len(next(iter(columns.values()), ()))
        x = np.column_stack([columns[name] for name in names]) if names else np.empty((rows, 0))
        present = ~np.isnan(x)
        origin = np.array([_middle(column[keep]) for column, keep in zip(x.T, present.T, strict=True)])
        x = np.where(present, x - origin, 0.0)
        mask = present.astype(np.float64)
        return cls._from(names, origin, (mask.T @ mask, x.T @ mask, (x**2).T @ mask, x.T @ x))

    def merge(self, other: Self) -> Self:
        """The sums over the rows of both, relative to this one's origin."""
        shift = np.array(other.origin) - np.array(self.origin)
        n, s, q, p = other._arrays()
        d = shift[:, None]
        moved = (n, s + n * d, q + 2 * s * d + n * d**2, p + s * d.T + s.T * d + n * d * d.T)
        sums = [mine + theirs for mine, theirs in zip(self._arrays(), moved, strict=True)]
        return self._from(self.names, np.array(self.origin), sums)

    def correlations(self) -> Floats:
        """Pearson's correlation of each pair, [columns, columns]; NaN where a column does not vary."""
        n, s, q, p = self._arrays()
        n = np.maximum(n, 1)
        variance = q - s**2 / n
        varies = variance > 1e-12 * np.maximum(q, np.finfo(float).tiny)
        with np.errstate(invalid="ignore", divide="ignore"):
            rho = (p - s * s.T / n) / np.sqrt(variance * variance.T)
        return np.where(varies & varies.T, np.clip(rho, -1, 1), np.nan)

    def pair_rows(self) -> NDArray[np.int64]:
        """Rows that have both columns of each pair, [columns, columns]."""
        return np.array(self.counts, np.int64)

    def _arrays(self) -> tuple[Floats, ...]:
        shape = (len(self.names), len(self.names))
        fields = (self.counts, self.sums, self.squares, self.products)
        return tuple(np.array(field, np.float64).reshape(shape) for field in fields)

    @classmethod
    def _from(cls, names: tuple[str, ...], origin: Floats, sums: Sequence[Floats]) -> Self:
        n, s, q, p = (tuple(map(tuple, matrix.tolist())) for matrix in (sums[0].astype(np.int64), *sums[1:]))
        return cls(names=names, origin=tuple(origin.tolist()), counts=n, sums=s, squares=q, products=p)


def _middle(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0


def _short(label: Any) -> str:  # noqa: ANN401 - what Arrow returns
    """The label itself, or its beginning and a digest."""
    text = str(label)
    if len(text) <= LABEL_LENGTH:
        return text
    return text[: LABEL_LENGTH - 17] + "…" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
