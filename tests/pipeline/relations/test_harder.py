"""Columns in several relations at once, and relations of less common sorts, hold in every generated row."""

import harder
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline import ColumnSettings, RelationSettings, Synthesizer, TrainingSettings, columns
from pipeline.relations import Relations
from pipeline.relations.base import Following
from pipeline.relations.search import find
from pipeline.relations.search.rates import simplest

FOUND = {
    "invoices": {
        "goods = count × unit × (1 − 0.01 · rebate)",
        "open = goods − settled",
        "open ≥ 0",
        "duty = 0.16 · goods",
        "owed = settled + open + duty + postage − voucher, postage and voucher being 0 where null",
        "debit = − balance, or 0 if that is less",
        "credit = balance, or 0 if that is less",
    },
    "visits": {
        "as text is a date, written as %d.%m.%Y",
        "as text = day",
        "as number = %Y%m%d of day",
        "month = %Y-%m of day",
        "half follows from the quarter of day",
        "weekday follows from the day of week of day",
        "weekend follows from the day of week of day",
        "age = time from born to a day in 2025-03, each calendar year",
        "closed = day + days (days)",
        "seen ≥ day",
        "closed ≥ seen",
        "end = start + took",
        "hours = 0.000277777778 · took",
        "day = date of start",
    },
    "people": {
        "full_name is written from first_name and last_name",
        "page is written from number",
        "land follows from area",
        "land follows from office",
    },
    "games": {
        "played = won + lost",
        "rate = won / played",
        "best = the greatest of round 0, round 1, round 2",
        "worst = the least of round 0, round 1, round 2",
        "miles = 0.621371192 · distance",
        "whole miles = miles",
    },
}


def searched(table: pa.Table) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("seed", [21, 22])
def test_they_are_found_and_reversible(name: str, seed: int) -> None:
    """What was put in is found, holds in the real rows, and gives every exact value back."""
    table = harder.TABLES[name](3_500, seed)
    found = searched(table)
    assert FOUND[name] <= {relation.text for relation in found}
    assert not found.broken(table).any()
    back = found.bind(found.free(table))
    assert back.schema.equals(table.schema)
    for column in table.column_names:
        if pa.types.is_floating(table[column].type):
            assert np.allclose(back[column].to_numpy(), table[column].to_numpy(), rtol=1e-9, atol=1e-6, equal_nan=True)
        else:
            assert back[column].to_pylist() == table[column].to_pylist()


@pytest.mark.parametrize("name", FOUND)
def test_no_generated_row_breaks_them(name: str, training: None) -> None:
    """Of 100,000 rows of a model that was hardly trained, none breaks a rule, by arithmetic to the last digit."""
    table = harder.TABLES[name](3_000, 31)
    synthesizer = Synthesizer.fit(table, training=TrainingSettings(epochs=1), seed=0)
    made = synthesizer.table(100_000, seed=1)
    rules = harder.broken(name, table, table)
    assert not any(share for rule, share in rules.items() if not rule.startswith("real"))
    assert harder.broken(name, made, table) == dict.fromkeys(rules, 0.0)
    assert synthesizer.table(200, seed=1, start=8_100).to_pylist() == made.slice(8_100, 200).to_pylist()


def test_a_total_is_found_in_any_of_its_roles() -> None:
    """A total in three relations: it has one definition, and the others are turned, over the order of the columns."""
    random = np.random.default_rng(2)
    count, price = random.integers(1, 9, 2_000), np.round(random.gamma(3, 9, 2_000), 2)
    total = np.round(count * price, 2)
    cash = np.round(total * random.random(2_000), 2)
    parts = {"count": count, "price": price, "total": total, "cash": cash, "card": np.round(total - cash, 2)}
    parts["share"] = np.round(cash / total, 4)
    for seed in range(6):
        names = np.random.default_rng(seed).permutation(list(parts)).tolist()
        found = searched(pa.table({name: parts[name] for name in names}))
        free = set(found.free_schema.names)
        assert len(free) == 3, names
        assert {"count", "price"} <= free
        back = found.bind(found.free(pa.table({name: parts[name] for name in names})))
        assert np.abs(back["card"].to_numpy() + back["cash"].to_numpy() - back["total"].to_numpy()).max() < 1e-6


