"""Hashes of the content of a table, for any Arrow type.

Equal values have equal hashes: chunks, dictionary encoding and the width of offsets do not matter. A hash depends on
the value alone, so it is the same on every machine and in every process.
"""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.arrow.widening import plain

Hashes = NDArray[np.uint64]

NULL = np.uint64(0x5851F42D4C957F2D)
STEP = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, whose multiples are spread evenly


def digest(table: pa.Table) -> str:
    """SHA-256 of the table's schema and values, independent of chunks and encodings."""
    schema = pa.schema([field.with_type(plain(field.type)) for field in table.schema])  # Parquet names entries of maps
    total = hashlib.sha256(schema.remove_metadata().to_string().encode())
    for name, column in zip(table.column_names, column_hashes(table), strict=True):
        total.update(name.encode())
        total.update(column.tobytes())
    return total.hexdigest()


def mix(x: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): a bijection whose output bits look independent."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def row_hashes(table: pa.Table, seed: int = 0) -> Hashes:
    """A 64-bit hash of every row's values in order, [rows]."""
    return _row(column_hashes(table), np.full(table.num_rows, seed, dtype=np.uint64))


def column_hashes(table: pa.Table) -> list[Hashes]:
    """A 64-bit hash of every value: one array for each column."""
    nothing = np.zeros(0, dtype=np.uint64)
    return [np.concatenate([nothing, *map(hashes, column.chunks)]) for column in table.columns]


def hashes(array: pa.Array) -> Hashes:  # noqa: PLR0911 - one line for each family of types
    """A 64-bit hash of every value of an array."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return hashes(array.storage)
    if pa.types.is_dictionary(kind):
        return _taken(hashes(array.dictionary), array.indices)
    if pa.types.is_run_end_encoded(kind):
        return hashes(pc.run_end_decode(array))
    if pa.types.is_struct(kind):
        return _with_nulls(_row(list(map(hashes, array.flatten())), np.zeros(len(array), dtype=np.uint64)), array)
    if pa.types.is_map(kind):
        return hashes(array.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))))
    if pa.types.is_union(kind):
        return _scalars(pa.array([f"{value.type_code} {value.value}" for value in array]))
    if pa.types.is_nested(kind):
        return _with_nulls(_lists(array), array)
    return _scalars(array.cast(plain(kind)))


def _scalars(array: pa.Array) -> Hashes:
    kind = array.type
    if pa.types.is_float16(kind):  # Arrow cannot dictionary-encode float16
        array = array.cast(pa.float32())
    elif pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):  # nor narrow decimals
        array = array.cast(pa.decimal128(kind.precision, kind.scale))
    encoded = array.dictionary_encode()
    values = encoded.dictionary
    if pa.types.is_decimal(values.type) or pa.types.is_null(values.type):
        values = values.cast(pa.string())
    elif pa.types.is_interval(values.type):
        values = values.view(pa.binary(16))
    elif pa.types.is_temporal(values.type):
        values = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())  # noqa: PLR2004
    return _taken(pd.util.hash_array(values.to_numpy(zero_copy_only=False)), encoded.indices)


def _taken(found: Hashes, indices: pa.Array) -> Hashes:
    """The hashes at indices, some of which are null."""
    index = indices.cast(pa.int64()).fill_null(len(found)).to_numpy(zero_copy_only=False)
    return np.asarray(np.append(found, NULL)[index], dtype=np.uint64)


def _row(columns: list[Hashes], row: Hashes) -> Hashes:
    """One hash of several values a row, in order."""
    for column in columns:
        row = mix(row ^ column)
    return row


def _lists(array: pa.Array) -> Hashes:
    """Hashes of lists of any kind, from their values, the places of these and their number."""
    counts = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    values, ends = hashes(array.flatten()), np.cumsum(counts)
    places = np.arange(len(values), dtype=np.int64) - np.repeat(ends - counts, counts)
    placed = mix(values ^ mix((places.astype(np.uint64) + np.uint64(1)) * STEP))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(placed, dtype=np.uint64)])
    return mix((sums[ends] - sums[ends - counts]) ^ counts.astype(np.uint64))


def _with_nulls(found: Hashes, array: pa.Array) -> Hashes:
    return np.where(array.is_valid().to_numpy(zero_copy_only=False), found, NULL)
