"""The gate: every way to pass and every way to be refused."""

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.decisions.promotion import Decision, decide
from pipeline.evaluation import METRICS, Dependence, Evaluation, LeftOut, Score
from pipeline.settings import SCORES, GateSettings

GOOD = {
    "shape_error": (0.012, 0.01),
    "total_error": (0.01, 0.0),
    "trend_error": (0.03, 0.025),
    "c2st": (0.8, 0.99),
    "nearer_to_train": (0.51, 0.5),
    "attack_auc": (0.52, 0.505),
    "attack_tpr": (0.02, 0.012),
    "copies": (0.001, 0.001),
    "disclosure_risk": (0.15, 0.1),
}
NOTES = ("detection: not computed, needs 10 rows", "utility: not computed, no target")
GATE = GateSettings()


def evaluation(rows: int = 1000, interval: float | None = None, **changed: tuple[float, float] | None) -> Evaluation:
    """A good evaluation with some scores changed, or absent where None."""
    named = {name: pair for name, pair in (GOOD | changed).items() if pair is not None}
    scores = [
        Score.of(name, value, ceiling, (value - interval, value + interval) if interval else None)
        for name, (value, ceiling) in named.items()
    ]
    return Evaluation(rows=900, holdout_rows=rows, scores=tuple(scores), columns=(), pairs=(), notes=NOTES)


def with_active(units: int) -> Evaluation:
    """A good evaluation of a model with the given number of active units."""
    scores = (*evaluation().scores, Score.of("active_units", units))
    return evaluation().model_copy(update={"scores": scores})


def test_a_good_first_version_is_promoted():
    """It meets all limits and there is no champion, so it is promoted, with a reason per limit."""
    decision = decide(evaluation(), None, GATE)
    assert decision.promote
    assert len(decision.reasons) == 1 + len(GATE.limits)
    assert "there is no champion to compare with" in decision.reasons
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shape_error", 0.0601),
        ("total_error", 0.0501),
        ("trend_error", 0.0851),
        ("c2st", 0.289),
        ("nearer_to_train", 0.601),
        ("attack_auc", 0.5651),
        ("attack_tpr", 0.0421),
        ("copies", 0.0111),
        ("disclosure_risk", 0.2001),
    ],
)
def test_each_limit_refuses_alone(name, value):
    """One score beyond its limit refuses, and is the only reason."""
    decision = decide(evaluation(**{name: (value, GOOD[name][1])}), None, GATE)
    assert not decision.promote
    assert len(decision.reasons) == 1
    ceiling, limit = GOOD[name][1], GATE.limits[name]
    edge = f"less than {ceiling - limit:.4f}" if name == "c2st" else f"more than {ceiling + limit:.4f}"
    assert decision.reasons == (f"{name} is {value:.4f}; real rows reach {ceiling:.4f}, and {edge} is refused",)


def test_a_noisy_ceiling_widens_the_limit():
    """On a small table, where real rows err by 20 %, a generator may err by as much."""
    assert decide(evaluation(shape_error=(0.21, 0.2)), None, GATE).promote


def test_only_what_is_certain_is_beyond_a_limit():
    """A score .02 beyond its limit refuses if it is known to ±.01. It does not if it is only known to ±.03."""
    assert not decide(evaluation(nearer_to_train=(0.62, 0.5), interval=0.01), None, GATE).promote
    assert decide(evaluation(nearer_to_train=(0.62, 0.5), interval=0.03), None, GATE).promote


@pytest.mark.parametrize(("active", "least", "promote"), [(0, 1, False), (1, 1, True), (0, 0, True), (3, 4, False)])
def test_a_dead_latent_space_refuses(active, least, promote):
    """Too few dimensions that vary with the row refuse, unless the settings do not ask."""
    decision = decide(with_active(active), None, GateSettings(active_units=least))
    assert decision.promote == promote
    if not promote:
        varying = "0 latent dimensions vary" if active == 0 else "3 latent dimensions vary"
        assert decision.reasons == (f"{varying} with the row, and fewer than {least} are refused",)


INDEPENDENT = Dependence(found=False, text="no two columns depend on each other beyond chance")
DEPENDENT = Dependence(found=True, text="columns 'a' and 'b' depend on each other (Cramér's V 0.80)")


@pytest.mark.parametrize(("dependence", "promote"), [(INDEPENDENT, True), (DEPENDENT, False), (None, False)])
def test_a_dead_latent_space_is_right_where_nothing_depends(dependence, promote):
    """Without dependence there is nothing to encode. With it, or if it was not tested, a dead latent space refuses."""
    decision = decide(with_active(0).model_copy(update={"dependence": dependence}), None, GATE)
    assert decision.promote == promote
    if dependence is not None:
        assert any(dependence.text in reason for reason in decision.reasons)


def test_active_dimensions_that_a_user_asks_for_are_asked_of_every_table():
    """If the settings name a number of dimensions, independent columns are no excuse."""
    found = with_active(0).model_copy(update={"dependence": INDEPENDENT})
    assert not decide(found, None, GateSettings(active_units=1)).promote
    assert not decide(evaluation(), None, GateSettings(active_units=1)).promote


def test_an_evaluation_that_says_nothing_refuses():
    """Even with good scores, a flaw of the evaluation refuses, and is the reason."""
    flawed = evaluation().model_copy(update={"flaw": "the scores say nothing of these rows"})
    decision = decide(flawed, None, GATE)
    assert not decision.promote
    assert decision.reasons == ("the scores say nothing of these rows",)


