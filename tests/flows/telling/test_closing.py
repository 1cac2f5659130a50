"""The end of a run: the verdict first, scores of one direction, and places."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from flows.telling import closing
from flows.telling.outcome import Export, RunOutcome
from pipeline.decisions import quality
from pipeline.decisions.promotion import decide
from pipeline.evaluation import ColumnError, Evaluation, PairError, Score
from pipeline.loop import PrivacyReport
from pipeline.privacy.disclosure import Withheld
from pipeline.settings import GateSettings

GATE = GateSettings()


def found(**values: tuple[float, float]) -> Evaluation:
    """An evaluation with scores of these values and ceilings, besides good ones."""
    good = {
        "shape_error": (0.012, 0.01),
        "total_error": (0.0, 0.0),
        "trend_error": (0.03, 0.029),
        "c2st": (0.9, 0.95),
        "coverage": (0.9, 0.97),
        "frechet": (0.2, 0.05),
        "nearer_to_train": (0.51, 0.5),
        "attack_auc": (0.52, 0.505),
        "attack_tpr": (0.015, 0.012),
        "copies": (0.0, 0.0),
        "disclosure_risk": (0.1, 0.1),
    }
    return Evaluation(
        rows=100,
        holdout_rows=50,
        scores=tuple(Score.of(name, *both) for name, both in {**good, **values}.items()),
        details={
            "columns": (
                ColumnError(name="age", error=0.001, ceiling=0.001),
                ColumnError(name="pay [gross]", error=0.25, ceiling=0.01),
            ),
            "pairs": (PairError(first="age", second="pay [gross]", error=0.4, ceiling=0.1),),
        },
        notes=("utility: not computed, no target column is named in the settings",),
    )


def outcome(evaluation: Evaluation, **given: Any) -> RunOutcome:
    """The outcome of a run whose version was judged by the gate."""
    decision = decide(evaluation, None, GATE)
    known = {
        "name": "people",
        "version": "4",
        "decision": "promoted" if decision.promote else "refused",
        "reasons": decision.reasons,
        "evaluation": evaluation,
        "seconds": {"train": 61.2, "evaluate": 10.0},
    }
    return RunOutcome(**{**known, **given})


def printed(width: int, shown: RunOutcome) -> list[str]:
    """The lines on a terminal of a width."""
    console = Console(file=io.StringIO(), width=width)
    closing.run(console, shown, GATE)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_every_score_has_one_direction() -> None:
    """Errors and shares become percent of which 100 is best; a score without such a scale is left to MLflow."""
    lines = {line.setting: line for line in quality.lines(found(), GATE)}
    assert lines["shape_error"].value == pytest.approx(98.8)  # an error of .012
    assert lines["c2st"].value == pytest.approx(90.0)  # a share of .9
    assert lines["nearer_to_train"].value == pytest.approx(98.0)  # .01 beyond one half, of one half
    assert lines["nearer_to_train"].real == pytest.approx(100.0)
    assert "frechet" not in lines
    assert all(line.value <= 100 for line in lines.values())


def test_what_the_gate_asks_for_is_what_it_decides_by() -> None:
    """A value on the good side of `at least` passes, and one beyond it does not, for every limit."""
    for name, limit in GATE.limits.items():
        score = found()[name]
        edge = next(line.least for line in quality.lines(found(), GATE) if line.setting == name)
        assert edge is not None
        worse = -1 if score.goal == "max" else 1
        assert score.ceiling is not None
        for step, passes in ((limit - 0.001, True), (limit + 0.001, False)):
            moved = found(**{name: (score.ceiling + worse * step, score.ceiling)})
            (line,) = (line for line in quality.lines(moved, GATE) if line.setting == name)
            assert line.passes == passes == decide(moved, None, GATE).promote


def test_scores_without_a_limit_ask_for_nothing() -> None:
    """Where every value passes, `at least` is empty."""
    lines = {line.setting: line for line in quality.lines(found(), GATE)}
    assert lines["coverage"].least is None
    anything = GateSettings(limits={"c2st": 1.0})
    assert next(line.least for line in quality.lines(found(), anything) if line.setting == "c2st") is None


def test_the_verdict_comes_first() -> None:
    """Good or not, and why: a promotion, refusals by scores and by reasons, and a run that had nothing to do."""
    assert printed(80, outcome(found()))[0] == (
        "Good: yes. Every score is within the limits of the gate, and people version 4 is the champion."
    )
    bad = outcome(found(trend_error=(0.3, 0.03)), published="3")
    assert printed(80, bad)[0] == (
        "Good: no. pairs 70.0 %, at least 91.0 % is asked. people version 4 was refused; version 3 publishes."
    )
    worse = outcome(found(), decision="refused", reasons=("c2st is 0.9; the champion's is 0.99",))
    assert printed(80, worse)[0] == (
        "Good: no. c2st is 0.9; the champion's is 0.99. people version 4 was refused; nothing is published."
    )
    asked = outcome(found(), decision="refused", reasons=("a person has to approve: resynth promote people 4",))
    assert printed(80, asked)[0].startswith("Good: yes, but a person has to approve: resynth promote people 4; until")
    idle = RunOutcome(name="people", decision="skipped", reasons=("nothing is new",), seconds={})
    assert printed(80, idle)[0] == "Nothing to train: nothing is new."


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_terminal(width: int) -> None:
    """No name and no number is cut. A line with its meaning fits 80 columns, and a score that refuses is marked."""
    lines = printed(width, outcome(found(trend_error=(0.3, 0.03))))
    start = next(i for i, line in enumerate(lines) if line.startswith("quality in %"))
    rows = lines[start : lines.index("", start)]
    assert max(map(len, rows)) <= width
    cells = [re.split(r"\s{2,}", line.strip()) for line in rows]
    assert ["columns", "98.8", "99.0", "94.0"] in [row[:4] for row in cells]
    assert ["pairs", "70.0 !", "97.0", "91.0"] in [row[:4] for row in cells]
    if width >= 80:
        assert ["columns", "98.8", "99.0", "94.0", "the values of each column"] in cells
        assert len(rows) == 1 + len(list(quality.lines(found(), GATE)))


def test_what_is_weak_is_named() -> None:
    """Columns and pairs that are noticeably behind real rows are named in words, and others are not."""
    text = "\n".join(line.rstrip() for line in printed(80, outcome(found())))
    assert "weakest columns  pay [gross] 75.0 % (real rows 99.0 %)\n" in text
    assert "weakest pairs    age with pay [gross] 60.0 % (real rows 90.0 %)\n" in text
    assert "note: utility: not computed" in text


def test_places_and_costs_follow() -> None:
    """Rows, files and seconds have names. What withholding costs is told only if it is worth telling."""
    report = PrivacyReport(
        least_rows=5, withheld=(Withheld(name="age", labels=0, rows=2),), made_up=(), dropped=(), cost={"c2st": -0.02}
    )
    export = Export(path=Path("/data/v4"), rows=1234, manifest=Path("/data/v4/_manifest.parquet"))
    shown = outcome(found(), export=export, published="4", privacy=report)
    text = "\n".join(line.rstrip() for line in printed(80, shown))
    assert "published  1,234 rows of version 4\nfiles      /data/v4\ntook       71 s\n" in text
    assert "which changes the scores of the real rows themselves, rows most, by -2.0 points" in text
    little = report.model_copy(update={"cost": {"c2st": -0.0002}})
    assert "withheld" not in "\n".join(printed(80, shown.model_copy(update={"privacy": little})))
