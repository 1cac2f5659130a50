"""A table with every type that a model may generate, and a model of it."""

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.settings import ColumnSettings, ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

NANOSECONDS = 1_700_000_000_123_456_789
POOLS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "flag": (pa.bool_(), [True, False]),
    "small": (pa.int8(), [-3, 0, 7]),
    "large": (pa.int64(), [2**53 + 1, -(2**62) - 1, 5]),
    "unsigned": (pa.uint64(), [2**63 + 1, 2**64 - 1, 1]),
    "single": (pa.float32(), [0.1, -2.5, 1e30]),
    "double": (pa.float64(), [0.1, 1e-300, 3.0]),
    "price": (pa.decimal128(12, 2), [Decimal("0.10"), Decimal("-1234567890.12"), Decimal("5.00")]),
    "text": (pa.string(), ["naïve", 'with "quotes"', ""]),
    "label": (pa.dictionary(pa.int32(), pa.string()), ["north", "south"]),
    "raw": (pa.binary(), [b"\x00\xff", b"", b"abc"]),
    "fixed": (pa.binary(2), [b"\x00\x01", b"zz"]),
    "day": (pa.date32(), [dt.date(2024, 2, 29), dt.date(1969, 12, 31)]),
    "day64": (pa.date64(), [dt.date(2024, 2, 29), dt.date(1969, 12, 31)]),
    "second": (pa.time32("s"), [dt.time(0, 0), dt.time(23, 59, 59)]),
    "micro": (pa.time64("us"), [dt.time(1, 2, 3, 45), dt.time(12, 0)]),
    "plain": (pa.timestamp("ms"), [dt.datetime(2024, 2, 29, 1, 2, 3, 4000), dt.datetime(1960, 1, 1)]),  # noqa: DTZ001
    "zoned": (pa.timestamp("us", "Europe/Berlin"), [dt.datetime(2024, 7, 1, 12, 0, 0, 1, dt.UTC)]),
    "nano": (pa.timestamp("ns"), [NANOSECONDS, 1]),
    "span": (pa.duration("ms"), [dt.timedelta(milliseconds=-1500), dt.timedelta(days=3, milliseconds=1)]),
    "list": (pa.list_(pa.decimal128(5, 1)), [[Decimal("1.5"), None], []]),
    "pair": (pa.struct({"on": pa.date32(), "n": pa.int64()}), [{"on": dt.date(2020, 1, 1), "n": 2**60 + 1}]),
    "map": (pa.map_(pa.string(), pa.int32()), [[("a", 1), ("b", None)], []]),
}
"""Type and values of each column. Every column has nulls too."""
ANY_TYPE = ("raw", "fixed", "list", "pair", "map")
"""Columns that are generated only if somebody chooses their kind."""


def table(rows: int = 400) -> pa.Table:
    """Values of all pools, drawn at random, a tenth of them null."""
    rng = np.random.default_rng(0)
    made = {}
    for name, (arrow, pool) in POOLS.items():
        drawn = [None if rng.random() < 0.1 else pool[rng.integers(len(pool))] for _ in range(rows)]
        made[name] = pa.array(drawn, arrow)
    return pa.table(made)


@cache
def synthesizer() -> Synthesizer:
    """A barely trained synthesizer of the table."""
    real = table()
    chosen = {name: ColumnSettings(kind="categorical") for name in (*ANY_TYPE, "text", "large", "unsigned")}
    return Synthesizer.fit(
        real.slice(40),
        real.slice(0, 40),
        columns.infer(real, chosen),
        model=ModelSettings(width=16, hidden=16, components=4),
        training=TrainingSettings(epochs=1, batch=64),
    )
