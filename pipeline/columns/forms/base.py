"""What every normal form of numbers has in common.

A form holds positions of a domain (`pipeline.arrow.domain`): it cuts them into symbols, or scales them to a real
variable. It is shared by the kinds that are numbers underneath: numbers, and points in time by their parts.
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
        domain: Where the values live.
        nulls: Whether nulls were seen in training.
        arrays: Fitted arrays: `ends`, the least and greatest position, and those of the form.
    """

    name: ClassVar[str]
    """What settings and saved models call it."""
    placed: ClassVar[tuple[str, ...]] = ("ends",)
    """Arrays that hold positions."""

    def __init__(self, domain: Domain, *, nulls: bool, arrays: Arrays) -> None:
        self.domain, self.nulls, self.arrays = domain, nulls, arrays

    @classmethod
    def fit(cls, domain: Domain, positions: NDArray[Any], *, nulls: bool, least_rows: int = 1) -> Self:
        """Fit to the non-null `positions` of the training rows; fewer than `least_rows` have no value of their own."""
        distinct, counts = np.unique(positions, return_counts=True)
        arrays = cls._fitted(positions, distinct, counts, least_rows)
        return cls(domain, nulls=nulls, arrays={"ends": distinct[[0, -1]] if len(distinct) else distinct} | arrays)

    def extend(self, present: pa.Array, *, nulls: bool, least_rows: int = 1) -> tuple[Self, tuple[Origin, ...]]:
        """This form grown to hold further non-null values too, and where its variables come from."""
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
        """Variables and rest of the values at `mask`, whose positions are given in order."""

    @abstractmethod
    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, rows: int) -> NDArray[Any]:
        """A rest for generated values, [rows]."""

    @abstractmethod
    def decode(self, encoded: Encoded) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Positions of every row, and which of them hold a value."""

    @classmethod
    @abstractmethod
    def check(cls, arrays: Mapping[str, NDArray[Any]], positions: type[np.generic]) -> tuple[str, ...]:
        """Check saved arrays, whose positions have this type; the names of those that become values.

        Raises:
            DamagedError: No such form has these arrays.
        """

    @classmethod
    @abstractmethod
    def _fitted(cls, positions: NDArray[Any], distinct: NDArray[Any], counts: Ints, least_rows: int) -> Arrays:
        """The arrays of a fit; `ends` may be left out."""

    @abstractmethod
    def _grown(
        self, known: Arrays, domain: Domain, distinct: NDArray[Any], counts: Ints, least_rows: int
    ) -> tuple[Arrays, Ints]:
        """Arrays grown to `distinct`, and which known cell each cell is.

        Args:
            known: The arrays so far, in the positions of `domain`.
            domain: The wider domain.
            distinct: Positions that came, ascending.
            counts: Their rows.
            least_rows: See `fit`.
        """

    @abstractmethod
    def _origins(self, grown: Self, cells: Ints) -> tuple[Origin, ...]:
        """Where each variable of the grown form comes from, given the origin of each cell."""

    def _unchanged(self) -> Ints:
        """The origins of cells where nothing came."""
        return np.zeros(0, np.int64)

    @property
    def _grid(self) -> bool:
        return isinstance(self.domain, Grid)
