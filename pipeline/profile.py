"""What a table looks like, without its rows.

A `Profile` is a frozen summary of bounded size (under 2 MB for 100 columns): row and null counts, moments and
quantiles of ordered columns, frequent labels of nominal ones, correlations of pairs. It is made in one pass, two of
them merge into that of both tables, and it round-trips through JSON. A model keeps the profile of its training
table; `pipeline.drift` compares a new table's with it, and no old row needs to be kept.
"""

from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import FiniteFloat

from pipeline.columns import measure, numbers
from pipeline.errors import SchemaError
from pipeline.records import Record
from pipeline.schema import Schema, value_type
from pipeline.sketches import Frequencies, Products, Quantiles


class OrderedProfile(Record):
    """Distribution of the values of an ordered column; at least one is present.

    Attributes:
        low: Least value.
        high: Greatest value.
        mean: Mean.
        deviation: Standard deviation, of the population (divisor n).
        skewness: Third central moment in units of deviation³; 0 for a constant.
        kurtosis: Fourth central moment in units of deviation⁴; 3 for a normal distribution, 1 for a constant.
        quantiles: The distribution function.
    """

    low: FiniteFloat
    high: FiniteFloat
    mean: FiniteFloat
    deviation: FiniteFloat
    skewness: FiniteFloat
    kurtosis: FiniteFloat
    quantiles: Quantiles

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """The profile of values without NaN, at least one."""
        mean, deviation = float(values.mean()), float(values.std())
        scores = (values - mean) / deviation if deviation > 0 else np.zeros(len(values))
        return cls(
            low=float(values.min()),
            high=float(values.max()),
            mean=mean,
            deviation=deviation,
            skewness=float((scores**3).mean()),
            kurtosis=float((scores**4).mean()) if deviation > 0 else 1.0,
            quantiles=Quantiles.of(values),
        )

    def merge(self, other: Self) -> Self:
        """The profile of both; central moments are moved to the common mean and averaged."""
        weights = np.array([self.quantiles.rows, other.quantiles.rows]) / (self.quantiles.rows + other.quantiles.rows)
        mean = self.mean + float(weights[1]) * (other.mean - self.mean)
        second, third, fourth = weights @ np.array([self._moments(mean), other._moments(mean)])
        deviation = float(np.sqrt(second))
        return type(self)(
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            mean=mean,
            deviation=deviation,
            skewness=float(third / deviation**3) if deviation > 0 else 0.0,
            kurtosis=float(fourth / deviation**4) if deviation > 0 else 1.0,
            quantiles=self.quantiles.merge(other.quantiles),
        )

    def _moments(self, mean: float) -> tuple[float, float, float]:
        """Second to fourth moment about `mean`."""
        d, s = self.mean - mean, self.deviation
        second, third, fourth = s**2, self.skewness * s**3, self.kurtosis * s**4
        return second + d**2, third + 3 * d * second + d**3, fourth + 4 * d * third + 6 * d**2 * second + d**4


class ColumnProfile(Record):
    """One column.

    Attributes:
        name: Its name.
        kind: Its kind in the schema.
        type: Its Arrow value type, as text.
        nulls: Rows without a value.
        ordered: Of an ordered column that has values.
        nominal: Of a nominal column.
    """

    name: str
    kind: str
    type: str
    nulls: int
    ordered: OrderedProfile | None = None
    nominal: Frequencies | None = None

    def merge(self, other: Self) -> Self:
        """The profile of both tables' column."""
        parts = [part for part in (self.ordered, other.ordered) if part is not None]
        return self.model_copy(
            update={
                "nulls": self.nulls + other.nulls,
                "ordered": parts[0].merge(parts[1]) if len(parts) == 2 else next(iter(parts), None),  # noqa: PLR2004
                "nominal": self.nominal.merge(other.nominal) if self.nominal and other.nominal else None,
            }
        )


class Profile(Record):
    """A table.

    Attributes:
        rows: Number of rows.
        columns: Its columns in order.
        pairs: Products of pairs of ordered columns.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    pairs: Products

    @classmethod
    def of(cls, table: pa.Table, schema: Schema) -> Self:
        """The profile of a table of `schema`."""
        ordered = {}
        columns = []
        for column in schema.columns:
            array = table[column.name]
            nulls, ordered_profile, nominal_profile = array.null_count, None, None
            if measure(column) == "ordered":
                values = ordered[column.name] = numbers(array)
                present = values[~np.isnan(values)]
                nulls = len(values) - len(present)
                ordered_profile = OrderedProfile.of(present) if len(present) else None
            elif measure(column) == "nominal":
                nominal_profile = Frequencies.of(array)
            columns.append(
                ColumnProfile(
                    name=column.name,
                    kind=column.kind,
                    type=str(value_type(array.type)),
                    nulls=nulls,
                    ordered=ordered_profile,
                    nominal=nominal_profile,
                )
            )
        return cls(rows=table.num_rows, columns=tuple(columns), pairs=Products.of(ordered))

    def merge(self, other: Self) -> Self:
        """The profile of both tables, one after the other.

        Raises:
            SchemaError: Their columns differ.
        """
        if [(c.name, c.kind, c.type) for c in self.columns] != [(c.name, c.kind, c.type) for c in other.columns]:
            raise SchemaError("profiles merge only if names, kinds and types of their columns are the same, in order")
        columns = tuple(mine.merge(theirs) for mine, theirs in zip(self.columns, other.columns, strict=True))
        return type(self)(rows=self.rows + other.rows, columns=columns, pairs=self.pairs.merge(other.pairs))

    def __getitem__(self, name: str) -> ColumnProfile:
        """The column called `name`; raises KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
