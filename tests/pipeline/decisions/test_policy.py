"""The policy: each rule alone, and the laws that hold for every situation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.decisions.policy import Plan, Situation, cooling_down, overdue, plan
from pipeline.settings import PolicySettings

NEEDED = PolicySettings(train="needed")
RANK = {"skip": 0, "warm-start": 1, "retrain": 2}
COLUMNS = "abcd"


def finding(column: str, what: str = "values", *, drifted: bool = True, size: float = 0.3) -> Finding:
    """One comparison of a column; of "likelihood", the model's."""
    kind = "model" if what == "likelihood" else "pair" if what == "correlation" else "categorical"
    text = f"{column}: {what}"
    return Finding(
        column=column, kind=kind, what=what, size=size, low=0, high=1, threshold=0.1, drifted=drifted, text=text
    )


def report(*findings: Finding, rows: int = 1000) -> DriftReport:
    """A report on four columns with the given findings."""
    told = {f.column for f in findings}
    calm = [finding(column, drifted=False, size=0.01) for column in COLUMNS if column not in told]
    drifted = any(f.drifted for f in findings)
    return DriftReport(drifted=drifted, findings=(*findings, *calm), reference_rows=rows, rows=100)


def situation(*findings: Finding, **changed) -> Situation:
    """A calm situation, apart from the given values: a hundred new rows, a champion of three days."""
    calm = {"drift": report(*findings), "new_rows": 100, "age_days": 3.0, "idle_hours": 72.0}
    return Situation(**(calm | changed))


def test_nothing_to_do_is_skipped_with_what_was_looked_at():
    """No rule applies: skip, and the reasons say how far from training it was."""
    decision = plan(situation(), NEEDED)
    assert decision == Plan(
        action="skip",
        reasons=(
            "drift in 0 of the last 1 checks (from 2)",
            "at least 100 rows are new to a champion that knows 1,000",
        ),
    )
    assert Plan.model_validate_json(decision.model_dump_json()) == decision


def test_by_default_every_run_trains():
    """A run by hand trains whatever was found, even in the cool-down."""
    for now in (situation(), situation(new_rows=0, idle_hours=0.0)):
        assert plan(now, PolicySettings()) == Plan(action="retrain", reasons=("every run trains (policy.train)",))


def test_the_cool_down_ends():
    """A run that only drift has started asks for the reason to wait. There is none after the cool-down."""
    assert cooling_down(1.5, PolicySettings()) == ("the last training was 1.5 h ago, the cool-down is 20 h",)
    assert cooling_down(20.0, PolicySettings()) == ()
    assert cooling_down(0.0, PolicySettings(cool_down_hours=0)) == ()


@pytest.mark.parametrize(
    ("verdicts", "action"),
    [
        ((), "skip"),
        ((False, False), "skip"),
        ((True,), "warm-start"),
        ((True, False), "warm-start"),
        ((True, False, False), "skip"),
    ],
)
def test_drift_must_be_found_in_two_of_the_last_three_checks(verdicts, action):
    """A single verdict of drift is not enough, and verdicts before the window do not count."""
    assert plan(situation(finding("a"), verdicts=verdicts), NEEDED).action == action


def test_confirmed_drift_names_the_worst_finding():
    """The reason has the report's first drifted finding."""
    now = situation(finding("c", "nulls"), finding("a"), verdicts=(True,))
    assert plan(now, NEEDED.model_copy(update={"severe": 1.0})).reasons == (
        "drift in 2 of the last 2 checks (from 2); worst: c: nulls",
    )


def test_severe_drift_needs_no_second_check():
    """If two of four columns drift at once, training starts afresh now. Pairs do not count as columns."""
    assert plan(situation(finding("a"), finding("b", "nulls")), NEEDED) == Plan(
        action="retrain", reasons=("50% of the columns drifted (severe from 50%)",)
    )
    assert plan(situation(finding("a"), finding("a × b", "correlation")), NEEDED).action == "skip"


