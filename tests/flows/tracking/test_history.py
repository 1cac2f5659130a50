"""Moves of the champion's alias in the real embedded MLflow: all are kept, each once and in order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow import MlflowClient

from flows.tracking import history
from flows.tracking.history import Event, Kind
from pipeline.errors import ResynthError


@pytest.fixture
def name(home: Path, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A registered model with three versions and no history."""
    made = f"history-{request.node.name}"
    client = MlflowClient()
    client.create_registered_model(made)
    for _ in range(3):
        client.create_model_version(made, source=str(tmp_path))
    return made


def moved(name: str, kind: Kind, after: str | None, before: str | None = None, why: str = "") -> Event:
    """Let the alias move, as the registry does."""
    past = history.settle(name)
    event = Event.following(past, kind, before or history.reigning(past), after, "run", why)
    history.move(name, event)
    return event


def tags(name: str) -> dict[str, str]:
    """The tags of the model that hold events."""
    found = MlflowClient().get_registered_model(name).tags
    return {key: value for key, value in found.items() if history.WRITTEN.fullmatch(key)}


def line(*moves: tuple[Kind, str | None, str | None]) -> list[str]:
    """The champions that count after moves of a kind, from, to."""
    events: list[Event] = []
    for kind, before, after in moves:
        events.append(Event.following(events, kind, before, after, "run", ""))
    return history.line(events)


def test_a_move_changes_the_alias_and_is_remembered(name: str) -> None:
    """A move to no champion is an event too. Reading alone writes nothing."""
    events = [moved(name, "promoted", "1", why="good"), moved(name, "promoted", "2"), moved(name, "taken back", None)]
    before = tags(name)
    assert history.read(name) == tuple(events)
    assert [(event.before, event.after) for event in events] == [(None, "1"), ("1", "2"), ("2", None)]
    assert (events[0].by, events[0].why) == ("run", "good")
    assert events[0].when.utcoffset() == timedelta(0)
    assert "champion" not in MlflowClient().get_registered_model(name).aliases
    assert tags(name) == before
    assert sorted(before) == [event.key for event in events]


def test_nothing_is_ever_dropped_or_changed(name: str) -> None:
    """Hundreds of moves are all kept, in order, and no later move changes an earlier event."""
    past: tuple[Event, ...] = ()
    for count in range(250):
        event = Event.following(past, "promoted", None, "1", f"run{count}", "")
        history.write(name, event)
        past = (*past, event)
    MlflowClient().set_registered_model_alias(name, "champion", "1")
    before = tags(name)
    moved(name, "promoted", "2")
    moved(name, "rolled back", "1")
    moved(name, "taken back", None)
    assert history.read(name)[:250] == past
    assert tags(name).items() > before.items()
    assert len(tags(name)) == 253


def test_a_crash_after_the_alias_has_moved_is_completed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is read at once as it was planned. The next process that moves the alias writes it, once."""
    moved(name, "promoted", "1")
    with monkeypatch.context() as patched:
        patched.setattr(history, "write", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            moved(name, "rolled back", "2", why="meant so")
    assert (len(tags(name)), len(history.read(name))) == (1, 2)
    cut = history.read(name)[-1]
    assert (cut.kind, cut.before, cut.after, cut.why) == ("rolled back", "1", "2", "meant so")
    moved(name, "promoted", "3")
    assert [event.kind for event in history.read(name)] == ["promoted", "rolled back", "promoted"]
    assert history.read(name)[1] == cut
    assert len(tags(name)) == 3


def test_a_crash_before_the_alias_has_moved_is_no_move(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planned move that did not happen is no event, even if another process sets the alias there later."""
    moved(name, "promoted", "1")
    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_registered_model_alias", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            moved(name, "promoted", "2")
    assert [event.after for event in history.settle(name)] == ["1"]
    moved(name, "promoted", "3")
    MlflowClient().set_registered_model_alias(name, "champion", "2")
    assert [(event.kind, event.after) for event in history.settle(name)] == [
        ("promoted", "1"),
        ("promoted", "3"),
        ("in MLflow", "2"),
    ]


