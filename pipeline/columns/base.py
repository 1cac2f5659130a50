"""What every kind of column has in common.

A *kind* is a class of `Codec`. Fitted to one column, a codec says four things in one place:

- its normal form: `encode` turns an Arrow array into the values of the column's *variables* plus the `rest` that
  the variables do not say (the exact place inside a bin); `decode` is the inverse and exact;
- how the column enters the network, and with which likelihood: its `variables`;
- how generated values are completed: `draw` makes a `rest` at random;
- how columns of it are compared: its `measure`.

A modality is added by writing one such module and naming it in `pipeline.columns.KINDS`, or from outside with
`pipeline.columns.register`.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array
from pipeline.columns.variables import Variable
from pipeline.measures import Measure
from pipeline.personal import Words
from pipeline.schema import Column

Novel = Literal["extend", "bucket", "refuse"]
"""What becomes of labels that a fitted column does not know: a symbol each, one for all of them, or an error."""


class Encoded(NamedTuple):
    """A column in normal form.

    Attributes:
        values: One array per variable, each [rows, …]; integers for `Discrete`, float64 for `Real`.
        rest: What the variables leave open, [rows] or [rows, parts].
    """

    values: tuple[NDArray[Any], ...]
    rest: NDArray[Any]


class Origin(NamedTuple):
    """Where a variable of an extended codec comes from.

    Attributes:
        variable: Which variable of the codec that was extended it is; None for one that there was not.
        symbols: Which of that variable's symbols each of its symbols is, −1 for new ones, [symbols].
    """

    variable: int | None
    symbols: NDArray[np.int64]


class Extension(NamedTuple):
    """A codec that was extended, and the origin of each of its variables."""

    codec: "Codec"
    origins: tuple[Origin, ...]


class Beside(NamedTuple):
    """What a codec may look at beside its training values, to keep clear of it.

    Attributes:
        taken: Every real value of the column; None: the training values.
        names: The words of all names of persons in the table; None: none are known.
    """

    taken: Array | None = None
    names: Words | None = None


ALONE = Beside()
"""Nothing beside the training values."""


class Codec(ABC):
    """A kind fitted to one column."""

    kind: ClassVar[str]
    """Name of the kind in schemas and settings."""
    measure: ClassVar[Measure[Any] | None]
    """How the columns of two tables are compared (`pipeline.measures`); None where that would say nothing."""
    forms: ClassVar[tuple[str, ...]] = ()
    """Normal forms a user may choose from."""

    @classmethod
    @abstractmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Why this kind is the natural one for a column, in words; None where it is not.

        Args:
            array: The values.
            name: The column's.
            least_rows: A label of fewer rows is not published.
        """

    @classmethod
    @abstractmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Whether a column of this type can be of this kind."""

    @classmethod
    @abstractmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:
        """Learn the normalization from training values; raises TableError or SchemaError where it cannot."""

    @abstractmethod
    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:
        """This codec and what further values need beyond it; what it knew it knows as before.

        Args:
            array: The values; where none is new to the codec, the extension behaves as the codec does.
            column: Their column.
            novel: What becomes of new labels.
            beside: See `Beside`.

        Raises:
            SchemaError: There are new labels, and they are refused.
        """

    def strange(self, array: Array) -> bool:  # noqa: ARG002
        """Whether there are labels in `array` that the codec does not know; never, where values are no labels."""
        return False

    @property
    def commonest(self) -> float:
        """Share of the commonest value in training, nulls counted: at most this; 1 where that is not known."""
        return 1.0

    @property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the network models, in order; none for a column that needs no model."""

    @abstractmethod
    def encode(self, array: Array) -> Encoded:
        """Normal form of `array`; values unknown to the training data are null in the variables."""

    @abstractmethod
    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """A random `rest` for generated `values`, for the rows of the dataset numbered `index`, [rows]."""

    @abstractmethod
    def decode(self, encoded: Encoded) -> pa.Array:
        """The inverse of `encode`, of exactly the column's Arrow type."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What `load` needs: JSON values, and arrays."""

    @classmethod
    @abstractmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """The inverse of `state`; raises DamagedError where no codec of that type has such a state."""


def unrelated(variables: tuple[Variable, ...]) -> tuple[Origin, ...]:
    """Origins of variables that have none."""
    return tuple(Origin(None, np.full(variable.symbols, -1)) for variable in variables)
