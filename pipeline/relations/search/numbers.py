"""Finders of scaled, summed and multiplied columns of numbers and times."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.relations.base import Relation
from pipeline.relations.products import Product
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.sums import HALF, Sum
from pipeline.relations.units import Floats, Unit, joined

LEAST = 20
"""Rows with all values that a relation of numbers needs."""
DISTINCT = 5
"""Different values that a relation of numbers needs. Fewer are labels."""
TELLING = 64
"""Rows of the sample in which candidates are looked for."""
MASKS = 8
"""Most patterns of nulls that are looked at."""
EXACTLY = 1e-6
"""Largest error of what is not rounded, in units."""
LONGEST = 12
"""Most terms of a sum."""
ALIKE = 0.98
"""Correlation that makes a candidate. Rounding takes a little."""


def multiples(sample: Extract) -> Iterator[Relation]:
    """Propose target = coefficient · source + constant without any rounding: another unit of the same amount."""
    yield from _proportions(sample, tolerance=EXACTLY)


def scaled(sample: Extract) -> Iterator[Relation]:
    """Propose target = coefficient · source + constant, rounded: a rate."""
    yield from _proportions(sample, tolerance=HALF)


def _proportions(sample: Extract, tolerance: float) -> Iterator[Relation]:
    for one, other in combinations(sample.numbers, 2):
        if bool(one.scale.tick) != bool(other.scale.tick) or (one.mask != other.mask).any():
            continue
        if one.mask.sum() < LEAST or not correlated(one.units[one.mask], other.units[one.mask]):
            continue
        for target, source in ((other, one), (one, other)):  # the later column follows from the earlier one
            if (found := _scaled(target, source, tolerance)) is not None:
                yield found
                break


def sums(sample: Extract) -> Iterator[Relation]:
    """Propose target = Σ ± sources, and times that are another one plus a number of units.

    Large targets come first: a grand total follows from totals, which then follow from their parts.
    """
    for some, rows in _blocks([own for own in sample.numbers if not own.scale.tick]):
        scale = joined([own.scale for own in some])
        if scale is not None:
            units = np.stack([in_units(own, scale) for own in some])[:, rows]
            size = {own.name: float(np.abs(own.units).mean()) for own in some}
            yield from sorted(_pairs(some, units), key=lambda found: -size[found.target])
            # a total is the sum of its parts, and no part is the total less the others
            yield from sorted(_long(some, units), key=lambda found: (min(found.coefficients) < 0, -size[found.target]))
    yield from _spans(sample.numbers)


def products(sample: Extract) -> Iterator[Relation]:
    """Propose target = first · (shift + factor · second)."""
    for some, units, few in _told(sample):
        for k, target in enumerate(some):
            for first, second in _candidates(few[k] / np.where(few == 0, np.inf, few), few, k):
                if (found := _product(target, some[first], some[second], units[[k, first, second]])) is not None:
                    yield found


def ratios(sample: Extract) -> Iterator[Relation]:
    """Propose target = first / second · factor."""
    for some, units, few in _told(sample):
        for k, target in enumerate(some):
            for second, first in _candidates(few[k] * few, few, k):
                if (found := _ratio(target, some[first], some[second], units[[k, first, second]])) is not None:
                    yield found


def _told(sample: Extract) -> Iterator[tuple[list[Numbers], Floats, Floats]]:
    """Numbers that are present together, their units, and those of a few rows with few zeros, [columns, rows]."""
    for some, rows in _blocks([own for own in sample.numbers if not own.scale.tick]):
        units = np.stack([own.units for own in some])[:, rows]
        yield some, units, units[:, np.argsort(-(units != 0).sum(axis=0), kind="stable")[:TELLING]]


def _blocks(numbers: list[Numbers]) -> Iterator[tuple[list[Numbers], NDArray[np.int64]]]:
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
    one, other = _normal(np.stack([x, y]))
    return bool(abs((one * other).sum()) > ALIKE)


def _scaled(target: Numbers, source: Numbers, tolerance: float) -> Sum | None:
    """The relation of two correlated columns, if it leaves no more over than the tolerance, in units."""
    x, y = source.units[source.mask], target.units[source.mask]
    if len(np.unique(x)) < DISTINCT or len(np.unique(y)) < DISTINCT:
        return None
    if target.scale.tick:
        rest = y - x * source.scale.tick / target.scale.tick
        same = np.ptp(rest) == 0 and float(rest[0]).is_integer()
        return (
            _sum(target, (source,), (source.scale.tick / target.scale.tick,), float(rest[0]), len(x)) if same else None
        )
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    for coefficient in (*_simple(slope, float(np.ptp(x))), slope):
        rest = y - coefficient * x
        constant = float((rest.max() + rest.min()) / 2)
        for shift in (0.0, float(np.rint(constant)), constant):
            if np.abs(rest - shift).max() <= tolerance:
                return _sum(target, (source,), (coefficient,), shift, len(x))
    return None


def _simple(slope: float, spread: float) -> list[float]:
    """Round numbers near a slope, as near as values of such a spread tell it."""
    found: list[float] = []
    for digits in range(1, 10):
        for near in (float(f"{slope:.{digits}g}"), 1 / float(f"{1 / slope:.{digits}g}") if slope else 0.0):
            if near and abs(near - slope) * spread <= 2 and near not in found:  # noqa: PLR2004
                found.append(near)
    return found


def _pairs(some: list[Numbers], units: Floats) -> Iterator[Sum]:
    """Sums of two columns. The bytes of a few rows of the sum lead to the third column."""
    few = units[:, np.argsort(-(units != 0).sum(axis=0), kind="stable")[:TELLING]]
    columns = {few[i].tobytes(): i for i in range(len(some))}
    for i in range(len(some)):
        for j, total in enumerate(few[i] + few[: i + 1]):
            k = columns.get(np.ascontiguousarray(total).tobytes())
            if k is not None and k not in {i, j} and i != j and np.array_equal(units[i] + units[j], units[k]):
                yield _sum(some[k], (some[j], some[i]), (1.0, 1.0), 0.0, units.shape[1])


def _long(some: list[Numbers], units: Floats) -> Iterator[Sum]:
    """Longer sums, by least squares: coefficients of 1 and −1 that leave nothing over."""
    size = np.abs(units).max(axis=1).clip(min=1.0)
    for k in range(len(some)):
        others = np.array([i for i in range(len(some)) if i != k])
        found, *_ = np.linalg.lstsq((units[others] / size[others, None]).T, units[k], rcond=1e-12)
        whole = np.rint(found / size[others])
        used = np.flatnonzero(whole)
        if not 2 < len(used) <= LONGEST or (np.abs(whole[used]) != 1).any():  # noqa: PLR2004
            continue
        if np.array_equal(whole[used] @ units[others[used]], units[k]):
            coefficients = tuple(whole[used].tolist())
            yield _sum(some[k], tuple(some[i] for i in others[used]), coefficients, 0.0, units.shape[1])


def _spans(numbers: list[Numbers]) -> Iterator[Relation]:
    """Propose a time that is another one plus or minus a number of days, hours or other units."""
    counts = [own for own in numbers if not own.scale.tick]
    for one, other in combinations([own for own in numbers if own.scale.tick], 2):
        source, target = (one, other) if one.scale.tick >= other.scale.tick else (other, one)
        mask = one.mask & other.mask
        if mask.sum() < LEAST:
            continue
        span = (target.units - in_units(source, target.scale))[mask]
        for count in counts:
            value = count.units[mask]
            if (count.mask != mask).any() or len(np.unique(value)) < DISTINCT:
                continue
            ratio = float(np.median(span[value != 0] / value[value != 0]))
            if ratio and ratio.is_integer() and np.array_equal(span, ratio * value):
                coefficients = (source.scale.tick / target.scale.tick, ratio)
                yield _sum(target, (source, count), coefficients, 0.0, int(mask.sum()))


def _candidates(made: Floats, columns: Floats, target: int) -> list[tuple[int, int]]:
    """Which columns are correlated with what was made of the target and another column: (other, column)."""
    found = np.abs(_normal(made) @ _normal(columns).T) > ALIKE
    found[:, target] = found[target] = False
    np.fill_diagonal(found, val=False)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(found), strict=True)]


def _normal(rows: Floats) -> Floats:
    """Each row with mean 0 and length 1; zeros where it does not vary."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.asarray(np.where(size > 0, centred / np.where(size > 0, size, 1), 0.0))


