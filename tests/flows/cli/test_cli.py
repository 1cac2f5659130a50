"""The command: exit codes, answers, and one clear line for every kind of bad input."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from small import LENIENT, TINY, Outcome, synthesizer, table, workspaces, write

from flows.engine import homes
from flows.tracking import registry
from flows.tracking.store import Run
from pipeline.synthesizer import Synthesizer

Command = Callable[..., Outcome]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A settings file for a fast training."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY + LENIENT)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-verb"], "no-such-verb"),
        (["run"], "DATA|data"),
        (["run", "x.parquet", "--rows", "many"], "--rows"),
        (["run", "x.parquet", "--colour", "red"], "--colour"),
        (["run", "x.parquet", "--rows", "0"], "rows in the command line"),
        (["run", "x.parquet", "--rows", "-5"], "rows"),
        (["run", "x.parquet", "--name", "a/b"], "name in the command line"),
        (["run", "x.parquet", "--seed", "-1"], "seed in the command line"),
        (["export", "cli-none", "--rows", "0", "--out", "x"], "rows in the command line"),
        (["promote", "cli-none", "one"], "VERSION|version|whole number"),
        (["promote", "cli-none", "1.4"], "expected a whole number, got '1.4'"),
        (["run", "x.parquet", "--rows", "1.5"], "expected a whole number, got '1.5'"),
        (["run", "x.parquet", "--config", "none.toml"], "none.toml"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(command: Command, arguments: list[str], message: str) -> None:
    """Wrong arguments are reported before any work starts."""
    outcome = command(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("resynth: ")
    assert outcome.err.count("\n") == 1
    assert any(part in outcome.err for part in message.split("|"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "cli-none", "--rows", "5", "--out", "x"],
        ["drift", "cli-none", ROOT / "data" / "adult_test.parquet"],
        ["drift", "cli-none", "none.parquet"],
        ["promote", "cli-none", "1"],
        ["rollback", "cli-none"],
        ["models", "cli-none"],
        ["verify", "cli-none"],
        ["evaluate", "none.parquet", "none.parquet"],
    ],
)
def test_unknown_things_are_bad_input(command: Command, arguments: list[object]) -> None:
    """A model, version, export or table that is not there is named, with exit code 2."""
    outcome = command(*arguments, "--json")
    assert outcome.code == 2
    assert outcome.answer["exit_code"] == 2
    assert "cli-none" in outcome.answer["error"] or "none.parquet" in outcome.answer["error"]
    assert outcome.err.splitlines()[-1] == f"resynth: {outcome.answer['error']}"
    assert "Traceback" not in outcome.err


def bad_tables() -> dict[str, Callable[[Path], None]]:
    """Writers of tables that cannot be used, by what is wrong with them."""

    def parquet(**columns: object) -> Callable[[Path], None]:
        return lambda path: pq.write_table(pa.table(columns), path)

    def cut_short(path: Path) -> None:
        pq.write_table(table(), path)
        path.write_bytes(path.read_bytes()[:-100])

    def twice(path: Path) -> None:
        pq.write_table(pa.Table.from_arrays([pa.array(range(50))] * 2, names=["a", "a"]), path)

    return {
        "missing": lambda path: None,
        "directory without Parquet": lambda path: path.mkdir(),
        "not Parquet": lambda path: path.write_text("a,b\n1,2\n") and None,
        "cut short": cut_short,
        "zero rows": lambda path: pq.write_table(table().slice(0, 0), path),
        "too few rows": lambda path: pq.write_table(table(5), path),
        "zero columns": lambda path: pq.write_table(pa.table({}), path),
        "duplicate names": twice,
        "nested type": parquet(a=pa.array([[1, 2]] * 50)),
        "infinite": parquet(a=np.array([1.0, np.inf] * 50), b=np.arange(100) % 7),
        "long text": parquet(a=["x" * 10_000_000] + ["y"] * 49),
    }


@pytest.mark.parametrize("kind", bad_tables())
def test_a_bad_table_changes_nothing(command: Command, home: Path, tmp_path: Path, kind: str) -> None:
    """The command prints one line and ends with exit code 2. It registers and writes nothing, and leaves no rows."""
    data = tmp_path / "bad.parquet"
    bad_tables()[kind](data)
    out = tmp_path / "out"
    outcome = command("run", data, "--name", "cli-bad", "--out", out)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("resynth: ")
    assert "xxxxx" not in outcome.err
    assert "cli-bad" not in registry.names()
    assert not out.exists()
    assert not workspaces(home)


def test_a_table_with_other_columns_than_the_champions_is_refused(command: Command, model: str, tmp_path: Path) -> None:
    """The differences are named, and the champion stays."""
    data = tmp_path / "other.parquet"
    other = table().rename_columns(["value", "region", "count", "day"])
    fractions = pc.add(other.column("count").cast(pa.float64()), 0.5)  # whole numbers would be read as integers
    pq.write_table(other.set_column(2, "count", fractions), data)
    outcome = command("run", data, "--name", model)
    assert outcome.code == 2
    assert "'group' is missing" in outcome.err
    assert "'region' is new" in outcome.err
    assert "'count' has type double, expected int32" in outcome.err
    assert [version.version for version in registry.versions(model)] == ["1"]


def test_a_failing_stage_leaves_no_trace(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If publishing fails at the very end, the version is withdrawn and the alias is moved back."""
    from pipeline.data import exports  # noqa: PLC0415 - patched below

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "publish", full)
    outcome = command("run", write(tmp_path), "--name", "cli-full", "--config", tiny, "--json")
    assert outcome.code == 1
    assert "No space left" in outcome.answer["error"]
    assert "cli-full" not in registry.names()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_clean(
    command: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: signal.Signals
) -> None:
    """Ctrl-C or a supervisor's stop while training: exit code 130, one line, the run is marked, nothing is left."""
    name = f"cli-{stop.name.lower()}"
    monkeypatch.setattr(Synthesizer, "fit", lambda *_, **__: signal.raise_signal(stop))
    outcome = command("run", write(tmp_path), "--name", name, "--config", tiny)
    assert outcome.code == 130
    assert outcome.err == "resynth: interrupted\n"
    assert name not in registry.names()
    experiment = MlflowClient().get_experiment_by_name(name)
    assert experiment is not None
    runs = MlflowClient().search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["KILLED"]


