"""Test whether the columns of a table depend on each other.

A latent space encodes what columns have in common. If they have nothing in common, a latent space without information
is right. Two tests use real rows. The second runs only if the first finds nothing:

- *pairs*: columns are cut into at most eight groups. The χ² statistic of every pair is compared with the largest of all
  pairs in 99 tables whose columns were shuffled independently. A pair counts if chance reaches its statistic in one
  table of a thousand, and its Cramér's V, corrected for bias (Bergsma 2013), is at least a tenth.
- *rows*: a classifier separates real rows from rows whose columns were shuffled. This counts if the classifier's AUC is
  certainly so high that C2ST loses a tenth.
"""

from typing import NamedTuple

import numpy as np

from pipeline.evaluation.detection import two_sample
from pipeline.evaluation.scores import Dependence, Incomputable
from pipeline.evaluation.views import Codes, View
from pipeline.statistics.association import association
from pipeline.statistics.chance import Tail

ROWS = 8_000  # in all; half of them are shuffled for the classifier
PAIR_ROWS = 2_000
MOST_COLUMNS = 60  # in pairs; of more columns, a random choice
GROUPS = 8
ROWS_A_CELL = 5  # expected at least in a cell of two columns, the rule of thumb of χ²
SHUFFLES = 99
BY_CHANCE = 1e-3  # share of tables with independent columns in which a pair counts
ASSOCIATED = 0.1  # Cramér's V that matters
TOLD_APART = 0.05  # AUC above one half that matters
ERRORS = 3.0  # standard errors that make an AUC certain


class _Pair(NamedTuple):
    """The pair of columns whose association is least likely chance: its significance level and Cramér's V."""

    first: str
    second: str
    level: float
    v: float


def dependence(rows: View, rng: np.random.Generator) -> Dependence:
    """Test whether the columns of real rows depend on each other."""
    if len(rows.names) < 2:  # noqa: PLR2004 - a pair
        return Dependence(found=False, text="there are no two columns that could depend on each other")
    rows = rows.sample(ROWS, rng)
    pair = _strongest(rows.sample(PAIR_ROWS, rng), rng)
    if pair is not None:
        return Dependence(
            found=True,
            text=f"columns {pair.first!r} and {pair.second!r} depend on each other (Cramér's V {pair.v:.2f})",
        )
    order = rng.permutation(rows.rows)
    half = rows.rows // 2
    try:
        told = two_sample(rows.take(order[:half]), shuffled(rows.take(order[half:]), rng), rng)
    except Incomputable:
        return Dependence(found=False, text="no two columns depend on each other beyond chance")
    found = told.auc - ERRORS * told.auc_deviation > 0.5 + TOLD_APART
    verb = "tells" if found else "cannot tell"
    return Dependence(
        found=found, text=f"a classifier {verb} rows from rows with independently shuffled columns (AUC {told.auc:.3f})"
    )


def shuffled(rows: View, rng: np.random.Generator) -> View:
    """The same columns, each in a random order of its own."""
    apart = {name: values.take(rng.permutation(rows.rows)) for name, values in rows.values.items()}
    return View(rows.rows, apart, rows.measures)


def _strongest(rows: View, rng: np.random.Generator) -> _Pair | None:
    """The most certain association of two columns. None if chance explains it or it is too weak to matter."""
    names = list(rows.names)
    if len(names) > MOST_COLUMNS:
        names = [names[i] for i in np.sort(rng.choice(len(names), MOST_COLUMNS, replace=False))]
    most = int(np.clip(np.sqrt(rows.rows / ROWS_A_CELL), 2, GROUPS))
    groups = {name: codes for name in names if (codes := _groups(rows, name, most)).any()}
    if len(groups) < 2:  # noqa: PLR2004 - a pair
        return None
    found = association(list(groups.values()))
    levels, v = found.levels, found.corrected_v
    largest = [
        float(association([codes[rng.permutation(rows.rows)] for codes in groups.values()]).levels.max())
        for _ in range(SHUFFLES)
    ]
    by_chance = Tail.of(np.array(largest)).level(BY_CHANCE)
    beyond = np.where(v >= ASSOCIATED, levels, -np.inf)
    i, j = np.unravel_index(int(beyond.argmax()), beyond.shape)
    if beyond[i, j] <= by_chance:
        return None
    kept = list(groups)
    return _Pair(kept[i], kept[j], float(levels[i, j]), float(v[i, j]))


def _groups(rows: View, name: str, most: int) -> Codes:
    """A column as at most `most` groups, numbered from 0."""
    codes = rows.measures[name].groups(rows[name], most)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
