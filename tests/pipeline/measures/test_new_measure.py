"""A measure from outside: profiles, drift, scores and pictures use it without knowing it."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from plane import Cloud, Place, Somewhere, array
from pydantic import ValidationError

from pipeline.columns import KINDS, infer, register
from pipeline.decisions.drift import compare
from pipeline.errors import SettingsError
from pipeline.evaluation import Evaluation, evaluate
from pipeline.evaluation.views import views
from pipeline.inspection import inspect
from pipeline.pictures import drift, png, quality
from pipeline.profiles.profile import Profile
from pipeline.profiles.reference import Reference
from pipeline.schema import ColumnSettings, Schema
from pipeline.settings import DriftSettings, EvaluationSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

SETTINGS = EvaluationSettings(target="near", detection_rows=300, distance_rows=100, permutations=20)


@pytest.fixture(autouse=True, scope="module")
def _known() -> Iterator[None]:
    """The kinds are known while these tests run."""
    register(Somewhere)
    register(Place)
    yield
    for kind in (Place, Somewhere):
        KINDS.pop(kind.kind)


def table(seed: int, rows: int = 600, shift: float = 0.0, *, apart: bool = False) -> pa.Table:
    """Points, some of them null, a label and a number that follow them unless they are drawn `apart`."""
    rng = np.random.default_rng(seed)
    xy = rng.normal(size=(rows, 2))
    truth = rng.normal(size=(rows, 2)) if apart else xy
    near = np.where(truth[:, 0] > 0, "east", "west")
    shown = np.where(rng.random((rows, 1)) < 0.05, np.nan, xy + shift)
    return pa.table({"at": array(shown), "near": near, "height": truth[:, 1] + rng.normal(0, 0.1, rows)})


@pytest.fixture(scope="module")
def schema(_known: None) -> Schema:
    """The new kind claims its column."""
    found = infer(table(0))
    assert [column.kind for column in found] == ["place", "categorical", "numeric"]
    return found


def test_it_is_profiled_and_merged(schema):
    """The summary of a column is made by its measure, merges, and is read back from JSON."""
    whole = table(0)
    profile = Profile.of(whole, schema)
    merged = Profile.of_batches([whole.slice(0, 200), whole.slice(200)], schema)
    nulls = whole["at"].null_count
    assert isinstance(profile["at"].summary, Cloud)
    assert (profile["at"].nulls, profile["at"].summary.rows) == (nulls, 600 - nulls)
    assert merged["at"].summary.centre == pytest.approx(profile["at"].summary.centre)
    assert Profile.model_validate_json(profile.model_dump_json()) == profile
    strange = profile.model_dump_json().replace('"kind":"place"', '"kind":"elsewhere"')
    with pytest.raises(ValidationError, match="expected a summary only of a kind that is compared"):
        Profile.model_validate_json(strange)


def test_it_is_calibrated_and_drifts(schema):
    """Its effects have their own law of chance. A move is found, named and drawn; other rows are no drift."""
    reference = Reference.of(table(0, 2000), schema)
    reference = Reference.model_validate_json(reference.model_dump_json())
    assert reference.joint == ("at", "near", "height")
    assert reference.calibration.tails["clouds"].scale != 1  # that of resampled rows, not the bound
    same = compare(reference, reference.profile_of([table(1, 1000)]), DriftSettings())
    assert not same.drifted, same.findings[0].text
    incoming = reference.profile_of([table(2, 1000, shift=0.7)])
    report = compare(reference, incoming, DriftSettings())
    found = next(finding for finding in report.findings if finding.column == "at" and finding.drifted)
    apart = 0.7  # √2 · 0.7, in units of a spread of √2
    assert (found.what, found.kind) == ("centre", "place")
    assert found.size == pytest.approx(apart / (1 + apart), abs=0.05)
    assert "rows" in {finding.what for finding in report.findings if finding.drifted}
    panel = drift(reference.profile, incoming, report, schema).axes[0]
    assert panel.get_title(loc="left").startswith("at\n")
    assert [line.get_xdata()[0] for line in panel.lines] == pytest.approx([0, 0.7], abs=0.1)


@pytest.fixture(scope="module")
def judged(schema: Schema) -> Evaluation:
    """Rows whose points lie elsewhere and are independent of the other columns."""
    made = table(3, 800, shift=1.0, apart=True)
    return evaluate(made, holdout=table(4, 500), train=table(5, 800), schema=schema, settings=SETTINGS, seed=0)


def test_it_is_evaluated(judged):
    """Its column's error, the classifier, distances of rows, dependence and utility all use it."""
    errors = {column.name: column.error for column in judged.columns}
    assert errors["at"] == pytest.approx(1 / 2, abs=0.05)
    assert judged.columns[0].name == "at"
    assert judged["shape_error"].low < judged["shape_error"].value < judged["shape_error"].high
    assert judged["c2st"].value < 0.3 < judged["c2st"].ceiling
    assert judged["frechet"].excess > 0.5
    assert judged["utility"].value < 0.7 < judged["utility"].ceiling
    assert judged.dependence.found


