"""Assumptions: every sort is found, its settings overrule it, and a list of many stays short."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from customers import customers, leaked, secrets

from pipeline import columns
from pipeline.assumptions import MOST, SORTS, Assumption, Sort, assumed, off, settings
from pipeline.assumptions import rows as listed
from pipeline.personal import PLURALS, Shape
from pipeline.privacy.disclosure import Disclosure
from pipeline.relations import search
from pipeline.schema import Schema
from pipeline.settings import LoopSettings

ROWS = 600
NAMES = ('a.b "c"', "line\nbreak", "Größe", "tab\tand \\", "\x7f", "#", "x = 1", "'", "")
"""Names of columns that are no bare keys of TOML."""


def table(seed: int = 0) -> pa.Table:
    """A table with something of every sort."""
    random = np.random.default_rng(seed)
    city = random.choice(["Graz", "Linz", "Bonn", "Lyon"], ROWS)
    net, tax = np.round(random.lognormal(3, 1, (2, ROWS)), 2)
    team = random.choice(["north", "south"], ROWS).astype(object)
    team[:4] = ["Ada's", "Ada's", "Bo's", "Cy's"]
    return pa.table(
        {
            "order_id": np.repeat(np.arange(ROWS // 4), 4) + 40_000,
            "line": np.tile([1, 2, 3, 4], ROWS // 4),
            "E-Mail": customers("de", ROWS)["E-Mail"],
            "zip": random.choice(random.integers(10_000, 99_999, 50), ROWS),
            "tags": pa.array([["x"], ["y", "z"]] * (ROWS // 2)),
            "state": ["new"] * ROWS,
            "team": pa.array(team),
            "net": net,
            "tax": tax,
            "gross": np.round(net + tax, 2),
            "city": city,
            "federation": [{"Bonn": "D", "Lyon": "F"}.get(name, "A") for name in city],
        }
    )


def taken(rows: pa.Table, given: Mapping[str, Any]) -> tuple[Schema, tuple[Assumption, ...]]:
    """How a table is taken under the settings of a TOML document."""
    chosen = LoopSettings.model_validate(given)
    schema = columns.infer(rows, chosen.columns, chosen.privacy)
    kept = rows.select(schema.names)
    relations = search.find(kept, schema, chosen.relations)
    return schema, assumed(schema, relations, Disclosure.of(kept, schema).withheld)


def of(found: Sequence[Assumption]) -> set[tuple[str, str]]:
    """Sorts, and the columns or relations they are about."""
    return {(each.sort, each.what if each.sort == "relation" else each.columns[0]) for each in found}


EVERY = {
    ("identifier", "order_id"),
    ("made up", "E-Mail"),
    ("code", "zip"),
    ("left out", "tags"),
    ("constant", "state"),
    ("rare labels", "team"),
    *(("extremes", name) for name in ("net", "tax", "gross")),
    *(("relation", text) for text in ("gross = net + tax", "federation follows from city")),
}


def test_every_sort_is_found():
    """There is one assumption for each thing that a person may see otherwise, and what it says is in its fields."""
    found = taken(table(), {})[1]
    assert of(found) == EVERY
    assert len(found) == len(EVERY)
    assert {each.sort for each in found} == set(SORTS) == set(get_args(Sort))
    told = {each.columns[0]: each for each in found if each.sort != "relation"}
    assert told["order_id"].columns == ("order_id", "line")
    assert "unique with 'line'" in told["order_id"].text
    assert told["E-Mail"].what == "e-mail addresses"
    assert (told["team"].what, told["team"].rows) == ("3 labels", 4)
    total = next(each for each in found if each.what == "gross = net + tax")
    assert (set(total.columns), total.rows) == ({"gross", "net", "tax"}, ROWS)


@pytest.mark.parametrize("which", sorted(EVERY), ids=" ".join)
def test_its_settings_overrule_it(which):
    """With the settings of one assumption, this one is gone. No other column becomes another kind."""
    rows = table()
    before, found = taken(rows, {})
    own = next(each for each in found if of([each]) == {which})
    after, left = taken(rows, tomllib.loads(own.overrule))
    assert which not in of(left)
    others = {each for each in EVERY if each[1] not in own.columns and each[0] != "relation"}
    assert others <= of(left)
    assert all(before[name].kind == after[name].kind for name in before.names if name not in own.columns)


def test_a_list_is_overruled_by_one_document_that_publishes_no_more():
    """All that can be pasted overrules all that is listed, but for what would publish values of few rows."""
    rows = table()
    before, found = taken(rows, {})
    text = settings(found)
    after, left = taken(rows, tomllib.loads(text))
    assert {each.sort for each in left} <= {"rare labels", "extremes", "relation"}
    assert set(off(left)).isdisjoint(off(found))  # gross ≥ net shows only where the sum is off
    assert all(column.least_rows == 5 for column in (*before, *after))
    assert text.count("\n# ") == 3  # one line of each sort that would, and the number of the others
    assert "publishes 3 labels" in text
    assert settings(()) == ""
    assert listed(()) == []


def test_what_a_person_chose_is_no_assumption():
    """Set kinds, keys and rules are the person's own. What these leave open is assumed all the same."""
    kinds = {"E-Mail": "text", "zip": "code", "tags": "drop", "state": "categorical", "order_id": "identifier"}
    rules = {"rules": ["gross > net"], "off": ["gross = net + tax"]}
    given = {"columns": {name: {"kind": kind} for name, kind in kinds.items()}, "relations": rules}
    found = taken(table(), given)[1]
    assert not {"identifier", "made up", "code", "left out", "constant"} & {each.sort for each in found}
    assert "federation follows from city" in off(found)
    assert set(off(found)).isdisjoint([*rules["rules"], *rules["off"]])
    given = {"columns": {"order_id": {"unique_with": ["line"]}, "E-Mail": {"fake": "phone"}}}
    assert not {"identifier", "made up"} & {each.sort for each in taken(table(), given)[1]}


