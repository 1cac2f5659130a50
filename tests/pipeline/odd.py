"""A table of types that are never modelled by themselves, and its values that belong to single people."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa

DAY = dt.date(2001, 1, 1)


class Rows(NamedTuple):
    """What the values of rows depend on."""

    group: np.ndarray
    own: np.ndarray
    """The person to whom a part of every value belongs."""
    gone: np.ndarray

    def column(self, arrow: pa.DataType, make) -> pa.Array:
        """Values with nulls, and one of a single row."""
        pairs = zip(self.group, self.own, self.gone, strict=True)
        values = [None if gone else make(int(k), int(p)) for k, p, gone in pairs]
        return pa.array([make(9, 0), *values[1:]], arrow)


def odd(rows: int = 600, seed: int = 0, people: int | None = None) -> pa.Table:
    """Columns of many types, each of a few values that depend on `group`, with nulls, and of one rare value.

    Args:
        rows: Number of rows.
        seed: Of what is drawn.
        people: If given, every value of the columns has a part that belongs to one of so many people.
    """
    random = np.random.default_rng(seed)
    group = random.integers(0, 3, rows)
    own = np.arange(rows) % people if people is not None else np.zeros(rows, dtype=np.int64)
    made = Rows(group, own, random.random(rows) < 0.1)
    columns = nested(made) | flat(made)
    return pa.table({"group": pa.array(np.array(["x", "y", "z"])[group]), **columns})


def nested(rows: Rows) -> dict[str, pa.Array]:
    """Columns of lists, structs and maps."""
    column = rows.column
    place = pa.struct([("city", pa.string()), ("at", pa.list_(pa.float64()))])
    name = pa.field("name", pa.string(), nullable=False)
    pairs = [[float(k), float(p)] for k, p in zip(rows.group, rows.own, strict=True)]
    return {
        "tags": column(pa.list_(pa.string()), lambda k, p: [f"tag-{k}-{p}", None] * (k % 3 + 1)),
        "large": column(pa.large_list(pa.int32()), lambda k, p: [1_000 + k, p]),
        "point": pa.array(pairs, pa.list_(pa.float32(), 2)),
        "place": column(place, lambda k, p: {"city": f"Town {k}-{p}", "at": [k / 7, p / 3]}),
        "attributes": column(pa.map_(pa.string(), pa.int16()), lambda k, p: [("colour", k), ("size", p)]),
        "orders": column(
            pa.list_(pa.struct([name, ("day", pa.date32())])), lambda k, p: [{"name": f"o{k}-{p}", "day": DAY}]
        ),
        "coded": column(pa.list_(pa.dictionary(pa.int16(), pa.string())), lambda k, p: [f"c{k}-{p}"]),
    }


def flat(rows: Rows) -> dict[str, pa.Array]:
    """Columns of bytes, numbers and times."""
    column = rows.column

    def moment(k: int, p: int) -> dt.datetime:
        return dt.datetime(2001 + k, 1, 1) + dt.timedelta(p)  # noqa: DTZ001

    identifiers = [bytes([k, p % 256] * 8) for k, p in zip(rows.group, rows.own, strict=True)]
    return {
        "raw": column(pa.binary(), lambda k, p: f"raw {k}-{p}\xff".encode("latin-1")),
        "hash": column(pa.binary(4), lambda k, p: bytes([k, p // 256, p % 256, 255])),
        "blob": column(pa.large_binary(), lambda k, p: b"blob\x00" * (k + 1) + bytes([p // 256, p % 256])),
        "half": column(pa.float16(), lambda k, p: np.float16(k + p / 16)),
        "single": column(pa.float32(), lambda k, p: k / 3 + p),
        "double": column(pa.float64(), lambda k, p: k / 3 + p),
        "exact": column(pa.decimal128(12, 3), lambda k, p: Decimal(k) / 8 + p),
        "day": column(pa.date32(), lambda k, p: DAY + dt.timedelta(400 * k + p)),
        "date": column(pa.date64(), lambda k, p: DAY + dt.timedelta(400 * k + p)),
        "clock": column(pa.time64("us"), lambda k, p: dt.time(k, p // 60 % 60, p % 60)),
        "seen": column(pa.timestamp("ns"), moment),
        "zoned": column(pa.timestamp("us", "Europe/Berlin"), moment),
        "took": column(pa.duration("s"), lambda k, p: dt.timedelta(hours=k, minutes=p)),
        "count": column(pa.int16(), lambda k, p: 10 * k + p),
        "flag": pa.array(rows.group > 0, mask=rows.gone),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array(identifiers, pa.binary(16))),
    }
