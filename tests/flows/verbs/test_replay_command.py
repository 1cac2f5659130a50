"""`resynth replay`: it agrees with live runs, does not change the registry, keeps its story, and fails in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small import LENIENT, TINY, Outcome, table
from store import Store

from flows.settings import Settings
from flows.telling import pages
from flows.tracking import registry
from flows.tracking import store as tracked
from flows.tracking.store import client
from flows.verbs import replay
from pipeline.errors import InputError, ResynthError
from pipeline.replay.story import Story

Command = Callable[..., Outcome]
SETTINGS = (
    TINY.replace("epochs = 1\nbatch = 256", "epochs = 20\nbatch = 32")  # until some latent dimensions vary
    + LENIENT.replace("active_units = 0", "active_units = 1")
    + '[policy]\ntrain = "needed"\ncool_down_hours = 0\noldest_days = 3650\nsevere = 1.0\n'
)


def history() -> pa.Table:
    """Three periods of a hundred days: 700 rows, then 450, then 100, in no order."""
    rng = np.random.default_rng(0)
    days = np.concatenate([rng.integers(100 * i, 100 * (i + 1), n) for i, n in enumerate((700, 450, 100))])
    days[0] = 0
    moments = (np.datetime64("2023-01-01") + days).astype("datetime64[us]")
    return table(1_250).set_column(3, "seen", pa.array(moments)).take(rng.permutation(1_250))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with which a training takes seconds."""
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


def test_a_replay_decides_and_measures_as_live_runs_do(command: Command, tmp_path: Path, config: Path):
    """A replay of three periods and two runs on the same tables have equal plans, decisions, reasons and scores.

    The replay registers nothing. It leaves one run with its story, numbers by period and the picture.
    """
    data, out, rows = tmp_path / "orders.parquet", tmp_path / "story", history()
    pq.write_table(rows, data)
    told = command(
        "replay",
        data,
        "--time",
        "seen",
        "--every",
        "100d",
        "--config",
        config,
        "--out",
        out,
        "--name",
        "past",
        "--json",
    )
    assert told.code == 0, told.err
    assert told.answer["periods"] == 3
    assert told.answer["strategies"]["never"]["trainings"] == 1
    assert "past" not in registry.names()
    assert (out / "replay.png").read_bytes().startswith(b"\x89PNG")
    story = Story.model_validate_json((out / "story.json").read_text())
    run = client().search_runs([client().get_experiment_by_name("past").experiment_id])[0]
    assert run.data.tags["flow"] == "replay"
    assert len(client().get_metric_history(run.info.run_id, "loop/quality")) == 3
    assert {file.path for file in client().list_artifacts(run.info.run_id)} == {
        "settings.json",
        "story.json",
        "replay.png",
    }

    loop = story.of("loop")
    assert any("with the row, and fewer than 1 would be refused" in reason for reason in loop[0].reasons)
    for period, known in ((0, 700), (1, 1_150)):
        pq.write_table(rows.sort_by("seen").slice(0, known), data)
        live = command("run", data, "--name", "present", "--config", config, "--json")
        assert live.code == (3 if loop[period].decision == "refused" else 0), live.err
        assert loop[period].plan == (live.answer["plan"]["action"] if live.answer["plan"] else None)
        assert loop[period].decision == live.answer["decision"]
        assert loop[period].reasons[-len(live.answer["reasons"]) :] == tuple(live.answer["reasons"])
        if live.code:
            continue  # its scores are those of the version that was refused
        for name, value in loop[period].quality.scores.items():
            assert live.answer["metrics"][name] == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("--time", "when", "--every", "100d"), "time: expected a column 'when' of times, got none"),
        (("--time", "value", "--every", "100d"), "expected dates or timestamps in column 'value', got double"),
        (("--time", "seen", "--every", "often"), "every: expected a number and one of m, h, d, w or mo"),
        (("--time", "seen", "--every", "200d"), "every: expected 3 to 10,000 periods, got 2"),
    ],
)
def test_what_cannot_be_replayed_is_bad_input(command: Command, tmp_path: Path, given: tuple[str, ...], line: str):
    """Wrong columns and periods end with exit code 2 and one line, and nothing is kept."""
    data = tmp_path / "orders.parquet"
    pq.write_table(history(), data)
    refused = command("replay", data, *given, "--name", "bad-replay", "--json")
    assert refused.code == 2
    assert line in refused.answer["error"]
    assert json.loads(refused.out.splitlines()[-1])["exit_code"] == 2
    assert client().get_experiment_by_name("bad-replay") is None


