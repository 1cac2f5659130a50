"""Dependence: found where there is any, and not by chance."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import infer
from pipeline.evaluation import Dependence
from pipeline.evaluation.dependence import dependence
from pipeline.evaluation.views import views


def judged(table: pa.Table, seed: int = 0) -> Dependence:
    """The evidence in a table."""
    return dependence(views([table], infer(table))[0], np.random.default_rng(seed))


def independent(rows: int, rng: np.random.Generator) -> pa.Table:
    """Heavy tails, rare labels, a rare flag, nulls: every column by itself."""
    return pa.table(
        {
            "x": rng.normal(size=rows),
            "y": pa.array(rng.lognormal(0, 2, rows), mask=rng.random(rows) < 0.2),
            "c": rng.choice(["a", "b", "c", "rare"], rows, p=[0.6, 0.3, 0.08, 0.02]),
            "flag": rng.random(rows) < 0.1,
        }
    )


def test_independent_columns_show_none():
    """None of 8 independent tables of each size shows dependence (by pairs, a thousandth may)."""
    rng = np.random.default_rng(0)
    assert [judged(independent(rows, rng), i).found for rows in (30, 200, 1000) for i in range(8)] == [False] * 24


def test_a_pair_is_found_and_named():
    """A label that follows a number, and nulls that follow a label."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=500)
    table = pa.table({"x": x, "noise": rng.normal(size=500), "c": np.where(x + rng.normal(size=500) > 0, "up", "down")})
    found = judged(table)
    assert found.found
    assert "columns 'x' and 'c' depend on each other" in found.text
    label = rng.choice(["a", "b"], 500)
    empty = pa.array(rng.normal(size=500), mask=(label == "a") & (rng.random(500) < 0.5))
    assert judged(pa.table({"c": label, "y": empty})).found


def test_what_pairs_do_not_show_is_found():
    """Three signs whose product is positive: only the classifier can see that."""
    a, b = np.random.default_rng(2).choice([-1.0, 1.0], (2, 3000))
    found = judged(pa.table({"a": a, "b": b, "c": a * b}))
    assert found.found
    assert "a classifier tells rows" in found.text


@pytest.mark.parametrize(
    "columns",
    [{"x": np.arange(60) / 7}, {"x": np.zeros(60), "c": ["same"] * 60}, {"id": [f"u-{i}" for i in range(60)]}],
)
def test_one_column_and_constants_depend_on_nothing(columns):
    """If no two columns vary, nothing is found, and nothing fails."""
    assert not judged(pa.table(columns)).found
