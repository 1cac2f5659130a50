"""Texts that are made up: names, addresses, telephone numbers, notes, and whatever else may say who a person is.

They are not modelled but for their nulls. Generated rows get made-up values of the same shape (`pipeline.personal`):
row i of a dataset always the same one, and none that a real row had. No list of real values is kept for that.
"""

from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import personal
from pipeline.checks import exactly, record
from pipeline.columns.base import (
    Array,
    Codec,
    Discrete,
    Encoded,
    Extension,
    Measure,
    Novel,
    Origin,
    Variable,
    combined,
    is_text,
    unrelated,
)
from pipeline.columns.numeric import masked
from pipeline.errors import TableError
from pipeline.personal import Fake, Recognition
from pipeline.records import Record
from pipeline.schema import Column, value_type

PLAIN = ("code", "uuid")
"""Shapes of texts that tell a record, not a person."""
SENTENCE = 2.0
"""Mean number of spaces from which on texts are sentences."""


class _State(Record):
    """The JSON part of a codec's state."""

    fake: Fake | None
    nulls: bool


class Text(Codec):
    """The kind of columns whose values are made up.

    Args:
        fake: Makes the values; None where the column has none.
        nulls: Whether nulls were seen in training.
        arrow: The column's type.
    """

    kind: ClassVar[str] = "text"
    measure: ClassVar[Measure] = "none"

    def __init__(self, fake: Fake | None, *, nulls: bool, arrow: pa.DataType) -> None:
        self.fake, self.nulls, self.arrow = fake, nulls, arrow

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Strings, integers, and dictionaries of them."""
        return is_text(arrow) or bool(pa.types.is_integer(value_type(arrow)))

    @classmethod
    def claim(cls, array: Array, name: str, least_rows: int) -> str | None:
        """Columns that hold personal data, and strings most of which only a few rows share."""
        if not cls.supports(array.type):
            return None
        values = present(array)
        found = personal.recognise(name, values)
        if found is None and (not is_text(array.type) or not len(values)):
            return None
        if shape_of(name, values).shape in PLAIN and len(values.unique()) == len(values):
            return None  # an identifier
        return found.reason if found is not None else _rare(values, least_rows)

    @classmethod
    def fit(cls, array: Array, column: Column) -> Self:
        """See `Codec.fit`."""
        values = present(array)
        fake = Fake.fit(values, shape_of(column.name, values), column.least_rows) if len(values) else None
        return cls(fake, nulls=len(values) < len(array), arrow=array.type)

    def extend(self, array: Array, column: Column, novel: Novel) -> Extension:  # noqa: ARG002
        """See `Codec.extend`; made-up values keep clear of the real ones of this training."""
        fresh = self.fit(array, column)
        grown = type(self)(fresh.fake or self.fake, nulls=self.nulls or fresh.nulls, arrow=array.type)
        if self.nulls == grown.nulls:
            return Extension(grown, (Origin(0, np.arange(2)),) * len(grown.variables))
        return Extension(grown, unrelated(grown.variables))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A null flag where nulls and values occur."""
        return (Discrete(2, missing=True),) if self.nulls and self.fake is not None else ()

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`; the text itself is left out on purpose."""
        mask = np.asarray(combined(array).is_valid().to_numpy(zero_copy_only=False))
        return Encoded((mask.astype(np.int64),) if self.variables else (), np.arange(len(array)))

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`: the number of the row; nothing is random."""
        del values, random
        return index

    def decode(self, encoded: Encoded) -> pa.Array:
        """Made-up values for the rows numbered `rest`; raises TableError where the type has no room for them."""
        if self.fake is None:
            return pa.nulls(len(encoded.rest), self.arrow)
        made = self.fake.make(np.asarray(encoded.rest, dtype=np.int64), 0)
        mask = np.asarray(encoded.values[0]) > 0 if self.variables else np.ones(len(made), dtype=bool)
        try:
            return masked(made.cast(value_type(self.arrow)), mask).cast(self.arrow)
        except pa.ArrowInvalid as error:
            raise TableError(f"expected made-up values that fit the type {self.arrow}, they do not") from error

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return {"fake": self.fake.state() if self.fake is not None else None, "nulls": self.nulls}, {}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        exactly(arrays, ())
        state = record(_State, json)
        return cls(state.fake, nulls=state.nulls, arrow=arrow)


def shape_of(name: str, values: pa.Array) -> Recognition:
    """What made-up values look like: what is recognised, else prose where there are sentences, else codes."""
    found = personal.recognise(name, values)
    if found is not None:
        return found
    words = pc.mean(pc.count_substring(values.cast(pa.string()), " ")).as_py() or 0.0
    return Recognition(shape="free text" if words >= SENTENCE else "code", reason="no shape was recognised")


def _rare(values: pa.Array, least_rows: int) -> str | None:
    """That most rows hold a value that fewer than `least_rows` rows share, if they do."""
    counts = pc.value_counts(values).field("counts").to_numpy()
    rare = int(counts[counts < least_rows].sum())
    if 2 * rare <= len(values):
        return None
    return f"{rare / len(values):.0%} of the rows hold a value that fewer than {least_rows} rows share"


def present(array: Array) -> pa.Array:
    """The values that are not null, as plain strings, or as 64-bit integers."""
    values = combined(array).drop_null()
    return values.cast(pa.string() if is_text(values.type) else pa.int64(), safe=False)