def test_chains_of_dates_keep_their_order(training: None) -> None:
    """Of four dates in a row, the last often missing, and one that is later than two others: every order is kept."""
    random = np.random.default_rng(9)
    first = np.datetime64("2022-03-01") + random.integers(0, 700, 2_500).astype("timedelta64[D]")
    steps = [(random.geometric(p, 2_500) - 1).astype("timedelta64[D]") for p in (0.3, 0.2, 0.1)]
    dates = [first, first + steps[0], first + steps[0] + steps[1], first + steps[0] + steps[1] + steps[2]]
    paid = random.random(2_500) < 0.6
    beside = first + random.integers(0, 20, 2_500).astype("timedelta64[D]")
    last = np.maximum(dates[2], beside) + random.integers(0, 9, 2_500).astype("timedelta64[D]")
    table = pa.table(
        {
            "status": np.where(paid, "paid", random.choice(["open", "void"], 2_500)),
            **{f"d{i}": pa.array(day.astype("datetime64[D]")) for i, day in enumerate(dates[:3])},
            "d3": pa.array(dates[3].astype("datetime64[D]"), mask=~paid),
            "beside": pa.array(beside.astype("datetime64[D]")),
            "last": pa.array(last.astype("datetime64[D]")),
        }
    )
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).table(30_000).to_pandas()
    for less, more in (("d0", "d1"), ("d1", "d2"), ("d2", "d3"), ("d2", "last"), ("d0", "beside"), ("beside", "last")):
        assert not (made[more] < made[less]).any(), (less, more)
    assert (made["d3"].notna() == (made["status"] == "paid")).all()


def test_rounding_follows_the_real_rows() -> None:
    """Halves are rounded as the real ones were: in decimal numbers, or in floats as NumPy does."""
    net = np.arange(1, 3_001) / 100
    random = np.random.default_rng(0).permutation(3_000)
    floats = np.round(net * 0.15, 2)[random]
    decimal = (np.floor(np.arange(1, 3_001) * 15 / 100 + 0.5) / 100)[random]
    assert (floats != decimal).sum() > 20
    over = np.round((net[random] - 7) * 0.15, 2)
    for tax, text in ((floats, "0.15 · net"), (decimal, "0.15 · net"), (over, "0.15 · net − 1.05")):
        table = pa.table({"net": net[random], "tax": tax})
        found = searched(table)
        assert [relation.text for relation in found] == [f"tax = {text}"]
        assert found.bind(found.free(table)).equals(table)


def test_a_declared_sum_is_computed_although_nothing_is_looked_for(training: None) -> None:
    """A rule of equality holds by construction: rows drawn again would hardly ever be equal."""
    random = np.random.default_rng(6)
    net, tax, other = (np.round(random.lognormal(3, 1, 2_000), 2) for _ in range(3))
    table = pa.table({"net": net, "tax": tax, "gross": np.round(net + tax, 2), "other": other, "twice": 2 * other})
    settings = RelationSettings(find=False, rules=("net + tax == gross", "other > 0"))
    fitted = Synthesizer.fit(table, training=TrainingSettings(epochs=1), relations=settings)
    assert {relation.text for relation in fitted.fitted.relations} == {*settings.rules, "gross = net + tax"}
    made = fitted.table(20_000).to_pandas()
    assert (made["net"] + made["tax"] - made["gross"]).abs().max() < 1e-6
    assert len(made["gross"].unique()) > 1_000