def test_a_refused_first_version_publishes_nothing(command: Command, tmp_path: Path) -> None:
    """If the gate refuses, the exit code is 3, the version is kept for inspection, and there is no champion."""
    strict = tmp_path / "strict.toml"
    strict.write_text(TINY + "[gate]\nactive_units = 99\n")
    outcome = command("run", write(tmp_path), "--name", "cli-strict", "--config", strict, "--out", tmp_path / "out")
    assert outcome.code == 3, outcome.err
    assert "refused" in outcome.out
    assert not (tmp_path / "out").exists()
    assert registry.champion("cli-strict") is None
    assert registry.versions("cli-strict")[0].tags["decision"] == "refused"


def test_settings_may_say_where_the_data_are(command: Command, tmp_path: Path) -> None:
    """Without DATA, the settings' `data` is used; with several tables, that of the named one.

    With a name, `models` shows the moves of its alias below the versions, as text and as JSON. Without one, not.
    """
    name = "cli-told"
    write(tmp_path, "told")
    config = tmp_path / "resynth.toml"
    config.write_text(TINY + LENIENT + f'[tables.{name}]\ndata = "{tmp_path / "told.parquet"}"\n')
    outcome = command("run", "--name", name, "--config", config, "--rows", 10, "--json")
    assert (outcome.code, outcome.answer["decision"]) == (0, "promoted"), outcome.err
    champion = registry.resolve(name)
    (event,) = command("models", name, "--json").answer["history"]
    assert datetime.fromisoformat(event.pop("when")) > champion.created
    why = "; ".join(outcome.answer["reasons"])
    assert event == {"kind": "promoted", "before": None, "after": "1", "by": champion.run, "why": why}
    out = command("models", name).out
    line = next(line for line in out.splitlines() if str(champion.run) in line)
    assert line.split()[2:8] == ["promoted", "–", "1", champion.run, *outcome.answer["reasons"][0].split()[:2]]
    assert "history" not in command("models", "--json").answer


def test_drift_says_no_when_the_data_has_moved(command: Command, model: str, tmp_path: Path) -> None:
    """The same data has not drifted. Shifted data has, and the column is named."""
    same = command("drift", model, write(tmp_path, "same"), "--json")
    assert (same.code, same.answer["drifted"]) == (0, False), same.err
    real = table(2000, seed=1)
    moved = real.set_column(2, "count", pa.array(np.full(2000, 40), pa.int32()))
    pq.write_table(moved, tmp_path / "moved.parquet")
    outcome = command("drift", model, tmp_path / "moved.parquet")
    assert outcome.code == 3
    assert "count" in outcome.out


