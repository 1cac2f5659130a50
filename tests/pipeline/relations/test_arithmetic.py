"""Rates, ratios and floats are computed in the direction and in the arithmetic in which real rows were."""

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.relations import Relations
from pipeline.relations.base import Following
from pipeline.relations.search import find

ROWS = 2_000


def searched(table: pa.Table) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table))


def test_of_two_units_the_finer_one_is_computed() -> None:
    """Pounds were computed from kilograms, and a month's salary from a year's: not every pound has a kilogram."""
    random = np.random.default_rng(1)
    mass, salary = np.round(random.lognormal(5, 1, ROWS), 1), random.integers(200, 900, ROWS) * 100
    pounds, monthly = np.round(mass * 2.20462, 1), np.round(salary / 12, 2)
    table = pa.table({"pounds": pounds, "monthly": monthly, "mass": mass, "salary": salary})
    found = searched(table)
    assert set(found.free_schema.names) == {"mass", "salary"}
    back = found.bind(found.free(table))
    assert all(np.array_equal(back[name].to_numpy(), table[name].to_numpy()) for name in table.column_names)


def test_a_part_is_computed_by_division() -> None:
    """A sixtieth, or a share in instalments of four sizes, is rounded as NumPy rounds it, halves too."""
    random = np.random.default_rng(2)
    minutes, premium = random.integers(30, 9_000, ROWS), np.round(random.gamma(4, 150, ROWS), 2)
    parts = random.choice([1, 2, 4, 12], ROWS)
    table = pa.table(
        {
            "minutes": pa.array(minutes * 60, pa.duration("s")),
            "hours": np.round(minutes / 60, 1),
            "premium": premium,
            "parts": parts,
            "instalment": np.round(premium / parts, 2),
        }
    )
    found = searched(table)
    assert "instalment = premium / parts" in {relation.text for relation in found}
    back = found.bind(found.free(table))
    assert np.array_equal(back["hours"].to_numpy(), table["hours"].to_numpy())
    assert np.array_equal(back["instalment"].to_numpy(), table["instalment"].to_numpy())


def test_floats_of_32_bits_follow_from_others() -> None:
    """They have no more decimal places than their bits can tell, whatever is written out."""
    random = np.random.default_rng(3)
    warm, angle = random.normal(20, 8, ROWS), random.uniform(0, 360, ROWS)
    cents = np.round(random.gamma(2, 30, ROWS), 2)
    table = pa.table(
        {
            "warm": warm,
            "narrow": warm.astype(np.float32),
            "angle": angle,
            "radians": np.deg2rad(angle),
            "cents": cents,
            "product": (cents * warm).astype(np.float32),
        }
    )
    found = searched(table)
    assert {relation.target for relation in found} == {"narrow", "radians", "product"}
    back = found.bind(found.free(table))
    assert back.schema.equals(table.schema)
    for name, error in (("narrow", 1e-7), ("product", 1e-7), ("radians", 1e-11)):
        assert np.allclose(back[name].to_numpy(), table[name].to_numpy(), rtol=error, atol=0)


def test_an_amount_without_its_sign_follows_from_the_booked_one() -> None:
    """Of exact amounts and of floats of any size."""
    random = np.random.default_rng(4)
    booked, force = np.round(random.normal(0, 300, ROWS), 2), random.normal(size=ROWS)
    table = pa.table(
        {
            "amount": np.abs(booked),
            "way": np.where(booked < 0, "D", "C"),
            "booked": booked,
            "force": force,
            "size": np.abs(force) / 3,
        }
    )
    found = searched(table)
    assert {relation.text for relation in found} >= {
        "amount = |booked|",
        "size = |0.333333333 · force|",
        "way follows from the range of booked",
    }
    other = pa.table({"booked": -booked, "force": -force})
    assert np.array_equal(found.bind(other)["amount"].to_numpy(), np.abs(booked))


def test_a_later_number_stays_among_the_shown_ones() -> None:
    """A price that is never below another one, which may be negative, is not negative itself."""
    random = np.random.default_rng(5)
    low = random.integers(-100, 900, ROWS)
    table = pa.table({"low": low, "price": np.maximum(low, 7) + 3 * random.integers(0, 9, ROWS)})
    found = searched(table)
    assert [relation.kind for relation in found] == ["later"]
    shown = found.shown(found.free(table))
    drawn = found.free(table).set_column(0, "low", pa.array(random.permutation(low)))
    assert shown.bind(drawn)["price"].to_numpy().min() == 7
    assert (shown.bind(drawn)["price"].to_numpy() >= drawn["low"].to_numpy()).all()


def test_columns_of_few_rows_and_mostly_zeros_are_sums_of_others_by_chance() -> None:
    """Nothing is found in 20 tables; before constants and combinations were counted, it was in every other one."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        made = {f"a{i}": np.where(random.random(20) < 0.93, 0, random.integers(1, 4, 20)) for i in range(12)}
        made |= {f"b{i}": random.poisson(0.2, 20) for i in range(8)}
        made |= {f"c{i}": np.where(random.random(20) < 0.9, 0, random.integers(1, 20, 20) * 0.5) for i in range(6)}
        assert [relation.text for relation in searched(pa.table(made)) if isinstance(relation, Following)] == []
    net, tax = (np.round(random.gamma(2, 90, 20), 2) for _ in range(2))
    table = pa.table(made | {"net": net, "tax": tax, "gross": np.round(net + tax, 2)})
    assert [relation.text for relation in searched(table) if isinstance(relation, Following)] == ["gross = net + tax"]


def test_the_number_of_flags_that_are_set_is_counted() -> None:
    """Beside other flags, some of which exclude each other; a flag that none is set follows from the number."""
    random = np.random.default_rng(6)
    uses = {f"uses {i}": random.random(ROWS) < rate for i, rate in enumerate((0.5, 0.4, 0.2, 0.3, 0.1))}
    colour, number = random.integers(0, 4, ROWS), np.sum(list(uses.values()), axis=0)
    others = {f"colour {i}": colour == i for i in range(4)}
    table = pa.table(uses | others | {"number": number.astype(np.int8), "none": number == 0})
    found = searched(table)
    assert {f"number = {' + '.join(uses)}", "none follows from number"} <= {own.text for own in found}
    assert not any(own.text == "number ≥ 0" for own in found)
    assert found.bind(found.free(table)).equals(table)


def test_a_total_of_a_day_has_24_hours() -> None:
    """A sum of many columns is one sum."""
    random = np.random.default_rng(7)
    hours = {f"h{i}": np.round(random.gamma(1 + i, 2, ROWS), 2) for i in range(24)}
    table = pa.table({"day": np.round(np.sum(list(hours.values()), axis=0), 2)} | hours)
    assert [own.text for own in searched(table)] == [f"day = {' + '.join(hours)}"]


def test_what_is_less_than_the_error_of_a_total_is_no_part_of_it() -> None:
    """A number of 1e-9 changes no total of millions of any floats."""
    random = np.random.default_rng(8)
    parts = random.gamma(2, 1e6, (3, ROWS))
    for seed in range(5):
        tiny = np.random.default_rng(seed).normal(0, 1e-9, ROWS)
        table = pa.table({"tiny": tiny, "a": parts[0], "b": parts[1], "c": parts[2], "whole": parts.sum(axis=0)})
        assert [own.text for own in searched(table) if isinstance(own, Following)] == ["whole = a + b + c"]
