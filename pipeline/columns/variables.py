"""Variables: what the network sees of a column.

A column has a few variables in order. Each variable belongs to a *sort*. The sort defines how the network reads the
variable, its likelihood and how it is drawn: `pipeline.models.heads` has one head per sort. Symbols and reals serve
numbers, categories and points in time. Another sort is another subclass of `Variable`, here or elsewhere, and another
head.

A variable may *refine* the one before it, which is then a `Discrete`. It applies to some symbols of that variable.
Where it does not apply, its value is 0, it carries no information and it costs no nats.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

SYMBOLS, REALS = "symbols", "reals"


@dataclass(frozen=True)
class Variable:
    """One variable of a column.

    Attributes:
        applies: For a variable that refines the one before it: the symbols of that variable to which it applies,
            [symbols of the one before]. None for a variable that always applies.
    """

    sort: ClassVar[str]
    """Name of the sort: a key of `pipeline.models.heads.HEADS`."""
    dtype: ClassVar[type[np.generic]]
    """Type of its values in the network's tensors."""

    applies: tuple[bool, ...] | None = field(default=None, kw_only=True)

    @property
    def symbols(self) -> int:
        """Number of symbols. 0 for a variable without symbols."""
        return 0

    @property
    def normals(self) -> int:
        """Number of standard normal draws that one draw of the variable needs, besides a uniform one."""
        return 0


@dataclass(frozen=True)
class Discrete(Variable):
    """A variable with `size` symbols 0 … size − 1 and a categorical (softmax) likelihood.

    Attributes:
        size: Number of symbols.
        missing: Whether symbol 0 (null) may be generated.
        ordered: Whether symbols 1, 2, … have a meaningful order, so that neighbours are alike.
    """

    sort = SYMBOLS
    dtype = np.int64

    size: int
    missing: bool = False
    ordered: bool = False

    @property
    def symbols(self) -> int:
        """Number of symbols."""
        return self.size


@dataclass(frozen=True)
class Real(Variable):
    """A real variable, about standardised, with a Gaussian-mixture likelihood. It is generated within [low, high].

    Attributes:
        low: Least value in training.
        high: Greatest value in training.
    """

    sort = REALS
    dtype = np.float32

    low: float
    high: float

    @property
    def normals(self) -> int:
        """One, for the place within the chosen Gaussian."""
        return 1
