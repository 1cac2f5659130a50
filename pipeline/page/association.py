"""Which columns depend on each other, in the real rows and in the synthetic rows: Cramér's V of all pairs.

If there are many columns, those with the largest errors are compared. A hierarchical clustering of the real columns
orders them (average linkage of 1 − V, optimal leaf order: Bar-Joseph et al. 2001), so columns that depend on each other
stand side by side.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation import Evaluation
from pipeline.evaluation.views import View
from pipeline.randomness import stream
from pipeline.statistics.association import association

Floats = NDArray[np.float64]

MOST = 60
"""Most columns that are compared."""
CHANGED = 8
"""Pairs that are listed."""
NOTICEABLE = 0.05  # a change of V that is listed


class Associations(NamedTuple):
    """Cramér's V of pairs of columns.

    Attributes:
        names: The columns, in order.
        left_out: How many comparable columns are not compared.
        real: V in the real rows, [names, names]; 1 on the diagonal.
        synthetic: V in the synthetic rows.
    """

    names: tuple[str, ...]
    left_out: int
    real: Floats
    synthetic: Floats

    @property
    def changed(self) -> list[tuple[str, str, float, float]]:
        """The pairs whose V differs most: two names, V in the real rows, V in the synthetic rows."""
        first, second = np.triu_indices(len(self.names), 1)
        difference = np.abs(self.real - self.synthetic)[first, second]
        order = [i for i in np.argsort(-difference, kind="stable")[:CHANGED] if difference[i] >= NOTICEABLE]
        return [
            (
                self.names[first[i]],
                self.names[second[i]],
                float(self.real[first[i], second[i]]),
                float(self.synthetic[first[i], second[i]]),
            )
            for i in order
        ]


def associations(real: View, synthetic: View, found: Evaluation) -> Associations | None:
    """The associations of two views with the same columns. None if fewer than two columns can be compared.

    V is above 0 by chance, and more so in fewer rows. So equally many rows of either side are compared.
    """
    rows, random = min(real.rows, synthetic.rows), stream(0, "page associations")
    real, synthetic = real.sample(rows, random), synthetic.sample(rows, random)
    names = [name for name in _order(found) if name in real.values]
    names += [name for name in real.names if name not in names]
    codes: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for name in names:
        if len(codes) == MOST:
            break
        strata = real.measures[name].strata(real[name], synthetic[name])
        if strata is not None:
            codes[name] = strata.real, strata.other
    if len(codes) < 2:  # noqa: PLR2004 - a pair
        return None
    sides = [_matrix([own[i] for own in codes.values()]) for i in (0, 1)]
    order = _clustered(sides[0])
    names, place = list(codes), np.ix_(order, order)
    return Associations(tuple(names[i] for i in order), len(real.names) - len(codes), sides[0][place], sides[1][place])


def _order(found: Evaluation) -> list[str]:
    """Columns of the worst pairs, and then the columns with the largest errors."""
    paired = [name for pair in found.pairs for name in (pair.first, pair.second)]
    return list(dict.fromkeys([*paired, *(column.name for column in found.columns)]))


def _matrix(codes: list[NDArray[np.int64]]) -> Floats:
    found = association([np.unique(own, return_inverse=True)[1] for own in codes]).v
    np.fill_diagonal(found, 1.0)
    return np.asarray(np.clip(found, 0, 1))


def _clustered(v: Floats) -> list[int]:
    """The order of the columns in which dependent ones are neighbours."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # noqa: PLC0415 - a tenth of a second
    from scipy.spatial.distance import squareform  # noqa: PLC0415

    distance = squareform(1 - (v + v.T) / 2, checks=False)
    return [int(i) for i in leaves_list(linkage(distance, "average", optimal_ordering=True))]
