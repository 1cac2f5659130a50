"""Values that only a few rows share are withheld and replaced by ordinary values."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns
from pipeline.arrow.arrays import numbers
from pipeline.privacy.disclosure import Disclosure
from pipeline.schema import ColumnSettings, PrivacySettings

ROWS = 2_000
RANDOM = np.random.default_rng(3)


def shown(table: pa.Table, settings: dict[str, ColumnSettings] | None = None, least: int = 5) -> pa.Table:
    """The table without withheld values."""
    schema = columns.infer(table, settings, PrivacySettings(least_rows=least))
    return Disclosure.of(table, schema).apply(table, seed=0)


def towns() -> pa.Table:
    """Towns that belong to one country each, each country with hamlets of one row."""
    country = RANDOM.choice(["X", "Y"], ROWS)
    town = np.char.add(country, RANDOM.integers(0, 10, ROWS).astype(str)).astype(object)
    town[:40] = [f"{country[i]}-hamlet-{i}" for i in range(40)]
    return pa.table({"country": country, "town": pa.array(town), "size": RANDOM.normal(size=ROWS)})


@pytest.mark.parametrize("encode", [False, True])
def test_a_rare_label_becomes_one_that_goes_with_the_row(encode):
    """Hamlets vanish, no token is invented, every other row is as it was, and each town is still in its country."""
    table = towns()
    if encode:
        table = table.set_column(1, "town", table["town"].combine_chunks().dictionary_encode())
    after = shown(table)
    before, new = table["town"].to_pylist(), after["town"].to_pylist()
    assert after.schema == table.schema
    assert new[40:] == before[40:]
    assert set(new) == set(before[40:])
    assert all(town.startswith(country) for town, country in zip(new, after["country"].to_pylist(), strict=True))


def test_counts_of_what_is_withheld_are_told():
    """Forty hamlets are forty labels of forty rows; public labels and least_rows = 1 withhold nothing."""
    table = towns()
    rule = Disclosure.of(table, columns.infer(table))
    assert [(w.name, w.labels, w.rows) for w in rule.withheld if w.labels] == [("town", 40, 40)]
    for settings, least in (({"town": ColumnSettings(public=True)}, 5), (None, 1)):
        assert shown(table, settings, least)["town"].equals(table["town"])


def test_labels_that_a_model_knows_may_be_shown():
    """In later rows, a label of one row is shown if the model already has it."""
    table = pa.table({"a": ["x"] * 30 + ["known", "new"], "b": ["p", "q"] * 16})
    schema = columns.infer(table)
    after = Disclosure.of(table, schema, {"a": pa.array(["known", "x"])}, ends=False).apply(table, seed=0)
    assert after["a"].to_pylist()[-2:] in (["known", "x"], ["known", "known"])


def test_a_column_of_too_few_values_is_shown_as_null():
    """If no label and no number has enough rows, every value becomes null."""
    table = pa.table({"a": pa.array(["p", "q"] + [None] * 30), "b": pa.array([1.5, 2.5] + [None] * 30)})
    after = shown(table, {"a": ColumnSettings(kind="categorical")})
    assert after.column("a").null_count == after.column("b").null_count == 32


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.lognormal(8, 1.5, ROWS).round(2),
        RANDOM.integers(10**9, 10**12, ROWS),
        RANDOM.normal(size=ROWS).astype(np.float32),
        RANDOM.integers(0, 10**6, ROWS).astype("datetime64[s]"),
    ],
    ids=["money", "integers", "float32", "times"],
)
def test_no_extreme_of_a_single_row_is_shown(values):
    """Least and greatest values are others than the real ones, inside the real range; fewer than ten rows moved."""
    array = pa.array(values)
    after = shown(pa.table({"x": array, "y": RANDOM.normal(size=ROWS)}))["x"]
    assert after.type == array.type
    real, new = numbers(array), numbers(after)
    assert new.min() > real.min()
    assert new.max() < real.max()
    assert not {new.min(), new.max()} & {real.min(), real.max()}
    assert 0 < (real != new).sum() < 10
    if after.type == pa.float64():
        assert np.array_equal(new, new.round(2))


def test_an_end_that_many_rows_share_stays():
    """A capped scale keeps its cap, whatever lies on the other side."""
    values = np.minimum(RANDOM.exponential(50, ROWS), 100.0)
    after = numbers(shown(pa.table({"x": values}))["x"])
    assert after.max() == 100
    assert (after == 100).sum() == (values == 100).sum()


def test_values_that_mean_no_quantity_stay():
    """A well-known day of two rows and a code of many rows, far from the rest, are no extremes of the rest."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=int(d)) for d in RANDOM.integers(0, 700, ROWS)]
    days[:2] = [dt.date(9999, 12, 31)] * 2
    codes = RANDOM.normal(size=ROWS)
    codes[:50] = -12345.0
    after = shown(pa.table({"until": days, "code": codes}))
    assert after["until"].to_pylist()[:2] == days[:2]
    assert max(after["until"].to_pylist()[2:]) <= max(days[2:])
    assert (numbers(after["code"]) == -12345.0).sum() == 50
