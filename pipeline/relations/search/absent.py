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
from pipeline.relations.search.labels import EXACT
from pipeline.relations.search.sample import Sample, log_agreement


def absences(sample: Sample) -> Iterator[Relation]:
    """Propose target = null exactly where the source is null, is not null, or has one of some labels."""
    names = sample.table.column_names
    nulls = {name: _nulls(sample, name) for name in names}
    gone = {name: mask for name, mask in nulls.items() if mask.any() and not mask.all()}
    for target, mask in gone.items():
        filler = _filler(sample, target)
        if filler is None or not sample.certain(
            log_agreement(mask.astype(np.int64), len(mask)), len(gone) * len(names)
        ):
            continue
        for source in names:
            if source != target and (found := _absent(sample, target, source, filler)) is not None:
                yield found
                break


def _absent(sample: Sample, target: str, source: str, filler: str) -> Absent | None:
    """The relation of two columns, if the target's nulls are constant within the labels of the source."""
    null, codes = _nulls(sample, target), sample.codes[source]
    if null[_nulls(sample, source)].all() and not null[~_nulls(sample, source)].any() and _nulls(sample, source).any():
        where: tuple[str | None, ...] = (None,)
    elif sample.sizes[source] <= EXACT:
        rate = np.bincount(codes, null) / np.bincount(codes)
        if not np.isin(rate, [0.0, 1.0]).all() or rate.min() == rate.max():
            return None
        whole = labels(sample.whole[source]).cast(pa.string())
        lost = whole.filter(pa.array(_null(sample.whole[target])))
        where = tuple(dict.fromkeys(lost.to_pylist()))
    else:
        return None
    return Absent(target=target, sources=(source,), support=int(null.sum()), where=where, filler=filler)


def _filler(sample: Sample, name: str) -> str | None:
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


def _nulls(sample: Sample, name: str) -> np.ndarray:
    return _null(sample.table[name])


def _null(array: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(array.is_null().to_numpy(), dtype=bool)
