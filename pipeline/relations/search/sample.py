"""A sample of a table, in the forms that finders compute with."""

import math
from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import columns
from pipeline.arrow.labels import coded
from pipeline.columns.codes import NumberCode
from pipeline.relations.base import without
from pipeline.relations.units import Floats, Ints, Mask, Unit, scale_of
from pipeline.schema import Schema

ROWS = 2_000
FEWEST = 20
"""Fewer rows show no relation."""
CHANCE = 1e-3
"""Probability that chance makes a false relation of one sort in a table."""


class Numbers(NamedTuple):
    """A column of numbers or times of a sample.

    Attributes:
        name: The column.
        scale: Its scale.
        units: Its values in units, [rows].
        mask: Which rows have a value, [rows].
    """

    name: str
    scale: Unit
    units: Floats
    mask: Mask


class Extract:
    """Evenly spaced rows of a table.

    Args:
        table: The table.
        schema: Its schema. Only modelled columns take part in relations, and none that keys are unique with.
        scales: The scales of columns that are known, to which further ones are added.
    """

    def __init__(self, table: pa.Table, schema: Schema, scales: dict[str, Unit | None] | None = None) -> None:
        self.scales = {} if scales is None else scales
        self.schema, self.rows = schema, min(table.num_rows, ROWS)
        self.whole = table
        self.places = np.linspace(0, max(table.num_rows - 1, 0), self.rows).astype(np.int64)
        self.keys = {
            name for column in schema for name in (*column.unique_with, *[column.name] * bool(column.unique_with))
        }
        names = [column.name for column in schema if columns.is_modelled(column.kind) and column.name not in self.keys]
        enough = self.rows >= FEWEST
        self.table = table.select(names).take(pa.array(self.places)) if enough else table.select([]).slice(0, 0)

    def without(self, names: Collection[str]) -> "Extract":
        """The same rows without some columns."""
        kept = tuple(column.name for column in self.schema if column.name in names)
        table = self.whole.drop_columns([name for name in kept if name in self.whole.column_names])
        return Extract(table, without(self.schema, *kept), self.scales)

    def entire(self, own: Numbers) -> Numbers:
        """A column of numbers or times in all rows of the table."""
        units, mask = own.scale.units(self.whole[own.name])
        return own._replace(units=units.astype(np.float64), mask=mask)

    @cached_property
    def numbers(self) -> list[Numbers]:
        """The columns of numbers and times that vary and have a scale."""
        measures = {name: columns.measure(self.schema[name].kind) for name in self.table.column_names}
        return self._scaled([name for name, own in measures.items() if own is not None and own.orders])

    @cached_property
    def coded(self) -> list[Numbers]:
        """Whole numbers that are taken for codes. They may be an amount in another unit all the same."""
        return self._scaled([name for name in self.table.column_names if self.schema[name].kind == NumberCode.kind])

    def _scaled(self, names: Collection[str]) -> list[Numbers]:
        found = []
        for name in names:
            if name not in self.scales:
                self.scales[name] = scale_of(self.whole[name])
            scale = self.scales[name]
            if scale is None:
                continue
            units, mask = scale.units(self.table[name])
            if mask.any() and np.ptp(units[mask]) > 0:
                found.append(Numbers(name, scale, units.astype(np.float64), mask))
        return found

    @cached_property
    def flags(self) -> list[Numbers]:
        """The columns of booleans that vary and have no nulls, as 0 and 1."""
        found = []
        for name in self.table.column_names:
            if pa.types.is_boolean(self.table[name].type) and not self.whole[name].null_count:
                units, mask = Unit().units(self.table[name])
                found += [Numbers(name, Unit(), units.astype(np.float64), mask)] * bool(np.ptp(units))
        return found

    @cached_property
    def codes(self) -> dict[str, Ints]:
        """A code for the value of each row, by column. Null counts as a value."""
        return {name: coded([self.table[name]])[0] for name in self.table.column_names}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of different values in the sample, by column."""
        return {name: int(codes.max()) + 1 if len(codes) else 0 for name, codes in self.codes.items()}

    def labels(self, name: str) -> bool:
        """Whether the values of a column are compared as labels."""
        measure = columns.measure(self.schema[name].kind)
        return measure is not None and measure.labels

    @staticmethod
    def certain(log_probability: float, tries: int) -> bool:
        """Whether chance is no explanation, after so many tries."""
        return log_probability < math.log(CHANCE) - math.log(max(tries, 1))


def shares(codes: Ints) -> Floats:
    """Share of each value."""
    return np.bincount(codes) / max(len(codes), 1)


def log_agreement(codes: Ints, rows: int) -> float:
    """Logarithm of the probability that dealing out these values to `rows` rows gives each row its own value again."""
    return rows * math.log(max(float((shares(codes) ** 2).sum()), 1e-300))


def grouped(codes: Ints) -> tuple[NDArray[np.int64], Ints]:
    """An order of the rows by group, and where each group begins."""
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return order, begins
