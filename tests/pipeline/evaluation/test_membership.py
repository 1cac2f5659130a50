"""Membership attacks: against brute force, on copies, on fresh rows, and what chance leaves to the largest of them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from samples import people
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import NearestNeighbors

from pipeline.columns import infer
from pipeline.evaluation import Evaluation, evaluate, membership
from pipeline.evaluation.areas.attacks import _result, _sure, _worst
from pipeline.evaluation.membership import BLACK_BOX, EXACT, WHITE_BOX, Scene
from pipeline.evaluation.trials import MOST, Half
from pipeline.settings import EvaluationSettings, GateSettings

BLACK, WHITE = set(BLACK_BOX), set(WHITE_BOX)


TRAIN, HOLDOUT, FRESH = people(1200, 0), people(400, 1), people(1200, 2)
SCHEMA = infer(TRAIN)


def attacked(rows: pa.Table, **options: object) -> Evaluation:
    """The area, for these rows as synthetic ones."""
    given = {"holdout": HOLDOUT, "train": TRAIN, "schema": SCHEMA} | options
    return evaluate(rows, areas=["attacks"], **given)


def brute(targets, synthetic, reference):
    """The distances of a scene by scikit-learn's trees, and its counts by a loop over the targets."""
    own, other = (
        NearestNeighbors(n_neighbors=5, algorithm="kd_tree").fit(x).kneighbors(targets)[0] ** 2
        for x in (synthetic, reference)
    )
    near = NearestNeighbors(n_neighbors=1).fit(synthetic).kneighbors(reference)[0] ** 2
    crowd = [
        np.sum(((synthetic - x) ** 2).sum(1) <= last + EXACT) for x, last in zip(targets, other[:, -1], strict=True)
    ]
    within = [np.sum(((synthetic - x) ** 2).sum(1) <= np.median(near) + EXACT) for x in targets]
    return own, other, crowd, within


def test_a_scene_is_what_brute_force_finds():
    """Distances and counts of the attacks equal those of scikit-learn's neighbours and of a loop."""
    rng = np.random.default_rng(0)
    targets, synthetic, reference = (rng.normal(size=(n, 4)) for n in (600, 300, 80))
    expected = brute(targets, synthetic, reference)
    for found, wanted in zip(membership.around(targets, synthetic, reference), expected, strict=True):
        assert found == pytest.approx(np.asarray(wanted), abs=1e-9)


def test_attacks_score_members_higher():
    """Each attack gives a higher score to the row that is more like a member."""
    likely, unlikely = [0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1.0]
    scene = Scene(
        synthetic=np.array([likely, unlikely]),
        reference=np.array([unlikely, unlikely]),
        crowd=np.array([9.0, 2.0]),
        within=np.array([5.0, 1.0]),
        classifier=np.array([0.4, -0.4]),
        bound=np.array([-10.0, -12.0]),
        usual=np.array([-11.0, -11.0]),
    )
    for name, attack in (BLACK_BOX | WHITE_BOX).items():
        first, second = attack(scene)
        assert first > second, name
    assert BLACK_BOX["density"](scene)[0] == pytest.approx(
        np.mean(np.log(unlikely)) - np.mean(np.log(likely)), abs=1e-4
    )


def test_what_an_attack_reaches_is_what_scikit_learn_computes():
    """AUC and true-positive rate of an attack equal those of scikit-learn's ROC curve, as means over the halves."""
    rng = np.random.default_rng(1)
    halves = [Half(rng.normal(0.5, 1, 300), rng.normal(0, 1, 300)) for _ in range(2)]
    truth = np.repeat([1, 0], 300)
    expected = np.mean([roc_auc_score(truth, np.concatenate(half)) for half in halves])
    found = _result("density", halves)
    assert found.auc == pytest.approx(expected)
    assert found.low < found.auc < found.high
    fpr, tpr, _ = roc_curve(truth, np.concatenate(halves[0]), drop_intermediate=False)
    assert _sure(halves[0]) == pytest.approx(tpr[fpr <= 0.01].max())
    top = np.argsort(np.concatenate(halves[0]))[-6:]
    assert _worst(halves[0]) == pytest.approx(np.mean(truth[top]))


