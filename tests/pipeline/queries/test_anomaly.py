"""Anomaly scores: what stands out is found, with its reason, whatever stands beside it."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from pipeline.errors import DamagedError, TableError
from pipeline.queries.anomaly import SCORES
from pipeline.queries.likelihood import DRAWS
from pipeline.queries.scorer import WEIGHTS
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.statistics.thresholds import ScoreSettings
from pipeline.synthesizer import Synthesizer

ROWS = 2000


def people(rows: int, seed: int) -> pa.Table:
    """`job` decides `pay`, `total` is `pay` + `extra`; `age` is independent."""
    random = np.random.default_rng(seed)
    job = random.choice(["clerk", "nurse", "pilot"], rows, p=[0.5, 0.3, 0.2])
    pay = np.select([job == "clerk", job == "nurse"], [2000, 5000], 9000) + random.integers(0, 800, rows)
    extra = random.integers(0, 300, rows)
    age = random.normal(45, 8, rows).round(1)
    return pa.table({"job": job, "pay": pay, "extra": extra, "total": pay + extra, "age": age})


@pytest.fixture(scope="module")
def model(training: None) -> Synthesizer:
    """A model of people."""
    settings = ModelSettings(width=64, hidden=32, components=32)
    return Synthesizer.fit(
        people(ROWS, 0), model=settings, training=TrainingSettings(epochs=25, device="cpu", rate=4e-3)
    )


def changed(table: pa.Table, **values: object) -> pa.Table:
    """The table with other values in some columns."""
    for name, value in values.items():
        place = table.column_names.index(name)
        array = pa.array([value] * table.num_rows, table.schema.field(name).type)
        table = table.set_column(place, table.schema.field(name), array)
    return table


def reasons(scores: pa.Table) -> list[str]:
    """The first reason of each row, if there is one."""
    return [found[0]["column"] if found else "" for found in scores["reasons"].to_pylist()]


def test_scores_have_one_form(model):
    """There is a row for each given row, in the documented columns and types. No row given, none returned."""
    table = people(50, 1)
    assert model.score(table).schema.equals(SCORES)
    assert model.score(table).num_rows == 50
    assert model.score(table.slice(0, 0)).num_rows == 0


def test_false_alarms_are_as_rare_as_asked(model):
    """Of new rows of the same law, about the given share is taken for anomalies.

    With 100 known rows, the share of 0.05 has a standard error of 0.022: 0.002 to 0.13 fails once in a thousand.
    """
    found = model.score(people(3000, 2), ScoreSettings(false_alarms=0.05))["anomaly"].to_numpy()
    assert 0.002 < found.mean() < 0.13


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"age": 150.0}, "age"),
        ({"job": "queen"}, "job"),
        ({"age": None}, "age"),
        ({"job": "clerk", "pay": 9100, "extra": 100, "total": 9200}, "job|pay|total"),
        ({"total": 5}, "total"),
    ],
    ids=["beyond the range", "an unseen label", "a null where there is none", "no such pair", "a broken sum"],
)
def test_what_is_strange_is_found_with_its_reason(model, values, reason):
    """A changed cell makes nearly every row an anomaly, and its column comes first."""
    scores = model.score(changed(people(40, 3), **values))
    assert scores["anomaly"].to_numpy().mean() > 0.9
    assert np.mean([found in reason.split("|") and found != "" for found in reasons(scores)]) > 0.8


def test_shares_are_parts_of_a_whole(model):
    """Rows that are no anomaly have no reasons; others at most three, falling, with shares of at most one together."""
    scores = model.score(changed(people(30, 4), age=150.0)).to_pylist() + model.score(people(200, 4)).to_pylist()
    for row in scores:
        shares = [reason["share"] for reason in row["reasons"]]
        assert bool(shares) == row["anomaly"]
        assert len(shares) <= 3
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1 + 1e-9


def test_expected_values_are_the_models(model):
    """A sum is expected to be the sum of its row; a label is expected to be one that goes with the pay."""
    table = people(20, 5)
    scores = model.score(changed(table, total=5)).to_pylist()
    sums = {row["reasons"][0]["expected"] for row in scores if row["reasons"][0]["column"] == "total"}
    assert sums <= {str(total) for total in table["total"].to_pylist()}
    odd = model.score(changed(people(40, 6), job="clerk", pay=9100, extra=100, total=9200)).to_pylist()
    jobs = [reason["expected"] for row in odd for reason in row["reasons"] if reason["column"] == "job"]
    assert jobs.count("pilot") > 0.7 * max(len(jobs), 1)


def test_a_score_is_a_function_of_the_row(model):
    """Other rows, their order and their number change nothing in a row's score."""
    table = people(300, 7)
    whole = model.score(table)["anomaly_score"].to_numpy()
    order = np.random.default_rng(0).permutation(300)[:50]
    some = model.score(table.take(pa.array(order)))["anomaly_score"].to_numpy()
    np.testing.assert_allclose(some, whole[order], rtol=1e-3, atol=1e-3)


