"""A turn of the loop: what is found in new rows."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns, loop
from pipeline.data.tables import split
from pipeline.loop import Champion
from pipeline.profiles.reference import Reference
from pipeline.schema import ColumnSettings, PrivacySettings
from pipeline.settings import DriftSettings, LoopSettings, ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

SETTINGS = LoopSettings(
    model=ModelSettings(width=32, hidden=32, components=8), training=TrainingSettings(epochs=5, batch=64)
)
YEAR = 365


def visits(rows: int, first: int, days: int, *, seed: int, slope: float = 1.0) -> pa.Table:
    """Two numbers that depend on each other, a label, a day and its number."""
    rng = np.random.default_rng(seed)
    x, day = rng.normal(size=rows), first + rng.integers(0, days, rows)
    y = slope * x + rng.normal(0, 0.5, rows)
    return pa.table(
        {
            "day": pa.array(day, pa.int32()).cast(pa.date32()),
            "counter": day,
            "x": np.round(x, 2),
            "y": np.round(y, 2),
            "kind": np.array(["a", "b", "c"])[rng.integers(0, 3, rows)],
        }
    )


def trained(settings: LoopSettings) -> Champion:
    """A champion of a year of visits."""
    table = visits(2500, 0, YEAR, seed=0)
    schema, parts = columns.infer(table), split(table)
    synthesizer = loop.fit(parts, schema, settings, champion=None, taken=table)
    reference = Reference.of(table, schema, ignore=settings.drift.ignore)
    return Champion(synthesizer, reference, loop.view(synthesizer, parts.holdout, settings))


IGNORING = SETTINGS.model_copy(update={"drift": DriftSettings(ignore=("counter",))})


@pytest.fixture(scope="module")
def champion() -> Champion:
    """Settings that ignore the counter."""
    return trained(IGNORING)


def test_later_days_and_ignored_counters_are_no_drift(champion):
    """Rows of the same law from the week after the training: neither the columns nor the model's view move."""
    for seed in (1, 2, 3):
        report = loop.check(champion, visits(1500, YEAR, 7, seed=seed), IGNORING).report
        assert not report.drifted, report.findings[0].text
        assert {f.what for f in report.findings if f.kind == "model"} == {"likelihood", "latent", "classifier"}


def test_the_model_would_see_the_days_move(champion):
    """If the days were not hidden from the model, it would encode the next week's rows elsewhere."""
    held, later = visits(1500, 0, YEAR, seed=4), visits(1500, YEAR, 7, seed=5)
    told = [champion.synthesizer.look(rows).mean.mean(0) for rows in (held, later)]
    away = [champion.synthesizer.look(rows, without=("day", "counter")).mean.mean(0) for rows in (held, later)]
    assert (told[0] - told[1]).abs().max() > 3 * (away[0] - away[1]).abs().max()


def test_what_changes_is_seen_by_the_model_and_by_the_classifier(champion):
    """Later rows whose columns depend on each other the other way round, each column being as before."""
    report = loop.check(champion, visits(1500, YEAR, 7, seed=6, slope=-1.0), IGNORING).report
    assert {"likelihood", "classifier"} <= {f.what for f in report.findings if f.drifted}


def test_a_column_ignored_since_the_training_silences_the_model():
    """The model's view of its hold-out included that column, so there is nothing to compare with."""
    report = loop.check(trained(SETTINGS), visits(1500, 0, YEAR, seed=7), IGNORING).report
    assert not [f for f in report.findings if f.kind == "model"]


@pytest.mark.parametrize(("rows", "asked"), [(0, set()), (5, set()), (50, {"likelihood", "latent", "classifier"})])
def test_few_rows_are_looked_at(champion, rows, asked):
    """Empty and tiny tables have a report. The model is used from fifty rows on."""
    report = loop.check(champion, visits(50, YEAR, 7, seed=8).slice(0, rows), IGNORING).report
    assert {f.what for f in report.findings if f.kind == "model"} == asked


def test_rows_that_are_told_by_chance_is_no_drift(champion):
    """A classifier may tell apart most or none of fifty rows: ten such batches raise no alarm."""
    held = loop.view(champion.synthesizer, visits(50, 0, YEAR, seed=20), IGNORING)
    for seed in range(10):
        report = loop.check(champion._replace(view=held), visits(50, YEAR, 7, seed=seed), IGNORING).report
        assert not [f for f in report.findings if f.what == "classifier" and f.drifted]


def test_a_table_of_days_alone_has_no_view():
    """Every varying column moves on with time, so the model sees nothing, and its view is empty."""
    table = visits(400, 0, YEAR, seed=9).select(["day"])
    parts = split(table)
    made = Synthesizer.fit(parts.train, parts.validation, columns.infer(table), training=TrainingSettings(epochs=1))
    view = loop.view(made, parts.holdout, SETTINGS)
    assert (view.rows, view.auc, view.without) == (0, None, ("day",))


def test_another_kind_in_the_settings_is_no_drift(champion):
    """If the settings name another kind, rows are compared as the model knows them, and the report says so."""
    other = IGNORING.model_copy(update={"columns": {"x": ColumnSettings(kind="categorical")}})
    table = visits(2500, 0, YEAR, seed=0)
    report = loop.check(champion, table, other).report
    assert report.findings == loop.check(champion, table, IGNORING).report.findings
    assert not report.drifted
    assert report.notes == (
        "column 'x' is categorical in the settings and numeric in the model: it is compared as numeric",
    )


def test_changed_privacy_settings_are_told_to_the_policy(champion):
    """Columns that are now left out, made up or shown by another rule differ in rules, not in the table."""
    table = visits(500, 0, YEAR, seed=5)
    changed = {"counter": ColumnSettings(kind="drop")}
    schema = columns.infer(table, changed, PrivacySettings(least_rows=9))
    rules = champion.synthesizer.other_rules(schema)
    assert any("'counter' is left out now" in phrase for phrase in rules)
    assert any("shared by at least 9 rows" in phrase for phrase in rules)
    assert champion.synthesizer.other_rules(columns.infer(table)) == ()
    assert champion.synthesizer.schema.differences(schema.arrow, schema.dropped) == ()
