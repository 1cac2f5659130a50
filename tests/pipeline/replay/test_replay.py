"""The loop over history: no look ahead, no training twice, and strategies that do what their names say."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns, loop
from pipeline.data import tables
from pipeline.data.incoming import IncomingSettings
from pipeline.decisions.drift import DriftReport
from pipeline.evaluation import detection
from pipeline.loop import Past
from pipeline.progress import Tick
from pipeline.replay.shelf import Shelf
from pipeline.replay.story import STRATEGIES, Story
from pipeline.replay.turns import replay
from pipeline.settings import (
    EvaluationSettings,
    GateSettings,
    LoopSettings,
    ModelSettings,
    PolicySettings,
    TrainingSettings,
)

pytestmark = pytest.mark.usefixtures("training")
PERIODS, ROWS = 5, 120
LENIENT = GateSettings(active_units=0, limits={"shape_error": 1.0}, margins={"shape_error": 1.0})
SETTINGS = LoopSettings(
    model=ModelSettings(width=16, hidden=16, components=4),
    training=TrainingSettings(epochs=1, batch=64),
    evaluation=EvaluationSettings(detection_rows=100, distance_rows=100, permutations=20),
    policy=PolicySettings(oldest_days=3650, severe=1.0, growth=10),
    gate=LENIENT,
)


def history(shifted_from: int = PERIODS, rows: int = ROWS) -> pa.Table:
    """Five months of days with a number and a label; from a period on, the number is another one."""
    rng = np.random.default_rng(0)
    period = np.repeat(np.arange(PERIODS), rows)
    label = rng.integers(0, 3, len(period))
    values = label + rng.normal(size=len(period)) + 6 * (period >= shifted_from)
    seconds = (period * 30 + rng.uniform(0, 30, len(period))) * 86_400
    seconds[0] = 0
    start = np.datetime64("2024-01-01", "us")
    return pa.table(
        {
            "seen": start + seconds.astype("timedelta64[s]"),
            "value": np.round(values, 3),
            "label": pa.array(np.array(["a", "b", "c"])[label]).dictionary_encode(),
        }
    )


def told(directory: Path, table: pa.Table, settings: LoopSettings = SETTINGS) -> Story:
    """The story of a table by periods of thirty days."""
    return replay(table, "seen", "30d", settings, Shelf(directory))


@pytest.fixture(scope="module", autouse=True)
def _few_trees() -> Iterator[None]:
    """Use classifiers of ten trees, which are enough here. Larger ones would take half of the time of a replay."""
    few = partial(detection.HistGradientBoostingClassifier, max_iter=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detection, "HistGradientBoostingClassifier", few)
        yield


@pytest.fixture(scope="module")
def shifting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Story, Path]:
    """The story of a table that changes in its third period, and its shelf."""
    directory = tmp_path_factory.mktemp("shelf")
    return told(directory, history(shifted_from=2)), directory


def test_strategies_are_what_their_names_say(shifting):
    """*Never* trains once, *always* afresh in every period, *loop* less often; all share the first training."""
    story, _ = shifting
    assert (story.periods, story.rows, len(story.steps)) == (PERIODS, PERIODS * ROWS, PERIODS * len(STRATEGIES))
    trained = {strategy: [step.trained for step in story.of(strategy)] for strategy in STRATEGIES}
    assert trained["never"] == ["0", None, None, None, None]
    assert trained["always"] == ["0", "1", "2", "3", "4"]
    assert trained["loop"][0] == "0"
    assert 1 < story.summary("loop").trainings < story.summary("always").trainings
    assert len({story.of(strategy)[0].seconds for strategy in STRATEGIES}) == 1


def test_the_loop_trains_once_drift_is_confirmed(shifting):
    """Calm before the change; found in the period of it, and again in the next, in which the loop trains.

    The share of other rows is a third and a half of the table: far beyond every threshold. Calm checks give a false
    alarm with a chance of one in a thousand.
    """
    steps = shifting[0].of("loop")
    assert [step.drift.drifted for step in steps[1:4]] == [False, True, True]
    assert [step.plan for step in steps[:4]] == [None, "skip", "skip", "warm-start"]
    assert steps[3].trained == "0-3"
    assert steps[3].champion == "0-3"
    assert any(reason.startswith("drift in 2 of the last 3 checks") for reason in steps[3].reasons)
    assert "value" in steps[2].drift.worst or "all columns" in steps[2].drift.worst


def test_every_judgment_is_made_without_what_comes_later(shifting, tmp_path):
    """With other rows in the fourth period and none after it, all earlier turns are the same, apart from times."""
    story, _ = shifting
    cut = history(shifted_from=2).slice(0, 3 * ROWS)
    other = pa.concat_tables([cut, history(shifted_from=4).slice(3 * ROWS, ROWS)])
    again = told(tmp_path, other)
    timeless = [
        [step.model_copy(update={"seconds": 0.0}) for step in each.steps if step.period < 3] for each in (story, again)
    ]
    assert timeless[0] == timeless[1]
    assert story.of("loop")[3].ahead != again.of("loop")[3].ahead


def test_quality_falls_where_nothing_is_learned(shifting):
    """A champion from before the change is a much worse twin of the later table than real rows are."""
    never = shifting[0].of("never")[-1].quality
    assert never.ceiling - never.overall > 0.15
    assert never.overall == pytest.approx(1 - (never.scores["shape_error"] + never.scores["trend_error"]) / 2)
    story = shifting[0]
    expected = 1 - story.summary("loop").end / story.summary("always").end
    assert story.loss == pytest.approx(expected)
    assert story.summary("never").end == never.overall  # the last quarter of five periods is the last one


def test_rows_ahead_are_compared_before_they_are_learned(shifting):
    """The first turn has no champion. In the period of the change, quality ahead falls for every strategy."""
    for strategy in STRATEGIES:
        steps = shifting[0].of(strategy)
        assert steps[0].ahead is None
        assert all(step.ahead is not None for step in steps[1:])
        assert steps[1].ahead.overall - steps[2].ahead.overall > 0.15
        assert steps[1].ahead.ceiling - steps[2].ahead.ceiling > 0.15


def test_an_interrupted_replay_goes_on_where_it_was(shifting, tmp_path, monkeypatch):
    """A replay stopped in the fourth period and started again has the same story and trains nothing twice."""
    names: list[int] = []
    fit = loop.fit

    def counted(parts, *given, **named):
        names.append(parts.train.num_rows)
        return fit(parts, *given, **named)

    def impatient(tick: Tick) -> None:
        if tick.phase == "replay" and tick.done == 3 * len(STRATEGIES) + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "fit", counted)
    table = history(shifted_from=2)
    with pytest.raises(KeyboardInterrupt):
        replay(table, "seen", "30d", SETTINGS, Shelf(tmp_path), impatient)
    before = len(names)
    story = told(tmp_path, table)
    assert told(tmp_path, table) == story
    assert 0 < before < len(names)
    assert len(names) == len({step.trained for step in story.steps} - {None})
    strip = [[step.model_copy(update={"seconds": 0.0}) for step in each.steps] for each in (story, shifting[0])]
    assert strip[0] == strip[1]


def test_the_window_is_respected(tmp_path):
    """With `[incoming] last_files = 2` a training sees two periods, and only the newest rows are looked at."""
    settings = SETTINGS.model_copy(update={"incoming": IncomingSettings(last_files=2)})
    story = told(tmp_path, history(rows=60).slice(0, 180), settings)
    assert [step.rows for step in story.of("loop")] == [60, 120, 120]
    assert [step.new_rows for step in story.of("loop")] == [60] * 3


def test_rows_that_no_training_saw_count_as_in_a_live_run(tmp_path, monkeypatch):
    """With a window shorter than a period, the waiting rows are exactly those that turns treated as new."""
    told_of: list[tuple[int, int]] = []
    situate = loop.situate

    def noted(champion, past, *given, new_rows, **named):
        told_of.append((past.waiting, new_rows))
        return situate(champion, past, *given, new_rows=new_rows, **named)

    monkeypatch.setattr(loop, "situate", noted)
    calm = SETTINGS.policy.model_copy(update={"votes": 3, "likelihood": 1000.0})
    settings = SETTINGS.model_copy(update={"incoming": IncomingSettings(last_rows=50), "policy": calm})
    story = told(tmp_path, history(rows=60).slice(0, 180), settings)
    assert [step.plan for step in story.of("loop")] == [None, "skip", "skip"]
    assert told_of == [(0, 50), (50, 50)]


@pytest.mark.parametrize(
    ("incoming", "new_rows", "expected"),
    [(IncomingSettings(), 7, 12), (IncomingSettings(), 0, 5), (None, 0, 0), (None, 600, 100), (None, 1, 100)],
)
def test_how_many_rows_the_champion_has_not_seen(shifting, incoming, new_rows, expected):
    """With `[incoming]`, arrived and waiting rows count. Otherwise the growth counts, unless it is the same table."""
    table = history()
    report = DriftReport(drifted=False, findings=(), reference_rows=PERIODS * ROWS - 100, rows=1)
    past = Past((), waiting=5, age_days=0, idle_hours=0, warm_starts=0, warm_start_refused=False)
    champion = Shelf(shifting[1]).synthesizer("0")
    settings = SETTINGS.model_copy(update={"incoming": incoming})
    schema, parts = columns.infer(table), tables.split(table)
    found = loop.situate(champion, past, parts, schema, settings, new_rows=new_rows, drift=report)
    assert found.new_rows == expected


def test_a_version_that_fails_the_gate_is_no_champion(tmp_path):
    """If nothing passes, every strategy tries again in each period, and there is no quality.

    The gate judges the latent space as in a live run. Here it asks for more latent dimensions than exist.
    """
    settings = SETTINGS.model_copy(update={"gate": LENIENT.model_copy(update={"active_units": 99})})
    story = told(tmp_path, history(rows=600).slice(0, 1_800), settings)
    assert {step.decision for step in story.steps} == {"refused"}
    assert all("with the row, and fewer than 99 are refused" in step.reasons[-1] for step in story.steps)
    assert all(step.champion is None and step.quality is None and step.ahead is None for step in story.steps)
    assert [story.summary(strategy).trainings for strategy in STRATEGIES] == [3] * 3
    assert story.loss is None
    assert {step.end.tzinfo for step in story.steps} == {dt.UTC}
