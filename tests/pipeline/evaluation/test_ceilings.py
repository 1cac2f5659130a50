"""Ceilings that mean nothing: their cause is named, and the rest is scored without it."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import infer
from pipeline.data.tables import split
from pipeline.evaluation import Evaluation, evaluate
from pipeline.evaluation.detection import two_sample
from pipeline.evaluation.views import views
from pipeline.schema import ColumnSettings
from pipeline.settings import EvaluationSettings


def customers(rows: int, seed: int = 0) -> pa.Table:
    """A note that never repeats, an e-mail that hardly does, a town that does, and two numbers that go together."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    return pa.table(
        {
            "mail": [f"customer{i}@example.org" for i in rng.integers(0, rows * 7 // 10, rows)],
            "note": [f"called about order {i}" for i in rng.permutation(10 * rows)[:rows]],
            "town": rng.choice(["Ulm", "Lyon", "Siena", "Vigo"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "age": age,
            "income": np.round(age * 800 + rng.lognormal(8, 1, rows)),
        }
    )


def judged(table: pa.Table, synthetic: pa.Table | None = None, **parts: pa.Table) -> Evaluation:
    """Rows of the training part, or others, against the hold-out; texts are taken for labels."""
    train, _, holdout = split(table)
    train, holdout = parts.get("train", train), parts.get("holdout", holdout)
    labels = {name: ColumnSettings(kind="categorical") for name in ("mail", "note") if name in table.column_names}
    return evaluate(
        synthetic if synthetic is not None else train,
        holdout=holdout,
        train=train,
        schema=infer(table, labels),
        settings=EvaluationSettings(detection_rows=1000, distance_rows=100, permutations=20),
        seed=0,
    )


def test_rare_labels_tell_nothing_of_real_rows():
    """Labels that occur once or twice do not separate two real samples (the AUC was 1 when ranks leaked)."""
    table = customers(1600)
    labels = {name: ColumnSettings(kind="categorical") for name in ("mail", "note")}
    both = views((table.slice(0, 800), table.slice(800)), infer(table, labels))
    found = two_sample(*(view.without(["town", "age", "income"]) for view in both), np.random.default_rng(0))
    assert abs(found.auc - 0.5) < 0.06


@pytest.mark.parametrize("rows", [400, 4000])
def test_labels_that_hardly_repeat_are_named_and_left_out(rows):
    """E-mail and note are left out by name, and the ceilings of the other columns are sound."""
    found = judged(customers(rows))
    assert [(out.column, out.reason) for out in found.left_out] == [("mail", "labels"), ("note", "labels")]
    assert found.left_out[1].size == 1
    assert found.flaw is None
    assert {column.name for column in found.columns} == {"town", "age", "income"}
    assert found["c2st"].ceiling > 0.85
    assert found["shape_error"].ceiling < 2 / np.sqrt(found.holdout_rows)
    assert "100% of the held-out rows have a label there that no training row has" in found.remarks[1]


@pytest.mark.parametrize("rows", [25, 60, 300])
def test_small_tables_lose_no_column_by_chance(rows):
    """Labels that repeat a few times only are compared in a table of any size."""
    table = customers(rows).drop_columns(["mail", "note"])
    table = table.append_column(
        "code", pa.array([f"c{i}" for i in np.random.default_rng(1).integers(0, rows // 5, rows)])
    )
    found = judged(table)
    assert found.left_out == ()
    assert found.flaw is None


def test_a_column_in_which_real_rows_differ_is_named():
    """Held-out rows of a later time are told apart by the time alone. It is left out, and the others are compared."""
    table = customers(3000).drop_columns(["mail", "note"])
    table = table.append_column("hour", pa.array(np.arange(3000) + 0.5))
    found = judged(table, train=table.slice(0, 2000), holdout=table.slice(2000))
    assert [(out.column, out.reason) for out in found.left_out] == [("hour", "real rows")]
    assert found.left_out[0].size > 0.99
    assert found["c2st"].ceiling > 0.85
    assert found.flaw is None


def test_nothing_left_to_compare_is_a_flaw():
    """If every column is left out, the evaluation has a flaw that says so."""
    found = judged(customers(1000).select(["mail", "note"]))
    assert len(found.left_out) == 2
    assert "no column is left" in found.flaw
    assert found.remarks[0] == found.flaw


def test_real_rows_that_differ_by_columns_together_are_a_flaw():
    """The product of three signs is positive in training and free in the hold-out, so no single column is left out."""
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (3, 3000))
    signs[2, :2000] = signs[0, :2000] * signs[1, :2000]
    table = pa.table(dict(zip("abc", signs, strict=True)))
    found = judged(table, train=table.slice(0, 2000), holdout=table.slice(2000))
    assert found.left_out == ()
    assert "several columns together" in found.flaw
