"""Pairs of labels that never occur although both are frequent, and those that chance leaves out."""

import numpy as np
import pyarrow as pa
import related

from pipeline import Synthesizer, TrainingSettings, columns
from pipeline.relations import Relations
from pipeline.relations.pairs import Never
from pipeline.relations.search import find


def people(rows: int, seed: int) -> pa.Table:
    """Nobody under age is married, and no man is pregnant; otherwise columns are independent."""
    random = np.random.default_rng(seed)
    age, sex = random.choice(["child", "adult", "old"], rows), random.choice(["f", "m"], rows)
    status = np.where(age == "child", "single", random.choice(["single", "married"], rows))
    pregnant = np.where((sex == "f") & (age == "adult"), random.choice(["yes", "no"], rows, p=[0.2, 0.8]), "no")
    colour = np.char.add("c", random.integers(0, 40, rows).astype(str))
    return pa.table({"age": age, "sex": sex, "status": status, "pregnant": pregnant, "colour": colour})


def searched(table: pa.Table) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table))


def test_impossible_pairs_are_found_and_never_made() -> None:
    """The four impossible pairs are found, no other, and no generated row has one."""
    table = people(4_000, 3)
    (never,) = [relation for relation in searched(table) if isinstance(relation, Never)]
    pairs = {
        frozenset({(never.names[a], never.known[a][i]), (never.names[b], never.known[b][j])})
        for (a, i), (b, j) in never.never
    }
    assert pairs == {
        frozenset({("age", "child"), ("status", "married")}),
        frozenset({("sex", "m"), ("pregnant", "yes")}),
        frozenset({("age", "child"), ("pregnant", "yes")}),
        frozenset({("age", "old"), ("pregnant", "yes")}),
    }
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).table(50_000).to_pydict()
    rows = list(zip(made["age"], made["sex"], made["status"], made["pregnant"], strict=True))
    assert not any(status == "married" and age == "child" for age, _, status, _ in rows)
    assert not any(pregnant == "yes" and (sex == "m" or age != "adult") for age, sex, _, pregnant in rows)


def test_pairs_that_chance_leaves_out_are_none() -> None:
    """Independent labels, frequent and rare ones, bar nothing in twenty tables; one in 1,000 may by chance."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        rare = random.zipf(1.6, 3_000).clip(max=60).astype(str)
        table = pa.table(
            {"a": rare, "b": random.permutation(rare), "c": random.choice(["x", "y"], 3_000, p=[0.99, 0.01])}
        )
        assert not [relation for relation in searched(table) if isinstance(relation, Never)]


def test_triples_that_no_row_has_are_never_made() -> None:
    """Of five combinations of three labels every pair occurs elsewhere, so only triples tell what is missing."""
    random = np.random.default_rng(8)
    sold = np.array(["rst", "rsu", "wst", "wxu", "ryu", "wyt"])[random.integers(0, 6, 4_000)]
    table = pa.table(
        {**{f"part {i}": [text[i] for text in sold] for i in range(3)}, "other": random.choice(list("abcd"), 4_000)}
    )
    (never,) = [relation for relation in searched(table) if isinstance(relation, Never)]
    assert any(len(cell) == 3 for cell in never.never)
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).table(50_000)
    whole = {"".join(row) for row in zip(*(made[f"part {i}"].to_pylist() for i in range(3)), strict=True)}
    assert whole == set(sold.tolist())
    assert set(made["other"].to_pylist()) == set("abcd")


def test_null_is_a_label() -> None:
    """A value that is missing for one label only is a pair too."""
    table = related.places(3_000, 5)
    random = np.random.default_rng(1)
    size = pa.array(
        table["size"].to_pylist(), mask=np.isin(table["product"].to_pylist(), ["p1"]) | (random.random(3_000) < 0.1)
    )
    kept = pa.table({"product": table["product"], "size": size})
    (never,) = [relation for relation in searched(kept) if isinstance(relation, Never)]
    assert {never.known[a][i] for (a, i), _ in never.never} == {"p1"}
    assert Relations.load(columns.infer(kept), [never.model_dump(mode="json")]).found == (never,)
