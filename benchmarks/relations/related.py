"""Made tables whose columns depend on each other exactly."""

import numpy as np
import pyarrow as pa

YEAR = 365.25
COUNTRIES = np.array(["AT", "BE", "CZ", "DK", "EE", "FI"])
GRADES, TIERS = np.array(list("EDCBA")), np.array(["low", "mid", "high"])
FLAGS = ("red", "green", "blue", "black")


def days(values: np.ndarray) -> pa.Array:
    """Dates."""
    return pa.array(values.astype("datetime64[D]"))


def orders(rows: int, seed: int) -> pa.Table:
    """Money: totals, products, rates, units, and a column that stands twice."""
    random = np.random.default_rng(seed)
    quantity, price = random.integers(1, 24, rows), np.round(random.lognormal(2.5, 0.8, rows), 2)
    amount, freight = np.round(quantity * price, 2), np.round(random.gamma(2, 4, rows), 2)
    fee = random.integers(0, 9, rows)
    return pa.table(
        {
            "quantity": quantity,
            "price": price,
            "amount": amount,
            "freight": freight,
            "fee": fee,
            "due": np.round(amount + freight + fee, 2),
            "due in cents": np.round((amount + freight + fee) * 100).astype(np.int64),
            "VAT": np.round(price * 0.07, 2),
            "quantity again": quantity,
        }
    )


def stays(rows: int, seed: int) -> pa.Table:
    """Times: orders, ages, parts of dates, and dates that are days after others."""
    random = np.random.default_rng(seed)
    came = np.datetime64("2019-03-01") + random.integers(0, 1_200, rows).astype("timedelta64[D]")
    stay = np.minimum(random.geometric(0.2, rows) - 1, 60)
    born = came - (random.gamma(8, 6, rows) * YEAR).astype("int64").clip(0, 36_000).astype("timedelta64[D]")
    call = np.datetime64("2024-05-01T00:00:00") + (random.integers(0, 4_000, rows) * 15).astype("timedelta64[m]")
    took, due = random.integers(1, 20, rows) * 15, random.integers(5, 40, rows)
    return pa.table(
        {
            "born": days(born),
            "came": days(came),
            "went": days(came + stay.astype("timedelta64[D]")),
            "age": ((came - born).astype("int64") / YEAR).astype("int64"),
            "month": came.astype("datetime64[M]").astype(int) % 12 + 1,
            "call": pa.array(call.astype("datetime64[us]")),
            "done": pa.array((call + took.astype("timedelta64[m]")).astype("datetime64[us]")),
            "days to pay": due,
            "pay by": days(came + due.astype("timedelta64[D]")),
        }
    )


def places(rows: int, seed: int) -> pa.Table:
    """Labels: a hierarchy of three levels, a name of a code, a price list of two columns, flags, and missing values."""
    random = np.random.default_rng(seed)
    town = (random.beta(1, 2.5, rows) * 150).astype(int)
    region_of, country_of = random.integers(0, 25, 150), random.integers(0, 6, 25)
    size, product = random.integers(0, 4, rows), random.integers(0, 7, rows)
    list_price = np.round(random.gamma(3, 20, (7, 4)), 2)
    colour = random.integers(0, 5, rows)
    dead = random.random(rows) < 0.3
    return pa.table(
        {
            "town": np.char.add("town ", town.astype(str)),
            "region": np.char.add("region ", region_of[town].astype(str)),
            "country": pa.array(
                np.array(["AT", "BE", "CZ", "DK", "EE", "FI"])[country_of[region_of[town]]]
            ).dictionary_encode(),
            "product": np.char.add("p", product.astype(str)),
            "size": np.array(["S", "M", "L", "XL"])[size],
            "list price": list_price[product, size],
            **{name: colour == i for i, name in enumerate(FLAGS)},
            "dead": dead,
            "died": pa.array(np.round(random.gamma(4, 20, rows), 1), mask=~dead),
            "cause": pa.array(random.choice(["x", "y", "z"], rows), mask=~dead),
        }
    )


def ranges(rows: int, seed: int) -> pa.Table:
    """Labels that follow from where a number lies: grades, a flag, age groups, a tier with nulls."""
    random = np.random.default_rng(seed)
    score, age = np.round(random.normal(60, 15, rows).clip(0, 100), 1), random.integers(16, 90, rows)
    paid = np.where(random.random(rows) < 0.6, 0, np.round(random.lognormal(4, 1, rows), 2))
    gone = random.random(rows) < 0.2
    points = random.integers(0, 5_000, rows)
    return pa.table(
        {
            "score": score,
            "grade": GRADES[np.searchsorted([40, 55, 70, 85], score, side="right")],
            "paid": paid,
            "has paid": paid > 0,
            "age in days": age * 365 + random.integers(0, 365, rows),
            "points": pa.array(points, mask=gone),
            "tier": pa.array(
                np.array(["low", "mid", "high"])[np.searchsorted([500, 3_000], points, side="right")], mask=gone
            ),
        }
    )


