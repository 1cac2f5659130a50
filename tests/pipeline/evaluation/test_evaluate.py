"""The whole evaluation: what it holds, what it leaves out, and that it is reproducible."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from pipeline.columns import infer
from pipeline.errors import NotFoundError, SettingsError, TableError
from pipeline.evaluation import METRICS, Evaluation, Score, evaluate
from pipeline.schema import PrivacySettings
from pipeline.settings import EvaluationSettings

ADULT = pq.read_table(Path(__file__).parents[3] / "data" / "adult_test.parquet").slice(0, 6000)
SCHEMA = infer(ADULT)
OF_ROWS = [name for name, metric in METRICS.items() if metric.area != "model" and name != "model_attack_auc"]
SMALL = EvaluationSettings(target="income", detection_rows=1500, distance_rows=400, permutations=50)


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """Right marginals, no dependence."""
    rng = np.random.default_rng(seed)
    columns = [column.take(pa.array(rng.permutation(table.num_rows))) for column in table.columns]
    return pa.table(columns, schema=table.schema)


def judged(synthetic: pa.Table, *, holdout: pa.Table, train: pa.Table, settings=SMALL) -> Evaluation:
    """The evaluation with a fixed seed."""
    schema = infer(pa.concat_tables([train, holdout]), privacy=PrivacySettings(least_rows=1))
    return evaluate(synthetic, holdout=holdout, train=train, schema=schema, settings=settings, seed=3)


@pytest.fixture(scope="module")
def honest() -> Evaluation:
    """The evaluation of other real rows."""
    return judged(ADULT.slice(3600), holdout=ADULT.slice(0, 1200), train=ADULT.slice(1200, 2400))


def test_real_rows_reach_the_ceiling(honest):
    """Other real rows score as the training rows do, in every area (seeded; margins are five times the spread)."""
    margins = {"shape_error": 0.01, "trend_error": 0.02, "c2st": 0.15, "coverage": 0.08, "utility": 0.03}
    margins |= {"precision": 0.08, "recall": 0.08, "alpha_precision": 0.12, "beta_recall": 0.12, "inception": 0.03}
    assert {name: abs(honest[name].excess) <= margin for name, margin in margins.items()} == dict.fromkeys(
        margins, True
    )
    assert honest["mmd_p"].value > 0.01
    assert honest["nearer_to_train"].low < 0.5 < honest["nearer_to_train"].high


def test_broken_rows_do_not(honest):
    """Shuffled columns keep their Shape, and all scores of whole rows become bad."""
    broken = judged(shuffled(ADULT.slice(3600), 0), holdout=ADULT.slice(0, 1200), train=ADULT.slice(1200, 2400))
    assert broken["shape_error"].excess < 0.01
    # α-precision is not among them: shuffled rows are as far from the mean
    whole = ("frechet", "mmd2", "coverage", "density", "precision", "recall", "beta_recall")
    for name in ("trend_error", *whole, "c2st", "utility", "inception"):
        assert broken[name].excess > abs(honest[name].excess) + 1e-3, name
    assert broken["mmd_p"].value == pytest.approx(1 / 51)
    assert broken["c2st"].high < 0.5
    assert {broken.pairs[0].first, broken.pairs[0].second} == {"education-num", "education"}


def test_scores_are_all_there_once_and_in_order(honest):
    """With a classified target, every score but the regression error is present. There is no model."""
    assert [s.name for s in honest.scores] == [name for name in OF_ROWS if name != "utility_rmse"]
    assert honest.rows == 2400
    assert honest.notes == ()
    assert [c.error for c in honest.columns] == sorted((c.error for c in honest.columns), reverse=True)
    assert honest["shape_error"].value == pytest.approx(np.mean([c.error for c in honest.columns]))


def test_json_round_trip(honest):
    """An evaluation comes back from JSON equal."""
    assert Evaluation.model_validate_json(honest.model_dump_json()) == honest


def test_same_seed_same_scores(honest):
    """The same tables and seed give the same evaluation."""
    again = judged(ADULT.slice(3600), holdout=ADULT.slice(0, 1200), train=ADULT.slice(1200, 2400))
    assert again == honest


def test_an_unknown_score_is_an_error(honest):
    """A score that is not there is never a default."""
    with pytest.raises(NotFoundError, match="got 'utility_rmse'"):
        honest["utility_rmse"]
    with pytest.raises(ValidationError):
        Score.of("c2st", float("nan"), 1.0)


def test_without_a_target():
    """No target, no utility, and a note."""
    found = judged(
        ADULT.slice(0, 100), holdout=ADULT.slice(100, 60), train=ADULT.slice(300, 100), settings=EvaluationSettings()
    )
    assert "utility" not in found
    assert found.notes == ("utility: not computed, no target column is named in the settings",)


ROWS = np.arange(300)
TABLES = {
    "one number": {"x": ROWS * 1.5},
    "one category": {"c": np.where(ROWS % 3, "a", "b")},
    "constant": {"x": np.zeros(300), "c": ["same"] * 300},
    "all null": {"x": pa.nulls(300, pa.float64()), "c": pa.nulls(300, pa.string()), "y": ROWS * 1.0},
    "dates": {"d": pa.array(ROWS * 86_400_000_000, pa.timestamp("us")), "b": ROWS % 2 == 0},
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("rows", [3, 20, 300])
def test_odd_tables_are_evaluated(name, rows):
    """Every score of an odd or tiny table is finite or absent with a note."""
    table = pa.table(TABLES[name]).take(pa.array(np.random.default_rng(0).permutation(300)))
    found = judged(table.slice(0, rows), holdout=table.slice(0, rows), train=table, settings=EvaluationSettings())
    assert "shape_error" in found
    assert len(found.notes) >= 1
    assert all(np.isfinite([s.value, s.ceiling]).all() for s in found.scores)


def test_twenty_rows_have_all_scores():
    """A hold-out of twenty rows still has every score."""
    found = judged(ADULT.slice(0, 180), holdout=ADULT.slice(180, 20), train=ADULT.slice(200, 180))
    assert {s.name for s in found.scores} | {"utility", "utility_rmse", "inception"} == set(OF_ROWS)


def test_an_empty_table_is_refused():
    """No rows, no evaluation."""
    with pytest.raises(TableError, match="expected at least one synthetic row"):
        judged(ADULT.slice(0, 0), holdout=ADULT.slice(0, 10), train=ADULT.slice(0, 10))


def test_an_unknown_target_is_refused():
    """The target must be a column."""
    with pytest.raises(SettingsError, match="'wage'"):
        judged(ADULT, holdout=ADULT, train=ADULT, settings=EvaluationSettings(target="wage"))
