"""Drift: silent where nothing changed, and naming what did."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.columns import infer
from pipeline.drift import DriftReport, DriftSettings, compare
from pipeline.profile import Profile

ADULT = pq.read_table(Path(__file__).parents[2] / "data" / "adult_test.parquet")
SCHEMA = infer(ADULT)
REFERENCE = Profile.of(ADULT.slice(0, 10_000), SCHEMA)
BATCH = ADULT.slice(10_000, 4000)
STATISTICS_ONLY = DriftSettings(values=0, nulls=0, labels=0, correlation=0)


def against_reference(batch: pa.Table) -> DriftReport:
    """The verdict on a batch."""
    return compare(REFERENCE, Profile.of(batch, infer(batch)), DriftSettings())


def replaced(name: str, values) -> pa.Table:
    """The batch with one column replaced."""
    return BATCH.set_column(BATCH.column_names.index(name), name, pa.array(values))


def test_no_alarm_without_drift():
    """Of 200 comparisons of two halves of a table at 10 % false alarms, without floors, few raise one.

    The expected share is at most a tenth; more than 18 % would occur once in 3,000 runs.
    """
    rng = np.random.default_rng(0)
    settings = STATISTICS_ONLY.model_copy(update={"false_alarms": 0.1})
    alarms = 0
    for _ in range(200):
        x, group = rng.lognormal(0, 2, (2, 800)), rng.choice(["a", "b", "c", "rare"], 800, p=[0.5, 0.3, 0.19, 0.01])
        table = pa.table({"x": x[0], "y": x[1], "c": group, "n": np.where(rng.random(800) < 0.1, np.nan, x[0])})
        schema = infer(table)
        halves = Profile.of(table.slice(0, 500), schema), Profile.of(table.slice(500), schema)
        alarms += compare(*halves, settings).drifted
    assert alarms <= 36


@pytest.mark.parametrize("rows", [60, 500, 4000])
def test_other_real_rows_have_not_drifted(rows):
    """Batches of any size from the same population pass (false failure: 1e-3 each)."""
    report = against_reference(ADULT.slice(10_000, rows))
    assert not report.drifted
    assert (report.reference_rows, report.rows) == (10_000, rows)


def test_a_shift_is_found_and_measured():
    """Everyone ten years older: the first finding is age, with the size of the shift's KS distance."""
    ages = BATCH["age"].to_numpy() + 10
    report = against_reference(replaced("age", ages))
    before = np.sort(ADULT["age"].to_numpy()[:10_000])
    grid = np.arange(0, 120)
    expected = np.abs(
        np.searchsorted(before, grid, side="right") / 10_000
        - np.searchsorted(np.sort(ages), grid, side="right") / len(ages)
    ).max()
    first = report.findings[0]
    assert (first.column, first.what, first.drifted) == ("age", "values", True)
    assert first.size == pytest.approx(expected, abs=1e-9)


def test_nulls_are_found():
    """One value in twenty lost is drift of the nulls and not of the values."""
    hours = [None if i % 20 == 0 else v for i, v in enumerate(BATCH["hours-per-week"].to_pylist())]
    drifted = [f for f in against_reference(replaced("hours-per-week", hours)).findings if f.drifted]
    assert [(f.column, f.what) for f in drifted] == [("hours-per-week", "nulls")]
    assert drifted[0].size == pytest.approx(0.05)


def test_new_and_lost_labels_are_found():
    """A label that is renamed for a third of the rows is both new and lost, and is not quoted."""
    sex = ["Secret" if v == "Female" else v for v in BATCH["sex"].to_pylist()]
    report = against_reference(replaced("sex", sex))
    found = {f.what for f in report.findings if f.drifted and f.column == "sex"}
    assert found == {"values", "new labels", "lost labels"}
    assert all("Secret" not in f.text and "Female" not in f.text for f in report.findings)


def test_rare_labels_that_appear_by_chance_are_no_drift():
    """A column of a thousand labels, most of them rare, always brings some unseen ones."""
    rng = np.random.default_rng(1)
    labels = [f"v{i}" for i in np.minimum(rng.zipf(1.6, 3000), 1000)]
    table = pa.table({"c": labels, "x": rng.normal(size=3000)})
    schema = infer(table)
    assert not compare(
        Profile.of(table.slice(0, 2000), schema), Profile.of(table.slice(2000), schema), DriftSettings()
    ).drifted


def test_lost_dependence_is_found():
    """Columns with the same marginals and no correlation any more."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    table = pa.table({"x": x, "y": x + rng.normal(0, 0.5, 3000)})
    schema = infer(table)
    broken = pa.table({"x": x, "y": rng.permutation(table["y"].to_numpy())})
    drifted = [
        f for f in compare(Profile.of(table, schema), Profile.of(broken, schema), DriftSettings()).findings if f.drifted
    ]
    assert [(f.column, f.what) for f in drifted] == [("x × y", "correlation")]
    assert drifted[0].size == pytest.approx(2 / np.sqrt(5), abs=0.05)


def test_other_columns_are_named():
    """A missing, a new and a retyped column are drift, and do not stop the comparison of the others."""
    batch = replaced("age", [str(v) for v in BATCH["age"].to_pylist()]).drop_columns(["race"])
    batch = batch.append_column("extra", BATCH["fnlwgt"])
    report = against_reference(batch)
    assert {f.column for f in report.findings if f.what == "schema"} == {"age", "race", "extra"}
    assert "the column is missing" in next(f.text for f in report.findings if f.column == "race")
    assert any(f.column == "education" for f in report.findings)


def test_worst_first():
    """Findings are ordered by their size in units of the threshold, and the report round-trips through JSON."""
    report = against_reference(replaced("age", BATCH["age"].to_numpy() + 10))
    ratios = [f.size / f.threshold for f in report.findings]
    assert ratios == sorted(ratios, reverse=True)
    assert DriftReport.model_validate_json(report.model_dump_json()) == report