def unrelated(rows: int, seed: int, columns: int = 30) -> pa.Table:
    """Columns of many sorts that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    made: dict[str, object] = {}
    for i in range(columns):
        made[f"c{i}"] = [
            lambda: random.integers(0, 2, rows) == 0,
            lambda: random.integers(0, 9, rows),
            lambda: np.round(random.lognormal(3, 1, rows), 2),
            lambda: np.char.add("v", random.integers(0, 60, rows).astype(str)),
            lambda: days(np.datetime64("2020-01-01") + random.integers(0, 900, rows).astype("timedelta64[D]")),
            lambda: pa.array(random.normal(size=rows), mask=random.random(rows) < 0.2),
        ][i % 6]()
    return pa.table(made)


Columns = dict[str, np.ndarray]


def broken(table: pa.Table, real: pa.Table) -> dict[str, float]:
    """The share of rows that break what holds in the made tables, by plain arithmetic."""
    found = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    if "due" in found:
        rules = of_orders(found)
    elif "grade" in found:
        rules = of_ranges(table)
    elif "came" in found:
        rules = of_stays(found)
    else:
        rules = of_places(table, real)
    return {name: float(np.mean(lost)) for name, lost in rules.items()}


def of_orders(found: Columns) -> Columns:
    """The rows that break a rule of `orders`."""
    return {
        "amount": np.abs(np.round(found["quantity"] * found["price"], 2) - found["amount"]) > 0.0051,
        "due": np.abs(found["amount"] + found["freight"] + found["fee"] - found["due"]) > 1e-6,
        "cents": np.round(found["due"] * 100) != found["due in cents"],
        "VAT": np.abs(found["price"] * 0.07 - found["VAT"]) > 0.00501,
        "again": found["quantity"] != found["quantity again"],
    }


def of_ranges(table: pa.Table) -> Columns:
    """The rows that break a rule of `ranges`."""
    score, points = table["score"].to_numpy(), table["points"].fill_null(0).to_numpy()
    tier = TIERS[np.searchsorted([500, 3_000], points, side="right")]
    tier = np.where(table["points"].is_null().to_numpy(), None, tier)
    return {
        "grade": table["grade"].to_numpy()
        != np.array(list("EDCBA"))[np.searchsorted([40, 55, 70, 85], score, "right")],
        "has paid": table["has paid"].to_numpy() != (table["paid"].to_numpy() > 0),
        "tier": table["tier"].to_numpy() != tier,
    }


def of_stays(found: Columns) -> Columns:
    """The rows that break a rule of `stays`."""
    born, came, went, due = (
        found[n].astype("datetime64[D]").astype("int64") for n in ("born", "came", "went", "pay by")
    )
    return {
        "went": went < came,
        "age": ((came - born) / YEAR).astype("int64") != found["age"],
        "month": found["came"].astype("datetime64[M]").astype(int) % 12 + 1 != found["month"],
        "done": found["done"] <= found["call"],
        "quarter hours": found["done"].astype("datetime64[m]").astype("int64") % 15 != 0,
        "pay by": due - came != found["days to pay"],
    }


def of_places(table: pa.Table, real: pa.Table) -> Columns:
    """The rows that break a rule of `places`."""
    flags = np.sum([table[name].to_numpy().astype(int) for name in FLAGS], axis=0)
    missing = np.stack([table[name].is_null().to_numpy() for name in ("died", "cause")])
    return {
        "region": unknown(table, real, ("town", "region")),
        "country": unknown(table, real, ("region", "country")),
        "list price": unknown(table, real, ("product", "size", "list price")),
        "flags": flags > 1,
        "missing": missing != ~table["dead"].to_numpy(zero_copy_only=False).astype(bool),
    }


def unknown(table: pa.Table, real: pa.Table, names: tuple[str, ...]) -> np.ndarray:
    """The rows with a combination of values that no real row has."""
    known = set(zip(*(real[name].to_pylist() for name in names), strict=True))
    return np.array([row not in known for row in zip(*(table[name].to_pylist() for name in names), strict=True)])
