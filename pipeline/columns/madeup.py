"""Columns whose values are made up. Only their nulls are modelled.

Generated rows get values of the same type and shape (`pipeline.columns.moulds`). Row i of a dataset always has the same
value, and no value is a real one. No list of real values is kept for this. `pipeline.columns.text` makes values that
look like the real ones. `pipeline.columns.identifier` also gives every row a value that no other row has.
"""

from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow.arrays import Array, combined
from pipeline.arrow.domain import valid
from pipeline.arrow.labels import can_label, counted
from pipeline.checks import exactly, record
from pipeline.columns import moulds
from pipeline.columns.base import ALONE, Beside, Codec, Encoded, Extension, Novel, Origin, unrelated
from pipeline.columns.checked import limits
from pipeline.columns.fanout import FanOut
from pipeline.columns.moulds import ENDLESS, Mould, Nothing, Wanted
from pipeline.columns.variables import Discrete, Variable
from pipeline.errors import SchemaError, TableError
from pipeline.randomness import Apart
from pipeline.records import Record
from pipeline.schema import Column

SHARED = 5
"""If at least this many rows share a value on average, made-up values are shared too."""


class _State(Record):
    """The JSON part of a codec's state."""

    mould: Mould
    nulls: bool
    fanout: FanOut | None


class MadeUp(Codec):
    """The common base of both kinds.

    Args:
        mould: Makes the values.
        nulls: Whether nulls were seen in training.
        arrow: The column's type.
        fanout: How many rows share a fresh value. None if no two rows do.
    """

    measure: ClassVar[None] = None
    way: ClassVar[Literal["made up"]] = "made up"
    fresh: ClassVar[bool]
    """Whether no two rows have the same value."""

    def __init__(self, mould: Mould, *, nulls: bool, arrow: pa.DataType, fanout: FanOut | None = None) -> None:
        self.mould, self.nulls, self.arrow, self.fanout = mould, nulls, arrow, fanout

    @classmethod
    def supports(cls, arrow: pa.DataType) -> bool:
        """Every type that Parquet can hold."""
        return can_label(arrow)

    @classmethod
    def fit(cls, array: Array, column: Column, beside: Beside = ALONE) -> Self:
        """See `Codec.fit`. No value will be one of those taken, or be composed of words of names."""
        return cls._fitted(array, column, None, beside)

    @classmethod
    def _fitted(cls, array: Array, column: Column, known: Mould | None, beside: Beside) -> Self:
        whole = combined(array if beside.taken is None else beside.taken)
        few = _capacity(array.type) < ENDLESS or (not cls.fresh and _repeated(whole))
        wanted = Wanted(
            fresh=cls.fresh,
            least_rows=column.least_rows,
            few=few,
            besides=beside.names,
            fake=column.fake,
            locale=column.locale,
        )
        try:
            mould = moulds.fit(whole, column.name, wanted, known)
        except SchemaError as error:
            raise SchemaError(f"column {column.name!r}: {error}") from None
        fanout = FanOut.fit(whole, beside.partners, column.least_rows) if cls.fresh else None
        return cls(mould, nulls=not valid(whole).all(), arrow=array.type, fanout=fanout)

    def extend(self, array: Array, column: Column, novel: Novel, beside: Beside = ALONE) -> Extension:  # noqa: ARG002
        """See `Codec.extend`. Fresh numbers avoid the real ones of both trainings, other values those of the last."""
        grown = self._fitted(array, column, self.mould, beside)
        if isinstance(grown.mould, Nothing):
            grown.mould, grown.fanout = self.mould, self.fanout
        grown.nulls = grown.nulls or self.nulls
        if len(self.variables) == len(grown.variables):
            return Extension(grown, (Origin(0, np.arange(2)),) * len(grown.variables))
        return Extension(grown, unrelated(grown.variables))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """A null flag, if both nulls and values occur."""
        return (Discrete(2, missing=True),) if self.nulls and not isinstance(self.mould, Nothing) else ()

    def encode(self, array: Array) -> Encoded:
        """See `Codec.encode`. The value itself is left out on purpose."""
        mask = valid(combined(array)).astype(np.int64)
        return Encoded((mask,) if self.variables else (), np.arange(len(array)))

    def draw(self, values: tuple[NDArray[Any], ...], random: np.random.Generator, index: NDArray[Any]) -> NDArray[Any]:
        """See `Codec.draw`. The rest is the number of a value. It follows from the row, and from nulls before it."""
        return self._dealt(values, random, index, None)

    def draw_beside(
        self,
        values: tuple[NDArray[Any], ...],
        random: np.random.Generator,
        index: NDArray[Any],
        beside: NDArray[np.int64],
    ) -> NDArray[Any]:
        """See `Codec.draw_beside`. Rows that share a value differ in `beside`."""
        return self._dealt(values, random, index, beside)

    def _dealt(
        self,
        values: tuple[NDArray[Any], ...],
        random: np.random.Generator,
        index: NDArray[Any],
        beside: NDArray[np.int64] | None,
    ) -> NDArray[Any]:
        """The number of the value of each row. Rows of an `Apart` stream do not depend on each other."""
        if self.fanout is None:
            return index
        if isinstance(random, Apart):
            return self.fanout.runs(index)
        held = np.flatnonzero(values[0]) if self.variables else np.arange(len(index))
        places, numbers = index[: len(held)], index.copy()
        if beside is None:
            numbers[held] = self.fanout.runs(places)
        else:
            numbers[held] = self.fanout.dealt(places, beside[held], random)
        return numbers

    def decode(self, encoded: Encoded) -> pa.Array:
        """The made-up values numbered `rest`. Beyond the room of values they come again: see `Codec.expect_room`."""
        index = np.asarray(encoded.rest, dtype=np.int64) % max(self.room, 1) if self.fresh else encoded.rest
        try:
            made = moulds.filled(self.mould, index, 0, self.arrow)
        except pa.ArrowInvalid as error:
            raise TableError(f"expected made-up values that fit the type {self.arrow}, they do not") from error
        if not self.variables:
            return made
        return made.take(pa.array(np.arange(len(index)), mask=np.asarray(encoded.values[0]) == 0))

    @property
    def room(self) -> int:
        """How many rows can have a value that no other row has."""
        return ENDLESS if isinstance(self.mould, Nothing) else min(self.mould.room, _capacity(self.arrow))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """See `Codec.state`."""
        return _State(mould=self.mould, nulls=self.nulls, fanout=self.fanout).model_dump(mode="json"), {}

    @classmethod
    def load(cls, json: dict[str, Any], arrays: dict[str, NDArray[Any]], arrow: pa.DataType) -> Self:
        """See `Codec.load`."""
        exactly(arrays, ())
        state = record(_State, json)
        moulds.check(state.mould, arrow)
        return cls(state.mould, nulls=state.nulls, arrow=arrow, fanout=state.fanout)


def _repeated(values: pa.Array) -> bool:
    """Whether rows share their values with others on average."""
    distinct, counts = counted(values)
    return bool(len(distinct)) and bool(counts.sum() >= SHARED * len(distinct))


def _capacity(arrow: pa.DataType) -> int:
    """How many different values a column can have, if its type limits them below the possible number of rows."""
    narrow = pa.types.is_dictionary(arrow) and arrow.index_type.bit_width < 32  # noqa: PLR2004
    return limits(arrow.index_type)[1] + 1 if narrow else ENDLESS
