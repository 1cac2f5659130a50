"""Hypothesis strategies for Arrow columns of every supported type."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

MADE_UP = {"identifier", "text"}
"""Kinds whose values are not the real ones."""
WIDTHS = {f"{sign}int{bits}": (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}


def _integers(name: str) -> st.SearchStrategy[int]:
    sign, bits = WIDTHS[name]
    low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    few = st.sampled_from([low, high, max(low, 0), 7])
    return st.one_of(st.integers(low, high), few, st.integers(max(low, -50), min(high, 50)))


def _floats(bits: int) -> st.SearchStrategy[float]:
    plain = st.floats(allow_nan=False, allow_infinity=False, width=bits)
    return st.one_of(plain, st.integers(-300, 300).map(lambda i: i / 4), st.just(0.0))


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    top = 10**precision - 1
    narrow = st.integers(-(10**6), 10**6) if precision > 6 else st.integers(-top, top)
    return narrow.map(lambda i: Decimal(i).scaleb(-scale))


_NAIVE = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001
_HOURLY = _NAIVE.map(lambda t: t.replace(minute=0, second=0, microsecond=0))
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


def _values() -> dict[pa.DataType, st.SearchStrategy[object]]:
    types: dict[pa.DataType, st.SearchStrategy[object]] = {getattr(pa, name)(): _integers(name) for name in WIDTHS}
    types |= {pa.float16(): _floats(16), pa.float32(): _floats(32), pa.float64(): _floats(64)}
    types |= {pa.decimal128(12, 3): _decimals(12, 3), pa.decimal128(38, 10): _decimals(38, 10)}
    types |= {pa.decimal32(9, 2): _decimals(9, 2), pa.decimal64(18, 4): _decimals(18, 4)}
    types |= {pa.string(): _TEXT, pa.large_string(): _TEXT, pa.bool_(): st.booleans()}
    types |= {pa.dictionary(pa.int8(), pa.string()): st.sampled_from("abcdef")}
    types |= {pa.dictionary(pa.int32(), pa.int64(), ordered=True): st.integers(-3, 3)}
    types |= {pa.date32(): st.dates(dt.date(1800, 1, 1), dt.date(2200, 1, 1))}
    types |= {pa.date64(): st.dates(dt.date(1800, 1, 1), dt.date(2200, 1, 1))}
    types |= {pa.time32("s"): st.times().map(lambda t: t.replace(microsecond=0)), pa.time64("us"): st.times()}
    for unit in ("s", "ms", "us", "ns"):
        whole = (lambda t: t.replace(microsecond=0)) if unit == "s" else lambda t: t.replace(microsecond=1000)
        types[pa.timestamp(unit)] = st.one_of(_NAIVE.map(whole), _HOURLY)
        types[pa.timestamp(unit, "Europe/Berlin")] = st.one_of(_NAIVE.map(whole), _HOURLY)
    types |= {pa.duration("ms"): st.integers(-(10**9), 10**9).map(lambda ms: dt.timedelta(milliseconds=ms))}
    return types | _odd_values()


def _odd_values() -> dict[pa.DataType, st.SearchStrategy[object]]:
    """Types that are never modelled by themselves."""
    raw, number = st.binary(max_size=4), st.one_of(st.none(), _floats(32))
    texts = st.lists(st.one_of(st.none(), _TEXT), max_size=3)
    entry = st.tuples(st.text("abc", min_size=1, max_size=2), st.one_of(st.none(), st.integers(-9, 9)))
    inner = pa.struct([pa.field("a", pa.list_(pa.date32())), pa.field("b", pa.float16(), nullable=False)])
    whole = st.fixed_dictionaries({"a": st.none() | st.lists(st.dates(), max_size=2), "b": _floats(16)})
    return {
        pa.binary(): raw,
        pa.large_binary(): raw,
        pa.binary(3): st.binary(min_size=3, max_size=3),
        pa.dictionary(pa.int8(), pa.binary()): st.sampled_from([b"", b"\x00", b"ab"]),
        pa.list_(pa.string()): texts,
        pa.large_list(pa.timestamp("us", "Europe/Berlin")): st.lists(st.none() | _HOURLY, max_size=3),
        pa.list_(pa.float32(), 2): st.lists(number, min_size=2, max_size=2),
        pa.list_view(pa.bool_()): st.lists(st.none() | st.booleans(), max_size=3),
        pa.list_(pa.dictionary(pa.int8(), pa.string())): st.lists(st.sampled_from("abc"), max_size=3),
        pa.struct([("x", pa.decimal64(9, 2)), ("x", pa.string())]): st.tuples(st.none() | _decimals(9, 2), _TEXT),
        pa.map_(pa.string(), pa.int16()): st.lists(entry, max_size=2, unique_by=lambda pair: pair[0]),
        pa.large_list(inner): st.lists(st.none() | whole, max_size=2),
    }


VALUES = _values()


@st.composite
def arrays(draw: st.DrawFn, *, nulls: bool = True) -> pa.Array:
    """An array of any supported type, with repeats and, where allowed, nulls."""
    arrow = draw(st.sampled_from(sorted(VALUES, key=str)))
    some = draw(st.lists(VALUES[arrow], min_size=1, max_size=30))
    value = st.one_of(st.none(), st.sampled_from(some)) if nulls else st.sampled_from(some)
    return _array(some + draw(st.lists(value, max_size=60)), arrow)


@st.composite
def every_type(draw: st.DrawFn, rows: int = 12) -> pa.Table:
    """A table with a column of every supported type, with nulls."""
    columns = {
        str(arrow): _array(draw(st.lists(st.none() | VALUES[arrow], min_size=rows, max_size=rows)), arrow)
        for arrow in sorted(VALUES, key=str)
    }
    return pa.table(columns)


def _array(values: list[object], arrow: pa.DataType) -> pa.Array:
    """Values as an array of a type."""
    if pa.types.is_struct(arrow) and len({field.name for field in arrow}) < arrow.num_fields:
        return _structures(values, arrow)
    if not pa.types.is_dictionary(arrow):
        return pa.array(values, arrow)
    if not arrow.ordered:
        return pa.array(values, arrow.value_type).dictionary_encode().cast(arrow)
    index = pa.array([None if value is None else value + 3 for value in values], arrow.index_type)
    return pa.DictionaryArray.from_arrays(index, pa.array(range(-3, 4)), ordered=True)


def _structures(values: list[tuple[object, ...] | None], arrow: pa.DataType) -> pa.Array:
    """Structures in which two fields have one name."""
    children = [
        pa.array([None if value is None else value[i] for value in values], arrow.field(i).type)
        for i in range(arrow.num_fields)
    ]
    return pa.StructArray.from_arrays(children, type=arrow, mask=pa.array([value is None for value in values]))