@pytest.mark.parametrize("c2st", [(0.8, 0.99), (0.1, 0.99)])
def test_columns_that_were_not_judged_are_named(c2st):
    """Promoted or refused, the reasons name the columns that were left out and why."""
    spoiler = LeftOut(column="mail", reason="labels", size=0.57)
    decision = decide(evaluation(c2st=c2st).model_copy(update={"left_out": (spoiler,)}), None, GATE)
    assert decision.promote == (c2st[0] > 0.5)
    assert (
        "column 'mail' is left out of Shape, Trend and the classifier: 57% of the held-out rows" in decision.reasons[-1]
    )


def test_a_limit_that_no_value_can_miss_says_so():
    """If real rows reach only .6, a limit of .7 refuses nothing, and the reason says so."""
    decision = decide(evaluation(c2st=(0.01, 0.6)), None, GATE)
    assert decision.promote
    assert "c2st is 0.0100; real rows reach 0.6000, so no value is refused" in decision.reasons


def test_a_table_without_anything_to_compare_is_promoted_and_said():
    """With identifiers only, there is no score and no network, and one true sentence replaces four reasons."""
    nothing = Evaluation(rows=9, holdout_rows=9, scores=(), columns=(), pairs=())
    decision = decide(nothing, None, GATE)
    assert decision.promote
    assert decision.reasons[0] == "no column of this table can be compared with real rows: no score was judged"
    assert not decide(nothing, None, GateSettings(limits={"c2st": 0.7})).promote


def test_an_absent_score_refuses():
    """A score with a limit from the user that was not computed refuses, and the notes say why."""
    decision = decide(evaluation(c2st=None), None, GateSettings(limits=GATE.limits))
    assert not decision.promote
    assert decision.reasons == ("c2st has a limit but was not computed: needs 10 rows",)


def test_an_absent_score_that_nobody_named_is_passed_over_and_said():
    """A default score without meaning for the table is passed over, and a reason says so."""
    for champion in (None, evaluation(c2st=None)):
        decision = decide(evaluation(c2st=None), champion, GATE)
        assert decision.promote
        assert "c2st has a limit but was not computed: needs 10 rows" in decision.reasons


def test_an_absent_score_of_the_champion_refuses():
    """Nothing is assumed for a champion that lacks a score."""
    decision = decide(evaluation(), evaluation(c2st=None), GateSettings(margins=GATE.margins))
    assert decision.reasons == ("c2st has a margin but was not computed for the champion",)


@pytest.mark.parametrize(("value", "promote"), [(0.92, True), (0.86, True), (0.84, False)])
def test_the_champion_is_kept_unless_nearly_reached(value, promote):
    """Against a champion's .90 the margin of .05 decides."""
    decision = decide(evaluation(c2st=(value, 0.99)), evaluation(c2st=(0.9, 0.99)), GATE)
    assert decision.promote == promote


def test_errors_are_judged_the_other_way_round():
    """A smaller error than the champion's is better, a larger one beyond the margin is worse."""
    worse, better = evaluation(shape_error=(0.02, 0.01)), evaluation(shape_error=(0.012, 0.01))
    assert decide(better, worse, GATE).promote
    decision = decide(worse, better, GATE)
    reason = "shape_error is 0.0200; the champion's is 0.0120, and more than 0.0170 is refused"
    assert decision.reasons == (f"{reason} (a difference of 0.0050 is allowed)",)


def test_what_the_intervals_explain_is_not_worse():
    """A difference of .07 refuses if it is certain. It does not if both are known to ±.06 only (together ±.085)."""
    assert not decide(evaluation(c2st=(0.83, 0.99)), evaluation(c2st=(0.9, 0.99)), GATE).promote
    challenger, champion = evaluation(c2st=(0.83, 0.99), interval=0.06), evaluation(c2st=(0.9, 0.99), interval=0.06)
    assert decide(challenger, champion, GATE).promote


def test_differences_are_paired():
    """Two scores that vary together on resamples differ for certain, although each is known to ±.06 only."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.03, 100)

    def judged(value: float, own: float) -> Evaluation:
        replicates = value + shared + rng.normal(0, own, 100)
        made = evaluation(c2st=(value, 0.99))
        score = Score.of("c2st", value, 0.99, (value - 0.06, value + 0.06), replicates)
        return made.model_copy(update={"scores": tuple(score if s.name == "c2st" else s for s in made.scores)})

    assert not decide(judged(0.83, 0.001), judged(0.9, 0.001), GATE).promote
    assert decide(judged(0.83, 0.03), judged(0.9, 0.03), GATE).promote


def test_different_holdouts_are_not_compared():
    """Evaluations on hold-outs of different sizes refuse."""
    decision = decide(evaluation(rows=1000), evaluation(rows=999), GATE)
    assert "different hold-outs" in decision.reasons[0]


def test_unknown_names_in_the_settings_are_refused():
    """A misspelt score is an error when the settings are read, not a gate that never closes."""
    with pytest.raises(ValidationError, match="got shape"):
        GateSettings(limits={"shape": 0.1})


def test_every_score_can_be_named_in_the_settings():
    """The names that settings accept are those of the scores that have a ceiling, in their order."""
    assert tuple(name for name, metric in METRICS.items() if metric.area != "model") == SCORES
