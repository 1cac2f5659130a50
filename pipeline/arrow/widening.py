"""Types that hold the same values.

Two writers of one table seldom agree on every type. A column without a value may have the type null one day, pandas
turns an integer column with nulls into double, a timestamp comes in another unit. Such differences are *harmless* if
some type holds every value of both columns exactly. `candidates` lists the types that may do so, the best first. It
depends on the set of types alone, so the order of files does not matter. `exact` casts a column, or says that a value
would change. Types of different families (a number and a text, a date and a timestamp) are never harmless: they mean
that the column has another meaning.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNITS = ("ns", "us", "ms", "s")
"""Units of time, the finest first."""
WHOLE = 2**53
"""Up to this magnitude, doubles distinguish all integers."""
SIGNED = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
UNSIGNED = (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
FLOATS = (pa.float16(), pa.float32(), pa.float64())
DECIMALS = ((pa.decimal32, 9), (pa.decimal64, 18), (pa.decimal128, 38), (pa.decimal256, 76))  # with most digits
UTC = {"utc", "etc/utc", "gmt", "etc/gmt", "z", "zulu", "+00:00", "+0000", "-00:00"}
LISTS = (
    (pa.types.is_list, pa.list_),
    (pa.types.is_large_list, pa.large_list),
)
VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values: a dictionary's value type, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain(kind: pa.DataType) -> pa.DataType:
    """The type without views at any depth, which most functions of Arrow do not accept, and usual names in maps."""
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, plain(kind.value_type), kind.ordered)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(plain(field.type)) for field in kind])
    if pa.types.is_map(kind):
        key = kind.key_field.with_type(plain(kind.key_type)).with_name("key")
        item = kind.item_field.with_type(plain(kind.item_type)).with_name("value")
        return pa.map_(key, item, kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(plain(kind.value_type)), kind.list_size)
    for is_this, make in LISTS:
        if is_this(kind):
            return make(kind.value_field.with_type(plain(kind.value_type)))
    return VIEWS.get(kind, kind)


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of any list type. A map is a list of entries."""
    return bool(pa.types.is_nested(kind) and not pa.types.is_struct(kind) and not pa.types.is_union(kind))


def is_string(kind: pa.DataType) -> bool:
    """Whether values are texts, in any layout, without a dictionary."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values are bytes, in any layout, without a dictionary."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def decoded(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without a dictionary."""
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def leaves(array: pa.Array) -> Iterable[pa.Array]:
    """The arrays of values inside an array of any type: those of lists, structs, dictionaries and extensions.

    Values under a null may be among them.
    """
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        yield from leaves(array.storage)
    elif pa.types.is_dictionary(kind):
        yield from leaves(array.dictionary)
    elif pa.types.is_map(kind):
        yield from leaves(array.keys)
        yield from leaves(array.items)
    elif pa.types.is_struct(kind):
        for i in range(kind.num_fields):
            yield from leaves(array.field(i))
    elif pa.types.is_nested(kind) and hasattr(array, "flatten"):
        yield from leaves(array.flatten())
    else:
        yield array


