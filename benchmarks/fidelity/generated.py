"""Tables of known truth: rows drawn from laws written here, with the mixes of kinds that users have.

Each maker takes a number of rows and a random stream. If its law has rules that hold in every row (a total is a
product, a code has one category, a date is null until something happened), they stand beside it. The share of rows that
break a rule needs no scorer. The marginal laws are made up, and none was chosen by looking at a result.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

Maker = Callable[[int, Generator], pa.Table]
Array = NDArray[Any]
LAW = 7
"""Seed of what belongs to the law and not to the rows: prices, loadings, tables of probabilities."""


def logistic(x: Array) -> Array:
    """Probability from log odds."""
    return 1 / (1 + np.exp(-x))


def chosen(chances: Array, random: Generator) -> Array:
    """One category per row, from probabilities [rows, categories]."""
    ladder = np.cumsum(chances, 1)
    return (random.random((len(chances), 1)) * ladder[:, -1:] > ladder).sum(1)


def nullable(values: Array, null: Array, kind: pa.DataType | None = None) -> pa.Array:
    """An Arrow array with nulls where `null` is true."""
    return pa.array(values, type=kind, mask=np.asarray(null, dtype=bool))


def orders(rows: int, random: Generator) -> pa.Table:
    """A shop: times, 1,500 product codes by Zipf's law, prices by product, exact totals, dates that follow a status."""
    law = np.random.default_rng(LAW)
    price_of = np.round(law.lognormal(3, 1, 1500), 2)
    group_of = law.integers(0, 12, 1500)
    product = np.minimum(random.zipf(1.3, rows) - 1, 1499)
    daily = 1.2 + np.sin((np.arange(24) - 9) / 24 * 2 * np.pi)
    hours = random.choice(24, rows, p=daily / daily.sum())
    days = (365 * random.beta(2, 1, rows)).astype(int)
    ordered = np.datetime64("2024-01-01", "s") + days * 86_400 + hours * 3600 + random.integers(0, 3600, rows)
    quantity = 1 + random.negative_binomial(1, np.where(price_of[product] < 15, 0.3, 0.8))
    discount = random.choice([0.0, 0.05, 0.1, 0.25], rows, p=[0.7, 0.15, 0.1, 0.05])
    total = np.round(quantity * price_of[product] * (1 - discount), 2)
    status = chosen(np.stack([0.8 + 0 * days, 0.05 + 0.0005 * days, 0.05 + 0 * days], 1), random)
    wait = 1 + random.poisson(2 + 4 * (group_of[product] == 3))
    gift = random.random(rows) < 0.08 + 0.3 * (days > 330)
    returned = (random.random(rows) < logistic(-3 + 0.4 * np.log(total) + 1.5 * (group_of[product] < 3))) & (
        status == 0
    )
    return pa.table(
        {
            "ordered": pa.array(ordered, pa.timestamp("s")),
            "product": [f"SKU-{p:05d}" for p in product],
            "group": [f"group {group_of[p]}" for p in product],
            "quantity": pa.array(quantity, pa.int32()),
            "price": price_of[product],
            "discount": discount,
            "total": total,
            "status": np.array(["delivered", "open", "cancelled"])[status],
            "delivered": nullable(ordered.astype("datetime64[D]") + wait, status > 0, pa.date32()),
            "gift": gift,
            "returned": returned,
        }
    )


def broken_orders(rows: pd.DataFrame) -> pd.Series:
    """Totals that are off by more than a cent, products in another group, delivery dates that contradict the status."""
    law = np.random.default_rng(LAW)
    law.lognormal(3, 1, 1500)
    group_of = law.integers(0, 12, 1500)
    group = "group " + pd.Series(group_of[rows["product"].str[4:].astype(int)].astype(str), rows.index)
    total = rows["quantity"] * rows["price"] * (1 - rows["discount"])
    dated = rows["delivered"].notna() == (rows["status"] == "delivered")
    return ((total - rows["total"]).abs() > 0.011) | (group != rows["group"]) | ~dated


