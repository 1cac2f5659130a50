"""Finders of products and ratios."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from pipeline.relations.base import Following
from pipeline.relations.products import Product
from pipeline.relations.search.numbers import ALIKE, DISTINCT, EXACTLY, LEAST, TELLING, blocks, normal
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.units import Floats

MOST = 40
"""Most columns of which products of three are looked for."""


def products(sample: Extract) -> Iterator[Following]:
    """Propose target = first · (shift + factor · second)."""
    for some, units, few in _told(sample):
        for k, target in enumerate(some):
            for first, second in _candidates(few[k] / np.where(few == 0, np.inf, few), few, k):
                if (found := _product(target, (some[first],), some[second], units[[k, first, second]])) is not None:
                    yield found


def triples(sample: Extract) -> Iterator[Following]:
    """Propose target = first · second · (shift + factor · third)."""
    for some, units, few in _told(sample):
        pairs = list(combinations(range(len(some)), 2)) if len(some) <= MOST else []
        one, other = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True)) if pairs else ((), ())
        both = few[one] * few[other] if pairs else few[:0]
        for k, target in enumerate(some):
            if len(np.unique(units[k])) < LEAST:
                continue
            for pair, third in _candidates(few[k] / np.where(both == 0, np.inf, both), few, k):
                first, second = pairs[pair]
                if len({k, first, second, third}) == 4:  # noqa: PLR2004
                    numbers = np.stack([units[k], units[first] * units[second], units[third]])
                    if (found := _product(target, (some[first], some[second]), some[third], numbers)) is not None:
                        yield found


def ratios(sample: Extract) -> Iterator[Following]:
    """Propose target = first / second · factor."""
    for some, units, few in _told(sample):
        for k, target in enumerate(some):
            for second, first in _candidates(few[k] * few, few, k):
                if (found := _ratio(target, some[first], some[second], units[[k, first, second]])) is not None:
                    yield found


def _told(sample: Extract) -> Iterator[tuple[list[Numbers], Floats, Floats]]:
    """Numbers that are present together, their units, and those of a few rows with few zeros, [columns, rows]."""
    for some, rows in blocks([own for own in sample.numbers if not own.scale.tick]):
        units = np.stack([own.units for own in some])[:, rows]
        yield some, units, units[:, np.argsort(-(units != 0).sum(axis=0), kind="stable")[:TELLING]]


def _candidates(made: Floats, columns: Floats, target: int) -> list[tuple[int, int]]:
    """Which columns are correlated with what was made of the target and others: (what was made, column)."""
    found = np.abs(normal(made) @ normal(columns).T) > ALIKE
    found[:, target] = False
    if len(made) == len(columns):
        found[target] = False
        np.fill_diagonal(found, val=False)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(found), strict=True)]


def _product(target: Numbers, others: tuple[Numbers, ...], last: Numbers, units: Floats) -> Product | None:
    """The relation y = a · (shift + factor · b), if it holds to within rounding. a is the product of the others."""
    y, a, b = units
    used = np.argsort(-np.abs(a), kind="stable")[:TELLING]
    used = used[a[used] != 0]
    if len(used) < LEAST or np.ptp(b[used]) == 0:
        return None
    factor, shift = np.polyfit(b[used], y[used] / a[used], 1)
    unit = 10.0 ** (target.scale.places - sum(own.scale.places for own in others))
    for digits in (0, 1, 2, 4, 6):
        c = round(float(factor) / unit * 10**last.scale.places, digits) * unit / 10**last.scale.places
        d = round(float(shift) / unit, digits) * unit
        if c and target.scale.near(y, a * (d + c * b)).all():
            if _told_back(target, others, last, units, c, d):
                return None
            return _made(target, (*others, last), factor=c, shift=d, support=int((a != 0).sum()))
    return None


def _told_back(target: Numbers, others: tuple[Numbers, ...], last: Numbers, units: Floats, c: float, d: float) -> bool:
    """Whether a source follows from the product too, and has finer steps. Then it is the target: a ratio."""
    y, a, b = units
    rate = d + c * b
    used = (a != 0) & (rate != 0)
    y, a, b, rate = y[used], a[used], b[used], rate[used]
    if _finer(last, b, target, y) and last.scale.near(b, (y / a - d) / c).all():
        return True
    return len(others) == 1 and _finer(others[0], a, target, y) and bool(others[0].scale.near(a, y / rate).all())


def _finer(one: Numbers, x: Floats, other: Numbers, y: Floats) -> bool:
    """Whether the steps of one column are finer than those of another one."""
    if one.scale.loose or other.scale.loose:
        return one.scale.loose > other.scale.loose
    return float(np.ptp(x)) > float(np.ptp(y))


def _ratio(target: Numbers, first: Numbers, second: Numbers, units: Floats) -> Product | None:
    """The relation y = a / b · factor, if it holds to within rounding and a is not exactly y · b.

    If b = a / y holds too, the one with the finer steps is the target.
    """
    y, a, b = units
    if (b == 0).any() or np.ptp(b) == 0 or len(np.unique(y)) < DISTINCT:
        return None
    unit = 10.0 ** (target.scale.places - first.scale.places + second.scale.places)
    for factor in (unit, 100 * unit, 1000 * unit, unit / 100):
        product = not target.scale.loose and np.abs(y * b / factor - a).max() <= EXACTLY * np.abs(a).max()
        back = (
            _finer(second, b, target, y)
            and (y != 0).all()
            and second.scale.near(b, a / np.where(y == 0, 1, y) * factor).all()
        )
        if not product and not back and target.scale.near(y, a / b * factor).all():
            return _made(target, (first, second), factor=factor, ratio=True, support=len(y))
    return None


def _made(
    target: Numbers,
    sources: tuple[Numbers, ...],
    *,
    factor: float,
    support: int,
    shift: float = 0.0,
    ratio: bool = False,
) -> Product:
    """A product or a ratio."""
    return Product(
        target=target.name,
        sources=tuple(own.name for own in sources),
        support=support,
        factor=factor,
        shift=shift,
        ratio=ratio,
        scale=target.scale,
        scales=tuple(own.scale for own in sources),
    )
