"""A finder of labels that follow from the range of a number."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from scipy.special import gammaln

from pipeline.arrow.labels import labels
from pipeline.relations.bands import Band
from pipeline.relations.base import Following
from pipeline.relations.search.labels import EXACT
from pipeline.relations.search.numbers import LEAST
from pipeline.relations.search.sample import Extract, Numbers
from pipeline.relations.units import Ints, Unit

MOST = 100
"""Most intervals."""


def bands(sample: Extract) -> Iterator[Following]:
    """Propose target = label of the interval in which the source lies, for sources with many values.

    Times are no sources: later rows have later times, and nothing is known of their labels.
    """
    numbers = [own for own in sample.numbers if not own.scale.tick and own.mask.sum() >= LEAST]
    sources = [own for own in numbers if sample.sizes[own.name] > EXACT]
    targets = [name for name, size in sample.sizes.items() if 1 < size <= MOST]
    tries = len(sources) * len(targets)
    found = []
    for source in sources:
        for target in targets:
            if target == source.name or not _told(sample, source, sample.codes[target], tries):
                continue
            if (band := _banded(sample, source.name, target)) is not None:
                found.append(band)
    yield from sorted(found, key=_digits)  # of a total and its parts, the one with round edges is meant


def _told(sample: Extract, source: Numbers, codes: Ints, tries: int) -> bool:
    """Whether a label changes so seldom along the source that chance does not explain it.

    There are at most k (k − 1)^(r − 1) C(n − 1, r − 1) sequences of n of k labels with r runs, of n! / Π c! in all.
    """
    own = codes[source.mask]
    order = np.lexsort((own, source.units[source.mask]))
    runs, n = int((np.diff(own[order]) != 0).sum()) + 1, len(own)
    counts = np.bincount(own)
    k = int((counts > 0).sum())
    if k < 2 or runs > min(MOST, n // LEAST):  # noqa: PLR2004
        return False
    ways = np.log(k) + (runs - 1) * np.log(max(k - 1, 1)) + gammaln(n) - gammaln(runs) - gammaln(n - runs + 1)
    return sample.certain(float(ways - gammaln(n + 1) + gammaln(counts + 1).sum()), tries)


def _banded(sample: Extract, source: str, target: str) -> Band | None:
    """The bands of the whole table. None if a value of the source has two labels, or there are too many bands."""
    scale = sample.scales[source]
    assert scale is not None, "sources have a scale"
    units, mask = scale.units(sample.whole[source])
    whole = labels(sample.whole[target]).cast(pa.string())
    codes = whole.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    gone = set(codes[~mask].tolist())
    order = np.flatnonzero(mask)[np.lexsort((codes[mask], units[mask]))]
    x, own = units[order], codes[order]
    ends = np.flatnonzero(np.diff(own) != 0)
    few = np.unique(codes, return_counts=True)[1].min() < sample.schema[target].least_rows  # would be withheld
    if few or len(gone) > 1 or len(ends) >= MOST or (x[ends] == x[ends + 1]).any():
        return None
    gaps = tuple((float(low), float(high)) for low, high in zip(x[ends], x[ends + 1], strict=True))
    edges = tuple(_edge(low, high, scale) for low, high in gaps)
    first = [order[0], *order[ends + 1], *(np.flatnonzero(~mask)[:1] if gone else order[:1])]
    entries = tuple(whole.take(pa.array(first)).to_pylist())
    return Band(target=target, sources=(source,), scale=scale, edges=edges, gaps=gaps, entries=entries)


def _digits(band: Band) -> int:
    """Number of digits that it takes to write the edges, as "at least" or as "above" what lies one unit below."""
    return sum(min(_written(edge), _written(edge - 1)) for edge in band.edges)


def _written(number: float) -> int:
    """Number of digits of a whole number, without zeros at the end."""
    return len(f"{abs(number):.0f}".rstrip("0"))


def _edge(low: float, high: float, scale: Unit) -> float:
    """The least number of the upper of two bands. Bands change at the roundest number between them.

    It is above `low` and at most `high`; just above `low`, if `low` is rounder.
    """
    largest = max(abs(low), abs(high), 1.0)
    found, step, least = high, 10.0 ** np.floor(np.log10(largest)), largest * scale.loose if scale.loose else 1
    while step >= least:
        value = float(np.floor(high / step) * step)
        if low < value:
            found = value
            break
        step /= 10
    return low + 1 if not scale.loose and _written(low) < _written(found) else found
