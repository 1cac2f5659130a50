"""Finders of columns that are another one in another unit, or a rate of it.

A rounded rate leaves its coefficient open within an interval. The number in it that takes the fewest digits is meant.
"""

from collections.abc import Iterator
from itertools import combinations, permutations, product
from math import ceil, floor, log10

import numpy as np
import pyarrow as pa
from scipy.optimize import linprog

from pipeline.relations.base import Following
from pipeline.relations.search.numbers import DISTINCT, EXACTLY, LEAST, correlated, sum_of
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.sums import Sum
from pipeline.relations.units import HALF, Floats

DIGITS = 16
"""Most digits of a coefficient."""
MOST_HALVES = 0.75
"""Most values that lie halfway between two before they are rounded. It is a half if a rate is ½."""
MOST = 20_000
"""Most values that a linear program sees."""
FLOATS = (10.0, 0.1)
"""Relative errors of what is read off floats of any size, as a multiple of their own: simple numbers come first."""


def multiples(sample: Extract) -> Iterator[Following]:
    """Propose target = coefficient · source + constant without any rounding: another unit of the same amount."""
    for one, other in combinations(sample.numbers, 2):
        if _comparable(one, other):
            found = [_exact(target, source) for target, source in ((other, one), (one, other))]
            yield from _finer(found)
    for target, source in product(sample.coded, sample.numbers):
        if _comparable(source, target) and (relation := _exact(target, source)) is not None:
            yield relation


def scaled(sample: Extract) -> Iterator[Following]:
    """Propose target = coefficient · source + constant, rounded: a rate. Dates have no rates."""
    numbers = [own for own in sample.numbers if not own.scale.tick or pa.types.is_duration(sample.table[own.name].type)]
    found: list[Sum] = []
    for one, other in combinations(numbers, 2):
        if _comparable(one, other):
            both = [
                _rounded(sample.entire(target), sample.entire(source))  # all rows tell more than a sample
                for target, source in ((other, one), (one, other))
                if _rounded(target, source) is not None
            ]
            found += list(_finer(both))[:1]
    # of an amount in several units, the one that is rounded itself has the simplest coefficient
    yield from sorted(found, key=lambda own: (_digits(own.coefficients[0]), -abs(own.coefficients[0])))


def clipped(sample: Extract) -> Iterator[Following]:
    """Propose target = coefficient · source + constant, or 0 where that is less: debits, overtime, late days."""
    for target in sample.numbers:
        y = target.units
        some = target.mask & (y > 0)
        if target.scale.tick or not LEAST <= some.sum() <= target.mask.sum() - LEAST or y[target.mask].min() < 0:
            continue
        for source in sample.numbers:
            if source is target or source.scale.tick or (source.mask != target.mask).any():
                continue
            one, other = source._replace(mask=some), target._replace(mask=some)
            if not _comparable(one, other):
                continue
            found = _exact(other, one) or _rounded(other, one)
            if found is None:
                continue
            less = found.coefficients[0] * source.units + found.constant <= (0.0 if target.scale.loose else HALF)
            if less[target.mask & ~some].all():
                yield found.model_copy(update={"clipped": True})


def absolutes(sample: Extract) -> Iterator[Following]:
    """Propose target = |coefficient · source|: the size of an amount that is booked with its sign."""
    for target, source in permutations([own for own in sample.numbers if not own.scale.tick], 2):
        x, y = source.units[source.mask], target.units[target.mask]
        if y.min() >= 0 and min((x > 0).sum(), (x < 0).sum()) >= LEAST:
            size = source._replace(units=np.abs(source.units))
            found = _exact(target, size) if _comparable(size, target) else None
            if found is not None and not found.constant:
                yield found.model_copy(update={"absolute": True})


def _comparable(one: Numbers, other: Numbers) -> bool:
    """Whether two columns have values in the same rows and may be multiples of each other."""
    if (one.mask != other.mask).any() or one.mask.sum() < LEAST:
        return False
    x, y = one.units[one.mask], other.units[one.mask]
    return correlated(x, y) and min(len(np.unique(x)), len(np.unique(y))) >= DISTINCT


def _digits(number: float) -> int:
    """The number of digits of a number."""
    return len(f"{abs(number):.12e}".partition("e")[0].rstrip("0"))


def _finer(found: list[Sum | None]) -> Iterator[Sum]:
    """Sums whose target is the column with the finer steps, where two columns follow from each other.

    Then every value of the coarser one leads to a value of the finer one, and back. If their steps are equal, the later
    column is the target.
    """
    steps = [(0.0 if own.scale.loose else abs(own.coefficients[0]), own) for own in found if own is not None]
    yield from (own for _, own in sorted(steps, key=lambda pair: -pair[0]))