def test_what_was_done_in_mlflow_itself_is_noticed(name: str) -> None:
    """An alias set or removed in MLflow is a move by a person. Without an alias there is no event."""
    assert history.settle(name) == ()
    client = MlflowClient()
    client.set_registered_model_alias(name, "champion", "2")
    assert len(history.read(name)) == 1
    assert tags(name) == {}
    history.settle(name)
    client.delete_registered_model_alias(name, "champion")
    told = [(event.kind, event.before, event.after, event.by) for event in history.settle(name)]
    assert told == [("in MLflow", None, "2", "person"), ("in MLflow", "2", None, "person")]
    assert history.settle(name) == history.read(name)
    assert len(tags(name)) == 2


def test_what_was_remembered_before_there_were_events_is_read(name: str) -> None:
    """The old tag gives promotions without reasons; new moves follow it, and it stays as it is."""
    client = MlflowClient()
    old = "1@2026-01-05T03:00:12Z 2@2026-01-06T03:00:09Z"
    client.set_registered_model_tag(name, "champions", old)
    client.set_registered_model_alias(name, "champion", "2")
    moved(name, "promoted", "3")
    first, second, third = history.read(name)
    assert first.when == datetime(2026, 1, 5, 3, 0, 12, tzinfo=UTC)
    assert (first.kind, first.before, first.after, first.by, first.why) == ("promoted", None, "1", "unknown", "")
    assert [(event.before, event.after) for event in (second, third)] == [("1", "2"), ("2", "3")]
    assert client.get_registered_model(name).tags["champions"] == old


def test_the_order_survives_a_clock_that_is_ahead(name: str) -> None:
    """After a move by a machine whose clock is an hour ahead, the next one is still the last."""
    ahead = moved(name, "promoted", "1").model_copy(update={"when": datetime.now(UTC) + timedelta(hours=1)})
    history.write(name, ahead.model_copy(update={"before": "1", "after": "2"}))
    MlflowClient().set_registered_model_alias(name, "champion", "2")
    moved(name, "promoted", "3")
    assert [event.after for event in history.read(name)] == ["1", "2", "3"]


def test_reasons_fit_a_tag_whatever_they_hold(name: str) -> None:
    """Long reasons with many lines and quotes are shortened, and the event is read back."""
    event = moved(name, "promoted", "1", why='said "no"\n' * 10_000)
    assert event.why.startswith('said "no" said')
    assert event.why.endswith("…")
    assert history.read(name) == (event,)
    assert max(len(value) for value in tags(name).values()) <= 5_000


def test_a_tag_that_is_no_event_is_told_in_a_line(name: str) -> None:
    """The line names the tag and the model, so that a person can repair it. Other tags may have any name."""
    client = MlflowClient()
    client.set_registered_model_tag(name, "champion.of.the.year", "adult")
    event = moved(name, "promoted", "1")
    client.set_registered_model_tag(name, event.key, "{}")
    with pytest.raises(ResynthError, match=rf"history: expected the tag {event.key} of .*{name}") as error:
        history.read(name)
    assert "\n" not in str(error.value)


def test_the_line_of_champions_is_what_counts() -> None:
    """It leaves out versions that were rolled back from or taken back, wherever they stood. Each stay counts once."""
    up: list[tuple[Kind, str | None, str | None]] = [
        ("promoted", None, "1"),
        ("promoted", "1", "3"),
        ("by hand", "3", "2"),
    ]
    assert line(*up) == ["1", "3", "2"]
    assert line(*up, ("by hand", "2", "2")) == ["1", "3", "2"]
    assert line(*up, ("rolled back", "2", "3")) == ["1", "3"]
    assert line(*up, ("rolled back", "2", "3"), ("promoted", "3", "4")) == ["1", "3", "4"]
    assert line(*up, ("rolled back", "2", "1")) == ["1"]
    assert line(*up, ("taken back", "3", "2")) == ["1", "2"]
    assert line(*up, ("taken back", "2", "3")) == ["1", "3"]
    assert line(*up, ("taken back", "2", "4")) == ["1", "3", "4"]
    assert line(*up, ("in MLflow", "2", None)) == ["1", "3", "2"]
    assert line(*up, ("in MLflow", "2", "3")) == ["1", "3", "2", "3"]
    assert line(("promoted", None, "1"), ("taken back", "1", None)) == []
