"""Relations in a turn of the loop: withholding keeps them, and rows that break one are drift."""

import harder
import numpy as np
import pyarrow as pa
import pytest
import related

from pipeline import columns, loop
from pipeline.data.tables import split
from pipeline.decisions.policy import plan
from pipeline.errors import SettingsError
from pipeline.loop import Champion, Past
from pipeline.profiles.reference import Reference
from pipeline.relations import search
from pipeline.settings import LoopSettings, PolicySettings, RelationSettings, TrainingSettings

SETTINGS = LoopSettings(training=TrainingSettings(epochs=1), policy=PolicySettings(train="needed", growth=0.1))


@pytest.fixture(scope="module")
def champion() -> Champion:
    """Of a table of orders."""
    table = related.orders(2_500, 0)
    schema, parts = columns.infer(table), split(table)
    shown = loop.show(table, parts, schema, SETTINGS)
    synthesizer = loop.fit(shown.parts, schema, SETTINGS, champion=None, taken=table)
    return Champion(
        synthesizer, Reference.of(shown.table, schema), loop.view(synthesizer, shown.parts.holdout, SETTINGS)
    )


def test_what_is_shown_keeps_every_relation() -> None:
    """Extremes are moved in and rare labels withheld, and sums and products are still exact."""
    table = related.orders(2_500, 1)
    shown = loop.show(table, split(table), columns.infer(table), SETTINGS)
    assert shown.withheld
    assert not shown.table.equals(table)
    assert set(related.broken(shown.table, table).values()) == {0.0}
    assert {each.text for each in shown.relations.kept} >= {"due = amount + freight + fee"}
    off = SETTINGS.model_copy(update={"relations": RelationSettings(find=False)})
    assert related.broken(loop.show(table, split(table), columns.infer(table), off).table, table)["due"] > 0


@pytest.mark.parametrize("name", list(harder.TABLES))
def test_a_training_finds_the_relations_of_the_table(name: str, training: None) -> None:
    """It sees what is shown of the rows, and the same relations hold in that."""
    table = harder.TABLES[name](3_000, 8)
    shown = loop.show(table, split(table), columns.infer(table), SETTINGS)
    assert set(harder.broken(name, shown.table, table).values()) <= {0.0, 1.0}  # made-up columns are still real
    fitted = loop.fit(shown.parts, columns.infer(table), SETTINGS, champion=None, taken=table).fitted
    assert {own.text for own in shown.relations.kept} <= {own.text for own in fitted.relations.kept}


def test_a_row_with_a_rare_label_does_not_break_a_relation() -> None:
    """A town of four rows at a border takes the name of one beyond it, but its code tells its country too."""
    random = np.random.default_rng(4)
    code = random.integers(0, 2_000, 3_000)
    country = np.array(["AT", "BE", "CZ", "DK"])[code // 500]
    town = np.char.add(country, random.integers(0, 10, 3_000).astype(str)).astype("<U9")
    rare = [5, 900, 1_700, 2_400]
    code[rare], country[rare], town[rare] = 500, "BE", "rare town"
    table = pa.table({"code": code, "town": town, "country": country})
    shown = loop.show(table, split(table), columns.infer(table), SETTINGS)
    texts = {"country follows from the range of code", "country follows from town"}
    assert texts <= {each.text for each in shown.relations.kept}
    assert not shown.relations.broken(shown.table).any()
    assert "rare town" not in shown.table["town"].to_pylist()
    assert 2_996 <= shown.table.num_rows < 3_000


def test_rows_that_keep_them_are_no_drift(champion: Champion) -> None:
    """More rows of the same law raise no alarm."""
    report = loop.check(champion, related.orders(1_500, 9), SETTINGS).report
    assert not [found for found in report.findings if found.kind == "relation"]


def test_rows_that_break_one_are_drift_and_train_afresh(champion: Champion) -> None:
    """One row in a hundred with a wrong total is found, named, and keeps a training from starting at the champion."""
    table = related.orders(2_500, 9)
    due = table["due"].to_numpy().copy()
    due[::100] += 1
    table = table.set_column(5, "due", pa.array(np.round(due, 2)))
    report = loop.check(champion, table, SETTINGS).report
    (found,) = [found for found in report.findings if found.column == "due" and found.kind == "relation"]
    assert found.drifted
    assert found.size == pytest.approx(0.01)
    assert "due = amount + freight + fee: broken in 1.00% of the rows" in found.text
    past = Past(verdicts=(True,), waiting=0, age_days=1, idle_hours=99, warm_starts=0, warm_start_refused=False)
    parts, schema = split(table), columns.infer(table)
    situation = loop.situate(champion.synthesizer, past, parts, schema, SETTINGS, new_rows=2_500, drift=report)
    decided = plan(situation, SETTINGS.policy)
    assert decided.action == "retrain"
    assert any("rows break a relation: due = amount + freight + fee" in reason for reason in decided.reasons)


def test_a_held_out_row_breaks_a_relation_too() -> None:
    """What one row of the table breaks is not exact, also if no training sees that row."""
    table = related.orders(1_500, 3)
    for wrong in range(0, 1_500, 111):
        due = table["due"].to_numpy().copy()
        due[wrong] += 0.01
        odd = table.set_column(5, "due", pa.array(due))
        shown = loop.show(odd, split(odd), columns.infer(odd), SETTINGS)
        again = search.find(shown.parts.train, columns.infer(odd), every=odd)
        for relations in (shown.relations, again):
            assert "due = amount + freight + fee" not in {each.text for each in relations.kept}


def test_the_row_that_breaks_a_rule_is_told_by_its_place_in_the_table() -> None:
    """Also if it would be held out of the training."""
    table = related.orders(1_000, 3)
    settings = SETTINGS.model_copy(update={"relations": RelationSettings(rules=("fee < 100",))})
    for row in range(0, 1_000, 91):
        fee = table["fee"].to_numpy().copy()
        fee[row] = 100
        wrong = table.set_column(4, "fee", pa.array(fee))
        with pytest.raises(SettingsError, match=f"1 of 1,000 rows .* such as row {row} "):
            loop.show(wrong, split(wrong), columns.infer(wrong), settings)
