"""What a report finds: changes beyond noise, what is missing together, associations, and advice."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from reports import compared, scored, sharing, subject, table
from scipy.stats.contingency import association as scipy_association

from pipeline import columns, page
from pipeline.decisions.quality import TITLES
from pipeline.evaluation import METRICS, Score
from pipeline.evaluation.views import views
from pipeline.page import Previous, advice
from pipeline.page.association import associations
from pipeline.page.changes import BETTER, SAME, UNTOLD, WORSE, changes
from pipeline.page.missing import missing
from pipeline.page.scores import BEHIND, BELOW, GOOD, standings
from pipeline.settings import GateSettings

NO_MARGINS = GateSettings(margins={})


def by_title(found):
    """Changes by the title of their score."""
    return {each.title: each for each in found}


def test_a_change_beyond_the_margin_is_told() -> None:
    """A smaller error is better, a larger one worse, and what the margin of the gate allows is the same."""
    evaluation = subject().evaluation
    gate = GateSettings(margins={"shape_error": 0.02, "trend_error": 0.02})
    before = scored(evaluation, shape_error=0.10, trend_error=0.10)
    for error, verdict in ((0.05, BETTER), (0.15, WORSE), (0.115, SAME), (0.085, SAME)):
        found = by_title(changes(scored(evaluation, shape_error=error), before, gate))["columns"]
        assert found.verdict == verdict
        assert found.before == pytest.approx(90)
        assert found.now == pytest.approx(100 * (1 - error))
        assert found.noise == pytest.approx(2)


def test_a_share_is_better_when_it_is_larger() -> None:
    """A score whose goal is a maximum counts in the other direction than an error."""
    one, other = (evaluation_of(Score.of("utility", value)) for value in (0.9, 0.8))
    gate = GateSettings(margins={"utility": 0.01})
    assert changes(one, other, gate)[0].verdict == BETTER
    assert changes(other, one, gate)[0].verdict == WORSE
    assert changes(one, other, gate)[0].noise == pytest.approx(1)


def test_noise_follows_from_paired_resamples() -> None:
    """The noise is half the 95 % interval of the differences of replicates, not of either score."""
    random = np.random.default_rng(0)
    shared, own = random.normal(0, 0.05, 200), random.normal(0, 0.002, 200)
    before = evaluation_of(Score.of("shape_error", 0.10, 0.09, (0.0, 0.2), 0.10 + shared))
    now = evaluation_of(Score.of("shape_error", 0.11, 0.09, (0.0, 0.2), 0.11 + shared + own))
    found = changes(now, before, NO_MARGINS)[0]
    assert found.noise == pytest.approx(100 * 1.96 * np.std(own), rel=1e-3)
    assert found.verdict == WORSE
    unpaired = changes(now, evaluation_of(Score.of("shape_error", 0.10, 0.09, (0.0, 0.2))), NO_MARGINS)[0]
    assert unpaired.noise == pytest.approx(100 * np.hypot(0.1, 0.1))
    assert unpaired.verdict == SAME


def test_noise_has_the_scale_of_its_score() -> None:
    """A score whose best value is one half runs from 100 to 0 within one half, and so does its noise."""
    one, other = (evaluation_of(Score.of("nearer_to_train", value)) for value in (0.6, 0.7))
    found = changes(one, other, GateSettings(margins={"nearer_to_train": 0.01}))[0]
    assert (found.now, found.before) == (pytest.approx(80), pytest.approx(60))
    assert found.noise == pytest.approx(2)
    assert found.verdict == BETTER


def test_without_noise_nothing_is_concluded() -> None:
    """A difference of which the noise is not known is neither better nor worse; no difference is the same."""
    one, other = (evaluation_of(Score.of("utility", value)) for value in (0.9, 0.8))
    assert changes(one, other, NO_MARGINS)[0].verdict == UNTOLD
    assert changes(one, other, NO_MARGINS)[0].noise is None
    assert changes(one, one, NO_MARGINS)[0].verdict == SAME


def test_other_held_out_rows_are_not_compared() -> None:
    """Versions that were scored on other rows have no changes, and the page says so."""
    of = subject()
    other = of.evaluation.model_copy(update={"holdout_rows": of.evaluation.holdout_rows + 1})
    assert changes(of.evaluation, other, of.gate) == ()
    assert "was scored on other held-out rows" in page.report(replace(of, previous=Previous("version 1", other)))


def evaluation_of(*scores: Score):
    """An evaluation with these scores."""
    return subject().evaluation.model_copy(update={"scores": scores})


def test_missing_together_is_counted() -> None:
    """Shares of rows with exactly the same nulls, against a count row by row; NaN is null; rare sets are others."""
    random = np.random.default_rng(0)
    sides = [holed(random, 500), holed(random, 400)]
    schema = sharing(columns.infer(sides[0]), 5)
    found = missing(*sides, schema)
    counted = [Counter(rows_of(side)) for side in sides]
    common = [key for key, count in counted[0].items() if count >= 5]
    assert {each.columns for each in found.patterns} == set(common)
    assert any(count < 5 for count in counted[0].values()), "some sets are rare"
    for each in found.patterns:
        assert each.real == pytest.approx(counted[0][each.columns] / 500)
        assert each.synthetic == pytest.approx(counted[1][each.columns] / 400)
    for own, share, rows in zip(counted, found.other, (500, 400), strict=True):
        assert share == pytest.approx(sum(count for key, count in own.items() if key not in common) / rows, abs=1e-9)
    assert [each.real for each in found.patterns] == sorted((each.real for each in found.patterns), reverse=True)
    shares = {name: (real, synthetic) for name, real, synthetic in found.columns}
    assert shares["a"] == (
        pytest.approx(sum("a" in key for key in rows_of(sides[0])) / 500),
        pytest.approx(sum("a" in key for key in rows_of(sides[1])) / 400),
    )


def holed(random: np.random.Generator, rows: int) -> pa.Table:
    """Three columns with nulls that depend on each other, and NaN in the first."""
    hole = random.random(rows)
    a = np.where(hole < 0.2, np.nan, random.normal(size=rows))
    b = pa.array(random.choice(["x", "y"], rows), mask=hole < 0.1)
    c = pa.array(random.integers(0, 9, rows), mask=(hole < 0.005) | (hole > 0.9))
    return pa.table({"a": a, "b": b, "c": c})


def rows_of(side: pa.Table) -> list[tuple[str, ...]]:
    """The names of the columns that are null, row by row."""
    return [tuple(name for name, value in row.items() if value is None or value != value) for row in side.to_pylist()]  # noqa: PLR0124


def test_associations_are_cramers_v() -> None:
    """Between labels, V is that of SciPy, in both tables; and dependent columns are neighbours."""
    random = np.random.default_rng(0)
    sides = [labelled(random, 600, noise) for noise in (0.1, 0.5)]
    of = compared(sides[0], sides[0], sides[1])
    found = associations(*views(tuple(sides), of.schema), of.evaluation)
    assert set(found.names) == set(sides[0].column_names)
    for side, v in zip(sides, (found.real, found.synthetic), strict=True):
        for i, first in enumerate(found.names):
            for j, second in enumerate(found.names):
                if i != j:
                    assert v[i, j] == pytest.approx(cramer(side, first, second), abs=1e-5)
    assert abs(found.names.index("a") - found.names.index("copy of a")) == 1
    assert np.diag(found.real) == pytest.approx(1)
    name, other, real, synthetic = found.changed[0]
    assert {name, other} == {"a", "copy of a"}
    assert real > synthetic + 0.2


def labelled(random: np.random.Generator, rows: int, noise: float) -> pa.Table:
    """Four columns of labels. The last is the first, but for some rows."""
    a, b, c = (random.integers(0, size, rows) for size in (3, 4, 2))
    copy = np.where(random.random(rows) < noise, random.integers(0, 3, rows), a)
    named = {"a": a, "b": b, "c": c, "copy of a": copy}
    return pa.table({name: [f"label {value}" for value in values] for name, values in named.items()})


def cramer(side: pa.Table, first: str, second: str) -> float:
    """Cramér's V by SciPy."""
    one, two = (np.unique(side[name].to_pylist(), return_inverse=True)[1] for name in (first, second))
    counts = np.zeros((one.max() + 1, two.max() + 1), int)
    np.add.at(counts, (one, two), 1)
    return float(scipy_association(counts, method="cramer"))


