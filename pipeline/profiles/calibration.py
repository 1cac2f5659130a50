"""How much a table differs from itself.

A sample of the reference is divided at random into a batch and the rest, again and again. Nothing has changed between
the two, so whatever differs is chance, with the table's own ties, tails, rare labels and dependent columns. Of each
division and each family of effects the *largest* level over all columns is kept (`pipeline.statistics.chance`), and a
`Tail` is fitted to these: from it follows the threshold that no column exceeds but in one comparison of a thousand.
Levels hardly depend on the sizes of batch and reference, so one calibration serves batches of any size; it is made with
small, middle and large batches together.

Rows are resampled one by one: where neighbouring rows are alike (a time series), chance is larger than this knows.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import numbers
from pipeline.profiles.embedding import unbiased
from pipeline.profiles.features import FeatureSpace
from pipeline.profiles.profile import Profile
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.statistics import chance
from pipeline.statistics.chance import Tail
from pipeline.statistics.sketches import LABELS, POINTS, Products

Family = Literal["numbers", "labels", "nulls", "unseen", "pairs", "rows"]

CELLS = 2**21  # values looked at in one resampling
MOST_ROWS = 8192
FEWEST_ROWS = 200  # below, only the analytic bound is used
JOINT_ROWS = 2048  # for pairs and rows
DIVISORS = (32, 8, 2)  # of the sample: sizes of batches
RESAMPLES = 200
SIZE = max(POINTS, LABELS) + 2  # cells of a column: points or labels, other labels, null
OTHER, NULL = SIZE - 2, SIZE - 1

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Calibration(Record):
    """What chance does to a table.

    Attributes:
        tails: Per family of effects the law of the largest level.
        heaviness: Fourth moment of each trait in units of its deviation.
        least: Rows of the smallest batch that was tried.
    """

    tails: Mapping[Family, Tail]
    heaviness: tuple[float, ...]
    least: int = 1

    def level(self, family: Family, chance: float, rows: int) -> float:
        """The level that the largest effect of a family exceeds with this chance in batches of so many rows.

        In batches smaller than any that was tried, single rows are large steps: they have at least the level that
        bounds one effect.
        """
        bound = Tail.bound(1).level(chance) if rows < self.least else 0.0
        return max(self.tails[family].level(chance), bound)


class _Cells(NamedTuple):
    """Counts of a sample by column and cell, [columns, cells].

    Attributes:
        codes: Cell of each value, columns one after the other, [rows, columns].
        ordered: Which columns are.
        nominal: Which columns are.
        listed: Nominal columns all of whose labels have a cell.
    """

    codes: Integers
    ordered: NDArray[np.bool_]
    nominal: NDArray[np.bool_]
    listed: NDArray[np.bool_]

    @classmethod
    def of(cls, sample: pa.Table, profile: Profile) -> "_Cells":
        codes = np.full((sample.num_rows, len(profile.columns)), NULL, np.int64)
        for place, column in enumerate(profile.columns):
            if column.ordered:
                values = numbers(sample[column.name])
                codes[:, place] = np.where(np.isnan(values), NULL, column.ordered.quantiles.codes(values))
            elif column.nominal:
                found = column.nominal.codes(sample[column.name])
                codes[:, place] = np.where(found < 0, NULL, np.where(found == LABELS, OTHER, found))
        codes += SIZE * np.arange(len(profile.columns))
        nominal = np.array([column.nominal is not None for column in profile.columns], bool)
        ordered = np.array([column.ordered is not None for column in profile.columns], bool)
        listed = np.array([column.nominal is not None and not column.nominal.rest for column in profile.columns], bool)
        return cls(codes, ordered, nominal, listed)

    def counts(self, rows: Integers) -> Floats:
        """Rows in each cell."""
        columns = self.codes.shape[1]
        return np.bincount(self.codes[rows].ravel(), minlength=SIZE * columns).reshape(columns, SIZE).astype(float)


def analytic(profile: Profile, space: FeatureSpace) -> Calibration:
    """What holds for any table: wider thresholds, for references too small to be resampled."""
    columns, traits = len(profile.columns), len(space.traits[0])
    bound = Tail.bound(columns)
    pairs = Tail.bound(traits * (traits - 1) // 2)
    tails: dict[Family, Tail] = dict.fromkeys(("numbers", "labels", "nulls"), bound)
    tails |= {"unseen": Tail.bound(2 * columns), "pairs": pairs, "rows": Tail.bound(1)}
    return Calibration(tails=tails, heaviness=(3.0,) * traits)


def calibrate(table: pa.Table, profile: Profile, space: FeatureSpace, seed: int) -> Calibration:
    """Divide a sample of the reference `table`, of this `profile`, again and again."""
    if table.num_rows < FEWEST_ROWS:
        return analytic(profile, space)
    rng = stream(seed, "calibrate")
    most = int(np.clip(CELLS // max(1, len(profile.columns)), 1024, MOST_ROWS))
    sample = table.take(pa.array(np.sort(rng.choice(table.num_rows, min(most, table.num_rows), replace=False))))
    cells = _Cells.of(sample, profile)
    joint = sample.take(pa.array(np.sort(rng.permutation(sample.num_rows)[:JOINT_ROWS])))
    raw = space.raw(joint)
    names, places = space.traits
    traits = raw[:, places].astype(np.float32)
    heavy = heaviness(traits)
    waves = space.waves(space.points(raw))
    total = cells.counts(np.arange(sample.num_rows))
    batches = [rng.permutation(sample.num_rows)[: sample.num_rows // d] for d in DIVISORS for _ in range(RESAMPLES)]
    levels = [dict(_columns(cells, total, batch)) for batch in batches]
    orders = [rng.permutation(joint.num_rows) for _ in range(RESAMPLES)]
    found = {family: [level[family] for level in levels] for family in levels[0]}
    found["pairs"] = [_pairs(names, traits, heavy, order) for order in orders]
    found["rows"] = list(_rows(waves, orders))
    tails = {family: Tail.of(np.array(v)) if max(v) > 0 else Tail.bound(1) for family, v in found.items()}
    least = sample.num_rows // max(DIVISORS)
    return Calibration(tails=tails, heaviness=tuple(heavy.tolist()), least=least)


def heaviness(traits: NDArray[np.floating]) -> Floats:
    """Fourth moment of each trait [rows, traits] in units of its deviation, at least a normal variable's 3."""
    if not traits.size:
        return np.full(traits.shape[1], 3.0)
    present = np.maximum((~np.isnan(traits)).sum(axis=0), 1)
    centred = np.nan_to_num(traits - np.nansum(traits, axis=0) / present).astype(np.float64)
    second, fourth = (centred**2).sum(axis=0) / present, (centred**4).sum(axis=0) / present
    return np.asarray(np.maximum(3.0, fourth / np.maximum(second**2, 1e-12)))


