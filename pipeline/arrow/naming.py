"""Names of Arrow types, as `str` writes them and as people do."""

import re

import pyarrow as pa
import pyarrow.compute as pc

_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=([^\]]+)\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)?\((\d{1,2}), ?(-?\d{1,2})\)")


def type_of(name: str) -> pa.DataType:
    """The Arrow type of a name: an alias of Arrow, a timestamp with a zone, or a decimal.

    Raises:
        ValueError: There is no such type.
    """
    if found := _ZONED.fullmatch(name):
        zoned = pa.timestamp(found[1], found[2])
        pc.local_timestamp(pa.array([0], pa.int64()).cast(zoned))  # refuses zones that do not exist
        return zoned
    if found := _DECIMAL.fullmatch(name):
        return getattr(pa, f"decimal{found[1] or 128}")(int(found[2]), int(found[3]))
    return pa.type_for_alias(name)
