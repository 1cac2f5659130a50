"""Relations that hold in the real rows: found, kept in every generated row, and left alone where there are none."""

import numpy as np
import pyarrow as pa
import pytest
import related

from pipeline import PrivacySettings, RelationSettings, Synthesizer, TrainingSettings, columns
from pipeline.errors import DamagedError, SchemaError, SettingsError
from pipeline.relations import Relations
from pipeline.relations.bands import Band
from pipeline.relations.base import Following
from pipeline.relations.search import find

FOUND = {
    "orders": {
        "quantity again = quantity",
        "due in cents = 100 · due",
        "due = amount + freight + fee",
        "VAT = 0.07 · price",
        "amount = quantity × price",
    },
    "stays": {
        "pay by = came + days to pay (days)",
        "age = time from born to came, each year of 365.25 days",
        "month = month of came",
        "went ≥ came",
        "done ≥ call",
    },
    "ranges": {
        "grade follows from the range of score",
        "has paid follows from the range of paid",
        "tier follows from the range of points",
    },
    "places": {
        "region follows from town",
        "country follows from region",
        "product follows from list price",
        "at most one of red, green, blue, black",
        "died is null exactly where dead says so",
        "cause is null exactly where dead says so",
    },
}


def searched(table: pa.Table, least_rows: int = 5) -> Relations:
    """The relations of a table."""
    return find(table, columns.infer(table, privacy=PrivacySettings(least_rows=least_rows)))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("seed", [3, 4, 100])
def test_relations_are_found_and_reversible(name: str, seed: int) -> None:
    """What was put into a table is found, no real row breaks it, and the table comes back from its free columns."""
    table = getattr(related, name)(4_000, seed)
    found = searched(table, least_rows=1)
    assert FOUND[name] <= {relation.text for relation in found}
    assert not found.broken(table).any()
    assert all(relation.support > 500 for relation in found)
    free = found.free(table)
    assert free.schema.equals(found.free_schema.arrow)
    back = found.bind(free)
    assert back.schema.equals(table.schema)
    for column in table.column_names:
        if column == "VAT":  # a half may be rounded either way
            assert np.abs(back[column].to_numpy() - table[column].to_numpy()).max() < 0.0101
        else:
            assert back[column].to_pylist() == table[column].to_pylist()


@pytest.mark.parametrize("name", FOUND)
def test_every_generated_row_keeps_them(name: str, training: None) -> None:
    """After a training of one epoch, no row of 100,000 breaks anything that holds in all real rows."""
    table = getattr(related, name)(3_000, 11)
    synthesizer = Synthesizer.fit(table, training=TrainingSettings(epochs=1), seed=0)
    made = synthesizer.table(100_000, seed=1)
    assert related.broken(table, table) == dict.fromkeys(related.broken(table, table), 0.0)
    assert related.broken(made, table) == dict.fromkeys(related.broken(made, table), 0.0)
    some = synthesizer.table(300, seed=1, start=8_000)
    assert (
        some.equals(made.slice(8_000, 300).combine_chunks()) or some.to_pylist() == made.slice(8_000, 300).to_pylist()
    )


def test_durations_have_their_own_distribution(training: None) -> None:
    """The days between two dates are distributed as in the real rows, to within a few percent of the rows."""
    table = related.stays(3_000, 5)
    made = Synthesizer.fit(table, training=TrainingSettings(epochs=4), seed=0).table(20_000)
    stays = [
        np.bincount((t["went"].to_numpy() - t["came"].to_numpy()).astype("timedelta64[D]").astype(int), minlength=61)
        / len(t)
        for t in (table, made)
    ]
    assert np.abs(stays[0] - stays[1]).sum() / 2 < 0.06


@pytest.mark.parametrize("seed", range(5))
def test_columns_without_relations_get_none(seed: int) -> None:
    """Thirty columns that are drawn independently of each other have no relation; ten false ones in 1,000 by chance."""
    assert [relation.text for relation in searched(related.unrelated(3_000, seed))] == []


@pytest.mark.parametrize("rows", [0, 1, 5, 19, 60])
def test_few_rows_prove_little(rows: int) -> None:
    """In a few rows of independent columns nothing is taken for exact."""
    assert [relation.text for relation in searched(related.unrelated(rows, 7, 18))] == []


def test_a_total_follows_from_its_parts_in_any_sample() -> None:
    """The total is the target, and not a part that varies as much, so that a part may be a product."""
    for seed in range(30):
        texts = {relation.text for relation in searched(related.orders(1_500, seed))}
        assert {"due = amount + freight + fee", "amount = quantity × price"} <= texts


def test_nothing_is_known_between_two_bands() -> None:
    """More rows of the same law break no band, although labels change at values that no row had."""
    every = searched(related.ranges(2_000, 3))
    found = Relations(every.schema, [relation for relation in every if isinstance(relation, Band)])
    assert len(found) == 3
    assert not found.broken(related.ranges(20_000, 4)).any()
    wrong = related.ranges(2_000, 5)
    wrong = wrong.set_column(3, "has paid", pa.array(~wrong["has paid"].to_numpy()))
    assert found.broken(wrong).any(axis=1).sum() == 1