@pytest.mark.parametrize("rows", [15, 50, 100, 150, 299, 300, 325, 700])
def test_one_accusation_in_a_hundred_may_be_wrong(rows):
    """The rates at the top are exact at every size, also if one percent of the rows is no whole number."""
    half = Half(*np.random.default_rng(rows).normal(size=(2, rows)))
    truth, both = np.repeat([1, 0], rows), np.concatenate(half)
    fpr, tpr, _ = roc_curve(truth, both, drop_intermediate=False)
    assert _sure(half) == pytest.approx(tpr[fpr <= 0.01].max())
    wanted = max(1.0, 0.02 * rows)
    top = truth[np.argsort(-both)]
    whole = int(wanted)
    assert _worst(half) == pytest.approx((top[:whole].sum() + (wanted - whole) * top[whole]) / wanted)


def test_few_rows_that_are_told_apart_are_no_certain_leak():
    """The interval of an AUC is never narrower than that of a guess, even if a few rows are told apart perfectly."""
    half = Half(np.arange(10, 20.0), np.arange(10.0))
    found = _result("density", [half, half])
    assert found.auc == 1
    assert found.low < 1 - 1.96 * np.sqrt(21 / (12 * 100) / 2)


def test_equal_scores_say_nothing():
    """An attack that gives all targets the same score is a guess."""
    half = Half(np.zeros(50), np.zeros(50))
    assert (_sure(half), _worst(half)) == (0.0, 0.5)
    assert _result("count", [half, half]).auc == 0.5


def test_copies_of_the_training_rows_are_caught():
    """A generator that repeats its training rows is found out by the AUC, by the true-positive rate and as copies."""
    found = attacked(TRAIN)
    assert found["attack_auc"].value > 0.95
    assert found["attack_tpr"].value > 0.8
    assert found["copies"].value > 0.95
    assert found["copies"].ceiling < 0.02
    (copied,) = found.details["copied"]
    keys = TRAIN.to_pandas()
    assert copied.unique == len(keys.drop_duplicates(keep=False))
    assert copied.copies == copied.unique


def test_copies_of_the_whole_table_are_caught_too():
    """If held-out rows are copied as well, no attack tells members apart, but the copies are found."""
    found = attacked(pa.concat_tables([TRAIN, HOLDOUT]))
    assert found["attack_auc"].value < 0.6
    assert found["copies"].value > 0.6


def test_fresh_rows_give_nothing_away():
    """Real rows that were never used pass: every score is what chance leaves. Odds of failing by chance below 1 %."""
    found = attacked(FRESH)
    for name in ("attack_auc", "attack_tpr", "copies"):
        score = found[name]
        assert score.value - score.ceiling <= score.high - score.value + 0.01, name
    assert found["attack_mean"].value == pytest.approx(0.5, abs=0.05)
    assert {result.name for result in found.details["attacks"]} == BLACK


def test_held_out_rows_of_a_later_time_are_no_leak():
    """If training rows differ from held-out rows, real rows reach what attacks reach. Copies stay above it."""
    rng = np.random.default_rng(0)
    level = np.linspace(0, 1, 2600)
    rows = pa.table({"level": level + rng.normal(0, 0.1, 2600), "noise": rng.normal(size=2600)})
    early = rows.slice(0, 2000).take(rng.permutation(2000))
    given = {"holdout": rows.slice(2000), "train": early.slice(0, 1000), "areas": ["attacks"]}
    found, copied = (evaluate(made, **given) for made in (early.slice(1000), early.slice(0, 1000)))
    limits = GateSettings().limits
    for name in ("attack_auc", "attack_tpr"):
        assert found[name].ceiling > 0.6
        assert found[name].excess < limits[name]
    assert found["attack_mean"].excess < limits["attack_auc"]
    assert copied["copies"].value > 0.95


