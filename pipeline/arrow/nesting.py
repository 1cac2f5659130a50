"""Lists, structures and maps of any Arrow type: taking them apart and putting them together."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def entries(array: pa.Array) -> pa.Array:
    """Maps as lists of structures."""
    return array.cast(pa.list_(pa.struct([array.type.key_field, array.type.item_field])))


def list_lengths(array: pa.Array) -> Codes:
    """Number of values of each list in an array of any list type. 0 for null."""
    if pa.types.is_map(array.type):
        array = entries(array)
    size = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(array.is_valid().to_numpy(zero_copy_only=False), size, 0)


def structs(children: Sequence[pa.Array], arrow: pa.DataType, null: NDArray[np.bool_]) -> pa.Array:
    """Structures of type `arrow` with these children, null where `null` is true."""
    if not children:
        return pa.array([None if gone else {} for gone in null], arrow)
    return pa.StructArray.from_arrays(children, type=arrow, mask=pa.array(null)) if len(null) else pa.array([], arrow)


def lists(
    counts: Codes, make: Callable[[pa.DataType], pa.Array], arrow: pa.DataType, null: NDArray[np.bool_]
) -> pa.Array:
    """Lists of type `arrow`, of any list type, null where `null` is true.

    Args:
        counts: Number of values of each list, 0 for null.
        make: Makes the values of all lists, one after the other, of the given type.
        arrow: The type of the lists. A map is a list of entries.
        null: Which lists are null.
    """
    mask = pa.array(null)
    if pa.types.is_fixed_size_list(arrow):
        if (counts[~null] != arrow.list_size).any():
            raise ValueError("another length")
        inner = make(arrow.value_type)
        if null.any():  # a null needs the space of a list
            place = pa.array(np.cumsum(np.repeat(~null, arrow.list_size)) - 1, mask=np.repeat(null, arrow.list_size))
            inner = inner.take(place)
        return pa.FixedSizeListArray.from_arrays(inner, type=arrow, mask=mask) if len(null) else pa.array([], arrow)
    offsets = np.append(0, np.cumsum(counts))
    if not len(null):
        return pa.array([], arrow)
    if pa.types.is_map(arrow):
        entries = make(pa.struct([arrow.key_field, arrow.item_field]))
        keys, items = entries.flatten()
        return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, items, type=arrow, mask=mask)
    wide = pa.int64() if pa.types.is_large_list(arrow) or pa.types.is_large_list_view(arrow) else pa.int32()
    inner, starts = make(arrow.value_type), pa.array(offsets, wide)
    if pa.types.is_list_view(arrow) or pa.types.is_large_list_view(arrow):
        sort = pa.ListViewArray if wide == pa.int32() else pa.LargeListViewArray
        return sort.from_arrays(starts[:-1], pa.array(counts, wide), inner, type=arrow, mask=mask)
    sort = pa.LargeListArray if wide == pa.int64() else pa.ListArray
    return sort.from_arrays(starts, inner, type=arrow, mask=mask)
