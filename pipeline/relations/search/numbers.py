"""What finders of relations between numbers and times share."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.relations.base import Following
from pipeline.relations.products import Product
from pipeline.relations.search.sample import Extract, Numbers, log_agreement
from pipeline.relations.sums import Sum
from pipeline.relations.units import Floats, Unit, joined

LEAST = 20
"""Rows with all values that a relation of numbers needs."""
DISTINCT = 5
"""Different values that a relation of numbers needs. Fewer are labels."""
EXACTLY = 1e-6
"""Largest error of what is not rounded, in units."""
TELLING = 64
"""Rows of the sample in which candidates are looked for."""
MASKS = 8
"""Most patterns of nulls that are looked at."""
CONSTANTS = 10**4
"""Numbers among which a constant that is read off the rows counts as chosen."""
ALIKE = 0.98
"""Correlation that makes a candidate. Rounding takes a little."""


def blocks(numbers: list[Numbers]) -> Iterator[tuple[list[Numbers], NDArray[np.int64]]]:
    """Columns that have a value in the same rows, and these rows, for the commonest patterns of nulls."""
    patterns: dict[bytes, int] = {}
    for own in numbers:
        patterns[own.mask.tobytes()] = patterns.get(own.mask.tobytes(), 0) + 1
    for pattern in sorted(patterns, key=lambda key: -patterns[key])[:MASKS]:
        rows = np.flatnonzero(np.frombuffer(pattern, dtype=bool))
        some = [own for own in numbers if own.mask[rows].all() and np.ptp(own.units[rows]) > 0]
        if len(rows) >= LEAST and len(some) > 2:  # noqa: PLR2004
            yield some, rows


def correlated(x: Floats, y: Floats) -> bool:
    """Whether one column may be a multiple of another one."""
    one, other = normal(np.stack([x, y]))
    return bool(abs((one * other).sum()) > ALIKE)


def normal(rows: Floats) -> Floats:
    """Each row with mean 0 and length 1; zeros where it does not vary."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.asarray(np.where(size > 0, centred / np.where(size > 0, size, 1), 0.0))


def in_units(own: Numbers, scale: Unit) -> Floats:
    """The units of a column on a finer scale."""
    if scale.loose:
        return np.asarray(own.units / 10.0**own.scale.places)
    factor = own.scale.tick / scale.tick if scale.tick else 10.0 ** (scale.places - own.scale.places)
    return np.asarray(own.units * factor)


def proven(sample: Extract, found: Following) -> bool:
    """Whether chance does not explain that numbers are computed from others.

    A sum of k of n columns is one of (2n)^k, and each constant in it was one of `CONSTANTS`.
    """
    if isinstance(found, Sum):
        constants = len({abs(c) for c in found.coefficients} - {1.0}) + bool(found.constant)
    elif isinstance(found, Product):
        constants = 1 + bool(found.shift)
    else:
        return True  # other finders ask themselves
    tries = (2 * (len(sample.numbers) + len(sample.flags))) ** (len(found.sources) + 1) * CONSTANTS**constants
    return sample.certain(log_agreement(sample.codes[found.target], sample.rows), tries)


def sum_of(
    target: Numbers, sources: tuple[Numbers, ...], coefficients: tuple[float, ...], constant: float, support: int
) -> Sum:
    """A sum: of several numbers in their common scale, else in the scale of each."""
    scales = [target.scale, *(own.scale for own in sources)]
    both = joined(scales) if len(sources) > 1 else None
    return Sum(
        target=target.name,
        sources=tuple(own.name for own in sources),
        support=support,
        coefficients=coefficients,
        constant=constant,
        scale=both or target.scale,
        scales=tuple(both or own.scale for own in sources),
    )
