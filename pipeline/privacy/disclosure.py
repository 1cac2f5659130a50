"""Withhold labels and extremes that only a few rows have.

A label that fewer than `Column.least_rows` rows share may identify a person, and so may the greatest salary. Such
values are *withheld*: they are replaced before anything is learned, counted or drawn, so no later stage can publish
them. This is statistical disclosure control by suppression and coarsening (Hundepool et al. 2012, chapters 3 and 5),
with ordinary values in the place of suppressed ones:

- A row with a withheld label takes the label of another row. Both rows agree in the column that tells most about the
  label. So a village becomes a town of the same country, and no token such as "other" is invented. A withheld code
  (`pipeline.columns.codes`) becomes a code near it, which often begins with the same digits.
- Consider the last numbers or points in time that enough rows reach. A value beyond them moves to a round value before
  it.

A column whose `Measure` knows neither labels nor an order is left as it is. Its kind has to protect what it publishes.

A value that stands far from all others is no extreme if it is well known (9999-12-31, −999) or shared by enough rows.
It means something else and stays as it is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow import labels
from pipeline.arrow.arrays import combined, numbers
from pipeline.arrow.domain import Line, domain_of
from pipeline.columns import measure
from pipeline.columns.forms.alone import isolated
from pipeline.privacy.partners import Coder, alike
from pipeline.randomness import stream
from pipeline.records import Record
from pipeline.schema import Column, Schema, value_type

COARSE = 0.01
"""Largest rounding of an extreme, as a share of the column's range."""
WELL_KNOWN = frozenset({-1.0, *(sign * (10.0**length - 1) for sign in (1, -1) for length in range(2, 10))})
"""Numbers that commonly mean that there is no number."""
WELL_KNOWN_DAYS = frozenset({"0001-01-01", "1900-01-01", "1970-01-01", "2099-12-31", "2999-12-31", "9999-12-31"})
"""Days that commonly mean that there is no day."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


class Withheld(Record):
    """What is withheld of a column.

    Attributes:
        name: The column.
        labels: Number of labels that too few rows share. 0 for a column of numbers or times.
        rows: Number of rows whose value is replaced.
    """

    name: str
    labels: int
    rows: int

    @property
    def text(self) -> str:
        """The same as a text for people."""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        if not self.labels:
            return f"column {self.name!r}: extremes ({rows}) are moved in"
        labels = "1 rare label" if self.labels == 1 else f"{self.labels:,} rare labels"
        return f"column {self.name!r}: {labels} ({rows}) withheld"


class Disclosure:
    """The rules of what may be shown of each column. They are made from all real rows and apply to any rows."""

    def __init__(self, rules: Mapping[str, "_Labels | _Ends"], withheld: tuple[Withheld, ...]) -> None:
        self.rules, self.withheld = rules, withheld

    @classmethod
    def of(
        cls, table: pa.Table, schema: Schema, known: Mapping[str, pa.Array] | None = None, *, ends: bool = True
    ) -> Self:
        """Find out what may be shown of a table.

        Args:
            table: Every real row.
            schema: The schema of the table.
            known: Labels by column that a model knows already. Showing them reveals nothing new.
            ends: Whether to withhold extremes too.
        """
        rules: dict[str, _Labels | _Ends] = {}
        withheld = []
        for column in schema:
            seen = measure(column.kind)
            if column.least_rows <= 1 or seen is None:
                continue
            rule: _Labels | _Ends | None
            if seen.labels:
                rule, rare, rows = _labels(table, schema, column, (known or {}).get(column.name))
            elif not ends or not seen.orders:
                continue
            else:
                rule, rare, rows = _ends(column.name, table[column.name], column.least_rows)
            if rule is not None:
                rules[column.name] = rule
                withheld.append(Withheld(name=column.name, labels=rare, rows=rows))
        return cls(rules, tuple(withheld))

    def apply(self, table: pa.Table, *, seed: int) -> pa.Table:
        """The table with ordinary values in the place of withheld ones."""
        shown = table
        for name, rule in self.rules.items():
            place = table.column_names.index(name)
            random = stream(seed, "disclosure", name)
            shown = shown.set_column(place, table.schema.field(place), rule.apply(table, random))
        return shown


@dataclass(frozen=True)
class _Labels:
    """The labels of a column that may be shown, and donors of labels for rows whose label is withheld.

    Attributes:
        name: The column.
        allowed: Its labels that may be shown.
        coder: Groups rows that are alike. None if no column tells anything about the labels.
        starts: Index of the first donor of each group, [groups + 1].
        donors: The donors' labels as indices into `allowed`, group after group.
    """

    name: str
    allowed: pa.Array
    coder: Coder | None
    starts: Codes
    donors: Codes

    def apply(self, table: pa.Table, random: np.random.Generator) -> pa.Array:
        """The column without withheld labels."""
        array = table[self.name]
        whole = labels.places(array, self.allowed)
        rows = np.flatnonzero(whole == len(self.allowed))
        if not len(rows):
            return array
        whole[rows] = self._lent(table.take(pa.array(rows)), random.random(len(rows)))
        index = pa.array(whole, mask=whole < 0)
        shown = labels.values(self.allowed, value_type(array.type))
        if not pa.types.is_dictionary(array.type):
            return shown.take(index)
        return pa.DictionaryArray.from_arrays(index.cast(array.type.index_type), shown, ordered=array.type.ordered)

    def _lent(self, rows: pa.Table, uniform: Floats) -> Codes:
        """A label for each row from a donor of its group, or from any donor if the group has none."""
        if not len(self.donors):
            return np.full(len(uniform), -1, dtype=np.int64)
        group = self.coder.codes(rows) if self.coder is not None else np.zeros(len(uniform), dtype=np.int64)
        group = np.minimum(group, len(self.starts) - 2)
        low, high = self.starts[group], self.starts[group + 1]
        low, high = np.where(low < high, low, 0), np.where(low < high, high, len(self.donors))
        return np.asarray(self.donors[low + (uniform * (high - low)).astype(np.int64)])


@dataclass(frozen=True)
class _Ends:
    """The range of the numbers or times of a column that may be shown.

    Attributes:
        name: The column.
        low: Values below `below` become this one.
        high: Values above `above` become this one.
        below: The lower bound.
        above: The upper bound.
        special: Values beyond the bounds that stay as they are.
    """

    name: str
    low: pa.Scalar | None
    high: pa.Scalar | None
    below: float
    above: float
    special: Floats

    def apply(self, table: pa.Table, random: np.random.Generator) -> pa.Array:
        """The column with its extremes moved inwards."""
        del random
        array = combined(table[self.name])
        values = numbers(array)
        ordinary = ~np.isin(values, self.special)
        for beyond, end in (
            ((values < self.below) & ordinary, self.low),
            ((values > self.above) & ordinary, self.high),
        ):
            if end is not None and beyond.any():
                array = pc.if_else(pa.array(beyond), end, array).cast(array.type)
        return array


def _labels(table: pa.Table, schema: Schema, column: Column, known: pa.Array | None) -> tuple[_Labels | None, int, int]:
    """The rule for a column of labels, and how many labels and rows it withholds. No rule if all may be shown."""
    found, counts = labels.counted(table[column.name])
    enough = counts >= column.least_rows
    if known is not None:
        enough |= np.asarray(pc.is_in(found, value_set=known).to_numpy(zero_copy_only=False))
    if enough.all():
        return None, 0, 0
    allowed = found.filter(pa.array(enough))
    label = labels.places(table[column.name], allowed)
    label[label == len(allowed)] = -1
    lenders = np.flatnonzero(label >= 0)
    coder = alike(table, schema, column.name, label)
    group = coder.codes(table.take(pa.array(lenders))) if coder is not None else np.zeros(len(lenders), dtype=np.int64)
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=1)
    rule = _Labels(column.name, allowed, coder, np.append(0, np.cumsum(sizes)), label[lenders][order])
    return rule, int((~enough).sum()), int(counts[~enough].sum())


def _ends(name: str, array: pa.ChunkedArray, least: int) -> tuple[_Ends | None, int, int]:
    """The rule for a column of numbers or times, 0 labels, and the rows withheld. No rule if nothing is withheld."""
    values = numbers(array)
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    apart = isolated(distinct) & ((counts >= least) | _well_known(distinct, array.type))
    x, rows = distinct[~apart], counts[~apart]
    if not len(x):
        return None, 0, 0
    if rows.sum() < least:
        nothing = pa.scalar(None, array.type)
        return _Ends(name, nothing, nothing, np.inf, -np.inf, distinct[apart]), 0, int(rows.sum())
    above = _inner(x, rows, least)
    below = -_inner(-x[::-1], rows[::-1], least)
    if above == x[-1] and below == x[0]:
        return None, 0, 0
    high = _typed(array, values, x, above, up=False) if above < x[-1] else None
    low = _typed(array, values, x, below, up=True) if below > x[0] else None
    moved = int(rows[(x > above) | (x < below)].sum())
    return _Ends(name, low, high, below, above, distinct[apart]), 0, moved


def _inner(x: Floats, rows: Codes, least: int) -> float:
    """The greatest of ascending values if `least` rows share it; else a value before it that reveals no single row.

    That is a multiple of `_unit`. If `least` or more rows lie beyond this multiple, it is the mean of the `least`
    greatest rows.
    """
    if rows[-1] >= least or len(x) == 1:
        return float(x[-1])
    unit = _unit(x[-1] - x[0])
    round_value = math.floor(x[-1] / unit) * unit
    if round_value >= x[-1]:
        round_value -= unit
    from_top = np.cumsum(rows[::-1])[::-1]
    least_th = float(x[np.flatnonzero(from_top >= least)[-1]])
    if round_value >= least_th:
        return float(round_value)
    top = np.repeat(x[x >= least_th], rows[x >= least_th])[-least:]
    return float(top.mean())


def _unit(spread: float) -> float:
    """The greatest of …, 1, 2, 5, 10, … that is at most `COARSE` of `spread`."""
    power = 10.0 ** math.floor(math.log10(COARSE * spread))
    return max(step * power for step in (1, 2, 5) if step * power <= COARSE * spread)


def _typed(array: pa.ChunkedArray, values: Floats, x: Floats, bound: float, *, up: bool) -> pa.Scalar:
    """The value of the column's type and grid that is next to `bound` on its inner side."""
    near = np.flatnonzero(np.isin(values, np.append(x[:8], x[-8:])))
    some = combined(array.take(pa.array(near)))
    domain = domain_of(some)
    if isinstance(domain, Line):
        return domain.values(np.array([bound]), array.type)[0]
    steps = (bound * 10.0**domain.places - domain.base) / domain.step
    position = max(math.ceil(steps) if up else math.floor(steps), 0)
    return domain.values(np.array([position], dtype=np.uint64), array.type)[0]


def _well_known(distinct: Floats, arrow: pa.DataType) -> NDArray[np.bool_]:
    """Which values commonly mean that there is no value."""
    if pa.types.is_timestamp(arrow) or pa.types.is_date(arrow):
        unit = "D" if pa.types.is_date32(arrow) else "ms" if pa.types.is_date64(arrow) else arrow.unit
        days = {np.datetime64(day, "D").astype(np.int64) for day in WELL_KNOWN_DAYS}
        per_day = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}[unit]
        return np.isin(np.floor(distinct / per_day), [float(day) for day in days])
    return np.isin(distinct, list(WELL_KNOWN))