def _product(target: Numbers, first: Numbers, second: Numbers, units: Floats) -> Product | None:
    """The relation y = a · (shift + factor · b), if it holds to within rounding."""
    y, a, b = units
    used = np.argsort(-np.abs(a), kind="stable")[:TELLING]
    used = used[a[used] != 0]
    if len(used) < LEAST or np.ptp(b[used]) == 0:
        return None
    factor, shift = np.polyfit(b[used], y[used] / a[used], 1)
    unit = 10.0 ** (target.scale.places - first.scale.places)
    for digits in (0, 1, 2, 4, 6):
        c = round(float(factor) / unit * 10**second.scale.places, digits) * unit / 10**second.scale.places
        d = round(float(shift) / unit, digits) * unit
        if c and np.abs(y - a * (d + c * b)).max() <= HALF:
            return _made(target, first, second, factor=c, shift=d, support=int((a != 0).sum()))
    return None


def _ratio(target: Numbers, first: Numbers, second: Numbers, units: Floats) -> Product | None:
    """The relation y = a / b · factor, if it holds to within rounding."""
    y, a, b = units
    if (b == 0).any() or len(np.unique(b)) < DISTINCT or len(np.unique(y)) < DISTINCT:
        return None
    unit = 10.0 ** (target.scale.places - first.scale.places + second.scale.places)
    for factor in (unit, 100 * unit, 1000 * unit, unit / 100):
        if np.abs(y - a / b * factor).max() <= HALF:
            return _made(target, first, second, factor=factor, ratio=True, support=len(y))
    return None


def in_units(own: Numbers, scale: Unit) -> Floats:
    """The units of a column on a finer scale."""
    factor = own.scale.tick / scale.tick if scale.tick else 10.0 ** (scale.places - own.scale.places)
    return np.asarray(own.units * factor)


def _sum(
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


def _made(
    target: Numbers,
    first: Numbers,
    second: Numbers,
    *,
    factor: float,
    support: int,
    shift: float = 0.0,
    ratio: bool = False,
) -> Product:
    """A product or a ratio."""
    return Product(
        target=target.name,
        sources=(first.name, second.name),
        support=support,
        factor=factor,
        shift=shift,
        ratio=ratio,
        scale=target.scale,
        scales=(first.scale, second.scale),
    )
