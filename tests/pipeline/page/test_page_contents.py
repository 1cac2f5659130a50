"""What a report says, against counts and definitions computed here another way."""

import numpy as np
import pyarrow as pa
import pytest
from pages import FEW, GATE, evaluation, mixed, subject

from pipeline import columns
from pipeline.decisions import quality
from pipeline.evaluation import METRICS, Evaluation, Score, evaluate
from pipeline.evaluation.views import views
from pipeline.page.advice import ADVICE, AREA_TITLES, IN_AREA
from pipeline.page.association import associations
from pipeline.page.changes import BETTER, SAME, WORSE, changes
from pipeline.page.columns import column_views, pair_views
from pipeline.page.missing import missing
from pipeline.page.scores import BEHIND, BELOW, GOOD, areas, standings
from pipeline.page.summary import page_of


def scored(**values: tuple[float, float, float]) -> Evaluation:
    """An evaluation with scores of these values, ceilings and half-widths of intervals."""
    scores = (Score.of(name, value, real, (value - half, value + half)) for name, (value, real, half) in values.items())
    return Evaluation(rows=100, holdout_rows=50, scores=tuple(scores))


def test_a_score_stands_where_its_interval_says() -> None:
    """Behind real rows is what chance does not explain; below the gate is what the gate refuses; both have advice."""
    found = standings(
        scored(
            shape_error=(0.2, 0.01, 0.01), trend_error=(0.06, 0.02, 0.01), c2st=(0.9, 0.95, 0.1), coverage=(0.9, 0.9, 0)
        ),
        GATE,
    )
    assert [(each.rated.setting, each.standing) for each in found] == [
        ("shape_error", BELOW),
        ("trend_error", BEHIND),
        ("c2st", GOOD),
        ("coverage", GOOD),
    ]
    assert [bool(each.advice) for each in found] == [True, True, False, False]
    assert [each.margin for each in found] == pytest.approx([1, 1, 10, 0])


def test_every_score_that_people_read_has_advice() -> None:
    """And every area has a title and advice."""
    assert set(quality.TITLES) <= set(ADVICE)
    assert {metric.area for metric in METRICS.values()} <= set(AREA_TITLES) & set(IN_AREA)


def test_every_number_of_an_evaluation_is_shown() -> None:
    """No score and no detail is lost, whichever area it comes from."""
    tables = {"holdout": mixed(0), "train": mixed(2)}
    found = evaluate(mixed(1), **tables, settings=FEW)
    shown = areas(found)
    assert {score.name for area in shown for score in area.scores} == {score.name for score in found.scores}
    tables = {table.name.replace(" ", "_") for area in shown for table in area.details}
    assert tables | {"columns", "pairs"} >= {name for name, own in found.details.items() if own}


def test_a_change_counts_beyond_chance() -> None:
    """Replicates on the same held-out rows are paired: their common scatter is no noise of the difference."""
    rng = np.random.default_rng(0)
    scatter = rng.normal(0, 0.05, 100)

    def version(value: float, own: float) -> Evaluation:
        replicates = value + scatter + rng.normal(0, own, 100)
        return Evaluation(rows=9, holdout_rows=9, scores=(Score.of("coverage", value, 0.9, replicates=replicates),))

    [clear] = changes(version(0.8, 0.001), version(0.7, 0.001), GATE)
    [noisy] = changes(version(0.72, 0.05), version(0.7, 0.05), GATE)
    [worse] = changes(version(0.5, 0.001), version(0.7, 0.001), GATE)
    assert (clear.verdict, noisy.verdict, worse.verdict) == (BETTER, SAME, WORSE)
    assert clear.noise == pytest.approx(100 * 1.96 * 0.001 * np.sqrt(2), rel=0.3)
    other = version(0.7, 0.001).model_copy(update={"holdout_rows": 8})
    assert changes(version(0.8, 0.001), other, GATE) == ()


def test_missing_patterns_are_counts_of_rows() -> None:
    """The shares are those of a count by hand, and a set that few rows share is not named."""
    real = pa.table(
        {"a": [1.0, None, None, 4.0] * 25, "b": ["x", None, "y", "z"] * 25, "c": [*[None] * 3, *["q"] * 97]}
    )
    found = missing(real, real.slice(0, 50), columns.infer(real))
    assert {(each.columns, round(each.real, 3)) for each in found.patterns} == {
        ((), 0.49),
        (("a", "b"), 0.24),
        (("a",), 0.24),
    }
    assert found.other == (pytest.approx(0.03), pytest.approx(0.06))
    assert found.columns[0] == ("a", 0.5, 0.5)
    none = missing(
        real.select([]).append_column("d", pa.array(range(100))),
        pa.table({"d": [1]}),
        columns.infer(pa.table({"d": range(100)})),
    )
    assert none.columns == ()


def test_associations_are_cramers_v() -> None:
    """Against SciPy, for columns in an order in which those that depend on each other are neighbours."""
    from scipy.stats.contingency import association, crosstab  # noqa: PLC0415 - for this test

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 400), rng.integers(0, 4, 400)
    labels = pa.table({"a": a, "b": b, "c": (a + (rng.random(400) < 0.2)) % 3, "d": (b + (rng.random(400) < 0.2)) % 4})
    table = pa.table({name: own.cast(pa.string()) for name, own in zip(labels.column_names, labels, strict=True)})
    lost = table.set_column(2, "c", pa.array(rng.permutation(table["c"].to_numpy()).tolist()))
    real, other = views((table, lost), columns.infer(table))
    found = associations(real, other, Evaluation(rows=1, holdout_rows=1, scores=()))
    assert found is not None
    assert abs(found.names.index("a") - found.names.index("c")) == 1
    assert abs(found.names.index("b") - found.names.index("d")) == 1
    for i, one in enumerate(found.names):
        for j, two in enumerate(found.names):
            if i != j:
                for side, v in ((table, found.real), (lost, found.synthetic)):
                    counts = crosstab(side[one].to_numpy(), side[two].to_numpy()).count
                    assert v[i, j] == pytest.approx(association(counts, method="cramer"), abs=1e-6)
    assert {*found.changed[0][:2]} == {"a", "c"}
    assert found.left_out == 0


def test_columns_are_drawn_worst_first_with_shares_of_rows() -> None:
    """Shares of a side add up to one, and the first column is farthest behind real rows."""
    real, train = mixed(0), mixed(2)
    synthetic = mixed(1).set_column(1, "count", pa.array(np.random.default_rng(3).poisson(9, 300)))
    found = evaluation(real, synthetic, train)
    drawn = column_views(real, synthetic, columns.infer(train), found)
    assert drawn[0].name == "count"
    assert sum(drawn[0].shares.real) == pytest.approx(1)
    assert sum(drawn[0].shares.other) == pytest.approx(1)
    pairs = pair_views(*views((real, synthetic), columns.infer(train)), found)
    assert pairs
    assert all(side.sum() == pytest.approx(1) for pair in pairs for side in (pair.real, pair.synthetic))


def test_odd_tables_have_a_report() -> None:
    """One column, one row of which nothing can be compared, and nulls only."""
    one = pa.table({"x": [1, 2, 3, 4] * 30})
    page = page_of(subject(one, one, one))
    assert page.associations is None
    assert page.pairs == ()
    nulls = pa.table({"x": pa.nulls(60, pa.string()), "y": range(60)})
    assert page_of(subject(nulls, nulls, nulls)).missing.columns == (("x", 1.0, 1.0),)