def test_the_ceiling_is_what_chance_leaves_to_the_largest():
    """Over many populations without a leak, the largest AUC is as large as its ceiling on average.

    The standard error of the mean difference over 20 populations is below .006.
    """
    gaps = []
    for seed in range(20):
        x, y = np.random.default_rng(seed).normal(size=(2, 900))
        rows = pa.table({"x": x, "y": y})
        found = evaluate(rows.slice(600), holdout=rows.slice(300, 300), train=rows.slice(0, 300), areas=["attacks"])
        gaps.append(found["attack_auc"].value - found["attack_auc"].ceiling)
        assert found["attack_auc"].ceiling > 0.505
    assert np.mean(gaps) == pytest.approx(0, abs=0.018)


def test_a_model_that_knows_its_rows_is_attacked_through_its_bound():
    """A bound that is higher for training rows is found by the attacks with the model, and by no others."""
    members = set(map(tuple, TRAIN.to_pandas().astype(str).to_numpy()))

    def knows(table: pa.Table) -> np.ndarray:
        rows = map(tuple, table.to_pandas().astype(str).to_numpy())
        noise = np.random.default_rng(3).normal(size=table.num_rows)
        return np.array([1.5 * (row in members) for row in rows]) + noise

    found = attacked(FRESH, likelihood=knows)
    assert {result.name for result in found.details["attacks"]} == BLACK | WHITE
    expected = 0.8556  # Φ(1.5 / √2)
    bound = next(result for result in found.details["attacks"] if result.name == "bound")
    assert bound.auc == pytest.approx(expected, abs=0.04)
    assert found["model_attack_auc"].value >= bound.auc
    assert found["attack_auc"].value == attacked(FRESH)["attack_auc"].value
    assert "model_attack_auc" not in attacked(FRESH)


def test_a_model_is_asked_about_a_bounded_number_of_rows():
    """The model is asked about targets and some reference rows only, however many rows are held out."""
    rows = pa.table({"x": np.random.default_rng(0).normal(size=14_000)})
    asked = []

    def bounds(table: pa.Table) -> np.ndarray:
        asked.append(table.num_rows)
        return np.zeros(table.num_rows)

    settings = EvaluationSettings(detection_rows=100)
    parts = {"holdout": rows.slice(0, 12_000), "train": rows.slice(12_000, 1000)}
    for given, reference in ((None, MOST), (settings, 100)):
        asked.clear()
        evaluate(rows.slice(13_000), **parts, settings=given, areas=["attacks"], likelihood=bounds)
        assert asked == [2 * 500 + reference] * 2


def test_what_is_usual_is_taken_off():
    """The calibrated bound takes off what rows in so dense a place usually have."""
    rng = np.random.default_rng(4)
    places = rng.random((200, 5)) + 0.1
    sparsity = np.log(places + EXACT).mean(1)
    assert membership.usual(3 - 2 * sparsity, places, places[:7]) == pytest.approx(3 - 2 * sparsity[:7])


def test_equal_seeds_give_equal_attacks():
    """The same rows and the same seed give the same numbers, and the evaluation survives JSON."""
    found = attacked(FRESH)
    assert attacked(FRESH) == found
    assert Evaluation.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("rows", [2, 15])
def test_few_rows_are_no_ground_for_an_attack(rows):
    """With too few held-out rows there is no attack. Copies are counted all the same."""
    found = evaluate(TRAIN, holdout=HOLDOUT.slice(0, rows), train=TRAIN, schema=SCHEMA, areas=["attacks"])
    assert [score.name for score in found.scores] == ["copies"]


def test_tables_without_a_column_to_compare_have_no_attack():
    """A column of identifiers is not compared, so a note says that there is no attack."""
    ids = pa.table({"id": pa.array([f"{i:032x}" for i in np.random.default_rng(0).permutation(600)])})
    found = evaluate(ids.slice(0, 300), holdout=ids.slice(300, 100), train=ids.slice(400), areas=["attacks"])
    assert found.scores == ()
    assert found.notes[0].startswith("attacks: not computed")


def test_nulls_and_constants_do_no_harm():
    """Columns of nulls and constants take part without an error."""
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=300), "none": [None] * 300, "one": [1] * 300})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    found = evaluate(table.slice(0, 100), holdout=table.slice(100, 100), train=table.slice(200), areas=["attacks"])
    assert 0.4 < found["attack_auc"].value < 0.75