def clinic(rows: int, random: Generator) -> pa.Table:
    """Stays in hospital: values missing where they would be extreme, panels missing together, rare codes."""
    age = np.clip(random.normal(62, 18, rows), 18, 99).astype(int)
    female = random.random(rows) < 0.52
    severity = random.normal(0, 1, rows) + (age - 62) / 40
    ward = chosen(np.exp(np.stack([0 * severity, severity, -0.5 * severity, 0.3 * severity - 1], 1)), random)
    code = (ward * 75 + np.minimum(random.geometric(0.06, rows) - 1, 74)).astype(int)
    creatinine = np.round(np.exp(0.1 + 0.35 * severity + 0.15 * ~female + random.normal(0, 0.3, rows)), 2)
    lactate = np.round(np.exp(0.3 + 0.4 * severity + random.normal(0, 0.35, rows)), 1)
    pressure = np.round(128 - 9 * severity + 0.2 * (age - 62) + random.normal(0, 14, rows)).astype(int)
    glucose = np.round(random.gamma(9, 12, rows) + 40 * (random.random(rows) < 0.15), 0)
    panel = random.random(rows) < np.array([0.35, 0.02, 0.6, 0.2])[ward]  # the ward draws no blood
    stay = np.ceil(random.lognormal(1 + 0.35 * severity, 0.7)).astype(int)
    admitted = np.datetime64("2023-01-01") + random.integers(0, 730, rows)
    chance = logistic(-2.2 + 0.7 * severity + 0.03 * stay + 0.8 * (ward == 3))
    return pa.table(
        {
            "age": pa.array(age, pa.int16()),
            "sex": np.where(female, "f", "m"),
            "ward": np.array(["surgery", "intensive", "day", "oncology"])[ward],
            "diagnosis": [f"{'CJRS'[c // 75]}{c % 75:02d}" for c in code],
            "creatinine": nullable(creatinine, panel),
            "lactate": nullable(lactate, panel | (random.random(rows) < logistic(2 - 2.5 * lactate / 2))),
            "glucose": nullable(glucose, panel),
            "pressure": nullable(pressure, random.random(rows) < logistic((pressure - 165) / 6)),
            "admitted": pa.array(admitted, pa.date32()),
            "stay": pa.array(stay, pa.int32()),
            "discharged": nullable(admitted + stay, random.random(rows) < 0.03, pa.date32()),
            "readmitted": random.random(rows) < chance,
        }
    )


def broken_clinic(rows: pd.DataFrame) -> pd.Series:
    """Half a panel (only lactate may lack alone), diagnoses of another ward, discharges that contradict the stay."""
    half = (rows["creatinine"].isna() != rows["glucose"].isna()) | (rows["creatinine"].isna() & rows["lactate"].notna())
    letter = rows["ward"].map(dict(zip(["surgery", "intensive", "day", "oncology"], "CJRS", strict=True)))
    days = (pd.to_datetime(rows["discharged"]) - pd.to_datetime(rows["admitted"])).dt.days
    return half | (rows["diagnosis"].str[0] != letter) | (days.notna() & (days != rows["stay"]))


def signals(rows: int, random: Generator) -> pa.Table:
    """Only numbers, except the target: heavy tails, modes, a ring, a product, a sum, one value in half of the rows."""
    mode = random.integers(0, 3, rows)
    angle = random.uniform(0, 2 * np.pi, rows)
    radius = 1 + 0.1 * random.normal(size=rows)
    load = random.gamma(2, 1.5, rows)
    columns = {
        "ring_x": radius * np.cos(angle),
        "ring_y": radius * np.sin(angle),
        "level": np.array([-4.0, 0.0, 5.0])[mode] + random.normal(0, 0.4, rows),
        "response": np.sin(3 * angle) * load + random.normal(0, 0.2, rows),
        "heavy": random.standard_t(2, rows),
        "scale": random.lognormal(8, 2.5, rows),
        "load": load,
        "idle": np.where(random.random(rows) < 0.5, 0.0, random.exponential(load)),
        "left": random.normal(0, 1, rows),
        "right": random.normal(0, 1, rows),
        "percent": np.round(100 * random.beta(0.5, 0.5, rows), 1),
        "steps": random.poisson(np.exp(0.5 + 0.8 * (mode == 2))).astype(np.int64),
    }
    columns["product"] = columns["left"] * columns["right"]
    columns["sum"] = np.round(columns["left"], 3) + np.round(columns["load"], 3)
    columns["drift"] = 0.97 * columns["level"] + 0.05 * random.normal(size=rows)
    columns["unit"] = 1e-9 * columns["scale"] * (1 + 0.01 * random.normal(size=rows))
    chance = logistic(columns["product"] + 0.5 * (columns["idle"] > 2) + (mode == 1) - 1.5)
    return pa.table(columns | {"fault": np.where(random.random(rows) < chance, "yes", "no")})


