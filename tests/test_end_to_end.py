"""The main job on real rows, with the real Prefect and the real MLflow: trained, retrained, refused.

Two batches of the Adult census go through `resynth run`; what it claims is then read back with the tools' own clients
and recomputed from the files.
"""

import contextlib
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient
from scipy.stats import ks_2samp
from small import workspaces

from flows.cli import main
from flows.engine import addresses, homes
from pipeline.data import tables
from pipeline.data.tables import SplitSettings
from pipeline.decisions.drift import DriftReport
from pipeline.evaluation import Evaluation

ADULT = Path(__file__).parent.parent / "data" / "adult_test.parquet"
NAME = "adult-end-to-end"
ROWS, SEED, EPOCHS = 900, 3, 3
SETTINGS = f"""
name = "{NAME}"
seed = {SEED}
[training]
epochs = {EPOCHS}
batch = 256
[model]
width = 32
hidden = 32
components = 8
[evaluation]
target = "income"
permutations = 50
[gate]
active_units = {{units}}
[gate.limits]
shape_error = 1.0
[gate.margins]
shape_error = 1.0
"""

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def place(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two batches of the table, and settings with an easy and an impossible gate."""
    directory = tmp_path_factory.mktemp("end-to-end")
    adult = pq.read_table(ADULT)
    pq.write_table(adult.slice(0, ROWS), directory / "monday.parquet")
    pq.write_table(adult.slice(ROWS, ROWS), directory / "tuesday.parquet")
    (directory / "easy.toml").write_text(SETTINGS.format(units=0))
    (directory / "impossible.toml").write_text(SETTINGS.format(units=99))
    (directory / "home").symlink_to(home)
    return directory


@pytest.fixture(scope="module")
def answers(place: Path) -> dict[str, Answer]:
    """What three runs say: a training, a retraining, and one that the gate refuses."""
    found = {}
    for day, table, gate, code in (
        ("first", "monday", "easy", 0),
        ("again", "tuesday", "easy", 0),
        ("refused", "tuesday", "impossible", 3),
    ):
        arguments = [f"{table}.parquet", "--config", f"{gate}.toml", "--out", f"out-{day}", "--home", "home"]
        given = [str(place / word) if not word.startswith("--") else word for word in arguments]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(["run", *given, "--json"]) == code
        found[day] = json.loads(out.getvalue().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def reader(home: Path) -> MlflowClient:
    """An MLflow client of its own."""
    return MlflowClient(f"sqlite:///{home.resolve()}/mlruns/mlflow.db")


def run_of(reader: MlflowClient, version: str) -> mlflow.entities.Run:
    """The MLflow run of a version."""
    return reader.get_run(reader.get_model_version(NAME, version).run_id)


def published(answer: Answer) -> pa.Table:
    """The rows of an export."""
    return pa.concat_tables(pq.read_table(part) for part in sorted(Path(answer["export"]["path"]).glob("*.parquet")))


def artifact(run: mlflow.entities.Run, file: str) -> str:
    """A text kept with a run."""
    return (Path(addresses.local(run.info.artifact_uri)) / file).read_text()


def test_the_first_version_becomes_champion(answers: dict[str, Answer]) -> None:
    """The answer has every key that scripts rely on."""
    answer = answers["first"]
    keys = {"name", "version", "alias", "decision", "reasons", "drift", "metrics", "export", "report", "seconds"}
    assert keys <= set(answer)
    assert (answer["name"], answer["version"], answer["alias"]) == (NAME, "1", "champion")
    assert answer["decision"] == "promoted"
    assert answer["drift"] is None
    assert set(answer["export"]) == {"path", "rows", "manifest"}
    stages = {
        "connect",
        "read",
        "split",
        "profile",
        "train",
        "register",
        "generate",
        "evaluate",
        "decide",
        "promote",
        "publish",
        "report",
    }
    assert set(answer["seconds"]) == stages


def test_retraining_finds_the_champion_and_takes_its_place(answers: dict[str, Answer], reader: MlflowClient) -> None:
    """The second batch is compared with the first, both versions are evaluated, and the alias moves."""
    answer = answers["again"]
    assert (answer["version"], answer["alias"]) == ("2", "champion")
    drift = DriftReport.model_validate_json(artifact(run_of(reader, "2"), "drift.json"))
    assert (drift.reference_rows, drift.rows) == (ROWS, ROWS)
    assert answer["drift"]["drifted"] == drift.drifted
    assert len(answer["drift"]["findings"]) == sum(finding.drifted for finding in drift.findings)
    defended = Evaluation.model_validate_json(artifact(run_of(reader, "2"), "champion-evaluation.json"))
    challenger = Evaluation.model_validate_json(artifact(run_of(reader, "2"), "evaluation.json"))
    assert defended.holdout_rows == challenger.holdout_rows
    assert defended["shape_error"].ceiling == challenger["shape_error"].ceiling  # the same real rows on both sides


def test_a_refused_version_leaves_the_champion_to_publish(answers: dict[str, Answer], reader: MlflowClient) -> None:
    """The gate's no: the alias stays, the champion's rows go out, and the version says why."""
    answer = answers["refused"]
    assert (answer["version"], answer["alias"], answer["decision"]) == ("3", None, "refused")
    assert reader.get_registered_model(NAME).aliases["champion"] == 2
    assert answer["published"] == "2"
    manifest = Path(answer["export"]["manifest"])
    assert json.loads(pq.read_metadata(manifest).metadata[b"resynth.manifest"])["source"]["version"] == "2"
    tags = reader.get_model_version(NAME, "3").tags
    assert tags["decision"] == "refused"
    # without a policy every run trains, and afresh, also on the rows of the champion
    assert answer["plan"] == {"action": "retrain", "reasons": ["every run trains (policy.train)"]}
    assert "start" not in tags
    assert "with the row, and fewer than 99 are refused" in tags["reasons"]


def test_the_export_is_what_it_claims(answers: dict[str, Answer]) -> None:
    """Schema, rows and checksums of the published Parquet."""
    directory = Path(answers["first"]["export"]["path"])
    manifest = json.loads(pq.read_metadata(directory / "_manifest.parquet").metadata[b"resynth.manifest"])
    rows = published(answers["first"])
    real = pq.read_table(ADULT)
    assert rows.num_rows == ROWS == answers["first"]["export"]["rows"]
    assert pq.read_schema(directory / "part-00000.parquet").equals(real.schema, check_metadata=True)
    for part in manifest["parts"]:
        assert hashlib.sha256((directory / part["file"]).read_bytes()).hexdigest() == part["sha256"]
    for name in ("age", "capital-gain"):
        assert np.isin(rows[name].to_numpy(), real[name].to_numpy()).mean() > 0.5  # a real column's values are integers
        assert rows[name].to_numpy().min() >= real[name].to_numpy().min()
    for name in ("education", "income"):
        assert set(rows[name].to_pylist()) <= set(real[name].to_pylist())
    assert main(["verify", str(directory)]) == 0


def test_the_registered_model_repeats_the_published_rows(answers: dict[str, Answer], home: Path) -> None:
    """Any MLflow client gets from (version, seed) what was published."""
    assert home.exists()
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
    again = pa.Table.from_pandas(model.predict({"rows": 50, "seed": SEED, "start": 700}))
    before = published(answers["first"]).slice(700, 50)
    for name in before.column_names:
        assert again[name].to_pylist() == before[name].to_pylist()


def test_mlflow_remembers_the_run(answers: dict[str, Answer], reader: MlflowClient, place: Path) -> None:
    """Parameters, digest, curves, seconds, scores, decision and pictures are in the store."""
    run = run_of(reader, "1")
    assert run.info.status == "FINISHED"
    assert run.data.params["settings.training.epochs"] == run.data.params["recipe.epochs"] == str(EPOCHS)
    assert float(run.data.params["recipe.weight_decay"]) > 0  # left open in the settings
    assert run.data.params["rows.incoming"] == str(ROWS)
    assert run.data.params["data_digest"] == tables.digest(tables.read(place / "monday.parquet"))
    assert run.data.tags["decision"] == "promoted"
    for name, value in answers["first"]["metrics"].items():
        assert run.data.metrics[name] == pytest.approx(value)
    for stage, seconds in answers["first"]["seconds"].items():
        assert run.data.metrics[f"seconds/{stage}"] == pytest.approx(seconds)
    curves = {
        part: {point.step: point.value for point in reader.get_metric_history(run.info.run_id, f"epoch/{part}")}
        for part in ("elbo", "reconstruction", "kl", "learning_rate")
    }
    assert len(curves["elbo"]) == EPOCHS + 1  # the last one settles
    for epoch, elbo in curves["elbo"].items():
        assert elbo == pytest.approx(curves["reconstruction"][epoch] - curves["kl"][epoch])
    files = {file.path for file in reader.list_artifacts(run.info.run_id)}
    pictures = {"losses.png", "quality.png"}
    documents = {
        "settings.json",
        "schema.json",
        "profile.json",
        "evaluation.json",
        "elbo.json",
        "decision.json",
        "view.json",
        "report.html",
    }
    assert pictures | documents <= files
    for picture in pictures:
        assert (Path(addresses.local(run.info.artifact_uri)) / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("answers")
def test_the_scores_are_what_scipy_says(reader: MlflowClient, place: Path) -> None:
    """The Shape error of a number is the Kolmogorov-Smirnov distance of generated and held-out rows."""
    train, _, holdout = tables.split(tables.read(place / "monday.parquet"), SplitSettings())
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
    synthetic = model.predict({"rows": train.num_rows, "seed": SEED})
    found = Evaluation.model_validate_json(artifact(run_of(reader, "1"), "evaluation.json"))
    errors = {column.name: column for column in found.columns}
    for name in ("age", "hours-per-week", "fnlwgt"):
        real = holdout[name].to_numpy()
        expected = ks_2samp(real, synthetic[name].to_numpy()).statistic
        assert errors[name].error == pytest.approx(expected, abs=1e-9)
        assert errors[name].ceiling == pytest.approx(ks_2samp(real, train[name].to_numpy()).statistic, abs=1e-9)


def test_the_pages_of_mlflow_say_what_happened(answers: dict[str, Answer], reader: MlflowClient) -> None:
    """Runs are called by what came of them, and every version has a card with its scores and the gate's decision."""
    for version, key in (("1", "first"), ("3", "refused")):
        answer, run = answers[key], run_of(reader, version)
        assert run.data.tags["mlflow.runName"].startswith(f"{NAME}: v{version} {answer['decision']} (")
        card = reader.get_model_version(NAME, version).description
        assert run.data.tags["mlflow.note.content"] == card
        assert f"{answer['decision']} when it was made" in card
        shape, ceiling = (100 * (1 - answer["metrics"][key]) for key in ("shape_error", "shape_error_ceiling"))
        assert f"| columns | {shape:.1f} | {ceiling:.1f} |" in card
    experiment = reader.get_experiment_by_name(NAME)
    assert experiment is not None
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_nothing_stored_is_a_pickle_or_a_row(home: Path, answers: dict[str, Answer]) -> None:
    """No pickle lies anywhere in the store, and the private workspace is empty."""
    assert answers
    suffixes = {path.suffix for path in (home / "mlruns").rglob("*") if path.is_file()}
    assert not suffixes & {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}
    assert ".parquet" not in suffixes
    assert not workspaces(home)


def test_prefect_shows_the_run(answers: dict[str, Answer]) -> None:
    """The flow runs are called by table and purpose, and end as decided, with tasks, progress and a summary."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - after the home is embedded
    from prefect.client.schemas.filters import (  # noqa: PLC0415
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        FlowFilter,
        FlowFilterName,
        FlowRunFilter,
        FlowRunFilterId,
    )

    with homes.running(), get_client(sync_client=True) as prefect:
        chosen = FlowFilter(name=FlowFilterName(any_=["resynth-run"]))
        runs = [run for run in prefect.read_flow_runs(flow_filter=chosen) if run.parameters["table"] == NAME]
        runs.sort(key=lambda run: run.start_time)
        assert {run.name for run in runs} == {f"{NAME}: train"}
        assert [run.state_name for run in runs] == ["Promoted", "Promoted", "Refused"]
        first = runs[0]
        own = FlowRunFilter(id=FlowRunFilterId(any_=[first.id]))
        tasks = {task.name.split()[0] for task in prefect.read_task_runs(flow_run_filter=own)}
        mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[first.id]))
        artifacts = {artifact.type: artifact for artifact in prefect.read_artifacts(artifact_filter=mine)}
    assert {"read", "split", "profile", "train", "register", "evaluate", "decide", "publish"} <= tasks
    assert artifacts["progress"].data == 100
    assert "| columns |" in artifacts["markdown"].data
