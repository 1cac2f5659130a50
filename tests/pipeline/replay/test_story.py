"""A story in numbers: summaries over all turns and over the last quarter."""

import datetime as dt

import pytest

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.evaluation import Evaluation, Score
from pipeline.replay.story import DriftSummary, Quality, Step, Story

ENDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.94, 0.96]


def steps(strategy: str, qualities: list[float | None]) -> list[Step]:
    """Turns with these qualities, each of which trained; every second one was a warm start that was refused."""
    return [
        Step(
            strategy=strategy,
            period=period,
            end=dt.datetime(2024, 1, 1 + period, tzinfo=dt.UTC),
            new_rows=1,
            rows=1,
            plan="warm-start" if period % 2 else None,
            decision="refused" if period % 2 else "promoted",
            reasons=(),
            trained=str(period),
            seconds=2.0,
            champion=str(period),
            ahead=None,
            quality=None if overall is None else Quality(overall=overall, ceiling=1.0, scores={}, ceilings={}),
        )
        for period, overall in enumerate(qualities)
    ]


def told(loop: list[float | None], always: list[float | None]) -> Story:
    """A story of two strategies."""
    turns = (*steps("loop", loop), *steps("always", always))
    return Story(column="seen", every="1d", periods=len(loop), rows=8, steps=turns)


def test_the_end_is_the_last_quarter():
    """Of eight periods, the end is the last two. The mean is over all, and trainings are counted by their outcome."""
    summary = told(list(ENDS), list(ENDS)).summary("loop")
    assert summary.end == pytest.approx((0.94 + 0.96) / 2)
    assert summary.quality == pytest.approx(sum(ENDS) / 8)
    assert (summary.trainings, summary.warm_starts, summary.promoted, summary.seconds) == (8, 4, 4, 16.0)
    assert summary.ahead is None


def test_the_loss_is_relative_to_training_always():
    """A twentieth below .96 is a loss of five percent, better is negative, and without a champion there is none."""
    assert told([0.912] * 4, [0.96] * 4).loss == pytest.approx(0.05)
    assert told([0.97] * 4, [0.96] * 4).loss < 0
    assert told([None] * 4, [0.96] * 4).loss is None


def test_quality_is_the_mean_of_shape_and_trend():
    """1 − half the sum of the errors; of a table without pairs Shape alone."""
    shape, trend = Score.of("shape_error", 0.1, 0.02), Score.of("trend_error", 0.3, 0.04)
    fixed = {"rows": 1, "holdout_rows": 1, "columns": (), "pairs": ()}
    both = Quality.of(Evaluation(scores=(shape, trend, Score.of("c2st", 0.5, 0.9)), **fixed))
    assert (both.overall, both.ceiling) == (pytest.approx(0.8), pytest.approx(0.97))
    assert (both.scores["c2st"], both.ceilings["c2st"]) == (0.5, 0.9)
    assert Quality.of(Evaluation(scores=(shape,), **fixed)).overall == pytest.approx(0.9)


def finding(column: str, size: float, *, drifted: bool) -> Finding:
    """An effect, of which one in ten units counts as drift."""
    fixed = {"kind": "numeric", "what": "values", "low": 0.0, "high": 1.0, "threshold": 0.1}
    return Finding(column=column, size=size, drifted=drifted, text=f"{column} moved", **fixed)


def test_a_summary_tells_the_largest_effect_that_counts():
    """Effects are in units of their threshold. Effects beyond it that the settings ignore are left out."""
    findings = (
        finding("temp", 0.3, drifted=True),
        finding("year", 0.9, drifted=False),
        finding("wind", 0.05, drifted=False),
    )
    report = DriftReport(drifted=True, findings=findings, reference_rows=1, rows=1)
    summary = DriftSummary.of(report)
    assert (summary.drifted, summary.excess, summary.worst) == (True, pytest.approx(3.0), "temp moved")
    calm = report.model_copy(update={"drifted": False, "findings": findings[1:]})
    summary = DriftSummary.of(calm)
    assert (summary.drifted, summary.excess, summary.worst) == (False, pytest.approx(0.5), "wind moved")
    assert DriftSummary.of(calm.model_copy(update={"findings": ()})).excess == 0