def broken_signals(rows: pd.DataFrame) -> pd.Series:
    """Rows off the ring by more than six deviations, or `drift` off `level`, or `unit` off `scale`, by as much."""
    ring = (np.hypot(rows["ring_x"], rows["ring_y"]) - 1).abs() > 0.6
    drift = (rows["drift"] - 0.97 * rows["level"]).abs() > 0.3
    return ring | drift | ((rows["unit"] / (1e-9 * rows["scale"]) - 1).abs() > 0.06)


def survey(rows: int, random: Generator) -> pa.Table:
    """Only categories: places within regions, a scale of answers from one opinion, answers skipped together."""
    law = np.random.default_rng(LAW)
    region = chosen(np.tile(law.dirichlet(np.full(9, 2.0)), (rows, 1)), random)
    place = region * 40 + np.minimum(random.geometric(0.12, rows) - 1, 39)
    born = chosen(np.tile(law.dirichlet(np.full(7, 3.0)), (rows, 1)), random)
    school = chosen(law.dirichlet(np.full(5, 1.5), (9, 7))[region, born], random)
    work = chosen(law.dirichlet(np.full(11, 0.7), (5, 7))[school, born], random)
    opinion = law.normal(0, 1, 9)[region] + law.normal(0, 0.8, 5)[school] + random.normal(0, 1, rows)
    columns: dict[str, Any] = {
        "region": [f"R{r}" for r in region],
        "place": [f"R{p // 40}-{p % 40:02d}" for p in place],
        "born": np.array(["<1940", "40s", "50s", "60s", "70s", "80s", ">1990"])[born],
        "school": np.array(["none", "primary", "secondary", "college", "doctorate"])[school],
        "work": nullable(np.array([f"work {w}" for w in work]), born == 6),
    }
    skipped = random.random(rows) < logistic(-2.5 - 0.8 * opinion)
    for i in range(6):
        answer = np.digitize((-1) ** i * opinion + random.normal(0, 0.7, rows), [-1.5, -0.5, 0.5, 1.5])
        words = np.array(["strongly disagree", "disagree", "neither", "agree", "strongly agree"])[answer]
        columns[f"answer {i}"] = nullable(words, skipped if i > 2 else random.random(rows) < 0.01)
    columns["vote"] = np.array(["blue", "green", "none"])[
        chosen(np.exp(np.stack([opinion, -opinion, 0 * opinion - 0.5], 1)), random)
    ]
    return pa.table(columns)


def broken_survey(rows: pd.DataFrame) -> pd.Series:
    """Places outside their region, work of people too young, the last three answers skipped one by one."""
    outside = rows["place"].str.split("-").str[0] != rows["region"]
    young = rows["work"].isna() != (rows["born"] == ">1990")
    skipped = rows[["answer 3", "answer 4", "answer 5"]].isna().sum(1)
    return outside | young | skipped.isin([1, 2])


