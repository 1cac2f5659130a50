"""Small tables for tests."""

import datetime as dt

import numpy as np
import pyarrow as pa


def mixed(rows: int = 600, seed: int = 0) -> pa.Table:
    """A table with every kind of column, nulls that depend on another column, and strong dependence.

    `group` decides `size`; `price` is lognormal around `size`; `note` is null exactly where `group` is "c".
    """
    random = np.random.default_rng(seed)
    group = random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    size = np.select([group == "a", group == "b"], [1, 5], 9) + random.integers(0, 2, rows)
    price = np.round(np.exp(random.normal(0, 0.3, rows)) * size, 2)
    start = np.datetime64("2024-01-01") + random.integers(0, 365, rows).astype("timedelta64[D]")
    note = np.where(group == "c", None, random.choice(["x", "y"], rows))
    fields = [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("group", pa.dictionary(pa.int32(), pa.string()), metadata={"about": "who"}),
        pa.field("size", pa.int16()),
        pa.field("price", pa.float64()),
        pa.field("amount", pa.decimal128(10, 2)),
        pa.field("day", pa.date32()),
        pa.field("seen", pa.timestamp("us", "Europe/Berlin")),
        pa.field("active", pa.bool_()),
        pa.field("note", pa.string()),
    ]
    seen = pa.array(start.astype("datetime64[us]") + random.integers(0, 24, rows).astype("timedelta64[h]"))
    arrays = [
        pa.array(np.arange(rows) + 1000),
        pa.array(group).dictionary_encode(),
        pa.array(size, pa.int16()),
        pa.array(np.where(random.random(rows) < 0.05, np.nan, price), from_pandas=True),
        pa.array([None if p > 9 else f"{p:.2f}" for p in price]).cast(pa.decimal128(10, 2)),
        pa.array(start.astype("datetime64[D]").astype(dt.date)),
        seen.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Europe/Berlin")),
        pa.array(random.random(rows) < 0.3),
        pa.array(note, pa.string()),
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"owner": "tests"}))


def people(rows: int, seed: int) -> pa.Table:
    """Rows of a population with dependent columns of several kinds, nulls among them."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    income = np.round(np.exp(rng.normal(9 + age / 60, 0.5)), 2)
    town = rng.choice(["Bern", "Genf", "Basel", None], rows, p=[0.4, 0.3, 0.2, 0.1])
    return pa.table({"age": age, "income": income, "town": town, "member": rng.random(rows) < age / 100})
