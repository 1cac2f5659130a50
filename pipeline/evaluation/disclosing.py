"""Disclosure attacks: what do synthetic rows tell about a single real row?

The three risks of the European guidance on anonymisation, as measured by Giomi et al. 2023 (arXiv 2211.10459):

- **Singling out**: a *predicate* that holds for exactly one synthetic row is a guess that it holds for exactly one real
  row. It names one column (an extreme, or a value that occurs once) or a few columns of a synthetic row.
- **Linkability**: the attacker has two sets of columns of a row and wants to know that they belong together. The guess
  is right if one synthetic row is the nearest by both sets.
- **Inference**: the attacker knows all columns of a row but one, and guesses that one from the nearest synthetic row.

Cells are numbers. Values with an order are their ranks in [0, 1], labels are codes, and a null is −1. The distance of
two rows is that of Gower 1971: the sum over columns of the difference of ranks, or of 1 if labels differ. A null has
distance 1 from every value.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Hits = NDArray[np.bool_]

NULL = -1.0
TOLERANCE = 0.05
"""A guessed value with an order is right if its rank differs by no more from the true one. The paper asks for a
relative error of 5 %, which has no meaning for dates and for numbers around zero."""
TIE = 1e-6
CELLS_AT_ONCE = 4_000_000
"""Bounds the matrix of distances."""


class Predicates(NamedTuple):
    """Conjunctions of the same number of conditions, each on one column of its own.

    Attributes:
        columns: The columns, [predicates, conditions].
        low: Smallest values that fulfil the conditions, [predicates, conditions].
        high: Largest values that fulfil them, [predicates, conditions].
    """

    columns: Counts
    low: Floats
    high: Floats

    def take(self, which: NDArray[np.int64]) -> "Predicates":
        """Some of the predicates."""
        return Predicates(self.columns[which], self.low[which], self.high[which])

    def counts(self, cells: Floats) -> Counts:
        """How many rows fulfil each predicate, [predicates]."""
        found = np.empty(len(self.columns), np.int64)
        for k, (columns, low, high) in enumerate(zip(*self, strict=True)):
            holds = np.ones(len(cells), np.bool_)
            for column, least, most in zip(columns, low, high, strict=True):
                values = cells[:, column]
                holds &= (values >= least) & (values <= most)
            found[k] = holds.sum()
        return found


def of_one_column(synthetic: Floats, ordered: Hits, most: int, random: np.random.Generator) -> Predicates:
    """Predicates on one column that hold for exactly one synthetic row, at most `most`.

    Args:
        synthetic: The synthetic cells, [rows, columns].
        ordered: Which columns have an order, [columns].
        most: Most predicates. If there are more, some are chosen at random.
        random: Chooses.
    """
    found = []
    for column, values in enumerate(synthetic.T):
        distinct, counts = np.unique(values, return_counts=True)
        found += [(column, value, value) for value in distinct[counts == 1]]
        present = distinct[distinct != NULL]
        if ordered[column] and len(present):
            found += [(column, 0.0, present[0]), (column, present[-1], np.inf)]
    columns, low, high = (np.array(part)[:, None] for part in zip(*found, strict=True)) if found else _NONE
    every = Predicates(columns.astype(np.int64), low, high)
    every = every.take(random.permutation(len(every.columns))[: 2 * most])
    return every.take(np.flatnonzero(every.counts(synthetic) == 1)[:most])


_NONE = (np.empty((0, 1)), np.empty((0, 1)), np.empty((0, 1)))


def of_rows(rows: Floats, synthetic: Floats, ordered: Hits, conditions: int, random: np.random.Generator) -> Predicates:
    """A predicate from each row: some of its columns, labels as they are, ordered values or more extreme ones.

    Args:
        rows: Cells of the rows, [predicates, columns].
        synthetic: The synthetic cells. Values above their medians are extreme upwards, others downwards.
        ordered: Which columns have an order, [columns].
        conditions: How many columns a predicate names.
        random: Chooses the columns.
    """
    columns = np.argsort(random.random(rows.shape), axis=1)[:, :conditions]
    values = np.take_along_axis(rows, columns, axis=1)
    medians = np.array([np.median(own[own != NULL]) if (own != NULL).any() else 0.0 for own in synthetic.T])
    ranges = ordered[columns] & (values != NULL)
    above = values > medians[columns]
    return Predicates(columns, np.where(ranges & ~above, 0.0, values), np.where(ranges & above, np.inf, values))


def isolated(counts: Counts, rows: int, of: int) -> Floats:
    """Chance that a predicate holds for exactly one of `rows` rows drawn from `of` rows, [predicates].

    Args:
        counts: For how many of the `of` rows each predicate holds.
        rows: Size of the sample without replacement.
        of: Size of the table.
    """
    others = np.maximum(counts - 1, 0)
    chance = counts * rows / of
    for k in range(int(others.max(initial=0))):
        left = np.maximum(of - rows - k, 0) / max(of - 1 - k, 1)
        chance = np.where(k < others, chance * left, chance)
        if left < TIE or not chance[others > k].any():
            return np.where(others > k + 1, 0.0, chance)
    return chance


def distances(targets: Floats, synthetic: Floats, ordered: bool) -> NDArray[np.float32]:  # noqa: FBT001
    """The distances of one column, [targets, synthetic rows]."""
    own, theirs = targets.astype(np.float32)[:, None], synthetic.astype(np.float32)
    if not ordered:
        return np.asarray(own != theirs, np.float32)
    found: NDArray[np.float32] = np.abs(own - theirs)
    apart = (own == NULL) != (theirs == NULL)
    if apart.any():
        found[apart] = 1.0
    return found


def linked(targets: Floats, synthetic: Floats, ordered: Hits, first: Hits) -> Hits:
    """Whether one synthetic row is the nearest to a target by both sets of columns, [targets].

    Args:
        targets: Cells of real rows, [targets, columns].
        synthetic: The synthetic cells, [rows, columns].
        ordered: Which columns have an order, [columns].
        first: Which columns are in the first set, [columns]. The others are in the second.
    """
    found = []
    for some in _batches(targets, synthetic):
        nearest = np.ones((len(some), len(synthetic)), np.bool_)
        for group in (first, ~first):
            total = _total(some[:, group], synthetic[:, group], ordered[group])
            nearest &= total <= total.min(1, keepdims=True) + TIE
        found.append(nearest.any(1))
    return np.concatenate(found)


def guessed(targets: Floats, synthetic: Floats, ordered: Hits, secrets: Counts) -> Floats:
    """The values of secret columns in the synthetic rows nearest by the other columns, [targets, secrets].

    Args:
        targets: Cells of real rows, [targets, columns].
        synthetic: The synthetic cells, [rows, columns].
        ordered: Which columns have an order, [columns].
        secrets: Numbers of the columns that are guessed, each on its own.
    """
    found = []
    for some in _batches(targets, synthetic):
        total = _total(some, synthetic, ordered)
        nearest = [
            (total - distances(some[:, secret], synthetic[:, secret], bool(ordered[secret]))).argmin(1)
            for secret in secrets
        ]
        found.append(np.stack([synthetic[rows, secret] for rows, secret in zip(nearest, secrets, strict=True)], axis=1))
    return np.concatenate(found)


def right(guesses: Floats, truth: Floats, ordered: Hits) -> Hits:
    """Which guesses are right, [targets, columns]: equal labels, near ranks, null for null."""
    near = (np.abs(guesses - truth) <= TOLERANCE) & (guesses != NULL) & (truth != NULL)
    return np.asarray((guesses == truth) | (near & ordered))


def _total(targets: Floats, synthetic: Floats, ordered: Hits) -> NDArray[np.float32]:
    total = np.zeros((len(targets), len(synthetic)), np.float32)
    for column, has_order in enumerate(ordered):
        total += distances(targets[:, column], synthetic[:, column], bool(has_order))
    return total


def _batches(targets: Floats, synthetic: Floats) -> list[Floats]:
    size = max(1, CELLS_AT_ONCE // len(synthetic))
    return [targets[start : start + size] for start in range(0, len(targets), size)]
