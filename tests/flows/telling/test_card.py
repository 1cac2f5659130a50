"""The card of a version, and the names and notes of runs."""

import pytest

from flows.telling import card
from flows.telling.card import Facts
from flows.telling.outcome import RunOutcome
from pipeline.decisions.drift import DriftReport
from pipeline.decisions.findings import Finding
from pipeline.decisions.policy import Plan
from pipeline.evaluation import Evaluation, Score
from pipeline.loop import PrivacyReport
from pipeline.privacy.disclosure import Withheld
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.settings import GateSettings

GATE = GateSettings()
PRIVACY = PrivacyReport(
    least_rows=5,
    withheld=(Withheld(name="job", labels=3, rows=7), Withheld(name="pay", labels=0, rows=2)),
    made_up=("email",),
    dropped=("comment",),
    shrinkage=Shrinkage(share=0.25, auc=0.5),
)
FACTS = Facts(
    version="4",
    data="customers.parquet",
    digest="0123456789abcdef" * 4,
    rows={"incoming": 1_234, "new": 1_000, "train": 1_000, "validation": 100, "holdout": 134},
    columns=9,
    relations=1,
    epochs=12,
    seconds=61.7,
    start="3",
    privacy=PRIVACY,
    code="f" * 40 + "-dirty",
    release="0.1.0",
)


def outcome(**given: object) -> RunOutcome:
    """The outcome of a run, promoted unless something else is given."""
    scores = (
        Score.of("shape_error", 0.02, 0.01, (0.015, 0.025)),
        Score.of("c2st", 0.9, 0.91, (0.85, 0.95)),
        Score.of("frechet", 0.4, 0.3),
        Score.of("elbo", -12.0),
    )
    usual = {
        "name": "customers",
        "version": "4",
        "decision": "promoted",
        "reasons": ("shape_error is 0.0200; real rows reach 0.0100", "column 'a_b|c' is left out"),
        "evaluation": Evaluation(rows=900, holdout_rows=134, scores=scores),
        "seconds": {"train": 61.7},
    }
    return RunOutcome.model_validate(usual | given)


def test_a_card_tells_what_a_user_of_the_version_asks() -> None:
    """Data, training, scores beside real rows with a verdict, the gate, what is withheld, limits, and how to use it."""
    told = card.version("customers", FACTS, GATE, outcome())
    for line in (
        "**Synthetic rows of customers, version 4.** It passed the gate and became champion when it was made.",
        "- `customers.parquet`, digest `0123456789ab`",
        "- 1,234 rows (1,000 train, 100 validation, 134 holdout), 9 columns",
        "- 1 relation between columns, exact in every row",
        "- continued from version 3: 12 epochs in 62 s on 1,000 rows",
        "- the table is small: each column is shuffled among 25% of the rows, so that no row is copied",
        "- values that fewer than 5 rows share",
        "- values in 9 cells were replaced: job, pay",
        "- made up, nothing real in them: email",
        "- left out: comment",
        "resynth export customers/4 --rows 1000 --out rows/",
        'model = mlflow.pyfunc.load_model("models:/customers/4")',
        r"- column 'a\_b\|c' is left out",
    ):
        assert line in told.splitlines()
    assert "| columns | 98.0 | 99.0 | 93.5 | the values of each column | `shape_error` |" in told.splitlines()
    assert "| rows | 90.0 | 91.0 | 16.0 | a classifier takes them for real | `c2st` |" in told.splitlines()
    assert "frechet" not in told  # a distance is on no scale of percent
    assert "elbo" not in told  # nothing that real rows reach
    assert "resynth 0.1.0, code ffffffffffff" in told


def test_a_card_is_true_before_the_gate_and_after_a_refusal() -> None:
    """It says what was decided when the version was made, so that promotions and rollbacks do not make it wrong."""
    before = card.version("customers", FACTS, GATE)
    assert "The gate had not decided when this was written." in before
    assert "**Gate**" not in before
    assert "| score |" not in before
    refused = card.version("customers", FACTS, GATE, outcome(decision="refused"))
    assert "The gate refused it when it was made." in refused
    assert "- refused when it was made" in refused


@pytest.mark.parametrize("columns", [100, 5_000])
def test_a_card_fits_into_mlflow(columns: int) -> None:
    """However many columns and reasons there are, and however long their names, no section is lost."""
    names = tuple(f"{'long_name_' * 30}{place}" for place in range(columns))
    privacy = PrivacyReport(
        least_rows=5,
        withheld=tuple(Withheld(name=name, labels=1, rows=1) for name in names),
        made_up=names,
        dropped=names,
    )
    reasons = tuple(f"{name} is left out\nof all" for name in names)
    told = card.version("n" * 100, FACTS.model_copy(update={"privacy": privacy}), GATE, outcome(reasons=reasons))
    assert len(told) <= 4900
    for section in ("Data", "Training", "Gate", "Withheld", "Limits", "Use"):
        assert f"**{section}**" in told
    assert told.count("```") == 4
    assert len(card.note(outcome(version=None, evaluation=None, decision="skipped", reasons=reasons))) <= 4900


def test_runs_are_called_by_table_and_purpose() -> None:
    """A person sees in the list of runs what each was for and what came of it."""
    again, more = Plan(action="retrain", reasons=()), Plan(action="warm-start", reasons=())
    assert card.title(outcome()) == "customers: v4 promoted (training)"
    assert card.title(outcome(plan=again, decision="refused")) == "customers: v4 refused (retraining)"
    assert card.title(outcome(plan=more)) == "customers: v4 promoted (warm start)"
    skipped = outcome(version=None, evaluation=None, decision="skipped", published="3")
    assert card.title(skipped) == "customers: nothing to train"
    assert card.note(skipped).startswith(
        "**Nothing was trained on customers.** Version 3 published its rows again.\n\n- shape\\_error is 0.0200"
    )


def test_the_note_of_a_drift_check_counts_findings() -> None:
    """It names no value: the findings are in the report."""
    sizes = {"column": "a", "kind": "numeric", "what": "values", "size": 1, "low": 1, "high": 1, "threshold": 1}
    findings = tuple(Finding(**sizes, drifted=drifted, text="a secret") for drifted in (True, False))
    found = DriftReport(drifted=True, findings=findings, reference_rows=10, rows=10)
    assert "secret" not in card.drift(found, "4")
    assert "has moved away from the training rows of version 4" in card.drift(found, "4")
    assert "1 of 2 checks found a change" in card.drift(found, "4")
