"""The base of the normal forms of numbers.

A form takes positions of a domain (`pipeline.arrow.domain`). It cuts them into symbols, or scales them to a real
variable. Kinds that are numbers underneath share the forms: numbers, and the parts of points in time.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.domain import Domain, Grid, domain_of, joined, moved
from pipeline.columns.base import Encoded, Origin, unrelated
from pipeline.columns.variables import Variable

Arrays = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Form(ABC):
    """The normal form of positions in a domain.

    Args:
        domain: The domain of the values.
        nulls: Whether nulls were seen in training.
        arrays: Fitted arrays: `ends`, the least and greatest position, and those of the form.
    """

    name: ClassVar[str]
    """Name in settings and saved models."""
    placed: ClassVar[tuple[str, ...]] = ("ends",)
    """Names of arrays that hold positions."""

    def __init__(self, domain: Domain, *, nulls: bool, arrays: Arrays) -> None:
        self.domain, self.nulls, self.arrays = domain, nulls, arrays

    @classmethod
    def fit(cls, domain: Domain, positions: NDArray[Any], *, nulls: bool, least_rows: int = 1) -> Self:
        """Fit to the non-null training `positions`. A value of fewer than `least_rows` rows does not stand alone."""
        distinct, counts = np.unique(positions, return_counts=True)
        arrays = cls._fitted(positions, distinct, counts, least_rows)
        return cls(domain, nulls=nulls, arrays={"ends": distinct[[0, -1]] if len(distinct) else distinct} | arrays)

    def extend(self, present: pa.Array, *, nulls: bool, least_rows: int = 1) -> tuple[Self, tuple[Origin, ...]]:
        """This form extended to further non-null values, and the origins of its variables."""
        nulls, came = nulls or self.nulls, domain_of(present)
        positions = came.positions(present)
        if not len(self.arrays["ends"]):
            fresh = type(self).fit(came, positions, nulls=nulls, least_rows=least_rows)
            return fresh, unrelated(fresh.variables)
        arrays, domain, cells = self.arrays, self.domain, self._unchanged()
        if len(positions):
            domain = joined(domain, int(arrays["ends"][-1]), came, int(positions.max()))
            distinct, counts = np.unique(domain.positions(present), return_counts=True)
            known = {n: moved(a, self.domain, domain) if n in self.placed else a for n, a in arrays.items()}
            arrays, cells = self._grown(known, domain, distinct, counts, least_rows)
        grown = type(self)(domain, nulls=nulls, arrays=arrays)
        return grown, self._origins(grown, cells) if self.variables else unrelated(grown.variables)

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        return 1.0

    @property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """See `Codec.variables`."""

    @abstractmethod
    def encode(self, positions: NDArray[Any], mask: NDArray[np.bool_]) -> Encoded:
        """Variables and rest of the rows. `positions` holds those of the rows where `mask` is true, in order."""

    @abstractmethod
    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: Ints) -> NDArray[Any]:
        """A random rest for generated values. See `Codec.draw`."""

    @abstractmethod
    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Position of every row, and which rows hold a value."""

    @classmethod
    @abstractmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """Check saved arrays, whose positions have the given type. Returns the names of arrays that become values.

        Raises:
            DamagedError: The arrays cannot belong to this form.
        """

    @classmethod
    @abstractmethod
    def _fitted(cls, positions: NDArray[Any], distinct: NDArray[Any], counts: Ints, least_rows: int) -> Arrays:
        """The arrays of a fit. `ends` may be left out."""

    @abstractmethod
    def _grown(
        self, known: Arrays, domain: Domain, distinct: NDArray[Any], counts: Ints, least_rows: int
    ) -> tuple[Arrays, Ints]:
        """Arrays extended to `distinct`, and for each cell the index of the known cell.

        Args:
            known: The arrays so far, in the positions of `domain`.
            domain: The wider domain.
            distinct: New positions, ascending.
            counts: Their numbers of rows.
            least_rows: See `fit`.
        """

    @abstractmethod
    def _origins(self, grown: Self, cells: Ints) -> tuple[Origin, ...]:
        """The origin of each variable of the extended form, given the origin of each cell."""

    def _unchanged(self) -> Ints:
        """The origins of cells if no value is new."""
        return np.zeros(0, np.int64)

    @property
    def _grid(self) -> bool:
        return isinstance(self.domain, Grid)