def test_nothing_computed_lies_beyond_what_real_rows_reach(training: None) -> None:
    """A rate of one currency and an amount of another make no amount that nobody has; the bound is a round number."""
    random = np.random.default_rng(5)
    rate = np.array([1.0, 0.9, 151.3])[random.integers(0, 3, 2_500)]
    amount = np.round(random.lognormal(4, 0.5, 2_500) * np.where(rate > 100, 1.0, 150.0), 2)
    table = pa.table({"rate": rate, "amount": amount, "local": np.round(amount * rate, 2)})
    fitted = Synthesizer.fit(table, training=TrainingSettings(epochs=1))
    made, real = fitted.table(30_000).to_pandas(), table.to_pandas()
    assert (made["local"] - np.round(made["amount"] * made["rate"], 2)).abs().max() < 1e-6
    assert made["local"].max() <= 1.1 * real["local"].max()
    (product,) = [relation for relation in fitted.fitted.relations if relation.target == "local"]
    assert product.most / 100 >= real["local"].max()
    assert len(f"{product.most:.0f}".rstrip("0")) <= 2


def test_dates_in_texts_are_dates(training: None) -> None:
    """They are dates of the calendar in the range of the real ones, in order, also with nulls and in a dictionary."""
    random = np.random.default_rng(8)
    first = np.datetime64("2020-02-01") + random.integers(0, 1_200, 3_000).astype("timedelta64[D]")
    last = first + random.integers(0, 30, 3_000).astype("timedelta64[D]")
    second = (first + random.integers(0, 86_400, 3_000).astype("timedelta64[s]")).astype("datetime64[s]")
    gone = random.random(3_000) < 0.2
    table = pa.table(
        {
            "from": pa.array(first.astype("datetime64[D]").astype(str)).dictionary_encode(),
            "to": pa.array(pd.Series(last).dt.strftime("%d/%m/%Y").to_numpy(), mask=gone),
            "logged": np.char.replace(second.astype(str), "T", " "),
        }
    )
    fitted = Synthesizer.fit(table, training=TrainingSettings(epochs=1))
    made = fitted.table(20_000)
    assert made.schema.equals(table.schema)
    assert made["to"].null_count == pytest.approx(4_000, abs=600)
    frame = made.to_pandas()
    start, end = pd.to_datetime(frame["from"], format="%Y-%m-%d"), pd.to_datetime(frame["to"], format="%d/%m/%Y")
    assert not (end < start).any()
    assert start.between(pd.Timestamp("2020-02-01"), pd.Timestamp("2023-05-16")).all()
    assert (pd.to_datetime(frame["logged"], format="%Y-%m-%d %H:%M:%S").dt.normalize() == start).all()
    wrong = table.slice(0, 100).set_column(2, "logged", pa.array(["2020-02-30 10:00:00"] * 100))
    assert {own.text for own, _ in fitted.broken(wrong)} >= {"logged is a date, written as %Y-%m-%d %H:%M:%S"}


def test_texts_that_only_look_like_dates_stay_texts() -> None:
    """One value of another form is enough, and so is a kind that a person chose."""
    days = (np.datetime64("2020-02-01") + np.random.default_rng(0).permutation(900).astype("timedelta64[D]")).astype(
        str
    )
    assert [own.kind for own in searched(pa.table({"day": days}))] == ["written"]
    odd = [*days[:-1].tolist(), "2021-02-30"]
    assert not searched(pa.table({"day": odd}))
    chosen = columns.infer(pa.table({"day": days}), {"day": ColumnSettings(kind="text")})
    assert not find(pa.table({"day": days}), chosen)


def test_what_a_text_is_written_from_is_no_news() -> None:
    """A text tells its parts. That is not reported once more."""
    random = np.random.default_rng(7)
    row, seat = (
        np.array(list(some))[random.integers(0, 20, 3_000)] for some in ("abcdefghijklmnopqrst", "ABCDEFGHIJKLMNOPQRST")
    )
    table = pa.table({"row": row, "seat": seat, "place": np.char.add(np.char.add(row, "/"), seat)})
    assert [relation.text for relation in searched(table)] == ["place is written from row and seat"]


