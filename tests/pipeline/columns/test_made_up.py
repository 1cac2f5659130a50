"""Made-up values of every type: like the real ones, none of them, and a function of the row."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays
from test_laws import texts

from pipeline import columns
from pipeline.columns import KINDS, Encoded
from pipeline.columns.moulds import Nothing
from pipeline.columns.moulds.leaf import lengths_of
from pipeline.columns.text import Text
from pipeline.errors import DamagedError, SchemaError
from pipeline.personal.folding import fold
from pipeline.personal.pools import listed
from pipeline.schema import Column


def fitted(kind: str, array: pa.Array, name: str = "x", least: int = 5):
    """A codec of a kind."""
    return KINDS[kind].fit(array, Column(name=name, kind=kind, nullable=True, least_rows=least))


def made(codec, rows: int, start: int = 0) -> pa.Array:
    """The values that a codec makes for some rows, none of them null."""
    values = tuple(np.ones(rows, np.int64) for _ in codec.variables)
    return codec.decode(Encoded(values, np.arange(start, start + rows)))


def bare(array: pa.Array) -> set[str]:
    """The texts of values that hold something: not of empty lists, nulls and nothing but nulls."""
    return {text for text in texts(array) if text is not None and any(c.isalnum() for c in text.replace("null", ""))}


@given(arrays(), st.sampled_from(["text", "identifier"]))
def test_values_are_of_the_type_and_a_function_of_the_row(array, kind):
    """Values are valid, survive JSON, and rows 5 to 9 are the same alone as among others."""
    try:
        codec = fitted(kind, array)
    except SchemaError:
        assert kind == "identifier"
        return
    rows = min(20, codec.room) if kind == "identifier" else 20
    whole = made(codec, rows)
    whole.validate(full=True)
    assert whole.type == array.type
    again = type(codec).load(json.loads(json.dumps(codec.state()[0])), {}, array.type)
    assert texts(made(again, rows)) == texts(whole)
    if rows > 9:
        assert texts(made(codec, 5, 5)) == texts(whole)[5:10]


@given(arrays())
def test_fresh_values_are_distinct_and_never_real(array):
    """The values are distinct for as many rows as there is room."""
    try:
        codec = fitted("identifier", array)
    except SchemaError:
        return
    if isinstance(codec.mould, Nothing):
        return
    rows = min(50, codec.room)
    whole = texts(made(codec, rows))
    assert len(set(whole)) == rows
    assert not set(whole) & set(texts(array))


RANDOM = np.random.default_rng(4)
ROWS = 500
CASES = {
    "tags": pa.array([[f"tag-{i}" for i in RANDOM.integers(0, 40, n)] for n in RANDOM.integers(0, 4, ROWS)]),
    "people": pa.array(
        [{"email": f"eva.{i}@posteo.net", "age": int(a)} for i, a in enumerate(RANDOM.integers(0, 90, ROWS))]
    ),
    "blobs": pa.array([RANDOM.bytes(n) for n in RANDOM.integers(4, 9, ROWS)]),
    "hashes": pa.array([RANDOM.bytes(16) for _ in range(ROWS)], pa.binary(16)),
    "price": pa.array(np.round(RANDOM.lognormal(3, 1, ROWS), 2)),
    "noise": pa.array(RANDOM.normal(size=ROWS).astype(np.float32)),
    "huge": pa.array(RANDOM.normal(size=ROWS) * 1e200),
    "amount": pa.array(RANDOM.integers(0, 10**9, ROWS)).cast(pa.decimal128(22, 2)),
    "wide": pa.array([int(i) * 10**40 + 7 for i in RANDOM.integers(1, 10**9, ROWS)], pa.decimal256(70, 0)),
    "born": pa.array(RANDOM.integers(-9_000, 12_000, ROWS).astype(np.int32)).cast(pa.date32()),
    "day": pa.array(RANDOM.integers(-9_000, 12_000, ROWS).astype(np.int32)).cast(pa.date32()).cast(pa.date64()),
    "seen": pa.array(RANDOM.integers(0, 2 * 10**9, ROWS))
    .cast(pa.timestamp("s"))
    .cast(pa.timestamp("ns", "Asia/Tokyo")),
    "clock": pa.array(RANDOM.integers(0, 86_400, ROWS).astype(np.int32)).cast(pa.time32("s")),
    "took": pa.array(RANDOM.integers(0, 10**7, ROWS)).cast(pa.duration("ms")),
    "big": pa.array(RANDOM.integers(0, 2**63, ROWS).astype(np.uint64) * np.uint64(2)),
    "point": pa.array(RANDOM.normal(size=(ROWS, 3)).tolist(), pa.list_(pa.float64(), 3)),
    "prices": pa.array(
        [[("EUR", float(x)), ("USD", float(x) * 2)] for x in RANDOM.normal(size=ROWS)],
        pa.map_(pa.string(), pa.float64()),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["text", "identifier"])
def test_nothing_made_up_is_real(name, kind):
    """None of 3,000 made-up values is real, and fresh ones are distinct."""
    array = CASES[name]
    whole = made(fitted(kind, array, name), 3_000)
    assert not bare(whole) & bare(array)
    assert kind == "text" or len(set(texts(whole))) == 3_000
    assert len(set(texts(whole))) > 30
    whole.validate(full=True)


def leaves(array: pa.Array) -> pa.Array:
    """The values inside lists."""
    return array.flatten()


def test_nested_values_are_made_up_leaf_by_leaf():
    """Tags look like tags, addresses like e-mail addresses, and ages have the range of ages. None is real."""
    tags = leaves(made(fitted("text", CASES["tags"], "tags"), ROWS))
    assert not set(tags.to_pylist()) & set(leaves(CASES["tags"]).to_pylist())
    assert 15 < len(tags.unique()) < 80
    people = made(fitted("text", CASES["people"], "people"), ROWS).to_pylist()
    assert all("@example." in person["email"] for person in people)
    assert len({person["email"] for person in people}) > 200
    assert all(0 <= person["age"] <= 400 for person in people)
    born = made(fitted("text", CASES["born"], "born"), ROWS)
    assert 1930 < int(str(born[0])[:4]) < 2030


def test_lists_are_as_long_as_real_ones_and_rare_lengths_are_not_shown():
    """Lengths 0 to 3 occur at their rate. The lengths 77 of one list and 5 of two lists do not occur."""
    lengths = RANDOM.choice([0, 1, 3], ROWS, p=[0.5, 0.3, 0.2])
    lengths[:3] = [77, 5, 5]
    array = pa.array([["v"] * n for n in lengths.tolist()])
    found = [len(value) for value in made(fitted("text", array), 4_000).to_pylist()]
    assert set(found) == {0, 1, 3}
    for length, share in ((0, 0.5), (1, 0.3), (3, 0.2)):
        assert found.count(length) / 4_000 == pytest.approx(share, abs=0.08)  # three deviations of both samples
    assert lengths_of(np.array([2] * 3 + [9]), 5) == [(1, 250)]
    spread = lengths_of(np.arange(1_000), 5)
    assert len(spread) > 10
    assert all(weight >= 5 for _, weight in spread)


def test_empty_lists_and_maps_stay_empty():
    """If there is nothing inside, nothing and no null is made up."""
    for kind in (pa.list_(pa.field("item", pa.int8(), nullable=False)), pa.map_(pa.string(), pa.int8())):
        assert made(fitted("text", pa.array([[]], kind)), 3).equals(pa.array([[]] * 3, kind))
        with pytest.raises(SchemaError, match="expected room for 1 fresh values, there is room for 0"):
            fitted("identifier", pa.array([[]], kind))


def test_a_few_names_are_replaced_by_as_few():
    """Twelve agents with many rows each stay about twelve. Customers with two rows get one value per row."""
    agents = pa.array([f"Agnes {'abcdefghijkl'[i % 12]}-Winter" for i in range(1200)])
    found = made(fitted("text", agents, "agent_name"), 1200)
    assert 8 <= len(found.unique()) <= 16
    assert not set(found.to_pylist()) & set(agents.to_pylist())
    customers = pa.array([f"Agnes {chr(97 + i % 26)}{chr(97 + i // 26 % 26)}-Winter" for i in range(600)] * 2)
    assert len(made(fitted("text", customers, "customer_name"), 1200).unique()) > 1000


def test_nulls_inside_come_at_their_rate_unless_there_are_few():
    """A third of one field is null, one value of another."""
    array = pa.array([{"a": None if i % 3 == 0 else i, "b": None if i == 0 else i} for i in range(600)])
    whole = made(fitted("text", array), 3_000)
    assert whole.field("a").null_count / 3_000 == pytest.approx(1 / 3, abs=0.03)
    assert whole.field("b").null_count == 0


def test_whole_floats_stay_whole_and_midnights_midnights():
    """Identifiers that came as doubles because of nulls; days kept as timestamps; months of decimals."""
    ids = pa.array([None if i % 7 == 0 else float(10**9 + 3 * i) for i in range(ROWS)])
    for kind in ("text", "identifier"):
        assert all(value == int(value) for value in made(fitted(kind, ids, "id"), 2_000).to_pylist())
        days = pa.array(RANDOM.choice(30_000, ROWS, replace=False) * 86_400, pa.timestamp("s"))
        assert set(np.asarray(made(fitted(kind, days), 2_000).cast(pa.int64())) % 86_400) == {0}


@pytest.mark.parametrize(
    ("array", "room"),
    [
        (pa.array([True, False] * 20), 0),
        (pa.array(range(-100, 100), pa.int8()), 28),
        (pa.array([bytes([i]) for i in range(100)], pa.binary(1)), 78),
        (pa.array([[bool(i % 2)] for i in range(40)]), 0),
        (pa.array([{}] * 30, pa.struct([])), 0),
        (
            pa.array(range(100))
            .dictionary_encode()
            .cast(pa.dictionary(pa.int8(), pa.int64()))
            .take(pa.array([*range(100)] * 2)),
            128,
        ),
    ],
    ids=str,
)
def test_a_type_without_room_for_identifiers_is_refused_in_a_line(array, room):
    """The line names column, type, the required room and the available room."""
    with pytest.raises(SchemaError) as caught:
        fitted("identifier", array, "flag")
    assert str(caught.value) == (
        f"column 'flag' of type {array.type} cannot be an identifier: expected room for {len(array)} fresh values, "
        f"there is room for {room}"
    )


def test_fresh_numbers_keep_clear_of_both_tables_also_inside_others():
    """A warm start continues with the earlier fresh numbers, without those that have become real since."""
    first = pa.array([{"id": float(i), "at": i} for i in range(200)])
    codec = fitted("identifier", first)
    second = pa.array([{"id": value["id"], "at": 0} for value in made(codec, 100).to_pylist()])
    grown = codec.extend(second, Column(name="x", kind="identifier", nullable=False), "extend").codec
    ids = set(made(grown, 1_000).field("id").to_pylist())
    assert len(ids) == 1_000
    assert not ids & {*first.field("id").to_pylist(), *second.field("id").to_pylist()}


def test_a_mould_of_another_type_is_refused():
    """Every mould against the types of all others."""
    numbers = {"price", "noise", "huge", "amount", "wide", "born", "day", "seen", "clock", "took", "big"}
    for name, array in CASES.items():
        state = fitted("text", array, name).state()[0]
        for other, column in CASES.items():
            if name != other and str(array.type) != str(column.type):
                try:
                    made(Text.load(state, {}, column.type), 10).validate(full=True)
                except DamagedError:
                    continue
                assert {name, other} < numbers or {name, other} <= {"blobs", "hashes"}


def test_no_column_is_made_of_the_names_in_another():
    """Customers' last names are in no made-up street, e-mail address or adviser of the same table."""
    last = listed("last", "de")[:200]
    rows = np.arange(1000)
    table = pa.table(
        {
            "Nachname": [last[i % 200] for i in rows],
            "Anschrift": [f"Am Hang {i}" for i in rows],
            "E-Mail": [f"k{i}@posteo.net" for i in rows],
            "Ansprechpartner": [f"{listed('first', 'de')[i % 300]} Quaxter-{chr(65 + i % 26)}" for i in rows],
        }
    )
    schema = columns.infer(table)
    assert {column.kind for column in schema} == {"text"}
    fits = columns.fit(table, schema)
    alone = {name: KINDS["text"].fit(table[name], schema[name]) for name in schema.names}
    real = tuple({fold(name) for name in last if len(name) >= 5})
    for name in ("Anschrift", "E-Mail", "Ansprechpartner"):
        assert any(word.startswith(real) for word in words(made(alone[name], 5000)))
    for codec in fits.values():
        assert not any(word.startswith(real) for word in words(made(codec, 5000)))


def words(array: pa.Array) -> set[str]:
    """The folded words of texts."""
    return {word for text in array.unique().to_pylist() for word in re.findall(r"[^\W\d_]+", fold(text))}
