"""A registered model answers requests, in Python and from a server of MLflow."""

import base64
import datetime as dt
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow as pa
import pytest
import small
from everything import synthesizer
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.pyfunc import PyFuncModel
from mlflow.types import DataType, Schema
from mlflow.types.schema import AnyType, Array
from mlflow.utils.proto_json_utils import cast_df_types_according_to_schema

from flows.engine import servers
from flows.tracking import model as stored
from flows.tracking import registry
from flows.tracking.registry import Version
from flows.tracking.store import Run
from pipeline.arrow import jsonable

Ask = Callable[[dict[str, Any]], tuple[int, Any]]

READ: dict[str, Callable[[Any], Any]] = {
    "price": Decimal,
    "raw": base64.b64decode,
    "fixed": base64.b64decode,
    "day": dt.date.fromisoformat,
    "day64": dt.date.fromisoformat,
    "second": dt.time.fromisoformat,
    "micro": dt.time.fromisoformat,
    "plain": dt.datetime.fromisoformat,
    "zoned": dt.datetime.fromisoformat,
    "nano": pd.Timestamp,
    "span": pd.Timedelta,
    "list": lambda values: [None if value is None else Decimal(value) for value in values],
    "pair": lambda pair: pair | {"on": pair["on"] and dt.date.fromisoformat(pair["on"])},
    "map": lambda entries: [(entry["key"], entry["value"]) for entry in entries],
}
"""How the JSON of a column is read back, with other libraries than it was written with."""
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dataframe_records": [{"rows": 0}]}, "expected rows to be a whole number from 1 to 1,000,000, got 0"),
    ({"dataframe_records": [{"rows": -3}]}, "expected rows to be a whole number from 1 to 1,000,000, got -3"),
    ({"dataframe_records": [{"rows": 2.5}]}, "expected rows to be a whole number from 1 to 1,000,000, got 2.5"),
    ({"dataframe_records": [{"rows": "3"}]}, "expected rows to be a whole number from 1 to 1,000,000, got '3'"),
    ({"dataframe_records": [{"rows": True}]}, "expected rows to be a whole number from 1 to 1,000,000, got True"),
    ({"dataframe_records": [{"rows": [3]}]}, "expected rows to be a whole number"),
    ({"dataframe_records": [{"rows": 10**12}]}, "expected rows to be a whole number from 1 to 1,000,000, got 10000"),
    ({"dataframe_records": [{"rows": 10**30}]}, "expected rows to be a whole number from 1 to 1,000,000, got int"),
    ({"dataframe_records": [{"rows": 600_000}] * 2}, "expected at most 1,000,000 rows in a call"),
    ({"dataframe_records": [{"seed": -1}]}, "expected seed to be a whole number from 0"),
    ({"dataframe_records": [{"seed": 2**60}, {"rows": 1}]}, "expected seed to be a whole number"),  # pandas rounds it
    ({"dataframe_records": [{"start": -1}]}, "expected start to be a whole number from 0"),
    ({"dataframe_records": [{"row": 3}]}, "expected only rows, seed, start, got 'row'"),
    ({"dataframe_split": {"columns": ["rows", "sed"], "data": [[3, 1]]}}, "expected only rows, seed, start, got 'sed'"),
    ({"inputs": {"rows": [3], "colour": ["red"]}}, "expected only rows, seed, start, got 'colour'"),
    ({"inputs": [], "params": {"rws": 3}}, "expected only rows, seed, start, got 'rws'"),
    ({"inputs": [], "params": {"rows": -3}}, "expected rows to be a whole number from 1 to 1,000,000, got -3"),
    ({"inputs": [], "params": {"rows": 2.5}}, "Can not safely convert"),  # MLflow's own words
    ({"params": {"rows": 3}}, "exactly one of the input fields"),
]
"""Requests that are refused, and what the answer says."""
JSON = {
    DataType.boolean: {bool},
    DataType.integer: {int},
    DataType.long: {int},
    DataType.float: {float},
    DataType.double: {float},
    DataType.string: {str},
    DataType.binary: {str},
    DataType.datetime: {str},
}
"""What values of MLflow's types are in JSON."""


