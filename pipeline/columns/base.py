"""The base of every kind of column.

A *kind* is a class of `Codec`. A codec is fitted to one column and defines four things in one place:

- the normal form: `encode` turns an Arrow array into the values of the column's *variables* and a `rest` that the
  variables leave open (the exact place inside a bin). `decode` is the exact inverse;
- the network's view: its `variables` say how the column enters the network, and with which likelihood;
- the completion of generated values: `draw` makes a random `rest`;
- the comparison of columns: its `measure`.

To add a modality, write one such module and list it in `pipeline.columns.KINDS`, or add it from outside with
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
"""What to do with labels that a fitted column does not know: one symbol each, one symbol for all, or an error."""


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
        variable: Index of the variable in the codec before its extension. None for a new variable.
        symbols: For each symbol, its index in that variable; −1 for a new symbol, [symbols].
    """

    variable: int | None
    symbols: NDArray[np.int64]


class Extension(NamedTuple):
    """An extended codec, and the origin of each of its variables."""

    codec: "Codec"
    origins: tuple[Origin, ...]


class Beside(NamedTuple):
    """Real values, besides the training values, that made-up values must avoid.

    Attributes:
        taken: Every real value of the column. None means the training values.
        names: The words of all names of persons in the table. None if no names are known.
        partners: Every real value of the columns `Column.unique_with`, row by row with `taken`.
    """

    taken: Array | None = None
    names: Words | None = None
    partners: tuple[Array, ...] = ()


ALONE = Beside()
"""No real values besides the training values."""


class Codec(ABC):
    """A kind fitted to one column."""

    kind: ClassVar[str]
    """Name of the kind in schemas and settings."""
    measure: ClassVar[Measure[Any] | None]
    """How columns of two tables are compared (`pipeline.measures`). None if a comparison would say nothing."""
    forms: ClassVar[tuple[str, ...]] = ()
    """Normal forms that a user may choose from."""
    way: ClassVar[Literal["modelled", "made up", "published all null"]] = "modelled"
    """Where generated values come from. No real value is shown of a column that is not modelled."""

    @classmethod
    @abstractmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Why this kind suits a column, in words. None if it does not.

        Args:
            array: The values.
            name: The name of the column.
            least_rows: A label of fewer rows is not published.
        """

    @classmethod
    @abstractmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Whether a column of this type can be of this kind."""

    @classmethod
    @abstractmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:
        """Learn the normalization from training values. Raises TableError or SchemaError if this is impossible."""

    @abstractmethod
    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:
        """Extend the codec to further values. What it knew stays as it was.

        Args:
            array: The values. If none is new to the codec, the extension behaves as the codec does.
            column: The column of the values.
            novel: What to do with new labels.
            beside: See `Beside`.

        Raises:
            SchemaError: There are new labels, and they are refused.
        """

    @property
    def labels(self) -> pa.Array | None:
        """The labels that the codec knows; None if its values are not labels."""
        return None

    def strange(self, array: Array) -> bool:  # noqa: ARG002
        """Whether `array` holds labels that the codec does not know. False if values are no labels."""
        return False

    @property
    def commonest(self) -> float:
        """Upper bound of the share of the commonest training value, with nulls counted. 1 if it is unknown."""
        return 1.0

    def expect_room(self, rows: int) -> None:  # noqa: B027
        """Raise a TableError if the codec has no values for so many rows of a dataset. By default it has."""

    @property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the network models, in order. Empty for a column that needs no model."""

    @abstractmethod
    def encode(self, array: Array) -> Encoded:
        """The normal form of `array`. Values that the training data lack are null in the variables."""

    @abstractmethod
    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """Make a random `rest` for generated `values`. `index` holds the numbers of the rows in the dataset, [rows]."""

    def draw_beside(
        self,
        values: tuple[NDArray[Any], ...],
        random: np.random.Generator,
        index: NDArray[Any],
        beside: NDArray[np.int64],  # noqa: ARG002
    ) -> NDArray[Any]:
        """The same as `draw`, for a column that names a row together with others (`Column.unique_with`).

        `beside` holds codes of the generated values of these others, [rows].
        """
        return self.draw(values, random, index)

    @abstractmethod
    def decode(self, encoded: Encoded) -> pa.Array:
        """The inverse of `encode`, with exactly the column's Arrow type."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What `load` needs: JSON values, and arrays."""

    @classmethod
    @abstractmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """The inverse of `state`. Raises DamagedError if no codec of that type has such a state."""


def unrelated(variables: tuple[Variable, ...]) -> tuple[Origin, ...]:
    """Origins of new variables."""
    return tuple(Origin(None, np.full(variable.symbols, -1)) for variable in variables)
