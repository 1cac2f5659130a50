"""Columns that equal others, or are sums of others: duplicates, units, totals.

All are one form: target = Σ coefficient · source + constant, in whole units, rounded to the target's own places. A
column that stands twice has the coefficient 1, cents have 100, gross has 1 and 1, the days between two dates 1 and −1.
"""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Following, Mask
from pipeline.relations.units import Floats, Ints, Unit

PERIODS = {86_400.0: "days", 3_600.0: "hours", 60.0: "minutes", 1.0: "seconds"}
"""Names of units of time, by their seconds."""
HALF = 0.5 + 1e-6
"""How far a rounded value may lie from the exact one, in units."""


class Same(Following):
    """A column of any type that equals another one."""

    kind: Literal["same"] = "same"

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} = {self.sources[0]}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        return table[self.sources[0]].cast(arrow)


class Sum(Following):
    """A sum of columns with coefficients, rounded to the target's units. It is null where a source is.

    Attributes:
        coefficients: The coefficient of each source, in units of the target per unit of the source.
        constant: In units of the target.
        scale: The scale of the target.
        scales: The scale of each source.
    """

    number: ClassVar[int | None] = None
    kind: Literal["sum"] = "sum"
    coefficients: tuple[float, ...]
    constant: float = 0.0
    scale: Unit
    scales: tuple[Unit, ...]

    def _sized(self) -> bool:
        return 0 < len(self.sources) == len(self.coefficients) == len(self.scales)

    @property
    def text(self) -> str:
        """See `Relation.text`. Coefficients are those of the values, not of their units."""
        sources = zip(self.coefficients, self.sources, self.scales, strict=True)
        terms = [_term(c, name, self.scale, own) for c, name, own in sources]
        constant = 0.0 if self.scale.tick else self.constant / 10**self.scale.places
        shift = [f"{constant:+g}".replace("+", "+ ").replace("-", "− ")] if constant else []
        return f"{self.target} = {' '.join([*terms, *shift]).removeprefix('+ ')}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        units, mask = self.units(table)
        return self.scale.values(units, mask, arrow)

    def units(self, table: pa.Table) -> tuple[Ints, Mask]:
        """The target in whole units, and which rows have one, [rows]."""
        found = [scale.units(table[name]) for scale, name in zip(self.scales, self.sources, strict=True)]
        mask = np.logical_and.reduce([own for _, own in found])
        return rounded(weighted([own for own, _ in found], self.coefficients, self.constant)), mask

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. A value that was rounded either way holds."""
        real, mask = self.scale.units(table[self.target])
        found = [scale.units(table[name]) for scale, name in zip(self.scales, self.sources, strict=True)]
        known = np.logical_and.reduce([own for _, own in found])
        exact = weighted([own for own, _ in found], self.coefficients, self.constant)
        return np.where(mask & known, np.abs(real - exact) > HALF, mask != known)


def weighted(units: list[Ints], coefficients: tuple[float, ...], constant: float) -> Floats | Ints:
    """Σ coefficient · units + constant, [rows]. Whole coefficients stay whole, so that sums are exact."""
    if all(float(c).is_integer() for c in (*coefficients, constant)):
        whole = np.full(len(units[0]), int(constant), dtype=np.int64)
        for c, own in zip(coefficients, units, strict=True):
            whole += int(c) * own
        return whole
    return np.asarray(constant + sum(c * own for c, own in zip(coefficients, units, strict=True)), dtype=np.float64)


def rounded(exact: Floats | Ints) -> Ints:
    """Whole units. A half is rounded away from zero, as people do."""
    if exact.dtype == np.int64:
        return exact.astype(np.int64)
    away = np.sign(exact) * np.floor(np.abs(exact) + 0.5 + 1e-9)
    return np.asarray(away, dtype=np.int64)


def _term(coefficient: float, name: str, target: Unit, source: Unit) -> str:
    """A coefficient of units as one of values, with its column. A number beside times counts days or hours."""
    sign = "−" if coefficient < 0 else "+"
    if target.tick and not source.tick:
        seconds = abs(coefficient) * target.tick / 1e9
        return f"{sign} {name} ({PERIODS.get(seconds, f'{seconds:g} s')})"
    size = abs(coefficient) * (target.tick / source.tick if target.tick else 10.0 ** (source.places - target.places))
    return f"{sign} {name}" if f"{size:.9g}" == "1" else f"{sign} {size:.9g} · {name}"