@pytest.fixture(scope="module")
def version(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A registered model of a table with every type."""
    directory = tmp_path_factory.mktemp("model") / "synthesizer"
    synthesizer().save(directory)
    with Run.start("serving", {}) as run:
        return registry.register(run, directory, {})


@pytest.fixture(scope="module")
def model(version: Version) -> PyFuncModel:
    """The model, loaded as any user of MLflow does."""
    return mlflow.pyfunc.load_model(version.uri)


@pytest.fixture(scope="module")
def ask(version: Version, processes: None) -> Iterator[Ask]:
    """Ask a server of MLflow on loopback. It returns the status and the JSON of the answer."""
    port = servers.free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", version.uri, "--env-manager", "local"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # MLflow starts uvicorn from it
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env=os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def post(request: dict[str, Any]) -> tuple[int, Any]:
        body, kind = json.dumps(request).encode(), {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, kind)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    try:
        servers.wait("MLflow model", port, server)
        yield post
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def test_a_server_answers_with_every_value_of_every_type(ask: Ask) -> None:
    """Read back with other libraries, the JSON is what the synthesizer itself generates, nulls included."""
    status, answer = ask({"dataframe_records": [{"rows": 300, "seed": 7}]})
    assert status == 200
    expected = synthesizer().table(300, seed=7)
    for name in expected.column_names:
        read = READ.get(name, lambda value: value)
        told = [None if row[name] is None else read(row[name]) for row in answer["predictions"]]
        assert told == expected[name].to_pylist(), name
        assert None in told, name
        assert sum(value is not None for value in told) > 100, name


def test_a_server_answers_the_same_in_every_form(ask: Ask) -> None:
    """A frame as records or split, inputs and parameters ask for the same rows. Rows of requests follow each other."""
    status, three = ask({"dataframe_records": [{"rows": 3}]})
    assert (status, len(three["predictions"])) == (200, 3)
    for same in (
        {"dataframe_split": {"columns": ["rows"], "data": [[3]]}},
        {"inputs": {"rows": 3}},
        {"inputs": {"rows": 3, "seed": 0}},
        {"inputs": [{"rows": 3}]},
        {"inputs": {"rows": [3], "seed": [0]}},
        {"instances": [{"rows": 3}]},
        {"inputs": [], "params": {"rows": 3}},
        {"inputs": {}, "params": {"rows": 3, "seed": 0}},
        {"dataframe_records": [{"seed": None}], "params": {"rows": 3, "seed": 0, "start": 0}},
        {"dataframe_records": [{"rows": 1}, {"rows": 2, "start": 1}]},
    ):
        assert ask(same) == (200, three), same
    _, one = ask({"inputs": {"seed": 2**63 - 1}})  # not rounded on its way
    expected = synthesizer().table(1, seed=2**63 - 1)["large"].to_pylist()
    assert [row["large"] for row in one["predictions"]] == expected


@pytest.mark.parametrize(("request_", "why"), WRONG, ids=[str(place) for place in range(len(WRONG))])
def test_a_server_refuses_in_a_line(ask: Ask, request_: dict[str, Any], why: str) -> None:
    """What cannot be meant is status 400 with the reason, and never other rows than were asked for."""
    status, answer = ask(request_)
    assert status == 400
    reason = answer["message"].rpartition("Error: ")[2]
    assert why in reason
    assert "\n" not in reason


def test_python_gets_a_frame_with_the_types_of_the_table(model: PyFuncModel) -> None:
    """The rows are those of the synthesizer, and going back to Arrow needs no more than the schema."""
    frame = model.predict(pd.DataFrame({"rows": [30, 20], "seed": [5, 6], "start": [7, 0]}))
    parts = [synthesizer().table(30, seed=5, start=7), synthesizer().table(20, seed=6)]
    expected = pa.concat_tables(parts)
    assert pa.Table.from_pandas(frame, expected.schema).equals(expected)
    assert model.predict([], params={"rows": 30, "seed": 5, "start": 7}).equals(frame[:30])
    assert model.predict({"rows": 30, "seed": 5, "start": 7}).equals(frame[:30])
    assert len(model.predict(model.input_example)) == 3
    assert len(model.predict(pd.DataFrame({"rows": pd.Series([], dtype="int64")}))) == 0


@pytest.mark.parametrize(
    ("data", "params", "why"),
    [
        ({"rows": 3, "row": 4}, None, "got 'row'"),
        (pd.DataFrame({"rows": [3], "Seed": [1]}), None, "got 'Seed'"),
        ([{"rows": 3}, {"speed": 1}], None, "got 'speed'"),
        ([], {"rows": 3, "sead": 1}, "got 'sead'"),
        (pd.DataFrame({"rows": [2.5]}), None, r"got 2\.5"),
        ({"rows": float("inf")}, None, "got inf"),
        ({"rows": -1}, None, "got -1"),
        ([{"rows": 10**400}], None, "got int"),
    ],
)
def test_python_is_refused_too(model: PyFuncModel, data: Any, params: dict[str, Any] | None, why: str) -> None:
    """MLflow would leave unknown names out, with a warning. The model refuses them."""
    with pytest.raises(MlflowException, match=why) as error:
        model.predict(data, params)
    assert error.value.get_http_status_code() == 400


def test_rows_are_scored(model: PyFuncModel) -> None:
    """A frame with the table's columns gets the synthesizer's scores: by a parameter and by a method."""
    table = synthesizer().table(20, seed=3)
    expected = synthesizer().score(table)
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    found = model.predict(frame, params={"score": True})
    assert list(found.columns) == expected.column_names
    assert found["anomaly_score"].tolist() == pytest.approx(expected["anomaly_score"].to_pylist())
    assert model.unwrap_python_model().score(frame).equals(found)
    assert len(model.predict(frame, params={"score": True, "false_alarms": 0.5}).query("anomaly")) > 2


def test_rows_of_json_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a server, numbers, texts and dates of JSON are taken with the table's types, and scores are JSON."""
    monkeypatch.setenv(stored.SERVING, "true")
    inner = stored.SyntheticRows()
    inner.synthesizer = small.synthesizer()
    table = small.table(20)
    given = pd.DataFrame(jsonable.records(table))
    scored = inner.predict(None, given, {"score": True})
    json.dumps(scored, allow_nan=False)
    expected = small.synthesizer().score(table)["anomaly_score"].to_pylist()
    assert [row["anomaly_score"] for row in scored] == pytest.approx(expected)


def test_bytes_of_json_are_refused(ask: Ask) -> None:
    """Types that JSON does not have are refused in one line, not scored as something else."""
    _, rows = ask({"inputs": [], "params": {"rows": 2}})
    status, answer = ask({"dataframe_records": rows["predictions"], "params": {"score": True}})
    assert status == 400
    assert "expected the types of the other table" in answer["message"]


@pytest.mark.parametrize(
    ("data", "params", "why"),
    [
        (pd.DataFrame({"rows": [3]}), {"score": True}, "expected a column"),
        (pd.DataFrame({"rows": [3]}), {"score": True, "false_alarms": 2.0}, "a share between 0 and 1"),
        (pd.DataFrame({"rows": [3]}), {"score": True, "rows": 3}, "got 'rows'"),
        (pd.DataFrame({"rows": [3]}), {"false_alarms": 0.1}, "got 'false_alarms'"),
    ],
)
def test_scores_are_refused_too(model: PyFuncModel, data: Any, params: dict[str, Any], why: str) -> None:
    """Rows and parameters that do not fit are refused in one line."""
    with pytest.raises(MlflowException, match=why) as error:
        model.predict(data, params)
    assert error.value.get_http_status_code() == 400


def test_the_page_is_true_in_python(version: Version) -> None:
    """The examples of the page about MLflow run as printed, with this version for its champion."""
    page = Path(__file__).parents[3] / "docs" / "mlflow.md"
    (block,) = re.findall(r"```py\n(.*?)```", page.read_text(), flags=re.DOTALL)
    assert "models:/adult@champion" in block
    exec(block.replace("models:/adult@champion", version.uri), {})  # noqa: S102


def test_the_page_is_true_over_http(ask: Ask) -> None:
    """The requests of the page are answered or refused as it says."""
    page = (Path(__file__).parents[3] / "docs" / "mlflow.md").read_text()
    written = re.findall(r"(?:-d '|^)(\{\"[^…\n]*\})'?$", page, flags=re.MULTILINE)
    answers = [ask(json.loads(request)) for request in written]
    statuses = [status for status, _ in answers]
    assert statuses == [200, 200, 200, 200, 400]
    assert all(answer == answers[0][1] for _, answer in answers[:4])
    assert "expected only rows, seed, start, got 'row'" in answers[4][1]["message"]


def test_a_model_of_others_may_call_ours(model: PyFuncModel) -> None:
    """Arguments of a model around ours are no request to ours."""

    class Around:
        def predict(self, _: Any, params: Any = None) -> Any:
            return len(model.unwrap_python_model().predict(None, pd.DataFrame([{"rows": 4}])))

    assert PyFuncModel(Model(), Around()).predict([{"colour": "red"}]) == 4


def test_the_signature_is_true(ask: Ask, model: PyFuncModel) -> None:
    """MLflow itself reads the answer with the types of the signature, and then has the values of the synthesizer."""
    signature = model.metadata.signature
    assert [field.name for field in signature.inputs] == ["rows", "seed", "start"]
    assert not any(field.required for field in signature.inputs)
    types = {field.name: field.type for field in signature.outputs}
    assert list(types) == list(synthesizer().schema.names)
    assert types["large"] == DataType.long
    assert types["unsigned"] == AnyType()
    assert types["price"] == DataType.string
    assert types["list"] == Array(DataType.string)
    _, answer = ask({"dataframe_records": [{"rows": 100, "seed": 7}]})
    for name, arrived in pd.DataFrame(answer["predictions"], dtype=object).items():
        kinds = JSON[types[name]] if isinstance(types[name], DataType) else {int, list, dict}
        assert {type(value) for value in arrived.dropna()} <= kinds, name
    told = [name for name in types if types[name] == DataType.datetime]
    outputs = Schema([field for field in signature.outputs if field.name in told])
    read = cast_df_types_according_to_schema(pd.DataFrame(answer["predictions"])[told], outputs)
    expected = synthesizer().table(100, seed=7)
    for name in told:
        for value, own in zip(read[name], expected[name].to_pylist(), strict=True):
            assert pd.isna(value) if own is None else value == pd.Timestamp(own), name


def test_the_requirements_name_resynth(version: Version) -> None:
    """The code of the stored model is resynth's own, so MLflow's users are told to install it."""
    file = mlflow.artifacts.download_artifacts(f"{version.uri}/requirements.txt")
    lines = Path(file).read_text().splitlines()
    assert any(line.startswith("resynth==") for line in lines)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where resynth is not installed, loading says so instead of naming a module of it."""
    monkeypatch.setitem(sys.modules, "pipeline.synthesizer", None)
    with pytest.raises(ModuleNotFoundError, match="this model needs the package resynth where it is loaded"):
        runpy.run_path(stored.__file__)
