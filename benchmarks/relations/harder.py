"""Made tables in which a column takes part in several relations, and those of relations that are less common.

`BROKEN` has, for each table, the rules as plain arithmetic, exact to the last digit.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

WEEKDAYS = np.array(["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"])
FIRST = np.array(["Ada", "Ben", "Carla", "Dora", "Emil", "Fritz", "Grete", "Hans", "Ilse", "Jonas"])
TODAY = pd.Timestamp("2025-03-31")
CENT = 1e-6
"""Largest error of an amount that counts as equal."""

Lost = dict[str, "np.ndarray"]


def invoices(rows: int, seed: int) -> pa.Table:
    """A total that is a product of three and what is paid and open; nulls that count as 0; a tax."""
    random = np.random.default_rng(seed)
    count, price = random.integers(1, 30, rows), np.round(random.lognormal(3, 0.9, rows), 2)
    rebate = random.choice([0, 5, 10, 15, 30], rows, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    goods = np.round(count * price * (1 - rebate / 100), 2)
    settled = np.round(goods * random.beta(2, 1, rows), 2)
    postage = np.where(random.random(rows) < 0.4, np.nan, np.round(random.gamma(2, 3, rows), 2))
    voucher = np.where(random.random(rows) < 0.8, np.nan, random.integers(1, 4, rows) * 0.5)
    duty = np.round(goods * 0.16, 2)
    owed = np.round(goods + duty + np.nan_to_num(postage) - np.nan_to_num(voucher), 2)
    balance = np.round(random.normal(0, 50, rows), 2)
    return pa.table(
        {
            "count": count,
            "unit": price,
            "rebate": rebate,
            "goods": goods,
            "settled": settled,
            "open": np.round(goods - settled, 2),
            "duty": duty,
            "postage": pa.array(postage, from_pandas=True),
            "voucher": pa.array(voucher, from_pandas=True),
            "owed": owed,
            "balance": balance,
            "debit": np.where(balance < 0, -balance, 0.0),
            "credit": np.where(balance > 0, balance, 0.0),
        }
    )


def of_invoices(t: pd.DataFrame, real: pd.DataFrame) -> Lost:
    """The rows that break a rule of `invoices`."""
    del real
    parts = t["goods"] + t["duty"] + t["postage"].fillna(0) - t["voucher"].fillna(0)
    return {
        "three factors": (t["goods"] - np.round(t["count"] * t["unit"] * (1 - t["rebate"] / 100), 2)).abs() > CENT,
        "open": (t["goods"] - t["settled"] - t["open"]).abs() > CENT,
        "open is positive": t["open"] < 0,
        "duty": (t["duty"] - np.round(t["goods"] * 0.16, 2)).abs() > CENT,
        "nulls are 0": (parts - t["owed"]).abs() > CENT,
        "debit": (t["debit"] - (-t["balance"]).clip(lower=0)).abs() > CENT,
        "credit": (t["credit"] - t["balance"].clip(lower=0)).abs() > CENT,
    }


def visits(rows: int, seed: int) -> pa.Table:
    """Dates in other forms, names of weekdays, ages today, three dates in order with the days between the outer two."""
    random = np.random.default_rng(seed)
    day = pd.Series(pd.Timestamp("2021-06-01") + pd.to_timedelta(random.integers(0, 1_100, rows), "D"))
    born = pd.Series(pd.Timestamp("1935-01-01") + pd.to_timedelta(random.integers(0, 25_000, rows), "D"))
    days = random.geometric(0.12, rows)
    seen = day + pd.to_timedelta(np.floor(days * random.random(rows)), "D")
    start = day + pd.to_timedelta(random.integers(0, 96, rows) * 15, "min")
    took = pd.Series(pd.to_timedelta(random.integers(1, 40, rows) * 5, "min"))
    return pa.table(
        {
            "day": pa.array(day.dt.date, pa.date32()),
            "as text": day.dt.strftime("%d.%m.%Y"),
            "as number": day.dt.strftime("%Y%m%d").astype(int),
            "month": day.dt.strftime("%Y-%m"),
            "weekday": WEEKDAYS[day.dt.dayofweek],
            "weekend": day.dt.dayofweek >= 5,
            "half": np.where(day.dt.month <= 6, "H1", "H2"),
            "born": pa.array(born.dt.date, pa.date32()),
            "age": years(born, TODAY),
            "seen": pa.array(seen.dt.date, pa.date32()),
            "closed": pa.array((day + pd.to_timedelta(days, "D")).dt.date, pa.date32()),
            "days": days,
            "start": pa.array(start, pa.timestamp("us")),
            "took": pa.array(took, pa.duration("s")),
            "end": pa.array(start + took, pa.timestamp("us")),
            "hours": np.round(took.dt.total_seconds() / 3600, 2),
        }
    )


def of_visits(t: pd.DataFrame, real: pd.DataFrame) -> Lost:
    """The rows that break a rule of `visits`."""
    del real
    day, seen, closed = (pd.to_datetime(t[name]) for name in ("day", "seen", "closed"))
    return {
        "as text": day.dt.strftime("%d.%m.%Y") != t["as text"],
        "as number": day.dt.strftime("%Y%m%d").astype(int) != t["as number"],
        "month": day.dt.strftime("%Y-%m") != t["month"],
        "weekday": WEEKDAYS[day.dt.dayofweek] != t["weekday"],
        "weekend": (day.dt.dayofweek >= 5) != t["weekend"],
        "half": np.where(day.dt.month <= 6, "H1", "H2") != t["half"],
        "age": years(pd.to_datetime(t["born"]), TODAY) != t["age"],
        "in order": (seen < day) | (closed < seen),
        "days": (closed - day).dt.days != t["days"],
        "end": t["start"] + t["took"] != t["end"],
        "hours": (t["hours"] - np.round(t["took"].dt.total_seconds() / 3600, 2)).abs() > CENT,
        "times a day": (start := pd.to_datetime(t["start"])).dt.normalize() != day,
        "quarter hours": start.dt.minute % 15 != 0,
    }


def people(rows: int, seed: int) -> pa.Table:
    """Texts that are written from others, and a country that follows from two columns, neither from the other."""
    random = np.random.default_rng(seed)
    ends = ["", "s", "er", "mann", "son", "feld", "bach", "berg", "ke", "ow"]
    last = np.array([head + end for head in ("Adler", "Brandt", "Claus", "Dorn", "Engel", "Funk") for end in ends])
    one, two = FIRST[random.integers(0, 10, rows)], last[random.integers(0, 60, rows)]
    code = random.permutation(np.arange(rows)) + 40_000
    land, office = random.integers(0, 8, rows), random.integers(0, 4, rows)
    area = land * 6 + random.integers(0, 6, rows)
    return pa.table(
        {
            "number": [f"K-{value}" for value in code],
            "first_name": one,
            "last_name": two,
            "full_name": np.char.add(np.char.add(one, " "), two),
            "page": [f"https://example.org/k/K-{value}" for value in code],
            "area": np.char.add("area ", area.astype(str)),
            "office": np.char.add(np.char.add("office ", land.astype(str)), np.array(list("abcd"))[office]),
            "land": np.array(["AT", "BE", "CZ", "DK", "EE", "FI", "GR", "HU"])[land],
        }
    )


def of_people(t: pd.DataFrame, real: pd.DataFrame) -> Lost:
    """The rows that break a rule of `people`."""
    area, office = (real.drop_duplicates([name]).set_index(name)["land"] for name in ("area", "office"))
    return {
        "full name": t["first_name"] + " " + t["last_name"] != t["full_name"],
        "page": "https://example.org/k/" + t["number"] != t["page"],
        "land of area": area.reindex(t["area"]).to_numpy() != t["land"],
        "land of office": office.reindex(t["office"]).to_numpy() != t["land"],
        "real names": t["full_name"].isin(set(real["full_name"])),
        "real numbers": t["number"].isin(set(real["number"])) | t["number"].duplicated(),
    }


def games(rows: int, seed: int) -> pa.Table:
    """Rates of a total, the best and the last of three, their mean, and floats of any size."""
    random = np.random.default_rng(seed)
    won, lost = random.integers(0, 60, rows), random.integers(1, 90, rows)
    points = random.integers(0, 100, (rows, 3))
    distance, speed = random.gamma(3, 7, rows), random.normal(20, 3, rows).clip(8)
    return pa.table(
        {
            "won": won,
            "lost": lost,
            "played": won + lost,
            "rate": np.round(won / (won + lost), 4),
            **{f"round {i}": points[:, i] for i in range(3)},
            "best": points.max(axis=1),
            "worst": points.min(axis=1),
            "mean": np.round(points.mean(axis=1), 2),
            "distance": distance,
            "speed": speed,
            "time": distance / speed,
            "miles": distance / 1.609344,
            "whole miles": np.rint(distance / 1.609344).astype(int),
        }
    )


def of_games(t: pd.DataFrame, real: pd.DataFrame) -> Lost:
    """The rows that break a rule of `games`."""
    del real
    points = t[[f"round {i}" for i in range(3)]]
    return {
        "played": t["won"] + t["lost"] != t["played"],
        "rate": (t["rate"] - np.round(t["won"] / t["played"], 4)).abs() > CENT,
        "best": points.max(axis=1) != t["best"],
        "worst": points.min(axis=1) != t["worst"],
        "mean": (t["mean"] - np.round(points.mean(axis=1), 2)).abs() > CENT,
        "time": (t["time"] * t["speed"] / t["distance"] - 1).abs() > 1e-9,
        "miles": (t["miles"] * 1.609344 / t["distance"] - 1).abs() > 1e-9,
        "whole miles": np.rint(t["miles"]) != t["whole miles"],
    }


def years(born: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Ages by the calendar."""
    before = (born.dt.month > day.month) | ((born.dt.month == day.month) & (born.dt.day > day.day))
    return day.year - born.dt.year - before.astype(int)


TABLES: dict[str, Callable[[int, int], pa.Table]] = {
    "invoices": invoices,
    "visits": visits,
    "people": people,
    "games": games,
}
BROKEN: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Lost]] = {
    "invoices": of_invoices,
    "visits": of_visits,
    "people": of_people,
    "games": of_games,
}


def broken(name: str, table: pa.Table, real: pa.Table) -> dict[str, float]:
    """The share of rows that break what holds in a made table."""
    rules = BROKEN[name](table.to_pandas(), real.to_pandas())
    return {rule: float(np.mean(lost)) for rule, lost in rules.items()}
