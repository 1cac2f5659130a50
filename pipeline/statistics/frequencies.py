"""The most frequent labels of a column, and the number of rows and labels beyond them."""

import hashlib
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array
from pipeline.arrow.labels import counted, places
from pipeline.statistics.sketches import Sketch

Integers = NDArray[np.int64]

LABELS = 256
LABEL_LENGTH = 64  # characters; of a longer label, the beginning and a digest are kept
HASHES = 64


class Frequencies(Sketch):
    """The most frequent labels, at most 256, and how many rows have other labels.

    Attributes:
        counts: Rows by label, most frequent first.
        rest: Rows of all other labels.
        missed: The most rows that a count may lack because a merged sketch did not list the label.
        hashes: The 64 least hashes of all labels. They estimate the number of distinct labels.
    """

    counts: dict[str, int]
    rest: int = 0
    missed: int = 0
    hashes: tuple[int, ...] = ()

    @classmethod
    def of(cls, array: Array) -> Self:
        """Count the labels of an array, without null."""
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
        """The frequencies of both. A label that one side does not list has the count of the other side."""
        counts = {k: self.counts.get(k, 0) + other.counts.get(k, 0) for k in self.counts | other.counts}
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        dropped = [count for _, count in ordered[LABELS:]]
        return type(self)(
            counts=dict(ordered[:LABELS]),
            rest=self.rest + other.rest + sum(dropped),
            missed=self.missed + other.missed + max(dropped, default=0),
            hashes=tuple(sorted({*self.hashes, *other.hashes})[:HASHES]),
        )

    def codes(self, array: Array, labels: int = LABELS) -> Integers:
        """Rank of each label among the `labels` most frequent ones; `labels` for all others, −1 for null."""
        known = [label for label in list(self.counts)[:labels] if not _is_cut(label)]
        found = places(array, pa.array(known, pa.string()))
        return np.where(found == len(known), labels, found)

    @property
    def rows(self) -> int:
        """Number of rows with a label."""
        return sum(self.counts.values()) + self.rest

    @property
    def distinct(self) -> int:
        """Number of distinct labels. Exact below 64, else an estimate with a standard error of 13 %.

        The estimate uses the k-th least of uniform hashes (Bar-Yossef et al. 2002, "Counting distinct elements in a
        stream").
        """
        if len(self.hashes) < HASHES:
            return len(self.hashes)
        return max(round((HASHES - 1) * 2.0**64 / self.hashes[-1]), len(self.counts))


def ranks(counts: NDArray[np.integer]) -> Integers:
    """Rank of each code by its count, the most frequent first. Codes of equal count keep their order."""
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return rank


def _short(label: Any) -> str:  # noqa: ANN401 - what Arrow returns
    """The label itself, or the beginning of a long label and a digest."""
    text = str(label)
    if len(text) <= LABEL_LENGTH:
        return text
    return text[: LABEL_LENGTH - 17] + "…" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _is_cut(label: str) -> bool:
    return len(label) == LABEL_LENGTH and label[LABEL_LENGTH - 17] == "…"