def ledger(rows: int, random: Generator) -> pa.Table:
    """Transfers: 2,000 accounts, wide integers, decimals, counts nearly always 0, one value in 99.9 % of rows."""
    law = np.random.default_rng(LAW)
    account = np.minimum(random.zipf(1.15, rows) - 1, 1999)
    kind_of = law.choice(4, 2000, p=[0.7, 0.2, 0.08, 0.02])
    kind = kind_of[account]
    usual = law.lognormal(5, 1.2, 2000)[account]
    cents = np.round(100 * usual * random.lognormal(0, 0.5 + 0.3 * kind)).astype(np.int64) + 1
    fee = np.where(kind == 0, 0, np.maximum(25, cents // 200))
    fraud = random.random(rows) < logistic(-3 + 1.2 * (cents > 200 * usual) + 1.5 * (kind == 3))
    booked = np.datetime64("2025-01-01") + random.integers(0, 250, rows)
    month_end = random.random(rows) < 0.25
    booked = np.where(month_end, booked.astype("datetime64[M]").astype("datetime64[D]") + 27, booked)
    alerts = random.poisson(np.where(fraud, 0.4, 0.02))
    return pa.table(
        {
            "account": [f"{a:04X}-{(a * 7919) % 10_000:04d}" for a in account],
            "kind": np.array(["private", "business", "trust", "state"])[kind],
            "booked": pa.array(booked, pa.date32()),
            "amount": decimals(cents),
            "fee": decimals(fee),
            "charged": decimals(cents + fee),
            "reference": pa.array(10**15 + kind * 10**12 + random.integers(0, 10**6, rows) * 1000, pa.int64()),
            "alerts": pa.array(alerts, pa.int8()),
            "reversals": pa.array(random.poisson(0.001, rows), pa.int32()),
            "channel": random.choice(["app", "web", "branch", "atm"], rows, p=[0.9985, 0.0005, 0.0005, 0.0005]),
            "fraud": fraud,
        }
    )


def decimals(cents: Array) -> pa.Array:
    """Amounts with two places."""
    return pa.array(cents).cast(pa.decimal128(20, 0)).view(pa.decimal128(20, 2))


def broken_ledger(rows: pd.DataFrame) -> pd.Series:
    """Charges other than amount plus fee, fees from private accounts, accounts of another kind."""
    kind_of = np.random.default_rng(LAW).choice(4, 2000, p=[0.7, 0.2, 0.08, 0.02])
    account = rows["account"].str[:4].apply(int, base=16).to_numpy()
    kind = np.array(["private", "business", "trust", "state"])[kind_of[np.minimum(account, 1999)]]
    amount, fee, charged = (rows[c].astype(float) for c in ("amount", "fee", "charged"))
    return ((amount + fee - charged).abs() > 0.005) | ((rows["kind"] == "private") & (fee > 0)) | (rows["kind"] != kind)


def wide(rows: int, random: Generator) -> pa.Table:
    """Sixty columns of three kinds that depend on five hidden causes, and few rows."""
    law = np.random.default_rng(LAW)
    causes = random.normal(0, 1, (rows, 5))
    seen = causes @ law.normal(0, 1, (5, 60)) + law.uniform(0.3, 2, 60) * random.normal(0, 1, (rows, 60))
    columns: dict[str, Any] = {}
    for j, values in enumerate(seen.T):
        if j % 3 == 0:
            columns[f"number {j}"] = values if j % 2 else np.exp(values)
        elif j % 3 == 1:
            columns[f"count {j}"] = random.poisson(np.exp(np.clip(values / 2, -5, 4))).astype(np.int64)
        else:
            columns[f"class {j}"] = np.array(list("abcd"))[np.digitize(values, [-2, 0, 1])]
    return pa.table(columns | {"label": np.where(causes[:, 0] + causes[:, 1] > 0.5, "in", "out")})


def broken_bike(rows: pd.DataFrame) -> pd.Series:
    """Bike sharing: counts that do not add up, or parts of the calendar that contradict the date."""
    date = pd.to_datetime(rows["dteday"])
    calendar = (date.dt.month == rows["mnth"]) & (date.dt.year - 2011 == rows["yr"])
    weekday = (date.dt.weekday + 1) % 7 == rows["weekday"]
    return (rows["casual"] + rows["registered"] != rows["cnt"]) | ~calendar | ~weekday
