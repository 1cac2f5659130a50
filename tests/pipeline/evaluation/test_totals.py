"""Errors of totals, against plain arithmetic, and how often chance raises them."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns import infer
from pipeline.decisions.promotion import decide
from pipeline.evaluation import Evaluation, TotalError, evaluate
from pipeline.settings import GateSettings


def money(seed: int, rows: int, *, tail: float = 1.0) -> np.ndarray:
    """Skewed money."""
    return np.round(np.random.default_rng(seed).lognormal(4, tail, rows), 2)


def judged(synthetic: pa.Table, train: pa.Table, holdout: pa.Table) -> Evaluation:
    """The totals of some rows."""
    return evaluate(synthetic, train=train, holdout=holdout, schema=infer(train), areas=["totals"], seed=0)


def test_errors_are_shares_of_the_real_size() -> None:
    """Mean, total and top are those of the definition; nulls count in the total only."""
    real, other = money(0, 4_000), money(1, 4_000) * 1.2
    gone = np.random.default_rng(2).random(4_000) < 0.25
    train, holdout = pa.table({"x": real}), pa.table({"x": money(3, 1_000)})
    found = judged(pa.table({"x": pa.array(other, mask=gone)}), train, holdout)
    (error,) = found.details["totals"]
    assert isinstance(error, TotalError)
    size, cut = np.abs(real).mean(), np.quantile(real, 0.99)
    kept = other[~gone]
    assert error.mean == pytest.approx(abs(kept.mean() - real.mean()) / size)
    assert error.total == pytest.approx(abs(kept.sum() / 4_000 - real.mean()) / size)
    assert error.top == pytest.approx(abs(kept[kept > cut].sum() - real[real > cut].sum()) / 4_000 / size)
    assert error.mean_ceiling == pytest.approx(abs(holdout["x"].to_numpy().mean() - real.mean()) / size)
    deviation = np.concatenate([real, holdout["x"].to_numpy()]).std()
    greatest = max(real.max(), kept.max(), holdout["x"].to_numpy().max())
    chance = (3 * deviation * np.sqrt(1 / 4_000 + 1 / len(kept)) + greatest / len(kept)) / size
    assert found["mean_error"].value == pytest.approx(error.mean - chance)
    assert found["mean_error"].ceiling == 0


def test_a_total_that_is_half_too_high_is_refused_whatever_the_other_columns_are() -> None:
    """One wrong column among eight is enough for the gate, which names the score."""
    columns = {f"c{i}": money(i, 3_000) for i in range(8)}
    train, holdout = pa.table(columns), pa.table({f"c{i}": money(i + 50, 800) for i in range(8)})
    right = {f"c{i}": money(i + 90, 3_000) for i in range(8)}
    wrong = right | {"c3": right["c3"] * 1.5}
    for rows, passes in ((right, True), (wrong, False)):
        found = judged(pa.table(rows), train, holdout)
        gate = GateSettings(limits={"total_error": 0.05}, active_units=0)
        decision = decide(found, None, gate)
        assert decision.promote == passes
    assert next(error.name for error in found.details["totals"]) == "c3"
    assert "total_error" in decision.reasons[0]


@pytest.mark.parametrize("tail", [0.5, 1.5, 2.0])
def test_real_rows_of_any_tail_raise_no_alarm(tail: float) -> None:
    """More real rows of the same population stay below the gate's limit in every one of 40 tables."""
    for seed in range(40):
        train, holdout, more = (
            pa.table({"x": money(seed + 1_000 * i, 2_000 - 1_500 * (i == 1), tail=tail)}) for i in range(3)
        )
        found = judged(more, train, holdout)
        assert found["total_error"].value <= GateSettings().limits["total_error"]


def test_labels_and_times_have_no_total() -> None:
    """A table without numbers has no such score, and a note says so."""
    days = pa.array(np.arange(200).astype("datetime64[D]"))
    table = pa.table({"day": days, "label": ["a", "b"] * 100, "nothing": np.zeros(200)})
    found = judged(table, table, table)
    assert found.scores == ()
    assert "no column of numbers" in found.notes[0]
