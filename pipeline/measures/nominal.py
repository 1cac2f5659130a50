"""Labels: values that are equal or different, compared by their shares of rows. Null is a label too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pipeline.arrow.arrays import Array
from pipeline.arrow.labels import coded
from pipeline.measures import cells, drawing, shares
from pipeline.measures.base import Binned, Codes, Effect, Floats, Measure, Side, Values
from pipeline.measures.cells import Cells
from pipeline.measures.features import OneHot
from pipeline.measures.shares import Shares
from pipeline.statistics import chance, distances, resampling
from pipeline.statistics.frequencies import LABELS, Frequencies, ranks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRATA = 20
"""Number of labels that a picture of associations distinguishes; all others are one."""


class Nominal(Measure[Frequencies]):
    """Values are compared by equality."""

    sketch = Frequencies
    families: ClassVar = {"labels": 1, "unseen": 2}
    labels = True

    def summary(self, array: Array) -> Frequencies:
        """See `Measure.summary`."""
        return Frequencies.of(array)

    def features(self, summary: Frequencies | None, rate: float, most: int) -> OneHot | None:
        """See `Measure.features`."""
        return OneHot(summary, rate, most) if summary is not None else None

    def effects(self, mine: Frequencies, theirs: Frequencies) -> Iterator[Effect]:
        """How far the shares of labels moved, and rows with labels that only one side has."""
        if not mine.rows or not theirs.rows:
            return
        yield _shares(mine, theirs)
        for what, without, having in (("new labels", mine, theirs), ("lost labels", theirs, mine)):
            if not without.rest:
                yield _only(what, without, having)

    def resampled(self, summaries: Sequence[Frequencies], arrays: Sequence[Array]) -> Cells:
        """See `Measure.resampled`."""
        codes = []
        for summary, array in zip(summaries, arrays, strict=True):
            found = summary.codes(array)
            codes.append(np.where(found == LABELS, cells.OTHER, found))
        listed = np.array([not summary.rest for summary in summaries], bool)

        def judge(batch: Floats, rest: Floats) -> Mapping[str, float]:
            known = batch[listed], rest[listed]
            unseen = (cells.largest(cells.unseen(*sides)) for sides in (known, known[::-1]))
            return {"labels": cells.largest(cells.total_variation(batch, rest)), "unseen": max(unseen)}

        return Cells(codes, judge)

    def views(self, columns: Sequence[Array]) -> list[Values]:
        """Codes over the labels of all tables together. The most frequent label has code 0."""
        codes = coded(columns)
        rank = ranks(np.bincount(np.concatenate(codes)))
        return [Values(rank[own], len(rank)) for own in codes]

    def error(self, real: Values, other: Values) -> float:
        """Total variation distance."""
        return distances.total_variation_of_codes(real.array, other.array, real.size)

    def errors(self, real: Values, other: Values, w: Floats) -> Floats:
        """See `Measure.errors`."""
        return resampling.total_variation(real.array, other.array, w)

    def unrepeated(self, train: Values, holdout: Values) -> float:
        """Share of held-out rows whose label no training row has."""
        return float(np.mean(~np.isin(holdout.array, train.array)))

    def classes(self, values: Values) -> Codes:
        """The labels."""
        return values.array

    def inputs(self, values: Values) -> Floats:
        """The rank of each label by its frequency in all tables."""
        return values.array[:, None].astype(np.float64)

    def contrast(self, real: Values, other: Values, rng: np.random.Generator) -> Floats:
        """The rank of each label by its frequency in both tables. Labels of equal count are in random order.

        So a classifier learns nothing from ranks if both are samples of one population, however rare the labels are.
        """
        both = np.concatenate([real.array, other.array])
        counts = np.bincount(both, minlength=real.size)
        rank = np.empty(len(counts))
        rank[np.lexsort([rng.permutation(len(counts)), -counts])] = np.arange(len(counts))
        return np.asarray(rank[both][:, None])

    def bins(self, real: Values, other: Values) -> Binned:
        """The labels."""
        return Binned(real.array, other.array, real.size)

    def strata(self, real: Values, other: Values) -> Binned:
        """The most frequent labels, and all others as one."""
        return Binned(np.minimum(real.array, STRATA), np.minimum(other.array, STRATA), STRATA + 1)

    def groups(self, values: Values, most: int) -> Codes:
        """The most frequent labels, and all others as one."""
        return np.asarray(np.minimum(ranks(np.bincount(values.array))[values.array], most - 1))

    def shares(self, real: Array, other: Array, least_rows: int) -> Shares:
        """Shares of the labels that are most frequent in the real rows, or the frequencies of many labels."""
        return shares.labelled(real, other, least_rows)

    def draw_change(self, axes: "Axes", mine: Side, theirs: Side, least_rows: int) -> None:
        """Shares of the labels whose shares changed most."""
        drawing.changed_bars(axes, (mine.summary, mine.nulls), (theirs.summary, theirs.nulls), least_rows)


def _shares(mine: Frequencies, theirs: Frequencies) -> Effect:
    """Total variation distance over the labels whose counts both sides know. All other labels count as one."""
    known = [
        label
        for label in mine.counts | theirs.counts
        if (label in mine.counts or not mine.rest) and (label in theirs.counts or not theirs.rest)
    ]
    first, second = (np.array([side.counts.get(label, 0) for label in known]) for side in (mine, theirs))
    first, second = np.append(first, mine.rows - first.sum()), np.append(second, theirs.rows - second.sum())
    distance = float(distances.total_variation(first / mine.rows, second / theirs.rows))
    pooled = (first + second) / (mine.rows + theirs.rows)
    noise = chance.total_variation(pooled, 1 / mine.rows + 1 / theirs.rows)
    return Effect("values", "labels", distance, noise, f"labels' shares moved by {distance:.3f}")


def _only(what: str, without: Frequencies, having: Frequencies) -> Effect:
    """Rows of `having` whose labels `without` lacks. `without` must list all of its labels."""
    only = [count for label, count in having.counts.items() if label not in without.counts]
    share = sum(only) / having.rows
    once = sum(count == 1 for count in without.counts.values()) / without.rows
    noise = chance.unseen(once, without.rows, having.rows)
    return Effect(what, "unseen", share, noise, f"{len(only)} {what} in {share:.3f} of the rows")