def test_an_amount_that_looks_like_codes_follows_all_the_same() -> None:
    """A few prices in cents have gaps and no round ends, as codes have."""
    random = np.random.default_rng(3)
    price = (random.choice(np.arange(1_001, 9_999), 60) / 100)[random.integers(0, 60, 3_000)]
    table = pa.table({"price": price, "cents": np.rint(price * 100).astype(int)})
    assert columns.infer(table)["cents"].kind == "code"
    assert [relation.text for relation in searched(table)] == ["cents = 100 · price"]


def test_what_only_looks_computed_is_not() -> None:
    """Numbers that differ by one for the same source, and floats that agree to six digits, follow from nothing."""
    random = np.random.default_rng(1)
    born, x = random.integers(1940, 2010, 2_000), random.normal(size=2_000)
    table = pa.table(
        {
            "year": born,
            "age": 2024 - born - random.integers(0, 2, 2_000),
            "x": x,
            "y": 2 * x * (1 + 1e-6 * random.random(2_000)),
        }
    )
    assert not [relation for relation in searched(table) if isinstance(relation, Following)]


def test_made_up_parts_of_keys_stay_keys(training: None) -> None:
    """A reference that is written from a key is as unique, also where rows are drawn again."""
    random = np.random.default_rng(3)
    low = random.integers(0, 50, 1_500)
    key = [f"{value:06d}" for value in random.permutation(900_000)[:1_500]]
    table = pa.table(
        {
            "key_no": key,
            "ref": [f"R/{value}/7" for value in key],
            "low": low,
            "high": low + random.integers(0, 200, 1_500),
        }
    )
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).table(20_000).to_pandas()
    assert (made["ref"] == "R/" + made["key_no"] + "/7").all()
    assert made["ref"].is_unique
    assert not set(made["ref"]) & set(table["ref"].to_pylist())
    assert (made["high"] >= made["low"]).all()


def test_a_text_without_made_up_parts_is_made_up_itself() -> None:
    """Names of persons that consist of two shown labels would be real ones, so they do not follow from them."""
    table = harder.people(3_000, 5)
    shown = {name: ColumnSettings(kind="categorical") for name in ("first_name", "last_name")}
    schema = columns.infer(table, shown)
    assert schema["full_name"].kind == "text"
    assert "full_name" not in {relation.target for relation in find(table, schema)}


def test_labels_are_not_written_from_made_up_names() -> None:
    """Initials are labels that the model has learned. Those of made-up names would be others."""
    table = harder.people(3_000, 5)
    short = [f"{a[0]}{b[0]}" for a, b in zip(*(table[c].to_pylist() for c in ("first_name", "last_name")), strict=True)]
    table = table.append_column("short", pa.array(short))
    assert columns.infer(table)["short"].kind == "categorical"
    assert "short" not in {relation.target for relation in searched(table)}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1233, 0.1241, 0.124), (17.2, 23.0, 20.0), (-0.36, -0.31, -0.35), (-1.0, 2.0, 0.0), (2023.5, 2024.5, 2024.0)],
)
def test_the_simplest_number_takes_the_fewest_digits(low: float, high: float, expected: float) -> None:
    """Of all numbers between two others; the one nearer to zero if several are as short."""
    found = simplest(low, high)
    assert low <= found <= high
    assert len(repr(abs(found)).replace(".", "").strip("0")) <= len(repr(abs(expected)).replace(".", "").strip("0"))


def test_an_age_on_one_day_is_exact_for_other_birthdays() -> None:
    """The day is known so well that at most one in two hundred birthdays gets another age."""
    table = harder.visits(6_000, 4)
    (since,) = [relation for relation in searched(table) if relation.target == "age"]
    born = pd.Series(pd.Timestamp("1940-01-01") + pd.to_timedelta(np.arange(20_000), "D"))
    asked = pa.table({"born": pa.array(born.dt.date, pa.date32())})
    ages = since.follows(asked, pa.int64()).to_numpy()
    assert (ages != harder.years(born, harder.TODAY).to_numpy()).mean() < 0.005
