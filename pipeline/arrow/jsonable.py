"""Values of any Arrow type as JSON, without a loss.

- Booleans, integers of 64 bits and finite floats are what they are. NaN is null, and infinity is a text.
- A decimal is a text with all of its digits. Bytes are Base64.
- Dates, times and timestamps are written as in ISO 8601, with all digits of their unit. A zoned timestamp is written in
  UTC and ends with "Z". A duration is a number of seconds, as in "PT1.5S".
- A list is a list, a structure is an object, and a map is a list of objects with `key` and `value`.
"""

import base64
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.arrow.nesting import entries, list_lengths
from pipeline.arrow.widening import is_list

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def records(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as objects that any JSON library writes.

    Example:
        >>> from decimal import Decimal
        >>> records(pa.table({"price": [Decimal("1.20")], "at": pa.array([90], pa.time32("s"))}))
        [{'price': '1.20', 'at': '00:01:30'}]
    """
    columns = [values(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def values(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of a column, each as JSON."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return [value for chunk in chunks for value in _values(chunk)]


def _values(array: pa.Array) -> list[Any]:
    arrow = array.type
    if isinstance(arrow, pa.BaseExtensionType):
        return _values(array.storage)
    if pa.types.is_dictionary(arrow):
        return _values(array.dictionary_decode())
    if is_list(arrow):
        return _lists(entries(array) if pa.types.is_map(arrow) else array)
    return _objects(array) if pa.types.is_struct(arrow) else _leaves(array)


def _leaves(array: pa.Array) -> list[Any]:
    arrow = array.type
    if pa.types.is_date(arrow) or pa.types.is_timestamp(arrow):
        return _instants(array)
    if pa.types.is_time(arrow):
        return list(array.cast(pa.string()).to_pylist())
    if pa.types.is_duration(arrow):
        return [None if ticks is None else _duration(ticks, arrow.unit) for ticks in array.cast(pa.int64()).to_pylist()]
    return [None if value is None else _leaf(value) for value in array.to_pylist()]


def _leaf(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _instants(array: pa.Array) -> list[str | None]:
    arrow = array.type
    if pa.types.is_date64(arrow):
        array = array.cast(pa.date32())
    unit = "D" if pa.types.is_date(arrow) else arrow.unit
    end = "Z" if pa.types.is_timestamp(arrow) and arrow.tz is not None else ""
    ticks = array.view(pa.int32() if unit == "D" else pa.int64()).fill_null(0).to_numpy().astype(np.int64)
    texts = np.datetime_as_string(ticks.view(f"datetime64[{unit}]")).tolist()
    return [f"{text}{end}" if known else None for text, known in zip(texts, array.is_valid().to_pylist(), strict=True)]


def _duration(ticks: int, unit: str) -> str:
    whole, rest = divmod(abs(ticks), _PER_SECOND[unit])
    digits = len(str(_PER_SECOND[unit])) - 1
    fraction = f".{rest:0{digits}d}".rstrip("0").rstrip(".") if digits else ""
    return f"{'-' if ticks < 0 else ''}PT{whole}{fraction}S"


def _lists(array: pa.Array) -> list[list[Any] | None]:
    inner, ends = values(array.flatten()), np.cumsum(list_lengths(array)).tolist()
    starts = [0, *ends][:-1]
    known = array.is_valid().to_pylist()
    return [inner[start:end] if here else None for start, end, here in zip(starts, ends, known, strict=True)]


def _objects(array: pa.Array) -> list[dict[str, Any] | None]:
    names = [field.name for field in array.type]
    children = [values(array.field(place)) for place in range(len(names))]
    rows = zip(*children, strict=True) if children else [()] * len(array)
    known = array.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if here else None for row, here in zip(rows, known, strict=True)]