def test_equal_tables_have_equal_associations() -> None:
    """Rows beside themselves: both maps are the same, and no pair is listed."""
    same = table(300, 0)
    of = compared(same, same, same)
    found = associations(*views((same, same), of.schema), of.evaluation)
    assert found.synthetic == pytest.approx(found.real, abs=0.1)


def test_the_worst_columns_come_first() -> None:
    """Columns are drawn by how far they are behind real rows, and all are listed."""
    shown = page.page_of(subject())
    behind = [each.error - each.ceiling for each in shown.columns]
    assert behind == sorted(behind, reverse=True)
    assert [each.name for each in shown.listed] == [each.name for each in shown.columns]


@pytest.mark.parametrize("name", TITLES)
def test_a_weak_score_has_advice(name: str) -> None:
    """Every score that people read has a piece of advice of its own, in whole sentences."""
    said = advice.advice(name, METRICS[name].area)
    assert said == advice.ADVICE[name]
    assert said[0].isupper()
    assert said.endswith(".")
    assert METRICS[name].area in advice.AREA_TITLES


def test_advice_is_given_where_it_is_needed() -> None:
    """A score as good as real rows needs none; one behind them or below the gate does."""
    gate = GateSettings(limits={"shape_error": 0.1})
    for value, where in ((0.05, GOOD), (0.10, BEHIND), (0.30, BELOW)):
        score = Score.of("shape_error", value, 0.05, (value - 0.01, value + 0.01))
        found = standings(evaluation_of(score), gate)[0]
        assert found.standing == where
        assert bool(found.advice) == (where != GOOD)
        assert found.margin == pytest.approx(1)


def test_a_score_that_real_rows_lack_has_no_standing() -> None:
    """Nothing is said of it but its value."""
    found = standings(evaluation_of(Score.of("utility", 0.9)), NO_MARGINS)[0]
    assert (found.standing, found.advice, found.margin) == ("", "", None)
