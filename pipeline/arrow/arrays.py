"""Arrow arrays in the forms that other modules compute with."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.domain import ticks
from pipeline.arrow.widening import value_type

Array: TypeAlias = pa.Array | pa.ChunkedArray


def combined(array: Array) -> pa.Array:
    """The array in one chunk and without a dictionary."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # zero chunks, or too large for one
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def is_text(arrow: pa.DataType) -> bool:
    """Whether the values are strings."""
    inner = value_type(arrow)
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def numbers(array: Array) -> NDArray[np.float64]:
    """An ordered column as float64, [rows]. Nulls are NaN, and points in time are ticks of their unit."""
    array = combined(array)
    if pa.types.is_temporal(array.type):
        array = ticks(array)
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def masked(array: pa.Array, mask: NDArray[np.bool_]) -> pa.Array:
    """`array` with nulls where `mask` is false."""
    if mask.all():
        return array
    # `if_else` widens narrow decimals
    return pc.if_else(pa.array(mask), array, pa.scalar(None, array.type)).cast(array.type)