def test_one_broken_row_is_enough() -> None:
    """What a single row of many breaks is no relation."""
    table = related.orders(4_000, 2)
    due = table["due"].to_numpy().copy()
    due[3_333] += 0.01
    found = searched(table.set_column(5, "due", pa.array(due)))
    computed = [relation for relation in found if isinstance(relation, Following)]
    assert not any("due" in {relation.target, *relation.sources} for relation in computed)


def test_relations_can_be_switched_off() -> None:
    """One by its text, or all of them."""
    table = related.orders(2_000, 1)
    schema = columns.infer(table)
    off = find(table, schema, RelationSettings(off=("quantity again = quantity",)))
    assert "quantity again = quantity" not in {relation.text for relation in off}
    assert len(off) > 2
    assert len(find(table, schema, RelationSettings(find=False))) == 0


def test_what_is_withheld_does_not_come_back_by_a_relation() -> None:
    """A region of two rows is withheld with its town, and the saved lookup does not hold it."""
    table = related.places(3_000, 3)
    town = ["secret town" if i < 2 else value for i, value in enumerate(table["town"].to_pylist())]
    region = ["secret region" if i < 2 else value for i, value in enumerate(table["region"].to_pylist())]
    table = table.set_column(0, "town", pa.array(town)).set_column(1, "region", pa.array(region))
    fitted = Synthesizer.fit(table, training=TrainingSettings(epochs=1)).fitted
    assert "secret" not in "".join(relation.model_dump_json() for relation in fitted.relations)


def test_saved_relations_are_checked() -> None:
    """Relations come back from JSON, and others are refused."""
    table = related.places(2_000, 3)
    found = searched(table)
    states = [relation.model_dump(mode="json") for relation in found]
    again = Relations.load(columns.infer(table), states)
    assert again.found == found.found
    for damaged in ([{"kind": "sum"}], [states[0] | {"target": "nobody"}], ["x"], [states[0], states[0]]):
        with pytest.raises(DamagedError):
            Relations.load(columns.infer(table), damaged)


def test_a_warm_start_keeps_relations_learns_new_entries_and_refuses_broken_ones(training: None) -> None:
    """A new town with its region is learned. A town in another region is refused in one line."""
    table, brief = related.places(2_500, 3), TrainingSettings(epochs=1)
    champion = Synthesizer.fit(table, training=brief)
    names = table["town"].to_pylist()
    new = table.set_column(0, "town", pa.array(["new town"] * 60 + names[60:]))
    region = table["region"].to_pylist()
    new = new.set_column(1, "region", pa.array([region[70]] * 60 + region[60:]))
    country = table["country"].to_pylist()
    new = new.set_column(2, "country", pa.array([country[70]] * 60 + country[60:]).dictionary_encode())
    grown = Synthesizer.fit(new, training=brief, champion=champion)
    assert "new town" in grown.table(20_000)["town"].to_pylist()
    assert champion.strange(new) == ("town",)
    odd = table.set_column(1, "region", pa.array(["region 99"] * 60 + region[60:]))
    odd = odd.set_column(0, "town", pa.array(["new town"] * 60 + names[60:]))
    assert champion.strange(odd) == ("town", "region")
    with pytest.raises(SchemaError, match="column 'region': expected known labels only, got 1 new ones"):
        Synthesizer.fit(odd, training=brief, champion=champion, novel="refuse")
    moved = table.set_column(1, "region", pa.array(["region 99"] * 9 + region[9:]))
    with pytest.raises(SchemaError, match="rows that break region follows from town"):
        Synthesizer.fit(moved, training=brief, champion=champion)
    shares = {relation.text: share for relation, share in champion.broken(moved)}
    assert shares["region follows from town"] == pytest.approx(9 / 2_500)


def test_declared_rules_hold_in_every_row(training: None) -> None:
    """Rules that a model breaks now and then are kept by drawing again, and the first rows stay the first rows."""
    random = np.random.default_rng(4)
    low = np.round(random.normal(10, 3, 3_000), 1)
    table = pa.table({"low": low, "high": np.round(low + random.gamma(2, 2, 3_000), 1), "share": random.random(3_000)})
    settings = RelationSettings(find=False, rules=("high >= low", "share * 10 < high + 12"))
    synthesizer = Synthesizer.fit(table, training=TrainingSettings(epochs=1), relations=settings)
    plain = Synthesizer.fit(table, training=TrainingSettings(epochs=1), relations=RelationSettings(find=False))
    made, loose = synthesizer.table(40_000), plain.table(40_000)
    assert (loose["high"].to_numpy() < loose["low"].to_numpy()).mean() > 0.01
    assert (made["high"].to_numpy() >= made["low"].to_numpy()).all()
    assert (made["share"].to_numpy() * 10 < made["high"].to_numpy() + 12).all()
    assert synthesizer.table(100, start=9_000).to_pylist() == made.slice(9_000, 100).to_pylist()


def test_a_rule_that_real_rows_break_is_refused_without_their_values() -> None:
    """The line names the rule, the share of the rows and a row's number."""
    table = pa.table({"low": [1.5, 2.5, 77.25, 4.5] * 50, "high": [3.0] * 200})
    with pytest.raises(SettingsError, match="high >= low") as refused:
        Synthesizer.fit(table, relations=RelationSettings(rules=("high >= low",)))
    assert "50" in str(refused.value)
    assert "77.25" not in str(refused.value)
    with pytest.raises(SettingsError, match="nobody"):
        Synthesizer.fit(table, relations=RelationSettings(rules=("nobody > low",)))