def test_dependence_is_seen(model):
    """Rows whose cells are exchanged are told from others, although every value is ordinary."""
    table = people(600, 8)
    odd = table.set_column(0, "job", pa.array(np.random.default_rng(1).permutation(table["job"].to_numpy())))
    unlike = np.array([a != b for a, b in zip(odd["job"].to_pylist(), table["job"].to_pylist(), strict=True)])
    scores = np.concatenate(
        [model.score(part)["anomaly_score"].to_numpy() for part in (table, odd.filter(pa.array(unlike)))]
    )
    assert roc_auc_score(np.repeat([0, 1], [600, unlike.sum()]), scores) > 0.95


def test_the_bound_is_the_importance_weighted_one(model):
    """On the same rows, the mean lies between the ELBO and the bound with more draws, as its order says."""
    table = people(500, 9)
    report = model.elbo(table)
    assert DRAWS < 100
    mean = model.score(table)["log_likelihood"].to_numpy().mean()
    assert report.elbo - 0.3 < mean < report.importance_weighted + 0.3


def test_rows_that_come_back_badly_have_a_large_error(model):
    """The reconstruction error of rows beyond the range is larger than that of ordinary rows."""
    ordinary = model.score(people(200, 10))["reconstruction_error"].to_numpy()
    odd = model.score(changed(people(200, 10), age=150.0))["reconstruction_error"].to_numpy()
    assert np.median(odd) > np.quantile(ordinary, 0.95)


def test_contaminants_are_not_learned(training):
    """A cluster of anomalies in the training rows is still found: three in a hundred rows, with AUROC above .95."""
    table = people(1500, 11)
    odd = changed(people(45, 12), job="clerk", pay=30_000, extra=299, total=30_299, age=99.0)
    both = pa.concat_tables([table, odd])
    model = Synthesizer.fit(both, training=TrainingSettings(epochs=15, device="cpu", rate=4e-3))
    scores = model.score(both)["anomaly_score"].to_numpy()
    assert roc_auc_score(np.repeat([0, 1], [1500, 45]), scores) > 0.95


def test_thresholds(model):
    """A quantile takes that share of the given rows; a robust z counts deviations from the median of known rows."""
    table = people(1000, 13)
    assert model.score(table, ScoreSettings(quantile=0.9))["anomaly"].to_numpy().sum() == pytest.approx(100, abs=5)
    known = model.fitted.ordinary
    found = model.score(table, ScoreSettings(robust_z=2.0))
    expected = found["anomaly_score"].to_numpy() >= known.centre + 2 * known.spread
    np.testing.assert_array_equal(found["anomaly"].to_numpy(), expected)


@pytest.mark.parametrize("given", [{"false_alarms": 0}, {"false_alarms": 1.0}, {"quantile": 1.5}, {"robust_z": -1}])
def test_thresholds_outside_their_range_are_refused(given):
    """A level that cannot be is refused, and so are two thresholds."""
    with pytest.raises(ValidationError):
        ScoreSettings(**given)
    with pytest.raises(ValidationError, match="one threshold"):
        ScoreSettings(false_alarms=0.1, quantile=0.9)


def test_frames_come_back_as_they_were_given(training):
    """A model of a pandas frame answers with one. Other columns are ignored, a missing one is named."""
    frame = people(400, 14).to_pandas()
    model = Synthesizer.fit(frame, training=TrainingSettings(epochs=1, device="cpu"))
    found = model.score(frame.assign(more=1))
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == SCORES.names
    with pytest.raises(TableError, match="'age'"):
        model.score(frame.drop(columns="age"))


def test_saved_models_score_alike_and_hold_no_row(model, tmp_path):
    """A loaded model gives the same scores. Only laws of scores are saved: no value of a row, and no z."""
    model.save(tmp_path)
    table = people(100, 15)
    assert Synthesizer.load(tmp_path).score(table).equals(model.score(table))
    kept = json.loads((tmp_path / "synthesizer.json").read_text())["ordinary"]
    assert set(kept) == {"views", "scores", "centre", "spread"}
    assert set(kept["views"]) == set(WEIGHTS)


@pytest.mark.parametrize(
    "broken",
    [
        lambda kept: kept["views"].pop("rarity"),
        lambda kept: kept["views"].update(other=kept["scores"]),
        lambda kept: kept.update(spread=0),
        lambda kept: kept["scores"].update(values=[]),
    ],
    ids=["a view less", "a view more", "no spread", "no values"],
)
def test_laws_that_no_model_has_are_refused(model, tmp_path, broken):
    """A model whose laws are damaged is not loaded."""
    model.save(tmp_path)
    file = tmp_path / "synthesizer.json"
    content = json.loads(file.read_text())
    broken(content["ordinary"])
    file.write_text(json.dumps(content))
    with pytest.raises(DamagedError):
        Synthesizer.load(tmp_path)


def test_a_table_without_a_network_is_scored():
    """Constants alone: a row that differs is strange, another is not, and there is no likelihood."""
    model = Synthesizer.fit(pa.table({"a": ["x"] * 200, "b": [1.0] * 200}))
    found = model.score(pa.table({"a": ["x", "y"], "b": [1.0, 7.0]})).to_pylist()
    assert not found[0]["anomaly"]
    assert found[1]["anomaly"]
    assert found[0]["log_likelihood"] is None
