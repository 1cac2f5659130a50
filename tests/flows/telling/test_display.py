"""What a person reads."""

import datetime as dt
import io
import tomllib
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from flows.telling import display
from flows.tracking.history import Event
from flows.tracking.registry import Version
from pipeline.assumptions import Assumption, assumed, settings
from pipeline.decisions.drift import DriftReport, Finding
from pipeline.evaluation import Evaluation, Score
from pipeline.privacy.disclosure import Withheld
from pipeline.queries.anomaly import ScoreReport
from pipeline.queries.oddities import OddRow, OddRows
from pipeline.relations.sums import Same
from pipeline.replay.story import STRATEGIES, Quality, Step, Story
from pipeline.schema import Column, Schema

FOUND = Evaluation(
    rows=100,
    holdout_rows=50,
    scores=(Score.of("shape_error", 0.0123, 0.0101), Score.of("c2st", 0.9, 0.95)),
    columns=(),
    pairs=(),
    notes=("utility: not computed",),
)


def printed(width: int, show: object, shown: object) -> str:
    """The text on a console of the given width."""
    console = Console(file=io.StringIO(), width=width)
    show(console, shown)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def taken(names: int) -> tuple[Assumption, ...]:
    """What is assumed of a table with so many columns of each of three sorts, and as many relations."""
    columns = [
        column
        for i in range(names)
        for column in (
            Column(name=f"order_number_{i}", kind="identifier", nullable=False),
            Column(name=f"contact_{i}", kind="text", nullable=False, shape="email" if i % 2 else "person"),
            Column(name=f"branch_{i}", kind="code", nullable=False),
            Column(name=f"gross_{i}", kind="numeric", nullable=False),
            Column(name=f"net_{i}", kind="numeric", nullable=False),
        )
    ]
    types = {"text": pa.string()}
    arrow = pa.schema([(column.name, types.get(column.kind, pa.int64())) for column in columns])
    same = [Same(target=f"gross_{i}", sources=(f"net_{i}",), support=9) for i in range(names)]
    hidden = [Withheld(name=f"net_{i}", labels=0, rows=2) for i in range(names)]
    return assumed(Schema(tuple(columns), arrow), same, hidden)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("names", [2, 60])
def test_assumptions_are_a_short_list_and_settings_to_paste(width: int, names: int) -> None:
    """The list fits the width, every sort has a line, and the settings are one document whatever the width."""
    found = taken(names)
    text = printed(width, display.assumed, found)
    listed, _, document = text.partition("to overrule, at the end of resynth.toml:\n")
    assert max(map(len, listed.splitlines())) <= width
    assert len(text.splitlines()) <= 50
    flat = " ".join(listed.split())
    for title in ("identifiers", "made up", "codes", "extremes", "relations"):
        assert title in [line[:11].strip() for line in listed.splitlines()]
    assert ("order_number_5 and 54 more" in flat) == ("and 52 more" in flat) == (names == 60)
    assert "gross_1 = net_1 (9 rows)" in flat
    assert document.strip() == settings(found)
    values = tomllib.loads(document)
    assert set(values["columns"]) >= {"order_number_0", "contact_0", "branch_0"}
    assert not [name for name in values["columns"] if name.startswith("net")]
    assert values["relations"]["off"] == [each.what for each in found if each.sort == "relation"][:8]
    assert printed(width, display.assumed, ()) == ""


def test_drift_names_what_has_drifted_and_nothing_else() -> None:
    """Checks that found nothing are counted, not listed."""
    fixed = {"kind": "numeric", "what": "values", "low": 0.0, "high": 1.0, "threshold": 0.1}
    moved = Finding(column="age", size=0.4, drifted=True, text="age: moved", **fixed)
    calm = Finding(column="sex", size=0.0, drifted=False, text="sex: moved not", **fixed)
    report = DriftReport(drifted=True, findings=(moved, calm), reference_rows=10, rows=10, notes=("few [rows]",))
    text = printed(80, display.drift, report)
    assert "note: few [rows]" in text
    assert "age: moved" in text
    assert "sex" not in text
    assert "found (1 of 2 checks)" in text


def test_rows_that_look_wrong_are_numbers_and_columns() -> None:
    """Each row is a line with its p-value and columns, below their number; without any, nothing is said."""
    rows = tuple(OddRow(row=i, p_value=0.0004, columns=("age", "a [b]")) for i in (7, 1000))
    report = DriftReport(
        drifted=False, findings=(), reference_rows=10, rows=10, odd=OddRows(looked_at=50, found=9, rows=rows)
    )
    text = printed(80, display.drift, report)
    assert "9 of 50 rows look wrong, the worst 2:" in text
    assert "row 1000 (p = 0.0004): age, a [b]" in text
    none = report.model_copy(update={"odd": OddRows(looked_at=50, found=0)})
    assert "wrong" not in printed(80, display.drift, none)