def test_history_may_lie_in_an_object_store(
    command: Command, store: Store, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its rows are those of all objects. The model and the MLflow run are named after the prefix."""
    rows, told = history(), list[pa.Table]()
    for name, part in (("spring", rows.slice(0, 120)), ("summer", rows.slice(120))):
        pq.write_table(part, tmp_path / "part.parquet")
        uri = store.put(f"replayed/{name}.parquet", tmp_path / "part.parquet").rpartition("/")[0]

    def stop(table: pa.Table, *_: object) -> Story:
        told.append(table)
        raise InputError("enough")

    monkeypatch.setattr(replay, "tell", stop)
    refused = command("replay", uri, "--time", "seen", "--every", "100d", "--config", config, "--json")
    assert (refused.code, refused.answer["error"]) == (2, "enough")
    assert told[0].equals(rows)
    run = client().search_runs([client().get_experiment_by_name("replayed").experiment_id])[0]
    assert json.loads(run.inputs.dataset_inputs[0].dataset.source) == {"uri": uri}


@pytest.fixture
def asked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> replay.ReplayRequest:
    """A replay whose turns take no time, because there are none."""
    data = tmp_path / "orders.parquet"
    pq.write_table(history(), data)
    story = Story(column="seen", every="100d", periods=3, rows=300, steps=())
    monkeypatch.setattr(replay, "tell", lambda *_: story)
    monkeypatch.setattr(replay, "keep", lambda *_: None)
    monkeypatch.setattr(replay, "write", lambda *_: None)
    monkeypatch.setattr(replay.pages, "replay", lambda _: "")
    monkeypatch.setattr(replay.display, "verdict", lambda _: "told")
    monkeypatch.setattr(pages, "create_markdown_artifact", lambda *_, **__: None)
    settings, out = Settings(), tmp_path / "story"
    return replay.ReplayRequest(
        data=data, home=home, name="told", settings=settings, column="seen", every="100d", out=out
    )


def test_an_artifact_that_prefect_does_not_take_fails_no_replay(
    asked: replay.ReplayRequest, monkeypatch: pytest.MonkeyPatch
):
    """All work is done, so the outcome is returned."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("503")

    monkeypatch.setattr(pages, "create_markdown_artifact", refuse)
    assert replay.carry_out(asked).story.periods == 3


def test_what_takes_long_is_kept_until_the_replay_is_done(asked: replay.ReplayRequest, monkeypatch: pytest.MonkeyPatch):
    """An interrupted replay leaves its shelf to the next one. A changed replay, or a finished one, removes it."""
    shelves = asked.home / ".resynth" / "replays" / asked.name

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(replay, "keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            replay.carry_out(asked)
        first = list(shelves.iterdir())
        with pytest.raises(KeyboardInterrupt):
            replay.carry_out(asked)
        assert list(shelves.iterdir()) == first
        with pytest.raises(KeyboardInterrupt):
            replay.carry_out(asked.model_copy(update={"every": "90d"}))
        other = list(shelves.iterdir())
        assert len(other) == 1
        assert other != first
    replay.carry_out(asked)
    assert not list(shelves.iterdir())


def test_a_replay_whose_server_goes_away_says_so_in_a_line(
    asked: replay.ReplayRequest, monkeypatch: pytest.MonkeyPatch
):
    """The line is that of a live run."""

    def lose(*_: object) -> None:
        raise ConnectionError("http://secret@somewhere")

    monkeypatch.setattr(replay, "keep", lose)
    monkeypatch.setattr(tracked, "away", lambda: True)
    with pytest.raises(ResynthError, match=r"^expected the MLflow server of MLFLOW_TRACKING_URI to go on answering"):
        replay.carry_out(asked)


def test_a_place_that_cannot_be_written_is_told_before_the_replay(
    asked: replay.ReplayRequest, monkeypatch: pytest.MonkeyPatch
):
    """The error comes before the first turn."""
    monkeypatch.delattr(replay, "tell")
    asked.out.write_text("a file")
    with pytest.raises(InputError, match="out: expected a directory that can be written"):
        replay.carry_out(asked)