def _exact(target: Numbers, source: Numbers) -> Sum | None:
    """The relation of two correlated columns, if nothing is rounded."""
    if source.scale.loose > target.scale.loose:
        return None  # floats of any size follow from whole units, not these from them
    x, y = source.units[source.mask], target.units[source.mask]
    low, high = int(x.argmin()), int(x.argmax())
    slope = float((y[high] - y[low]) / (x[high] - x[low]))
    if source.scale.tick and target.scale.tick:
        slope = source.scale.tick / target.scale.tick
    loose = target.scale.loose
    for error in (each * loose for each in FLOATS) if loose else (0.0,):
        rate = _rate(*sorted((slope * (1 - error), slope * (1 + error)))) if loose else slope
        rest = float(np.median(y - rate * x))
        spare = float(np.abs(y).max()) * error if loose else HALF
        for constant in (0.0, simplest(rest - spare, rest + spare)):
            size = np.abs(rate * x) + abs(constant)
            most = loose * size if loose else EXACTLY * max(1.0, abs(rate))
            if (np.abs(y - rate * x - constant) <= most).all():
                return sum_of(target, (source,), (rate,), constant, len(x))
    return None


def _rounded(target: Numbers, source: Numbers) -> Sum | None:
    """The relation of two correlated columns, if what is left over is rounding."""
    if target.scale.loose or target.scale.tick:
        return None
    x, y = source.units[source.mask], target.units[source.mask]
    x, first = np.unique(x, return_index=True)
    if len(np.unique(np.stack([source.units, target.units])[:, source.mask], axis=1).T) > len(x):
        return None  # the same value of the source has two of the target
    y = y[first]
    slope, constant = np.polyfit(x, y, 1)
    if np.ptp(y - slope * x) > 4 * HALF:
        return None
    for low, high, shifted in ((*_slopes(x, y), False), (*_slopes_shifted(x, y), True)):
        if low <= high:
            coefficient = _rate(low, high)
            rest = y - coefficient * x
            least, most = float(rest.max()) - HALF, float(rest.min()) + HALF
            inside = (most - least) / 100  # off the ends, where halves would be rounded the other way
            constant = simplest(least + inside, most - inside) if shifted and least <= most else 0.0
            halves = np.abs(rest - constant) >= 0.5 - EXACTLY  # a broken row would make all others halves
            if np.abs(rest - constant).max() <= HALF and halves.mean() <= MOST_HALVES:
                return sum_of(target, (source,), (coefficient,), constant, int(source.mask.sum()))
    return None


def _slopes(x: Floats, y: Floats) -> tuple[float, float]:
    """The least and the greatest coefficient of y = coefficient · x, to within rounding."""
    if (np.abs(y[x == 0]) > HALF).any():
        return 1.0, 0.0
    x, y = x[x != 0], y[x != 0]
    ends = np.sort(np.stack([(y - HALF) / x, (y + HALF) / x]), axis=0)
    return float(ends[0].max()), float(ends[1].min())


def _slopes_shifted(x: Floats, y: Floats) -> tuple[float, float]:
    """The same with any constant."""
    some = np.linspace(0, len(x) - 1, min(len(x), MOST)).astype(np.int64)
    x, y = x[some], y[some]
    size = float(np.abs(x).max())
    matrix = np.concatenate([np.stack([x / size, np.ones(len(x))], 1), -np.stack([x / size, np.ones(len(x))], 1)])
    limits = np.concatenate([y + HALF, HALF - y])
    ends = []
    for sign in (1.0, -1.0):
        found = linprog([sign, 0.0], A_ub=matrix, b_ub=limits, bounds=(None, None), method="highs")
        if not found.success:
            return 1.0, 0.0
        ends.append(float(found.x[0]) / size)
    return ends[0], ends[1]


def simplest(low: float, high: float) -> float:
    """The number between two others that takes the fewest digits."""
    if low <= 0 <= high:
        return 0.0
    return -_shortest(-high, -low)[0] if high < 0 else _shortest(low, high)[0]


def _rate(low: float, high: float) -> float:
    """The same, or one part of such a number: a minute is a sixtieth of an hour."""
    if low <= 0:
        return -_rate(-high, -low) if high < 0 else 0.0
    whole, digits = _shortest(low, high)
    part, fewer = _shortest(1 / high, 1 / low)
    return 1 / part if fewer < digits and low <= 1 / part <= high else whole


def _shortest(low: float, high: float) -> tuple[float, int]:
    """The shortest decimal number between two positive ones, and its number of digits."""
    top = floor(log10(high))
    for digits in range(1, DIGITS + 1):
        places = digits - 1 - top
        value = ceil(low * 10.0**places * (1 - 1e-15))
        found = value / 10.0**places if places >= 0 else value * 10.0**-places
        if low <= found <= high:
            return found, digits
    return (low + high) / 2, DIGITS