def test_scores_are_counted_without_values() -> None:
    """The number of anomalies stands beside the number that chance explains; many columns are cut short."""
    report = ScoreReport(
        model="models:/m/1",
        rows=1000,
        anomalies=40,
        threshold="false_alarms",
        level=0.01,
        score=7.0,
        expected=10.0,
        quantiles={},
        reasons={f"column {i}": 40 - i for i in range(15)},
    )
    text = printed(80, lambda console, found: display.scores(console, found, Path("out.parquet")), report)
    assert "40 of 1,000 rows are anomalies (p ≤ 0.01, 10 expected if all were ordinary)" in text
    assert "column 0" in text
    assert "and 5 more columns" in text


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_version_is_a_line(width: int) -> None:
    """Model, version, alias, time and decision are whole at any width; reasons are cut where the terminal ends."""
    when = dt.datetime(2026, 3, 5, 3, 0, 12, tzinfo=dt.UTC)
    known = {"name": "people", "run": None, "created": when}
    reasons = {"decision": "refused", "reasons": "shape is [worse]; " * 20}
    found = [
        Version(version="12", aliases=("champion",), tags={"decision": "promoted"}, **known),
        Version(version="9", aliases=(), tags=reasons, **known),
    ]
    console = Console(file=io.StringIO(), width=width)
    display.versions(console, found, found[1:])
    assert isinstance(console.file, io.StringIO)
    head, first, second, note = console.file.getvalue().splitlines()
    assert head.split()[:3] == ["model", "version", "alias"]
    assert first.split() == ["people", "12", "champion", "2026-03-05", "03:00", "promoted"][: len(first.split())]
    assert second.split()[:4] == ["people", "9", "2026-03-05", "03:00"]
    assert max(map(len, (head, first, second))) <= width
    assert second.endswith("…")
    assert ("[worse]" in second) == (width > 60)
    assert note.startswith("note: people version 9")


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_history_is_a_line_per_move_at_any_width(width: int) -> None:
    """No time, event, version or name is cut, whatever the reasons. Run ids are whole if there is room."""
    when = dt.datetime(2026, 3, 5, 3, 0, 12, tzinfo=dt.UTC)
    run = "0123456789abcdef" * 2
    events = [
        Event(when=when, kind="promoted", before=None, after="99", by=run, why="shape is [fine]; " * 9),
        Event(when=when, kind="rolled back", before="100", after="99", by="person", why="resynth rollback"),
    ]
    text = printed(width, display.history, events)
    lines = [line.split() for line in text.splitlines()]
    shown = run if width >= 120 else run[:8]
    assert ["2026-03-05", "03:00", "promoted", "–", "99", shown] in [line[:6] for line in lines]
    assert ["2026-03-05", "03:00", "rolled", "back", "100", "99", "person"] in [line[:7] for line in lines]
    assert "[fine]" in text
    assert printed(width, display.history, []) == ""


def test_a_replay_is_a_line_per_strategy_and_a_verdict() -> None:
    """Each line says what a strategy trained and reached. The verdict says how far the loop ends below *always*."""
    overall = {"loop": 0.93, "always": 0.95, "never": 0.5}
    steps = [
        Step(
            strategy=strategy,
            period=period,
            end=dt.datetime(2024, 1 + period, 1, tzinfo=dt.UTC),
            new_rows=1,
            rows=1,
            decision="promoted",
            reasons=(),
            trained=str(period) if strategy == "always" or not period else None,
            seconds=2.0 if strategy == "always" or not period else 0.0,
            champion="0",
            ahead=None,
            quality=Quality(overall=overall[strategy], ceiling=0.99, scores={}, ceilings={}),
        )
        for period in range(4)
        for strategy in STRATEGIES
    ]
    story = Story(column="seen", every="1mo", periods=4, rows=4, steps=tuple(steps))
    lines = display.strategies(story)
    assert ("loop", "1", "1", "2", "–", "0.9300", "0.9300", "0.9900") in lines
    assert ("always", "4", "4", "8", "–", "0.9500", "0.9500", "0.9900") in lines
    assert display.verdict(story) == (
        "4 periods: 1 trainings instead of 4, 2 CPU seconds instead of 8; "
        "quality at the end 2.11% below that of training always"
    )