def test_pairs_pass_it_over(judged, schema):
    """It has neither numbers nor bins, so only the pair of the other columns is compared, without a note."""
    assert [{pair.first, pair.second} for pair in judged.pairs] == [{"height", "near"}]
    assert judged.notes == ()
    found = evaluate(
        table(3), holdout=table(4), train=table(5), schema=schema, settings=EvaluationSettings(target="at"), seed=0
    )
    assert found.notes == ("utility: not computed, the target 'at' is neither a number nor a label",)


def test_columns_with_an_order_stand_first(schema):
    """Views hold the values as the measure gives them."""
    (view,) = views([table(0)], schema)
    assert view.names == ("height", "at", "near")
    assert view["at"].array.shape == (600, 2)


def test_it_is_drawn(judged, schema):
    """The picture of quality has its panel first, with one cloud of each table; associations leave it out."""
    real, made = table(4, 500), table(3, 800, shift=1.0, apart=True)
    figure = quality(real, made, schema, judged)
    assert figure.axes[0].get_title(loc="left").startswith("at   ")
    assert [len(cloud.get_offsets()) for cloud in figure.axes[0].collections] == [500, 800]
    matrix = next(axes for axes in figure.axes if "Association" in axes.get_title(loc="left"))
    assert [label.get_text() for label in matrix.get_xticklabels()] == ["height", "near"]
    assert png(figure).startswith(b"\x89PNG")


def test_it_is_inspected_and_trained_beside(schema, tmp_path):
    """Examples are shown, a model of the other columns trains, its points are drawn again, and it loads."""
    rows = table(6)
    assert len(inspect(rows, schema)[0].examples) == 3
    made = Synthesizer.fit(rows, table(7, 100), schema, training=TrainingSettings(epochs=1), seed=0)
    drawn = made.sample(50, seed=1)
    assert drawn.schema.field("at").type == rows.schema.field("at").type
    assert [(each.name, each.accuracy is None, each.mse is None) for each in made.elbo(rows.slice(0, 50)).columns] == [
        ("at", False, True),
        ("near", False, True),
        ("height", True, False),
    ]
    made.save(tmp_path / "model")
    assert Synthesizer.load(tmp_path / "model").sample(50, seed=1) == drawn


def test_what_a_measure_does_not_answer_is_passed_over():
    """A measure with only summaries and errors has a Shape error. Drift, pairs, classifier and pictures skip it."""
    rows, other = table(0), table(1, shift=1.0)
    schema = infer(rows, {"at": ColumnSettings(kind="somewhere")})
    reference = Reference.of(rows, schema)
    incoming = reference.profile_of([other])
    report = compare(reference, incoming, DriftSettings())
    assert [finding.what for finding in report.findings if finding.column == "at"] == ["nulls"]
    assert png(drift(reference.profile, incoming, report, schema)).startswith(b"\x89PNG")
    found = evaluate(other, holdout=table(2), train=rows, schema=schema, settings=SETTINGS, seed=0)
    assert (found.columns[0].name, found.columns[0].error) == ("at", pytest.approx(1 / 2, abs=0.05))
    assert found["c2st"].value > 0.8
    assert png(quality(table(2), other, schema, found)).startswith(b"\x89PNG")
    alone = schema.arrow.names.index("at")
    only = Schema((schema.columns[alone],), rows.select(["at"]).schema)
    bare = evaluate(other, holdout=table(2), train=rows, schema=only, settings=EvaluationSettings(), seed=0)
    assert {score.area for score in bare.scores} == {"marginals", "attacks", "risks"}  # values are equal or not
    assert "detection: not computed, the table has no column that a classifier could be given" in bare.notes


def test_two_kinds_of_one_name_are_refused():
    """A name can be used once. The same kind may be registered again."""
    register(Place)
    with pytest.raises(SettingsError, match="expected a kind of a new name, got another 'numeric'"):
        register(type("Other", (Place,), {"kind": "numeric"}))
    assert next(iter(KINDS)) == "place"