def related(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether columns of these types can be the same column, depending on their values."""
    return pa.types.is_null(one) or pa.types.is_null(other) or _family(one) == _family(other)


def lossless(kind: pa.DataType, wider: pa.DataType) -> bool:
    """Whether `wider`, of the same family, holds exactly every value that a column of type `kind` can hold.

    An integer never becomes a float here, because this would change the meaning of the column. A time never becomes one
    of nanoseconds either, because these cover only 584 years.
    """
    kind, wider = value_type(kind), value_type(wider)
    if kind == wider or pa.types.is_null(kind):
        return True
    if pa.types.is_integer(kind) and pa.types.is_integer(wider):
        a, b = np.iinfo(kind.to_pandas_dtype()), np.iinfo(wider.to_pandas_dtype())
        return bool(b.min <= a.min and a.max <= b.max)
    if not related(kind, wider) or pa.types.is_integer(kind) or pa.types.is_integer(wider):
        return False
    if pa.types.is_floating(kind):
        return bool(kind.bit_width <= wider.bit_width)
    if hasattr(kind, "unit") and hasattr(wider, "unit"):
        return wider.unit != "ns" and UNITS.index(wider.unit) < UNITS.index(kind.unit)
    return wider in candidates([kind, wider])


def candidates(kinds: Iterable[pa.DataType]) -> list[pa.DataType]:
    """Types that may hold all values of columns of these types, the best first. Empty if they are not related."""
    distinct = sorted({kind for kind in kinds if not pa.types.is_null(kind)}, key=str)
    if len(distinct) < 2:  # noqa: PLR2004
        return distinct or [pa.null()]
    if len({_family(kind) for kind in distinct}) > 1:
        return []
    if all(pa.types.is_dictionary(kind) for kind in distinct):
        values = candidates(kind.value_type for kind in distinct)
        indices = candidates(kind.index_type for kind in distinct)
        ordered = all(kind.ordered for kind in distinct)
        return [pa.dictionary(index, value, ordered) for value in values for index in indices]
    return _joined(sorted({value_type(kind) for kind in distinct}, key=str))


def exact(array: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """The column as another type. None if a value would change or no such cast exists."""
    if array.type == kind:
        return array if str(array.type) == str(kind) else array.cast(kind)  # names of inner fields may differ
    if array.null_count == len(array):
        return pa.chunked_array([pa.nulls(len(array), kind)])
    try:
        source = array if pa.types.is_dictionary(kind) else decoded(array)
        cast = source.cast(kind)
        if is_string(source.type) or is_string(value_type(kind)):
            return cast  # a text is parsed or written, and a number can be written in more than one way
        if pa.types.is_floating(source.type) and pa.types.is_integer(kind):
            return cast if (pc.max(pc.abs(source)).as_py() or 0) <= WHOLE else None
        back = _told(source.type, kind)
        return cast if cast.cast(back).equals(source.cast(back)) else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _told(kind: pa.DataType, wider: pa.DataType) -> pa.DataType:
    """The type, with types of `wider` in the place of null types at any depth. Only there can nothing be lost."""
    if pa.types.is_null(kind):
        return wider
    if pa.types.is_struct(kind) and pa.types.is_struct(wider):
        types = {field.name: field.type for field in wider}
        return pa.struct([field.with_type(_told(field.type, types.get(field.name, field.type))) for field in kind])
    if pa.types.is_map(kind) and pa.types.is_map(wider):
        item = kind.item_field.with_type(_told(kind.item_type, wider.item_type))
        return pa.map_(kind.key_field, item, kind.keys_sorted)
    for is_this, make in LISTS:
        if is_this(kind) and is_list(wider):
            return make(kind.value_field.with_type(_told(kind.value_type, wider.value_type)))
    return kind


def _family(kind: pa.DataType) -> str:  # noqa: PLR0911 - one line for each
    kind = value_type(kind)
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind):
        return "number"
    if types.is_decimal(kind):
        return "decimal"
    if is_string(kind):
        return "text"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "binary"
    if types.is_date(kind):
        return "date"
    if types.is_timestamp(kind):
        return f"timestamp {_zone(kind)}"
    if types.is_time(kind) or types.is_duration(kind):
        return "time" if types.is_time(kind) else "duration"
    if types.is_list(kind) or types.is_large_list(kind) or types.is_struct(kind):
        return "struct" if types.is_struct(kind) else "list"
    return "map" if types.is_map(kind) else str(kind)


def _joined(kinds: Sequence[pa.DataType]) -> list[pa.DataType]:
    """Candidates for several types of one family, without dictionaries."""
    if len(kinds) == 1:
        return list(kinds)
    family = _family(kinds[0]).partition(" ")[0]
    if (join := JOINS.get(family)) is not None:
        return join(kinds)
    try:
        schemas = [pa.schema([("x", kind)]) for kind in kinds]
        unified = reduce(lambda a, b: pa.unify_schemas([a, b], promote_options="permissive"), schemas)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return []
    return [unified.field("x").type]


def _numbers(kinds: Sequence[pa.DataType]) -> list[pa.DataType]:
    """The narrowest integer type that holds all integers, then floats, so that whole numbers become integers again."""
    signed, unsigned, floats = ([kind for kind in some if kind in kinds] for some in (SIGNED, UNSIGNED, FLOATS))
    found = [*signed[-1:], *unsigned[-1:]]
    if signed and unsigned:
        wide = max(signed[-1].bit_width, 2 * unsigned[-1].bit_width)
        found = [kind for kind in SIGNED if kind.bit_width == wide] or [pa.int64(), pa.uint64()]
    if not floats:
        return found
    return [*found, floats[-1]] if floats[-1] == pa.float64() or not found else [*found, floats[-1], pa.float64()]


def _decimals(kinds: Sequence[pa.DataType]) -> list[pa.DataType]:
    scale = max(kind.scale for kind in kinds)
    precision = scale + max(kind.precision - kind.scale for kind in kinds)
    widest = max(kind.bit_width for kind in kinds)
    return [make(precision, scale) for make, most in DECIMALS if precision <= most and make(1, 0).bit_width >= widest][
        :1
    ]


def _times(kinds: Sequence[pa.DataType]) -> list[pa.DataType]:
    """The finest of the units first, then coarser ones, which have a wider range."""
    ranks = [UNITS.index(kind.unit) for kind in kinds]
    units = UNITS[min(ranks) : max(ranks) + 1]
    if pa.types.is_timestamp(kinds[0]):
        zones = {kind.tz for kind in kinds}
        zone = zones.pop() if len(zones) == 1 else "UTC"
        return [pa.timestamp(unit, zone) for unit in units]
    if pa.types.is_duration(kinds[0]):
        return [pa.duration(unit) for unit in units]
    return [pa.time64(unit) if unit in {"ns", "us"} else pa.time32(unit) for unit in units]


def _zone(kind: pa.DataType) -> str:
    """The zone of a timestamp. All spellings of UTC are equal, and a missing zone differs from every zone."""
    return "UTC" if str(kind.tz).lower() in UTC else str(kind.tz)


JOINS: dict[str, Callable[[Sequence[pa.DataType]], list[pa.DataType]]] = {
    "number": _numbers,
    "decimal": _decimals,
    "text": lambda kinds: [pa.large_string() if pa.large_string() in kinds else pa.string()],
    "binary": lambda kinds: [pa.large_binary() if pa.large_binary() in kinds else pa.binary()],
    "date": lambda _: [pa.date32(), pa.date64()],
    "timestamp": _times,
    "time": _times,
    "duration": _times,
}
"""Candidates for several types of a family. Arrow joins nested types itself."""
