"""Columns that stay in the schema without their values: all null.

This kind is for a column whose values must not leave or cannot be modelled (a list, a structure), while readers of the
export still expect its name and type. A column that nobody needs is of kind "drop" (`pipeline.columns.infer`).
"""

from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array
from pipeline.checks import exactly, expect
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel
from pipeline.columns.variables import Variable
from pipeline.schema import Column


class Blank(Codec):
    """The kind of columns whose name and type are kept, and nothing else.

    Args:
        arrow: The column's type.
    """

    kind: ClassVar[str] = "null"
    measure: ClassVar[None] = None
    way: ClassVar[Literal["published all null"]] = "published all null"

    def __init__(self, arrow: pa.DataType) -> None:
        self.arrow = arrow

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Claim no column: a person chooses this kind."""
        return None

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:  # noqa: ARG003
        """Every type."""
        return True

    @classmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:  # noqa: ARG003
        """See `Codec.fit`."""
        return cls(array.type)

    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:  # noqa: ARG002
        """See `Codec.extend`."""
        return Extension(self, ())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None."""
        return ()

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`."""
        return Encoded((), np.zeros(len(array)))

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`."""
        del values, random
        return np.zeros(len(index))

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        return pa.nulls(len(encoded.rest), self.arrow)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return {}, {}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        exactly(arrays, ())
        expect(json == {}, "no state")
        return cls(arrow)
