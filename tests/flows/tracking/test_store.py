"""Runs in the real embedded MLflow."""

import json
import sqlite3
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import RunTag
from small import table

from flows.tracking.store import Run, client, last_complete, openings
from pipeline.data.tables import ReadSettings
from pipeline.errors import ResynthError
from pipeline.training.history import Epoch


@pytest.fixture
def reader(home: Path) -> MlflowClient:
    """An MLflow client of its own on the same store."""
    return MlflowClient(f"sqlite:///{home.resolve()}/mlruns/mlflow.db")


def test_everything_logged_is_read_back(reader: MlflowClient) -> None:
    """Parameters, metrics, tags, documents and pictures are where any MLflow client finds them."""
    with Run.start("store-all", {"flow": "test"}) as run:
        run.parameters({"a": 1, "nested": {"b": None, "c": [1, 2]}} | {f"p{i}": i for i in range(150)})
        run.metrics({"score": 0.25, "other": -1.0})
        run.tags({"long": "x" * 9000})
        run.record(ReadSettings(), "settings.json")
        run.picture("empty.png", Figure)
    found = reader.get_run(run.id)
    assert found.info.status == "FINISHED"
    assert found.data.params["nested.b"] == "None"
    assert len(found.data.params) == 153
    assert found.data.metrics == {"score": 0.25, "other": -1.0}
    assert found.data.tags["flow"] == "test"
    assert found.data.tags["long"] == "x" * 5000
    assert {file.path for file in reader.list_artifacts(run.id)} == {"settings.json", "empty.png"}
    assert ReadSettings.model_validate_json(run.read("settings.json")) == ReadSettings()
    with pytest.raises(ResynthError, match=r"expected missing\.json in run"):
        run.read("missing.json")


def test_epochs_become_curves(reader: MlflowClient) -> None:
    """Each number of an epoch is a metric with the epoch as its step."""
    numbers = dict.fromkeys(set(Epoch.model_fields) - {"epoch", "elbo"}, 0.0)
    with Run.start("store-history", {}) as run:
        run.history([Epoch(epoch=epoch, elbo=-10.0 + epoch, **numbers) for epoch in range(3)])
    curve = [(point.step, point.value) for point in reader.get_metric_history(run.id, "epoch/elbo")]
    assert sorted(curve) == [(0, -10.0), (1, -9.0), (2, -8.0)]


def test_a_failed_run_has_kept_no_ledger(reader: MlflowClient) -> None:
    """Tags that a server writes after a run was given up change nothing: the last complete run is an earlier one."""
    name, kept = "store-late", {"decision": "promoted", "ledger": "kept"}
    with Run.start(name, kept) as first:
        pass
    with pytest.raises(OSError, match="full"), Run.start(name, {}) as failed:
        raise OSError("full")
    reader.log_batch(failed.id, tags=[RunTag(key, value) for key, value in kept.items()])
    assert last_complete(name) == first


def test_the_data_is_an_input_of_the_run(reader: MlflowClient) -> None:
    """MLflow shows which data was read, with its digest and column types."""
    with Run.start("store-data", {}) as run:
        run.data(Path("somewhere/rows.parquet"), "ab" * 32, table().schema, 200)
    dataset = reader.get_run(run.id).inputs.dataset_inputs[0].dataset
    assert dataset.name == "rows"
    assert dataset.digest == "ab" * 18
    assert {"name": "count", "type": "int32", "required": False} in json.loads(dataset.schema)["mlflow_colspec"]
    assert json.loads(dataset.profile) == {"num_rows": 200}


@pytest.mark.parametrize(("error", "status"), [(ValueError(), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_run_that_does_not_finish_says_so(reader: MlflowClient, error: BaseException, status: str) -> None:
    """An exception fails the run, an interruption kills it, and neither is swallowed."""
    with pytest.raises(type(error)), Run.start("store-broken", {}) as run:
        raise error
    assert reader.get_run(run.id).info.status == status


def test_the_embedded_store_writes_ahead_and_keeps_artifacts_beside(home: Path) -> None:
    """The database is in WAL mode, and files lie in mlruns/artifacts."""
    with Run.start("store-place", {}) as run:
        run.text("x", "file.txt")
    assert client() is client()
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (home.resolve() / "mlruns" / "artifacts") in Path(run.url).parents
    assert (Path(run.url) / "file.txt").read_text() == "x"


def test_an_experiment_opens_on_its_runs(reader: MlflowClient) -> None:
    """Its kind and description are set on new and on existing experiments. What a person has chosen stays."""
    name = "store-page"
    made = reader.create_experiment(name, tags={"mlflow.experimentKind": "genai_development_inferred"})
    with Run.start(name, {"flow": "run", "code_version": f"{'a' * 40}-dirty"}, "page: run") as run:
        run.entitle("page: retraining", "*why*")
    tags = reader.get_experiment(made).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    page = f"#/experiments/{made}?workflowType=machine_learning"
    assert f"synthetic rows of the table store-page fresh: [runs]({page})" in tags["mlflow.note.content"]
    assert openings()[name] == page
    found = reader.get_run(run.id)
    assert found.info.run_name == found.data.tags["mlflow.runName"] == "page: retraining"
    assert found.info.status == "FINISHED"
    assert found.data.tags["mlflow.note.content"] == "*why*"
    assert found.data.tags["mlflow.source.name"] == "resynth run"
    assert found.data.tags["mlflow.source.type"] == "LOCAL"
    assert found.data.tags["mlflow.source.git.commit"] == "a" * 40
    assert found.data.tags["mlflow.source.git.dirty"] == "True"
    reader.set_experiment_tag(made, "mlflow.experimentKind", "genai_development")
    reader.set_experiment_tag(made, "mlflow.note.content", "ours")
    with Run.start(name, {}):
        pass
    assert reader.get_experiment(made).tags["mlflow.experimentKind"] == "genai_development"
    assert reader.get_experiment(made).tags["mlflow.note.content"] == "ours"


@pytest.mark.usefixtures("home")
def test_an_experiment_that_was_deleted_is_told_in_a_line() -> None:
    """MLflow keeps the name, so no run can begin under it. The message says how to restore it."""
    with Run.start("store-deleted", {}):
        pass
    experiment = MlflowClient().get_experiment_by_name("store-deleted")
    assert experiment is not None
    MlflowClient().delete_experiment(experiment.experiment_id)
    with pytest.raises(ResynthError, match=r"'store-deleted' to be active, it was deleted .* restore -x \d+") as error:
        Run.start("store-deleted", {}).__enter__()
    assert "\n" not in str(error.value)
    MlflowClient().restore_experiment(experiment.experiment_id)
    with Run.start("store-deleted", {}):
        pass
