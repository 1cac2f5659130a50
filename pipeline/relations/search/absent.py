"""Finders of values that are missing, or 0, exactly where another column says so."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.arrow.arrays import combined
from pipeline.arrow.domain import Grid, domain_of, valid
from pipeline.arrow.labels import counted, labels
from pipeline.errors import SchemaError
from pipeline.relations.absences import Absent
from pipeline.relations.base import Relation
from pipeline.relations.search.labels import EXACT, log_chance
from pipeline.relations.search.numbers import DISTINCT
from pipeline.relations.search.sample import Extract, log_agreement
from pipeline.relations.units import Mask

Masks = Mapping[str, Mask]


def absences(sample: Extract) -> Iterator[Relation]:
    """Propose target = null exactly where the source is null, or has one of some labels."""
    nulls = {name: _null(sample.whole[name]) for name in sample.table.column_names}
    yield from _proposed(sample, nulls, nulls, null=True)


def noughts(sample: Extract) -> Iterator[Relation]:
    """Propose target = 0 exactly where the source is 0, or has one of some labels, for targets of many values."""
    masks = {name: np.zeros(sample.whole.num_rows, dtype=bool) for name in sample.table.column_names}
    for own in sample.numbers:
        whole = sample.entire(own)
        masks[own.name] = whole.mask & (whole.units == 0)
    many = sorted((own.name for own in sample.numbers), key=lambda name: -sample.sizes[name])
    targets = {name: masks[name] for name in many if sample.sizes[name] > DISTINCT}
    yield from _proposed(sample, targets, masks, null=False)


def _proposed(sample: Extract, targets: Masks, sources: Masks, *, null: bool) -> Iterator[Relation]:
    """Relations that explain where columns are null, or 0, by where others are, or by their labels."""
    told = {name: mask[sample.places] for name, mask in sources.items()}
    targets = {name: mask for name, mask in targets.items() if told[name].any() and not told[name].all()}
    tries = len(targets) * len(sources)
    for target, mask in targets.items():
        for source, other in told.items():
            if source == target or not _told(sample, told[target], other, source, tries):
                continue
            if (filler := _filler(sample, target, ~mask)) is None:
                break
            value = None if null else _label(sample.whole[target].filter(pa.array(mask)))
            lost = labels(sample.whole[source]).cast(pa.string()).filter(pa.array(mask))
            where = tuple(dict.fromkeys(lost.to_pylist()))
            support = int(mask.sum())
            yield Absent(target=target, sources=(source,), support=support, value=value, where=where, filler=filler)


def _told(sample: Extract, null: Mask, other: Mask, source: str, tries: int) -> bool:
    """Whether the nulls or zeros of a column are those of another one, or follow from its labels, but not by chance."""
    if np.array_equal(null, other):
        return sample.certain(log_agreement(null.astype(np.int64), len(null)), tries)
    codes = sample.codes[source]
    if sample.sizes[source] > EXACT:
        return False
    rate = np.bincount(codes, null) / np.bincount(codes)
    everywhere = np.zeros(len(null), dtype=np.int64)
    chance = log_chance(codes, null.astype(np.int64), everywhere)
    return bool(np.isin(rate, [0.0, 1.0]).all() and sample.certain(chance, tries))


def _filler(sample: Extract, name: str, ordinary: Mask) -> str | None:
    """The label of an ordinary value: the mean of numbers, on their grid, or the commonest label."""
    array = combined(sample.whole[name].filter(pa.array(ordinary))).drop_null()
    measure = columns.measure(sample.schema[name].kind)
    if measure is not None and measure.orders:
        array = array.filter(pa.array(valid(array)))
        try:
            domain = domain_of(array)
        except SchemaError:
            return None
        middle = np.asarray([domain.positions(array).astype(np.float64).mean()])
        place = np.rint(middle).astype(np.uint64) if isinstance(domain, Grid) else middle
        return _label(domain.values(place, array.type))
    found, counts = counted(array)
    return str(found[int(counts.argmax())]) if len(found) else None


def _label(array: pa.Array | pa.ChunkedArray) -> str:
    """The label of the first value."""
    return str(labels(array).cast(pa.string())[0])


def _null(array: pa.ChunkedArray) -> Mask:
    return np.asarray(array.is_null().to_numpy(), dtype=bool)
