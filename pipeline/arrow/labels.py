"""Labels: the text of a value of any type, and the way back.

Values are compared by their labels: two values have the same label exactly if they are equal, with nulls inside them.
So all columns of labels are counted, looked up and saved in the same way, although Arrow itself neither hashes nor
writes most types:

- The label of a string is the string. A number, a date or a boolean is written as Arrow does; there is one zero, and
  NaN is null.
- A zoned timestamp is written in UTC. A duration is a whole number of its unit, and so is a day or an instant outside
  the years 1 to 9999. Bytes are hexadecimal.
- A list, a structure or a map is written as JSON, a map as the list of its entries.

`labels` and `values` are inverses. Both are vectorised, except for parsing JSON and bytes. Of these, only distinct
labels are parsed.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow.arrays import Array
from pipeline.arrow.domain import ticks
from pipeline.arrow.nesting import Codes, entries, list_lengths, lists, structs
from pipeline.arrow.widening import is_bytes, is_list, is_string, plain
from pipeline.errors import TableError

CHUNK = 2**16
"""Number of nested values that are written at a time."""
_ENCODED = pa.dictionary(pa.int32(), pa.string())
_YEARS = tuple(int(np.datetime64(day, "s").astype(np.int64)) for day in ("0001-01-01", "9999-12-31T23:59:59"))
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TICKS = r"^-?[0-9]+$"
_DAY = "1970-01-01 "
_UNHASHED = (pa.types.is_float16, pa.types.is_decimal32, pa.types.is_decimal64, pa.types.is_nested)


def can_label(arrow: pa.DataType) -> bool:
    """Whether values of a type have labels. All types of Parquet do, but not views, which are read as other types."""
    if plain(arrow) != arrow:
        return False
    if isinstance(arrow, pa.BaseExtensionType):
        return can_label(arrow.storage_type)
    if pa.types.is_dictionary(arrow):
        return can_label(arrow.value_type)
    if pa.types.is_union(arrow) or pa.types.is_run_end_encoded(arrow) or pa.types.is_interval(arrow):
        return False
    return all(can_label(arrow.field(i).type) for i in range(arrow.num_fields))


def labels(array: Array) -> pa.DictionaryArray:
    """The label of each value, [rows]. It is null if the value is null or NaN. A dictionary keeps its order.

    Different entries of the dictionary are different labels. Some of them may not occur.
    """
    parts = [_encoded(part) for part in _chunks(array)]
    if len(parts) == 1:
        return parts[0]
    whole = pa.chunked_array(parts, _ENCODED).unify_dictionaries()
    return pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], _ENCODED)


def counted(array: Array) -> tuple[pa.Array, Codes]:
    """The labels that occur in a column, in the order of its dictionary, and their numbers of rows."""
    found = labels(array)
    present = found.indices.drop_null().to_numpy(zero_copy_only=False)
    counts = np.bincount(present, minlength=len(found.dictionary))
    used = np.flatnonzero(counts)
    return found.dictionary.take(pa.array(used)), counts[used]


def places(array: Array, known: pa.Array) -> Codes:
    """Index of each value's label in `known`, [rows]; the length of `known` for other labels, −1 for null."""
    found = labels(array)
    place = pc.index_in(found.dictionary, value_set=known).fill_null(len(known)).to_numpy(zero_copy_only=False)
    index = found.indices.fill_null(len(place)).to_numpy(zero_copy_only=False)
    return np.asarray(np.append(place.astype(np.int64), -1)[index], dtype=np.int64)


def coded(columns: Iterable[Array]) -> list[Codes]:
    """Codes of columns, from 0. Equal values have equal codes in all columns, and null counts as a value."""
    parts = [labels(column) for column in columns]
    texts = pa.chunked_array([part.dictionary for part in parts], pa.string()).unique()
    found = []
    for part in parts:
        place = pc.index_in(part.dictionary, value_set=texts).to_numpy(zero_copy_only=False).astype(np.int64)
        index = part.indices.fill_null(len(place)).to_numpy(zero_copy_only=False)
        found.append(np.append(place, len(texts))[index])
    _, dense = np.unique(np.concatenate(found), return_inverse=True)
    return np.split(dense.astype(np.int64), np.cumsum([len(codes) for codes in found])[:-1])