def test_a_list_of_many_is_short_and_has_some_of_every_sort():
    """Names and relations are shortened with their number, and the settings are a few lines of valid TOML."""
    random = np.random.default_rng(0)
    wide: dict[str, Any] = {f"key_{i}": random.permutation(ROWS) + 10**6 for i in range(20)}
    wide |= {f"mail_{i}": customers("de", ROWS, i)["E-Mail"] for i in range(20)}
    wide |= {f"fixed_{i}": ["one"] * ROWS for i in range(20)}
    for i in range(20):
        wide |= {f"net_{i}": np.round(random.lognormal(3, 1, ROWS), 2), f"tax_{i}": np.round(random.random(ROWS), 2)}
        wide[f"gross_{i}"] = np.round(wide[f"net_{i}"] + wide[f"tax_{i}"], 2)
    found = taken(pa.table(wide), {})[1]
    assert len(off(found)) >= 20
    shown = listed(found)
    assert len(shown) < 15
    assert "key_5 and 14 more" in dict(shown)["identifiers"]
    assert dict(shown)["made up"] == "no real value appears: e-mail addresses (mail_0, mail_1, mail_2 and 17 more)"
    assert shown[-1] == ("", f"and {len(off(found)) - MOST} more")
    text = settings(found)
    assert len(text.splitlines()) <= 2 * MOST + 9
    assert {name.partition("_")[0] for name in tomllib.loads(text)["columns"]} == {"key", "mail", "fixed"}
    assert tomllib.loads(text)["relations"]["off"] == off(found)[:MOST]
    LoopSettings.model_validate(tomllib.loads(text))


def test_any_name_of_a_column_is_a_key():
    """Settings name the columns exactly, and a list has each in one line."""
    ones = pa.array([1.0] * ROWS)
    schema = columns.infer(pa.table([ones] * len(NAMES), names=NAMES))
    found = assumed(schema)
    for name, each in zip(NAMES, found, strict=True):
        assert tomllib.loads(each.overrule) == {"columns": {name: {"kind": "drop"}}}
    assert [*tomllib.loads(settings(found))["columns"]] == list(NAMES[:MOST])
    assert all(text.isprintable() for _, text in listed(found))


def test_no_value_of_the_data_is_told():
    """Neither assumptions nor their list hold a value that belongs to a person, or a rare label."""
    people = customers("es", ROWS).append_column("team", table()["team"])
    found = taken(people, {})[1]
    told = "".join(each.model_dump_json() for each in found) + str(listed(found)) + settings(found)
    assert {"made up", "rare labels"} <= {each.sort for each in found}
    assert not leaked(secrets(people), told)
    assert not [label for label in ("Ada's", "Bo's", "Cy's") if label in told]


def test_every_shape_of_personal_data_has_a_name():
    """What is made up is named, whatever is recognised."""
    assert set(PLURALS) == set(get_args(Shape))