def correlation_variance(heavy: Floats, rows: Floats) -> Floats:
    """Largest variance of correlations estimated from so many rows, [traits, traits].

    It is E[x²y²] / n for uncorrelated x and y in standard units, by Cauchy and Schwarz at most the geometric mean of
    their fourth moments.
    """
    return np.asarray(np.sqrt(np.outer(heavy, heavy)) / np.maximum(rows, 1))


def _columns(cells: _Cells, total: Floats, rows: Integers) -> Iterator[tuple[Family, float]]:
    """The largest level of each family that looks at single columns, `rows` of the sample being the batch."""
    batch = cells.counts(rows)
    rest = total - batch
    sizes = len(rows), len(cells.codes) - len(rows)
    nulls = batch[:, NULL], rest[:, NULL]
    spread = 1 / sizes[0] + 1 / sizes[1]
    pooled = (nulls[0] + nulls[1]) / len(cells.codes)
    change = np.abs(nulls[0] / sizes[0] - nulls[1] / sizes[1])
    yield "nulls", _largest(chance.share(pooled, spread).level(change))
    parts = [counts[cells.ordered, :NULL] for counts in (batch, rest)]
    yield "numbers", _largest(_kolmogorov(*parts))
    parts = [counts[cells.nominal, :NULL] for counts in (batch, rest)]
    yield "labels", _largest(_total_variation(*parts))
    parts = [counts[cells.listed, :NULL] for counts in (batch, rest)]
    yield "unseen", max(_largest(_unseen(*parts)), _largest(_unseen(*parts[::-1])))


def _largest(levels: Floats) -> float:
    return float(np.max(levels, initial=0.0))


def _kolmogorov(batch: Floats, rest: Floats) -> Floats:
    n, m = (np.maximum(part.sum(axis=1), 1) for part in (batch, rest))
    distance = np.abs(np.cumsum(batch, axis=1) / n[:, None] - np.cumsum(rest, axis=1) / m[:, None]).max(
        axis=1, initial=0
    )
    return chance.kolmogorov(1 / n + 1 / m).level(distance)


def _total_variation(batch: Floats, rest: Floats) -> Floats:
    n, m = (np.maximum(part.sum(axis=1), 1) for part in (batch, rest))
    distance = np.abs(batch / n[:, None] - rest / m[:, None]).sum(axis=1) / 2
    pooled = (batch + rest) / (n + m)[:, None]
    return chance.total_variation(pooled, 1 / n + 1 / m).level(distance)


def _unseen(without: Floats, having: Floats) -> Floats:
    n, m = (np.maximum(part.sum(axis=1), 1) for part in (without, having))
    only = np.where(without == 0, having, 0).sum(axis=1) / m
    expected = (without == 1).sum(axis=1) / n
    return chance.unseen(expected, n, m).level(only)


def _pairs(names: tuple[str, ...], traits: NDArray[np.float32], heavy: Floats, order: Integers) -> float:
    """The largest level of a changed correlation between two halves."""
    columns = np.array(names)
    one, other = (Products.of(names, traits[rows]) for rows in np.array_split(order, 2))
    variance = sum((correlation_variance(heavy, side.pair_rows()) for side in (one, other)), np.zeros(()))
    change = np.abs(one.correlations() - other.correlations())
    usable = ~np.isnan(change) & (columns[:, None] != columns)
    return _largest(chance.mean(variance).level(np.nan_to_num(change))[usable])


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