def values(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    """The values of type `arrow` with these labels. Null stays null.

    Raises:
        TableError: The texts are no labels of such values.
    """
    try:
        if not _is_json(arrow):
            return _parsed(texts, arrow)
        trees = [None if text is None else _tree(text) for text in texts.to_pylist()]
        return _built(trees, arrow)
    except (pa.ArrowException, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise TableError(f"expected labels of values of type {arrow}, got others ({type(error).__name__})") from None


def _chunks(array: Array) -> list[pa.Array]:
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    if not _is_json(array.type):
        return list(chunks)
    return [chunk.slice(start, CHUNK) for chunk in chunks for start in range(0, max(len(chunk), 1), CHUNK)]


def _encoded(array: pa.Array) -> pa.DictionaryArray:
    """The labels of an array as a dictionary. If Arrow hashes the values, only distinct values are written."""
    kind = array.type
    if not pa.types.is_dictionary(kind):
        slow = isinstance(kind, pa.BaseExtensionType) or any(test(kind) for test in _UNHASHED)
        if slow:
            return _texts(array).dictionary_encode()
        array = array.dictionary_encode()
    texts = _texts(array.dictionary)
    if texts.null_count or len(texts.unique()) < len(texts):
        return texts.take(array.indices).dictionary_encode()
    return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), texts)


def _texts(array: pa.Array) -> pa.Array:
    """The label of each value as a string."""
    return _json(array) if _is_json(array.type) else _written(array)


def _is_json(arrow: pa.DataType) -> bool:
    """Whether labels of a type are JSON."""
    if isinstance(arrow, pa.BaseExtensionType):
        return _is_json(arrow.storage_type)
    return bool(_is_json(arrow.value_type) if pa.types.is_dictionary(arrow) else pa.types.is_nested(arrow))


def _written(array: pa.Array) -> pa.Array:  # noqa: PLR0911 - one line for each family of types
    """Values that are not nested, as texts."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _written(array.storage)
    if pa.types.is_dictionary(kind):
        return _written(array.dictionary).take(array.indices)
    if is_bytes(kind):
        encoded = array.dictionary_encode()
        written = [None if value is None else value.hex() for value in encoded.dictionary.to_pylist()]
        return pa.array(written, pa.string()).take(encoded.indices)
    if pa.types.is_floating(kind):
        wide = array.cast(pa.float32()) if pa.types.is_float16(kind) else array
        zero = pc.add(wide, pa.scalar(0.0, wide.type))  # −0 + 0 is 0
        return pc.if_else(pc.is_nan(zero), None, zero.cast(pa.string()))
    if pa.types.is_duration(kind):
        return ticks(array).cast(pa.string())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _instants(array)
    return array.cast(pa.string())


def _instants(array: pa.Array) -> pa.Array:
    """Dates and timestamps as Arrow writes them, in UTC. If it would write them in another form, as ticks."""
    kind, count = array.type, ticks(array)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        array = array.view(pa.timestamp(kind.unit, "UTC"))
    low, high = years(kind)
    usual = pc.and_(pc.greater_equal(count, low), pc.less_equal(count, high))
    return pc.if_else(usual, pc.if_else(usual, array, None).cast(pa.string()), count.cast(pa.string()))


def years(arrow: pa.DataType) -> tuple[int, int]:
    """The first and the last tick of a type of dates or timestamps in the years 1 to 9999 that 64 bits can hold."""
    if pa.types.is_date32(arrow):
        return _YEARS[0] // 86_400, _YEARS[1] // 86_400
    unit = _PER_SECOND["ms" if pa.types.is_date64(arrow) else arrow.unit]
    return max(_YEARS[0] * unit, 1 - 2**63), min((_YEARS[1] + 1) * unit - 1, 2**63 - 1)


def _json(array: pa.Array) -> pa.Array:
    """Values as JSON. Null stays null."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _json(array.storage)
    if pa.types.is_dictionary(kind):
        return _json(array.dictionary).take(array.indices)
    if pa.types.is_map(kind):
        return _json(entries(array))
    if pa.types.is_struct(kind):
        pieces: list[Any] = [pa.scalar("{")]
        for i, child in enumerate(array.flatten()):
            pieces += [("," if i else "") + json.dumps(kind.field(i).name, ensure_ascii=False) + ":"]
            pieces += [_json(child).fill_null("null")]
        whole = pc.binary_join_element_wise(*pieces, "}", "") if len(array) else pa.array([], pa.string())
        return _where(whole if isinstance(whole, pa.Array) else pa.array(["{}"] * len(array)), array)
    if is_list(kind):
        count = list_lengths(array)
        offsets = pa.array(np.append(0, np.cumsum(count)), pa.int32())
        inner = pa.ListArray.from_arrays(offsets, _json(array.flatten()).fill_null("null"))
        whole = pc.binary_join_element_wise("[", pc.binary_join(inner, ","), "]", "")
        return _where(whole, array)
    return _token(array)


