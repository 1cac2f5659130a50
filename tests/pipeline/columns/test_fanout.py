"""Fan-out: identifiers that rows share are shared by as many generated rows, and keys of several columns stay keys."""

import json

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns
from pipeline.columns.fanout import FanOut
from pipeline.columns.identifier import Identifier
from pipeline.errors import DamagedError, SchemaError, SettingsError
from pipeline.normalization import Normalization
from pipeline.randomness import BLOCK, stream
from pipeline.schema import ColumnSettings, Schema


def orders(count: int = 600, seed: int = 0) -> pa.Table:
    """Orders of one to five lines, with a product and an amount that are independent of them."""
    random = np.random.default_rng(seed)
    sizes = random.choice([1, 2, 3, 5], count, p=[0.4, 0.3, 0.2, 0.1])
    rows = int(sizes.sum())
    return pa.table(
        {
            "order_id": np.repeat(np.arange(count) + 7_000, sizes),
            "line": np.concatenate([np.arange(size) + 1 for size in sizes]),
            "product": random.choice(list("abc"), rows),
            "amount": np.round(random.lognormal(3, 1, rows), 2),
        }
    )


def dataset(table: pa.Table, schema: Schema, blocks: int, seed: int = 1) -> pa.Table:
    """Rows whose variables are those of rows drawn at random, decoded block by block as generated rows are."""
    normalization, random = Normalization.fit(table, schema), np.random.default_rng(seed)
    parts = []
    for block in range(blocks):
        rows = normalization.encode(table.take(pa.array(random.integers(0, table.num_rows, BLOCK))))
        index = np.arange(block * BLOCK, (block + 1) * BLOCK)
        parts.append(normalization.decode(rows, stream(seed, "test", block), index, BLOCK))
    return pa.concat_tables(parts)


def shares(array: pa.ChunkedArray) -> np.ndarray:
    """The shares of values with 1, 2, … 6 rows."""
    counts = array.drop_null().value_counts().flatten()[1].to_numpy()
    return np.bincount(counts, minlength=7)[1:7] / len(counts)


def test_the_columns_that_make_a_key_are_found():
    """An order and a line name a row. An order and a product, an amount of few repeats, or an unshared key do not."""
    schema = columns.infer(orders())
    assert [(c.name, c.kind, c.unique_with) for c in schema][:2] == [
        ("order_id", "identifier", ("line",)),
        ("line", "numeric", ()),
    ]
    assert columns.infer(orders().drop_columns("line"))["order_id"].unique_with == ()
    single = orders().append_column("key_id", pa.array(np.arange(orders().num_rows)))
    assert columns.infer(single)["key_id"].unique_with == ()
    assert Schema.from_json(schema.to_json()) == schema


def test_two_columns_may_stand_beside_an_identifier():
    """An order has three lines with two revisions each."""
    order = np.repeat(np.arange(200), 6)
    table = pa.table({"order_id": order, "line": np.tile([1, 1, 2, 2, 3, 3], 200), "rev": np.tile([0, 1], 600)})
    assert columns.infer(table)["order_id"].unique_with == ("line", "rev")
    made = dataset(table, columns.infer(table), 2)
    assert len(made.group_by(["order_id", "line", "rev"]).aggregate([])) == made.num_rows


def test_numbered_rows_show_that_a_column_holds_identifiers():
    """Three hundred patients with six visits each are identifiers; twenty stations with every hour are not."""
    visits = pa.table({"patient_id": np.repeat(np.arange(300), 6), "visit": np.tile(np.arange(6), 300)})
    schema = columns.infer(visits)
    assert (schema["patient_id"].kind, schema["visit"].kind) == ("identifier", "numeric")
    assert schema["patient_id"].why == "the name says so, and visit number the rows of each value"
    assert columns.infer(visits, {"patient_id": ColumnSettings(kind="numeric")})["patient_id"].kind == "numeric"
    hours = pa.table({"station_id": np.repeat(np.arange(20), 48), "hour": np.tile(np.arange(48), 20)})
    assert columns.infer(hours)["station_id"].kind != "identifier"


@pytest.mark.parametrize("text", [False, True])
def test_lines_show_identifiers_whose_name_says_nothing(text):
    """An order of a few lines is an identifier. A year of twelve months, or of four quarters, is a quantity."""
    table = orders().rename_columns(["order", *orders().column_names[1:]])
    if text:
        table = table.set_column(0, "order", pa.array([f"A-{number}" for number in table["order"].to_pylist()]))
    assert (columns.infer(table)["order"].kind, columns.infer(table)["order"].unique_with) == ("identifier", ("line",))
    made = dataset(table, columns.infer(table), 1)
    assert len(made.group_by(["order", "line"]).aggregate([])) == made.num_rows
    for parts in (4, 12):
        year, part = np.repeat(np.arange(1900, 2020), parts), np.tile(np.arange(1, parts + 1), 120)
        assert columns.infer(pa.table({"year": year, "part": part}))["year"].kind == "numeric"