@pytest.mark.usefixtures("processes")
def test_evaluate_needs_no_home(tmp_path: Path) -> None:
    """Two files are compared, and only the answer is written."""
    real, synthetic = write(tmp_path, "real", 1500), write(tmp_path, "synthetic", 1500, seed=1)
    command = [sys.executable, "-m", "flows", "evaluate", str(real), str(synthetic), "--target", "group", "--json"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment)
    scores = {score["name"]: score["value"] for score in json.loads(done.stdout.splitlines()[-1])["scores"]}
    assert scores["shape_error"] < 0.2  # rows of the same distribution
    assert scores["utility"] > 0.9  # the category follows from the value
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.parquet", "synthetic.parquet"]


@pytest.mark.parametrize("verb", [["run"], ["drift", "cli-model"], ["replay", "--time", "day", "--every", "100d"]])
def test_a_column_that_the_table_lacks_is_told_before_anything_starts(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: list[str]
) -> None:
    """Settings for another table are bad input, found out without Prefect."""
    monkeypatch.setattr(homes, "embed", lambda home: pytest.fail("something has started"))
    (tmp_path / "other.toml").write_text('[evaluation]\ntarget = "colour"\n')
    outcome = command(*verb, write(tmp_path), "--config", tmp_path / "other.toml")
    assert outcome.code == 2
    assert outcome.err.startswith("resynth: settings: evaluation.target: expected a column of ")
    assert outcome.err.count("\n") == 1


@pytest.mark.usefixtures("store")
def test_a_place_in_an_object_store_that_is_none_is_bad_input(command: Command) -> None:
    """A place without data is refused, and so is an address with a password, which is not repeated."""
    assert command("run", "s3://incoming/cli-nothing").code == 2
    refused = command("run", "s3://key:secret@incoming/cli-store")
    assert (refused.code, "secret" in refused.err) == (2, False)


def test_promote_rollback_and_models(command: Command, tmp_path: Path) -> None:
    """The registry from the command line."""
    directory = tmp_path / "synthesizer"
    synthesizer().save(directory)
    for _ in range(2):
        with Run.start("cli-registry", {}) as run:
            registry.register(run, directory, {"data_digest": "d", "code_version": "c"})
    assert command("promote", "cli-registry", 1).code == 0
    assert command("promote", "cli-registry", 2, "--json").answer["version"] == "2"
    assert "promoted_by_hand" in registry.resolve("cli-registry/2").tags  # so that no run takes it back
    assert command("promote", "cli-registry", 3).code == 2
    assert command("rollback", "cli-registry", "--json").answer == {
        "name": "cli-registry",
        "version": "1",
        "alias": "champion",
    }
    assert command("rollback", "cli-registry").code == 2
    listed = command("models", "cli-registry", "--json").answer["models"]
    assert [(each["version"], each["aliases"]) for each in listed] == [("2", []), ("1", ["champion"])]
    assert "champion" in command("models").out


def test_what_nobody_foresaw_is_a_traceback_and_one_line(
    command: Command, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is reported with its traceback, and still ends in one line and exit code 1."""
    monkeypatch.setattr(registry, "versions", lambda name: 1 // 0)
    outcome = command("models", model, "--json")
    assert outcome.code == 1
    assert outcome.answer == {
        "error": "unexpected ZeroDivisionError: integer division or modulo by zero",
        "exit_code": 1,
    }
    assert "Traceback" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("resynth: unexpected ZeroDivisionError")


@pytest.mark.usefixtures("processes")
def test_ui_shows_both_pages_until_interrupted(home: Path, model: str) -> None:
    """Both addresses answer, MLflow knows the home's models, and Ctrl-C ends both servers with exit code 0.

    The list of processes shows the command as it was given, and not the store from the environment, whose address may
    have a password.
    """
    command = [sys.executable, "-m", "flows", "ui", "--home", str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        addresses = dict(process.stdout.readline().strip().split(": ", 1) for _ in range(2))
        lines = [" ".join(child.cmdline()) for child in psutil.Process(process.pid).children(recursive=True)]
        assert {name for name in addresses for line in lines if name in line} == {"mlflow", "prefect"}
        assert not any("mlflow.db" in line or str(home) in line for line in lines)
        with urllib.request.urlopen(f"{addresses['prefect']}/api/health") as answer:  # noqa: S310
            assert answer.read() == b"true"
        query = f"{addresses['mlflow']}/api/2.0/mlflow/registered-models/get?name={model}"
        with urllib.request.urlopen(query) as answer:  # noqa: S310
            assert json.load(answer)["registered_model"]["name"] == model
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    time.sleep(0.2)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(addresses["mlflow"])  # noqa: S310
