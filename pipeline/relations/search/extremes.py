"""A finder of columns that are the greatest or the least of others."""

from collections.abc import Iterator

import numpy as np

from pipeline.relations.base import Following
from pipeline.relations.extremes import Extreme
from pipeline.relations.search.numbers import LEAST, in_units
from pipeline.relations.search.sample import Extract, Numbers, log_agreement
from pipeline.relations.units import Floats, Unit, joined


def extremes(sample: Extract) -> Iterator[Following]:
    """Propose target = the greatest or the least of at least two columns, each of which it is in some rows."""
    tries = 2 * max(len(sample.numbers), 1) ** 2
    for target in sample.numbers:
        alike = [own for own in sample.numbers if own is not target and _alike(own, target)]
        if len(alike) < 2 or not sample.certain(log_agreement(sample.codes[target.name], sample.rows), tries):  # noqa: PLR2004
            continue
        units, scale = target.units[target.mask], target.scale
        values = np.stack([in_units(own, scale)[target.mask] for own in alike])
        for greatest in (True, False):
            sign = 1 if greatest else -1
            below = np.flatnonzero((sign * values <= sign * units).all(axis=1))
            sources = _needed(values[below] == units)
            if len(sources) > 1:
                names = tuple(alike[below[i]].name for i in sources)
                yield Extreme(target=target.name, sources=names, greatest=greatest, scale=scale, support=len(units))


def _alike(own: Numbers, target: Numbers) -> bool:
    """Whether two columns have values in the same rows, and those of the first are on the scale of the second."""
    scale: Unit | None = joined([own.scale, target.scale])
    return scale == target.scale and np.array_equal(own.mask, target.mask) and int(own.mask.sum()) >= LEAST


def _needed(equal: Floats) -> list[int]:
    """As few columns as are needed so that one of them is equal in each row. None if there is a row without."""
    left, found = np.ones(equal.shape[1], dtype=bool), list[int]()
    while left.any():
        if not len(equal) or not (equal & left).any():
            return []
        found.append(int((equal & left).sum(axis=1).argmax()))
        left &= ~equal[found[-1]]
    return sorted(found)