@pytest.mark.parametrize(("size", "drifted", "action"), [(0.3, True, "warm-start"), (0.2, True, "skip")])
def test_a_champion_that_no_longer_describes_the_rows_is_continued(size, drifted, action):
    """A certain and large fall of its ELBO needs no second check; a smaller one does."""
    now = situation(finding("all columns", "likelihood", size=size, drifted=drifted))
    assert plan(now, NEEDED).action == action


@pytest.mark.parametrize(("new_rows", "action"), [(499, "skip"), (500, "warm-start")])
def test_growth_is_worth_a_training(new_rows, action):
    """Half as many new rows as the champion knows are enough."""
    assert plan(situation(new_rows=new_rows), NEEDED).action == action


def test_an_old_champion_is_trained_afresh():
    """This holds from its thirty-first day, even if nothing changed."""
    assert plan(situation(age_days=30.0), NEEDED).action == "skip"
    assert plan(situation(age_days=30.5), NEEDED) == Plan(
        action="retrain", reasons=("the champion is 30.5 days old (at most 30)",)
    )


def test_a_chain_of_warm_starts_ends():
    """After five warm starts in a row, the next due training is afresh. If none is due, nothing happens."""
    due = situation(new_rows=800, warm_starts=5)
    assert plan(due, NEEDED).reasons == (
        "the champion comes from 5 warm starts in a row",
        "at least 800 rows are new to a champion that knows 1,000",
    )
    assert plan(due, NEEDED).action == "retrain"
    assert plan(situation(warm_starts=5), NEEDED).action == "skip"


def test_a_champion_that_cannot_be_continued_is_trained_afresh_once_training_is_due():
    """An obstacle, such as a column of another kind, calls for nothing by itself."""
    obstacles = ("column 'x' is categorical, expected numeric",)
    assert plan(situation(obstacles=obstacles), NEEDED).action == "skip"
    assert plan(situation(obstacles=obstacles, new_rows=800), NEEDED).action == "retrain"


def test_after_a_refused_warm_start_the_next_training_is_afresh():
    """Another warm start would begin from the same weights. A refusal alone is no reason to train."""
    due = plan(situation(new_rows=600, warm_start_refused=True), NEEDED)
    assert due.action == "retrain"
    assert due.reasons[0] == "the gate has refused a warm start from this champion"
    assert plan(situation(warm_start_refused=True), NEEDED).action == "skip"


def test_age_alone_calls_for_a_training_of_rows_that_wait():
    """Age alone counts if the rules decide, rows wait, and the champion is older than allowed."""
    needed = PolicySettings(train="needed", oldest_days=30)
    assert overdue(30.1, 1, needed)
    assert not overdue(30.0, 1, needed)
    assert not overdue(30.1, 0, needed)
    assert not overdue(30.1, 1, PolicySettings(train="always"))


def test_nothing_new_and_the_cool_down_hold_back():
    """Both cases skip and say so."""
    drifted = [finding(column) for column in COLUMNS]
    assert plan(situation(*drifted, new_rows=0), NEEDED).reasons == ("no row is new",)
    assert plan(situation(*drifted, idle_hours=19.9), NEEDED) == Plan(
        action="skip", reasons=("the last training was 19.9 h ago, the cool-down is 20 h",)
    )
    assert plan(situation(*drifted, idle_hours=20.0), NEEDED).action == "retrain"


@pytest.mark.parametrize("train", ["always", "needed"])
def test_what_the_settings_refuse_is_refused(train):
    """Other columns by default, new labels on request; in either mode."""
    settings = PolicySettings(train=train)
    changed = situation(drift=None, differences=("column 'x' is new",))
    assert plan(changed, settings) == Plan(action="refuse", reasons=("column 'x' is new",))
    assert plan(changed, settings.model_copy(update={"new_columns": "retrain"})).action == "retrain"
    labels = situation(finding("a", "new labels", size=0.001, drifted=False))
    assert plan(labels, settings).action != "refuse"
    refused = plan(labels, settings.model_copy(update={"new_labels": "refuse"}))
    assert refused == Plan(action="refuse", reasons=("a has labels that the champion does not know",))
    also = labels.model_copy(update={"strange": ("a", "b")})  # of b the report lists too many labels to say
    assert plan(also, settings).action != "refuse"
    assert plan(also, settings.model_copy(update={"new_labels": "refuse"})).reasons == (
        "a has labels that the champion does not know",
        "b has labels that the champion does not know",
    )


