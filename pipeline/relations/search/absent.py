"""A finder of values that are missing exactly where another column says so."""

from collections.abc import Iterator

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
from pipeline.relations.search.sample import Extract, log_agreement
from pipeline.relations.units import Mask


def absences(sample: Extract) -> Iterator[Relation]:
    """Propose target = null exactly where the source is null, or has one of some labels."""
    nulls = {name: _null(sample.table[name]) for name in sample.table.column_names}
    gone = [name for name, mask in nulls.items() if mask.any() and not mask.all()]
    tries = len(gone) * len(nulls)
    for target in gone:
        filler, null = _filler(sample, target), nulls[target]
        for source, other in nulls.items():
            if filler is None or source == target or not _told(sample, null, other, source, tries):
                continue
            where: tuple[str | None, ...] = (None,)
            if not np.array_equal(null, other):
                lost = labels(sample.whole[source]).cast(pa.string()).filter(pa.array(_null(sample.whole[target])))
                where = tuple(dict.fromkeys(lost.to_pylist()))
            support = sample.whole[target].null_count
            yield Absent(target=target, sources=(source,), support=support, where=where, filler=filler)


def _told(sample: Extract, null: Mask, other: Mask, source: str, tries: int) -> bool:
    """Whether the nulls of a column are those of another one, or follow from its labels, by more than chance."""
    if np.array_equal(null, other):
        return sample.certain(log_agreement(null.astype(np.int64), len(null)), tries)
    codes = sample.codes[source]
    if sample.sizes[source] > EXACT:
        return False
    rate = np.bincount(codes, null) / np.bincount(codes)
    everywhere = np.zeros(len(null), dtype=np.int64)
    chance = log_chance(codes, null.astype(np.int64), everywhere)
    return bool(np.isin(rate, [0.0, 1.0]).all() and sample.certain(chance, tries))


def _filler(sample: Extract, name: str) -> str | None:
    """The label of an ordinary value: the mean of numbers, on their grid, or the commonest label."""
    array = combined(sample.whole[name]).drop_null()
    measure = columns.measure(sample.schema[name].kind)
    if measure is not None and measure.orders:
        array = array.filter(pa.array(valid(array)))
        try:
            domain = domain_of(array)
        except SchemaError:
            return None
        middle = np.asarray([domain.positions(array).astype(np.float64).mean()])
        place = np.rint(middle).astype(np.uint64) if isinstance(domain, Grid) else middle
        return str(labels(domain.values(place, array.type)).dictionary[0])
    found, counts = counted(array)
    return str(found[int(counts.argmax())]) if len(found) else None


def _null(array: pa.ChunkedArray) -> Mask:
    return np.asarray(array.is_null().to_numpy(), dtype=bool)
