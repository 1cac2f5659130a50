"""Numbers: integers, floats and decimals of every width, in a normal form (`pipeline.columns.forms`)."""

from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, combined, masked
from pipeline.arrow.domain import domain_of, is_number, valid
from pipeline.columns import forms
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel
from pipeline.columns.forms import FORMS, Form, form_of
from pipeline.columns.variables import Variable
from pipeline.errors import SchemaError
from pipeline.measures import ORDERED, Ordered
from pipeline.schema import Column


class Numeric(Codec):
    """The kind of columns of numbers."""

    kind: ClassVar[str] = "numeric"
    measure: ClassVar[Ordered] = ORDERED
    forms: ClassVar[tuple[str, ...]] = tuple(FORMS)

    def __init__(self, numbers: Form, arrow: pa.DataType) -> None:
        self.numbers, self.arrow = numbers, arrow

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Integers, floats, decimals."""
        return is_number(arrow)

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:  # noqa: ARG003
        """Claim every column of a numeric type that is not dictionary encoded."""
        return "numbers" if is_number(array.type) else None

    @classmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:  # noqa: ARG003
        """See `Codec.fit`."""
        array = combined(array)
        form = form_of(column)
        mask = valid(array)
        present = array.filter(pa.array(mask))
        try:
            domain = domain_of(present)
        except SchemaError as error:
            raise SchemaError(f"column {column.name!r}: {error}") from None
        positions = domain.positions(present)
        nulls, least = not mask.all(), column.least_rows
        return cls(form.fit(domain, positions, nulls=nulls, least_rows=least), array.type)

    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:  # noqa: ARG002
        """See `Codec.extend`."""
        array = combined(array)
        mask = valid(array)
        present, nulls = array.filter(pa.array(mask)), not mask.all()
        numbers, origins = self.numbers.extend(present, nulls=nulls, least_rows=column.least_rows)
        return Extension(type(self)(numbers, array.type), origins)

    @property
    def commonest(self) -> float:
        """See `Codec.commonest`."""
        return self.numbers.commonest

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of the form."""
        return self.numbers.variables

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`."""
        array = combined(array)
        mask = valid(array)
        present = array.filter(pa.array(mask)).cast(self.arrow)
        return self.numbers.encode(self.numbers.domain.positions(present), mask)

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`."""
        return self.numbers.draw(values, random, index)

    def decode(self, encoded: Encoded) -> pa.Array:
        """See `Codec.decode`."""
        positions, mask = self.numbers.decode(encoded)
        # without a value, the position means nothing, and its number may not fit the type
        return masked(self.numbers.domain.values(np.where(mask, positions, 0), self.arrow), mask)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return forms.state(self.numbers)

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        return cls(forms.load(json, arrays, arrow), arrow)