def test_votes_that_can_never_come_together_are_refused():
    """More votes than checks in the window."""
    with pytest.raises(ValidationError, match="votes of at most the window of 3 checks, got 4"):
        PolicySettings(votes=4)


@st.composite
def settings(draw: st.DrawFn) -> PolicySettings:
    """Any settings of the rules."""
    window = draw(st.integers(1, 5))
    return PolicySettings(
        train="needed",
        new_columns=draw(st.sampled_from(["retrain", "refuse"])),
        votes=draw(st.integers(1, window)),
        window=window,
        severe=draw(st.sampled_from([0.25, 0.5, 1.0])),
        likelihood=draw(st.sampled_from([0.1, 0.5])),
        growth=draw(st.sampled_from([0.1, 1.0])),
        oldest_days=draw(st.sampled_from([1.0, 30.0])),
        warm_starts=draw(st.integers(0, 3)),
        cool_down_hours=draw(st.sampled_from([0.0, 20.0])),
    )


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(COLUMNS),
        st.sampled_from(["values", "nulls", "likelihood", "correlation"]),
        size=st.sampled_from([0.15, 0.3, 0.6]),
    ),
    max_size=6,
)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any situation without differences in the columns."""
    return situation(
        *draw(FINDINGS),
        verdicts=tuple(draw(st.lists(st.booleans(), max_size=6))),
        new_rows=draw(st.sampled_from([0, 1, 100, 2000])),
        age_days=draw(st.floats(0, 60)),
        idle_hours=draw(st.floats(0, 100)),
        warm_starts=draw(st.integers(0, 5)),
        obstacles=draw(st.sampled_from([(), ("the columns are in another order",)])),
    )


@given(situations(), settings(), FINDINGS, st.lists(st.booleans(), min_size=6, max_size=6))
def test_more_drift_never_leads_to_less_action(now, chosen, more, also):
    """Further findings, and further checks that found drift, never turn a training into none or a fresh into a warm."""
    findings = [f for f in now.drift.findings if f.drifted] + more
    verdicts = tuple(a or b for a, b in zip(now.verdicts, also, strict=False))
    worse = now.model_copy(update={"drift": report(*findings), "verdicts": verdicts})
    assert RANK[plan(worse, chosen).action] >= RANK[plan(now, chosen).action]


@given(situations(), settings(), st.floats(0, 30), st.integers(0, 2000))
def test_older_and_more_new_rows_never_lead_to_less_action(now, chosen, days, rows):
    """Action grows with the champion's age and with what it has not seen."""
    later = now.model_copy(update={"age_days": now.age_days + days, "new_rows": now.new_rows + rows})
    assert RANK[plan(later, chosen).action] >= RANK[plan(now, chosen).action]


@given(situations(), settings())
def test_nothing_is_trained_in_the_cool_down_or_without_new_rows(now, chosen):
    """This holds whatever else is found."""
    trained = plan(now, chosen).action in {"warm-start", "retrain"}
    assert not (trained and (now.idle_hours < chosen.cool_down_hours or now.new_rows == 0))


@given(situations(), settings())
def test_every_decision_has_reasons_and_repeats(now, chosen):
    """The same situation gives the same plan, and never one without a reason."""
    first = plan(now, chosen)
    assert first.reasons
    assert plan(now, chosen) == first


@given(situations(), settings())
def test_too_long_a_chain_is_never_continued(now, chosen):
    """A champion of as many warm starts as are allowed is never warm-started."""
    assert plan(now, chosen).action != "warm-start" or now.warm_starts < chosen.warm_starts


def test_what_may_no_longer_be_shown_calls_for_a_training_at_once():
    """A champion made under other privacy settings is trained afresh, in the cool-down and without a new row too."""
    now = situation(new_rows=0, idle_hours=0.0, rules=("column 'name' is left out now",))
    found = plan(now, PolicySettings(train="needed"))
    assert (found.action, found.reasons) == ("retrain", now.rules)
