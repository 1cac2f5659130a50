"""Columns that equal others, or are sums of others: duplicates, units, totals.

All are one form: target = Σ coefficient · source + constant, in whole units, rounded to the target's own places. A
column that stands twice has the coefficient 1, cents have 100, gross has 1 and 1, the days between two dates 1 and −1.
"""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from pipeline.relations.base import Following, Mask, Rounded
from pipeline.relations.units import Floats, Ints, Unit, value_of

PERIODS = {86_400.0: "days", 3_600.0: "hours", 60.0: "minutes", 1.0: "seconds"}
"""Names of units of time, by their seconds."""


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


class Sum(Rounded):
    """A sum of columns with coefficients, rounded to the target's units. It is null where a source is.

    Attributes:
        blank: Sources that count as 0 where they are null, such as a discount.
        clipped: Whether it is 0 where the sum is less.
        absolute: Whether it is the size of the sum without its sign.
        coefficients: The coefficient of each source, in units of the target per unit of the source.
        constant: In units of the target.
        scales: The scale of each source.
    """

    number: ClassVar[int | None] = None
    kind: Literal["sum"] = "sum"
    blank: tuple[str, ...] = ()
    clipped: bool = False
    absolute: bool = False
    coefficients: tuple[float, ...]
    constant: float = 0.0
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
        told = f", {' and '.join(self.blank)} being 0 where null" if self.blank else ""
        told += ", or 0 if that is less" if self.clipped else ""
        found = " ".join([*terms, *shift]).removeprefix("+ ")
        return f"{self.target} = {f'|{found}|' if self.absolute else found}{told}"

    def follows(self, table: pa.Table, arrow: pa.DataType) -> pa.Array:
        """See `Relation.follows`."""
        exact, _, mask = self._exact(table)
        decimal = self.arithmetic == "decimal" or self.scale.tick
        whole = self.scale.whole(exact) if decimal else self.scale.binary(self._floats(table))
        return self.scale.values(self._shaped(whole), mask, arrow)

    def _floats(self, table: pa.Table) -> Floats:
        """The target as NumPy computes it in floats, before it is rounded, [rows]."""
        rates = [value_of(c, own, self.scale) for c, own in zip(self.coefficients, self.scales, strict=True)]
        values = [own.floats(table[name]) for name, own in zip(self.sources, self.scales, strict=True)]
        constant = self.constant / 10.0**self.scale.places
        if self.arithmetic == "factored" and len(rates) == 1 and rates[0]:
            return np.asarray(rates[0] * (values[0] + float(f"{constant / rates[0]:.12g}")))
        return np.asarray(np.sum([rate * own for rate, own in zip(rates, values, strict=True)], axis=0) + constant)

    @property
    def bent(self) -> bool:
        """Whether it is more than a sum: cut off, or without its sign."""
        return self.clipped or self.absolute

    @property
    def whole(self) -> bool:
        """Whether whole units are added up, so that nothing is rounded."""
        whole = all(float(c).is_integer() for c in (*self.coefficients, self.constant))
        return whole and not self.bent and set(self.scales) == {self.scale}

    @property
    def turns(self) -> "tuple[Sum, ...]":
        """The same sum with each part as the target, the last first. One that is multiplied would be rounded."""
        parts = [i for i, c in enumerate(self.coefficients) if abs(c) == 1 and self.sources[i] not in self.blank]
        return tuple(self._turned(place) for place in reversed(parts)) if self.whole else ()

    def _turned(self, place: int) -> "Sum":
        """The same sum with one of its parts as the target."""
        sign = self.coefficients[place]
        terms = zip(self.sources, self.coefficients, strict=True)
        others = [(name, -sign * c) for i, (name, c) in enumerate(terms) if i != place]
        names, coefficients = zip((self.target, sign), *others, strict=True)
        changes = {
            "target": self.sources[place],
            "sources": names,
            "coefficients": coefficients,
            "constant": -sign * self.constant,
        }
        return self.model_copy(update=changes)

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`. A value that was rounded either way holds."""
        real, mask = self.scale.units(table[self.target])
        exact, size, known = self._exact(table)
        return np.where(mask & known, ~self.scale.near(real, exact, size), mask != known)

    def _exact(self, table: pa.Table) -> tuple[Floats | Ints, Floats | Ints, Mask]:
        """The target in units before it is rounded, the size of its terms, and which rows have one, [rows]."""
        found = [scale.units(table[name]) for scale, name in zip(self.scales, self.sources, strict=True)]
        mask = np.ones(table.num_rows, dtype=bool)
        for name, (_, own) in zip(self.sources, found, strict=True):
            mask &= own | (name in self.blank)
        units, absolute = [own for own, _ in found], tuple(map(abs, self.coefficients))
        size = weighted([np.abs(own) for own in units], absolute, abs(self.constant))
        exact = weighted(units, self.coefficients, self.constant)
        return self._shaped(exact), size, mask

    def _shaped(self, units: Floats | Ints) -> Floats | Ints:
        """A sum in units, cut off or without its sign."""
        return np.maximum(units, 0) if self.clipped else np.abs(units) if self.absolute else units


def weighted(units: list[Floats | Ints], coefficients: tuple[float, ...], constant: float) -> Floats | Ints:
    """Σ coefficient · units + constant, [rows]. Whole numbers stay whole, so that their sums are exact."""
    whole = all(float(c).is_integer() for c in (*coefficients, constant))
    if whole and all(own.dtype == np.int64 for own in units):
        found = np.full(len(units[0]), int(constant), dtype=np.int64)
        for c, own in zip(coefficients, units, strict=True):
            found += int(c) * own.astype(np.int64)
        return found
    return np.asarray(constant + sum(c * own for c, own in zip(coefficients, units, strict=True)), dtype=np.float64)


def _term(coefficient: float, name: str, target: Unit, source: Unit) -> str:
    """A coefficient of units as one of values, with its column. A number beside times counts days or hours."""
    sign = "−" if coefficient < 0 else "+"
    if target.tick and not source.tick:
        seconds = abs(coefficient) * target.tick / 1e9
        return f"{sign} {name} ({PERIODS.get(seconds, f'{seconds:g} s')})"
    size = abs(coefficient) * (target.tick / source.tick if target.tick else 10.0 ** (source.places - target.places))
    return f"{sign} {name}" if f"{size:.9g}" == "1" else f"{sign} {size:.9g} · {name}"