def _token(array: pa.Array) -> pa.Array:
    """Values that are not nested, as JSON: numbers and booleans bare, all others in quotes."""
    kind = array.type
    if is_string(kind):
        encoded = array.cast(pa.string()).dictionary_encode()
        quoted = [
            None if text is None else json.dumps(text, ensure_ascii=False) for text in encoded.dictionary.to_pylist()
        ]
        return pa.array(quoted, pa.string()).take(encoded.indices)
    texts = _written(array)
    if pa.types.is_floating(kind):
        wide = array.cast(pa.float32()) if pa.types.is_float16(kind) else array
        texts = pc.if_else(pc.fill_null(pc.is_nan(wide), False), "NaN", texts)  # noqa: FBT003
        return pc.replace_substring(texts, pattern="inf", replacement="Infinity")
    bare = (
        pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_duration(kind)
    )
    return texts if bare else pc.binary_join_element_wise('"', texts, '"', "")


def _where(texts: pa.Array, array: pa.Array) -> pa.Array:
    return pc.if_else(array.is_valid(), texts, None)


def _parsed(texts: pa.Array, arrow: pa.DataType) -> pa.Array:  # noqa: PLR0911 - one line for each family of types
    """The inverse of `_written`."""
    if isinstance(arrow, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(arrow, _parsed(texts, arrow.storage_type))
    if pa.types.is_dictionary(arrow):
        return dictionary(texts, arrow, _parsed)
    if is_bytes(arrow):
        raw = [None if text is None else bytes.fromhex(text) for text in texts.to_pylist()]
        return pa.array(raw, arrow)
    if pa.types.is_float16(arrow):
        return texts.cast(pa.float32()).cast(arrow)
    if pa.types.is_null(arrow):
        return pa.nulls(len(texts))
    if pa.types.is_duration(arrow):
        return texts.cast(pa.int64()).cast(arrow)
    if pa.types.is_time(arrow):
        since = pc.binary_join_element_wise(_DAY, texts, "").cast(pa.timestamp(arrow.unit)).cast(pa.int64())
        return since.cast(pa.int32() if pa.types.is_time32(arrow) else pa.int64()).cast(arrow)
    if pa.types.is_date(arrow) or pa.types.is_timestamp(arrow):
        return _read(texts, arrow)
    return texts.cast(arrow)


def _read(texts: pa.Array, arrow: pa.DataType) -> pa.Array:
    """The inverse of `_instants`."""
    zoned = pa.types.is_timestamp(arrow) and arrow.tz is not None
    kind = pa.timestamp(arrow.unit, "UTC") if zoned else arrow
    far = pc.match_substring_regex(texts, _TICKS)
    count = pc.if_else(far, texts, None).cast(pa.int64())
    whole = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    known = pc.if_else(far, None, texts).cast(kind)
    return pc.if_else(far, count.cast(whole).view(kind), known).view(arrow)


def dictionary(
    texts: pa.Array, arrow: pa.DataType, parse: Callable[[pa.Array, pa.DataType], pa.Array]
) -> pa.DictionaryArray:
    """A dictionary array of type `arrow`, with the distinct texts parsed."""
    encoded = texts.dictionary_encode()
    index = encoded.indices.cast(arrow.index_type)
    return pa.DictionaryArray.from_arrays(index, parse(encoded.dictionary, arrow.value_type), ordered=arrow.ordered)


_Tree = Any
"""Parsed JSON. Numbers are still texts, and objects are tuples of pairs."""


def _tree(text: str) -> _Tree:
    tree = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=tuple)
    if tree is None:
        raise ValueError("the text of a null")
    return tree


def _built(trees: Sequence[_Tree], arrow: pa.DataType) -> pa.Array:
    """The inverse of `_json`, from parsed JSON."""
    null = np.array([tree is None for tree in trees], dtype=bool)
    if isinstance(arrow, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(arrow, _built(trees, arrow.storage_type))
    if pa.types.is_struct(arrow):
        names = tuple(arrow.field(i).name for i in range(arrow.num_fields))
        for tree in trees:
            if tree is not None and (not isinstance(tree, tuple) or tuple(name for name, _ in tree) != names):
                raise ValueError("another structure")
        children = [
            _built([None if tree is None else tree[i][1] for tree in trees], arrow.field(i).type)
            for i in range(len(names))
        ]
        return structs(children, arrow, null)
    if is_list(arrow):
        if not all(tree is None or isinstance(tree, list) for tree in trees):
            raise ValueError("no list")
        counts = np.array([0 if tree is None else len(tree) for tree in trees], dtype=np.int64)
        inner = [item for tree in trees if tree is not None for item in tree]
        return lists(counts, lambda element: _built(inner, element), arrow, null)
    return _parsed(pa.array([_leaf(tree) for tree in trees], pa.string()), arrow)


def _leaf(tree: _Tree) -> str | None:
    if isinstance(tree, bool):
        return "true" if tree else "false"
    if tree is not None and not isinstance(tree, str):
        raise TypeError("another nesting")
    return tree
