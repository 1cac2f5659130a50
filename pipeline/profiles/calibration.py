"""How much a table differs from itself by chance.

A sample of the reference is split at random into a batch and the rest, again and again. Nothing has changed between the
two, so every difference is chance, with the table's own ties, tails, rare labels and dependent columns. For each split
and each family of effects, the *largest* level over all columns is kept (`pipeline.statistics.chance`). A `Tail` is
fitted to these levels. It gives the threshold that any column exceeds in only one comparison of a thousand. Levels
hardly depend on the sizes of batch and reference, so one calibration serves batches of any size. It is made from small,
middle and large batches together.

Rows are resampled one by one. If neighbouring rows are alike, as in a time series, chance is larger than this estimate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.measures import Measure, Resampled
from pipeline.measures.cells import largest
from pipeline.profiles.features import FeatureSpace
from pipeline.profiles.profile import ColumnProfile, Profile
from pipeline.progress import Progress, part, silent, ticked
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.statistics import chance
from pipeline.statistics.chance import Tail
from pipeline.statistics.discrepancy import unbiased
from pipeline.statistics.products import Products

NULLS = "nulls"
CELLS = 2**21  # values in one resampling
MOST_ROWS = 8192
FEWEST_ROWS = 200  # for fewer rows, only the analytic bound is used
JOINT_ROWS = 2048  # for pairs and rows
DIVISORS = (32, 8, 2)  # the sample's rows divided by these are the sizes of batches
RESAMPLES = 200

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Points = NDArray[np.float32]


class Calibration(Record):
    """The effect of chance on a table.

    Attributes:
        tails: For each family of effects, the law of the largest level.
        heaviness: Fourth moment of each trait in units of its deviation.
        least: Rows of the smallest batch that was tried.
    """

    tails: Mapping[str, Tail]
    heaviness: tuple[float, ...]
    least: int = 1

    def level(self, family: str, chance: float, rows: int) -> float:
        """The level that the largest effect of a family exceeds with this chance in a batch of `rows` rows.

        In batches smaller than `least`, single rows are large steps. Their level is at least the bound of one effect.
        """
        bound = Tail.bound(1).level(chance) if rows < self.least else 0.0
        return max(self.tails[family].level(chance), bound)


def families() -> dict[str, int]:
    """The families of effects of single columns, and how many effects of each family one column has."""
    found = {NULLS: 1}
    for kind in columns.KINDS.values():
        found |= kind.measure.families if kind.measure is not None else {}
    return found


def analytic(profile: Profile, space: FeatureSpace) -> Calibration:
    """Bounds that hold for any table. They are wider, for references that are too small to be resampled."""
    compared, traits = len(profile.columns), len(space.traits[0])
    tails = {family: Tail.bound(tests * compared) for family, tests in families().items()}
    tails |= {"pairs": Tail.bound(traits * (traits - 1) // 2), "rows": Tail.bound(1)}
    return Calibration(tails=tails, heaviness=(3.0,) * traits)


def calibrate(
    table: pa.Table, profile: Profile, space: FeatureSpace, seed: int, progress: Progress = silent
) -> Calibration:
    """Estimate how much a table differs from itself by chance, by resampling.

    Args:
        table: The reference table.
        profile: The profile of the table.
        space: The feature space of the table.
        seed: The seed of the sample and its splits.
        progress: Called after every split.
    """
    if table.num_rows < FEWEST_ROWS:
        return analytic(profile, space)
    rng = stream(seed, "calibrate")
    most = int(np.clip(CELLS // max(1, len(profile.columns)), 1024, MOST_ROWS))
    sample = table.take(pa.array(np.sort(rng.choice(table.num_rows, min(most, table.num_rows), replace=False))))
    groups = _groups(sample, profile)
    joint = sample.take(pa.array(np.sort(rng.permutation(sample.num_rows)[:JOINT_ROWS])))
    raw = space.raw(joint)
    names, places = space.traits
    traits = raw[:, places].astype(np.float32)
    heavy = heaviness(traits)
    waves = space.waves(space.points(raw))
    batches = [rng.permutation(sample.num_rows)[: sample.num_rows // d] for d in DIVISORS for _ in range(RESAMPLES)]
    nulls = np.concatenate([np.zeros((sample.num_rows, 0), bool), *(group.nulls for group in groups)], axis=1)
    nulls = nulls[:, nulls.any(axis=0)].astype(np.float32)
    levels = [_columns(groups, nulls, batch) for batch in ticked(batches, "calibrate", part(progress, 0, 0.8))]
    orders = [rng.permutation(joint.num_rows) for _ in range(RESAMPLES)]
    found = {family: [level[family] for level in levels] for family in levels[0]}
    found["pairs"] = [
        _pairs(names, traits, heavy, order) for order in ticked(orders, "calibrate", part(progress, 0.8, 1))
    ]
    found["rows"] = list(_rows(waves, orders))
    tails = {family: Tail.of(np.array(v)) if max(v) > 0 else Tail.bound(1) for family, v in found.items()}
    least = sample.num_rows // max(DIVISORS)
    return Calibration(tails=tails, heaviness=tuple(heavy.tolist()), least=least)


def heaviness(traits: NDArray[np.floating]) -> Floats:
    """Fourth moment of each trait [rows, traits] in units of its deviation, at least 3 as for a normal variable."""
    if not traits.size:
        return np.full(traits.shape[1], 3.0)
    present = np.maximum((~np.isnan(traits)).sum(axis=0), 1)
    centred = np.nan_to_num(traits - np.nansum(traits, axis=0) / present).astype(np.float64)
    second, fourth = (centred**2).sum(axis=0) / present, (centred**4).sum(axis=0) / present
    return np.asarray(np.maximum(3.0, fourth / np.maximum(second**2, 1e-12)))


def correlation_variance(heavy: Floats, rows: Floats) -> Floats:
    """Upper bound of the variance of correlations that are estimated from `rows` rows, [traits, traits].

    For uncorrelated x and y in standard units, the variance is E[x²y²] / n. By Cauchy and Schwarz this is at most the
    geometric mean of their fourth moments, divided by n.
    """
    return np.asarray(np.sqrt(np.outer(heavy, heavy)) / np.maximum(rows, 1))


def _groups(sample: pa.Table, profile: Profile) -> list[Resampled]:
    """The columns of the sample that have values, grouped by measure."""
    together: dict[Measure[Any], list[ColumnProfile]] = {}
    for column in profile.columns:
        if column.measure is not None and column.summary is not None:
            together.setdefault(column.measure, []).append(column)
    found = (
        measure.resampled([column.summary for column in own], [sample[column.name] for column in own])
        for measure, own in together.items()
    )
    return [group for group in found if group is not None]


def _columns(groups: Sequence[Resampled], nulls: Points, batch: Integers) -> dict[str, float]:
    """The largest level of each family of effects of single columns. `batch` holds row numbers of the sample."""
    found = {**dict.fromkeys(families(), 0.0), NULLS: _nulls(nulls, batch)}
    for group in groups:
        for family, level in group.levels(batch).items():
            found[family] = max(found[family], level)
    return found


def _nulls(nulls: Points, batch: Integers) -> float:
    """The largest level of a changed null rate. `nulls` [rows, columns] is 1 for null, else 0."""
    inside = np.zeros(len(nulls), np.float32)
    inside[batch] = 1
    found, total = (inside @ nulls).astype(np.float64), nulls.sum(axis=0, dtype=np.float64)
    sizes = len(batch), len(nulls) - len(batch)
    change = np.abs(found / sizes[0] - (total - found) / sizes[1])
    return largest(chance.share(total / len(nulls), 1 / sizes[0] + 1 / sizes[1]).level(change))


def _pairs(names: tuple[str, ...], traits: NDArray[np.float32], heavy: Floats, order: Integers) -> float:
    """The largest level of a changed correlation between two halves."""
    owners = np.array(names)
    one, other = (Products.of(names, traits[rows]) for rows in np.array_split(order, 2))
    variance = sum((correlation_variance(heavy, side.pair_rows()) for side in (one, other)), np.zeros(()))
    change = np.abs(one.correlations() - other.correlations())
    usable = ~np.isnan(change) & (owners[:, None] != owners)
    return largest(chance.mean(variance).level(np.nan_to_num(change))[usable])


def _rows(waves: NDArray[np.float32], orders: list[Integers]) -> Floats:
    """The level of the MMD between two halves, for each order of the rows."""
    size = len(waves) // 2
    first = np.zeros((len(orders), len(waves)), np.float32)
    for row, order in zip(first, orders, strict=True):
        row[order[:size]] = 1
    sums = (first @ waves).astype(np.float64)
    sizes = size, len(waves) - size
    squared = unbiased(sums / sizes[0], (waves.sum(axis=0, dtype=np.float64) - sums) / sizes[1], *sizes)
    return chance.discrepancy(1 / sizes[0] + 1 / sizes[1]).level(np.sqrt(np.maximum(squared, 0)))