def test_declared_keys_are_unique():
    """Of (store, day), the day gets fresh values. What real rows do not keep is refused with a share and a row."""
    store, day = np.tile(np.arange(20), 100), np.repeat(np.datetime64("2024-01-01") + np.arange(100), 20)
    table = pa.table({"store": store, "day": day, "sold": np.random.default_rng(0).poisson(9, 2_000)})
    assert columns.infer(table)["day"].unique_with == ()
    schema = columns.infer(table, {"day": ColumnSettings(unique_with=("store",))})
    assert (schema["day"].kind, schema["day"].unique_with) == ("identifier", ("store",))
    alone = {"order_id": ColumnSettings(kind="identifier", unique_with=())}
    assert columns.infer(orders(), alone)["order_id"].unique_with == ()
    made = dataset(table, schema, 2)
    assert len(made.group_by(["store", "day"]).aggregate([])) == made.num_rows
    assert not set(made["day"].to_pylist()) & set(table["day"].to_pylist())
    again = pa.concat_tables([table, table.slice(7, 20)])
    with pytest.raises(SchemaError, match=r"set to be unique with 'store', but 0\.99% of the rows .* row 2,000"):
        columns.infer(again, {"day": ColumnSettings(unique_with=("store",))})
    for wrong in ("day", "till"):
        with pytest.raises(SettingsError, match=f"unique_with names '{wrong}', expected another column"):
            columns.infer(table, {"day": ColumnSettings(unique_with=(wrong,))})
    with pytest.raises(SettingsError, match="expected no kind 'numeric'"):
        columns.infer(table, {"day": ColumnSettings(kind="numeric", unique_with=("store",))})


@pytest.mark.parametrize(("rows", "near"), [(1_000, 0.19), (2 * BLOCK, 0.05)])
def test_pairs_are_unique_and_orders_have_as_many_lines(rows, near):
    """No two rows have the same order and line, and the shares of orders by their number of lines are kept.

    They are kept to about three standard deviations of a share, which follows from the frequencies of two lines.
    """
    table = orders()
    made = dataset(table, columns.infer(table), 2).slice(0, rows)
    assert len(made.group_by(["order_id", "line"]).aggregate([])) == rows
    assert not set(made["order_id"].to_pylist()) & set(table["order_id"].to_pylist())
    assert set(made["line"].to_pylist()) <= {1, 2, 3, 4, 5}
    assert shares(made["order_id"]) == pytest.approx(shares(table["order_id"]), abs=near)


def test_a_part_of_the_orders_is_enough():
    """Fitted to 80 % of the rows at random, orders still have the lines that each line's frequency tells."""
    table = orders(seed=3)
    part = table.take(pa.array(np.random.default_rng(0).permutation(table.num_rows)[: int(0.8 * table.num_rows)]))
    made = dataset(part, columns.infer(table), 1)
    mean = made.num_rows / len(made["order_id"].unique())
    assert mean == pytest.approx(table.num_rows / 600, rel=0.05)


def test_customers_have_different_days():
    """A customer has a few days of sixty, none twice, and as many as in the real table."""
    random = np.random.default_rng(5)
    sizes = random.integers(1, 5, 700)
    day = np.concatenate([random.choice(60, size, replace=False) for size in sizes])
    table = pa.table({"customer_id": np.repeat(np.arange(700), sizes), "day": day.astype(np.int64)})
    schema = columns.infer(table)
    assert schema["customer_id"].unique_with == ("day",)
    made = dataset(table, schema, 1)
    assert len(made.group_by(["customer_id", "day"]).aggregate([])) == BLOCK
    assert shares(made["customer_id"]) == pytest.approx(shares(table["customer_id"]), abs=0.07)


@pytest.mark.parametrize("text", [False, True])
def test_identifiers_alone_keep_their_fan_out_beside_nulls(text):
    """Without a column beside them, runs of rows share an identifier. Rows without one do not count."""
    array = orders()["order_id"].combine_chunks()
    holes = np.random.default_rng(0).random(len(array)) < 0.2
    values = [
        None if hole else f"O-{value:06d}" if text else value
        for value, hole in zip(array.to_pylist(), holes, strict=True)
    ]
    table = pa.table({"order_no": values, "x": np.random.default_rng(1).normal(size=len(values))})
    schema = columns.infer(table)
    assert schema["order_no"].kind == "identifier"
    made = dataset(table, schema, 1)["order_no"]
    assert made.null_count / BLOCK == pytest.approx(0.2, abs=0.03)
    assert shares(made) == pytest.approx(shares(table["order_no"]), abs=0.05)
    assert not set(made.drop_null().to_pylist()) & set(values)


def test_few_equal_values_leave_every_row_its_own():
    """If fewer than `least_rows` identifiers are shared, none is."""
    values = pa.array([*range(500), 3, 4])
    assert FanOut.fit(values, (), 5) is None
    assert FanOut.fit(values, (), 1) == FanOut(sizes=(1, 2), weights=(996, 4), numbered=False)


def test_any_range_of_rows_has_the_same_runs():
    """Runs are a function of the row's number, within a block and across blocks."""
    fanout = FanOut(sizes=(1, 4), weights=(1, 1), numbered=False)
    whole = fanout.runs(np.arange(3 * BLOCK))
    for start, rows in ((5, 10), (BLOCK - 7, 30), (2 * BLOCK, 1)):
        assert np.array_equal(fanout.runs(np.arange(start, start + rows)), whole[start : start + rows])


def test_a_codec_with_a_fan_out_is_saved_and_checked():
    """It survives JSON, and impossible numbers of rows are refused."""
    array = orders()["order_id"]
    codec = Identifier.fit(array, columns.infer(orders())["order_id"])
    state = json.loads(json.dumps(codec.state()[0]))
    assert Identifier.load(state, {}, array.type).fanout == codec.fanout
    for damage in ({"sizes": [0]}, {"weights": [1]}, {"sizes": [2**40]}, {"weights": []}):
        with pytest.raises(DamagedError):
            Identifier.load({**state, "fanout": {**state["fanout"], **damage}}, {}, array.type)
