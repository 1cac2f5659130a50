"""The stored form of a model. MLflow runs this file to load it ("models from code"), so nothing is pickled.

The file is copied into the model beside `synthesizer/`, which holds weights as safetensors and everything else as JSON.
The package resynth must be installed where the model is loaded. A request is a row of three numbers: `rows`, `seed` and
`start`, the number of the first row. Each may be left out:

    model = mlflow.pyfunc.load_model("models:/adult@champion")
    model.predict({"rows": 1000, "seed": 7})
    model.predict([], params={"rows": 1000, "seed": 7})
    model.predict(pd.DataFrame({"rows": [3, 2], "seed": [7, 8]}))    # five rows

The parameter `score` asks for the anomaly scores of given rows instead, a frame with the table's columns:

    model.predict(frame, params={"score": True, "false_alarms": 0.01})
    model.unwrap_python_model().score(frame, false_alarms=0.01)      # the same

In Python, the rows are a pandas frame with Arrow types. A server answers with JSON (`pipeline.arrow.jsonable`).

It is for users of MLflow, who run what the store holds and must trust it. resynth itself never runs it
(`flows.tracking.fetching`).
"""

import inspect
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.model import PythonModel, PythonModelContext

try:
    from pipeline.arrow import jsonable
    from pipeline.errors import InputError
    from pipeline.frames import alike
    from pipeline.statistics.thresholds import FALSE_ALARMS, ScoreSettings
    from pipeline.synthesizer import Synthesizer
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "this model needs the package resynth where it is loaded, in the version that its requirements.txt names "
        f"({missing})",
        name=missing.name,
    ) from missing

DEFAULTS = {"rows": 1, "seed": 0, "start": 0}
SCORING = {"score": False, "false_alarms": FALSE_ALARMS}
"""What a request for scores names."""
LEAST = {"rows": 1, "seed": 0, "start": 0}
MOST = {"rows": 1_000_000, "seed": 2**63 - 1, "start": 2**62}
EXACT = 2**53
"""From here on, a float is not the number that was asked for."""
SERVING = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""The variable that MLflow sets where predictions become JSON."""


class SyntheticRows(PythonModel):
    """A synthesizer that generates rows on request."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the synthesizer from the model's files."""
        self.synthesizer = Synthesizer.load(Path(context.artifacts["synthesizer"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame | list[dict[str, Any]]:
        """Generate rows, or score given ones. Generated row i depends on the seed and i only.

        Args:
            context: Unused: everything was loaded before.
            model_input: A request a row. If it has no columns, `params` are the only request. Rows to score if `params`
                say `score`.
            params: What requests leave out.

        Returns:
            The rows of all requests, one after the other: a frame with Arrow types, or objects for JSON in a server.

        Raises:
            MlflowException: A request cannot be answered (HTTP status 400).
        """
        given, named = self._asked(model_input, params)
        asked = chosen(named or {})
        if asked.get("score"):
            known(asked, SCORING)
            return answered(self._scored(given, asked.get("false_alarms", FALSE_ALARMS)))
        known([*names(given), *asked], DEFAULTS)
        requests = [*read(model_input, {name: (params or {}).get(name) for name in DEFAULTS})]
        if sum(request["rows"] for request in requests) > MOST["rows"]:
            raise refused(
                f"expected at most {MOST['rows']:,} rows in a call, got more; resynth export writes any number"
            )
        try:
            tables = [self.synthesizer.table(**request) for request in requests]
        except InputError as error:
            raise refused(str(error)) from error
        rows = pa.concat_tables(tables) if tables else self.synthesizer.schema.arrow.empty_table()
        return answered(rows)

    def score(self, frame: pd.DataFrame, *, false_alarms: float = FALSE_ALARMS) -> pd.DataFrame:
        """How strange each row of a frame with the table's columns is; see `Synthesizer.score`.

        Raises:
            MlflowException: The frame or the threshold does not fit.
        """
        return self._scored(frame, false_alarms).to_pandas(types_mapper=pd.ArrowDtype)

    def _scored(self, data: object, false_alarms: object) -> pa.Table:
        """The scores of anything that MLflow takes as a frame."""
        if not isinstance(data, pd.DataFrame | pa.Table | list | Mapping):
            raise refused(f"expected a frame of rows to score, got {type(data).__name__}")
        frame = pd.DataFrame(data) if isinstance(data, list | Mapping) else data
        if not isinstance(false_alarms, float) or not 0 < false_alarms < 1:
            raise refused("expected false_alarms to be a share between 0 and 1, got another value")
        try:
            table = alike(frame, self.synthesizer.schema.arrow)
            return self.synthesizer.scored(table, ScoreSettings(false_alarms=false_alarms)).table
        except InputError as error:
            raise refused(str(error)) from error

    def _asked(self, data: object, params: dict[str, Any] | None) -> tuple[object, Mapping[str, Any] | None]:
        """What MLflow was asked for.

        MLflow leaves out what the signature does not name, with a warning in the log of the server, before it calls
        `predict`. A misspelt name would be answered with other rows than were asked for. So this looks at the arguments
        of MLflow's own `predict`, which called ours. If there is none, they are what we were given.
        """
        frame = inspect.currentframe()
        while frame is not None:
            caller = frame.f_locals.get("self")
            if frame.f_code.co_name == "predict" and isinstance(caller, PyFuncModel) and calls(caller, self):
                return frame.f_locals["data"], frame.f_locals["params"]
            frame = frame.f_back
        return data, params


def read(frame: pd.DataFrame, params: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """The requests of a frame and of parameters, which count where the frame says nothing."""
    usual = DEFAULTS | {name: number(name, value) for name, value in params.items() if not absent(value)}
    if not len(frame.columns):
        yield usual
        return
    for row in frame.to_dict(orient="records"):
        yield usual | {str(name): number(str(name), value) for name, value in row.items() if not absent(value)}


def number(name: str, value: object) -> int:
    """The whole number that a request names."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and LEAST[name] <= value <= MOST[name]:
        return int(value)
    shown = repr(value)
    shown = shown if len(shown) <= len(str(MOST["seed"])) else type(value).__name__
    raise refused(f"expected {name} to be a whole number from {LEAST[name]:,} to {MOST[name]:,}, got {shown}")


def absent(value: object) -> bool:
    """Whether a request leaves a number out."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def answered(rows: pa.Table) -> pd.DataFrame | list[dict[str, Any]]:
    """Rows as a frame with Arrow types, or as objects for JSON in a server."""
    if os.environ.get(SERVING) == "true":
        return jsonable.records(rows)
    return rows.to_pandas(types_mapper=pd.ArrowDtype)


def chosen(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are not what they are by default. A server of MLflow fills in all defaults."""
    usual = {**DEFAULTS, **SCORING}
    return {name: value for name, value in params.items() if name not in usual or value != usual[name]}


def known(given: Iterable[object], allowed: Mapping[str, object]) -> None:
    """Check that there are no other names than the allowed ones."""
    unknown = sorted({repr(name) for name in given if name not in allowed})
    if unknown:
        raise refused(f"expected only {', '.join(allowed)}, got {', '.join(unknown)}")


def names(data: object) -> list[object]:
    """The names of the columns of anything that MLflow takes as a frame."""
    if isinstance(data, pd.DataFrame):
        return list(data.columns)
    if isinstance(data, Mapping):
        return list(data)
    if isinstance(data, list):
        return [name for row in data if isinstance(row, Mapping) for name in row]
    return []


def calls(model: PyFuncModel, inner: PythonModel) -> bool:
    """Whether `model`, as MLflow has loaded it, is around `inner`. Models of others may call ours too."""
    return getattr(model._model_impl, "python_model", None) is inner  # noqa: SLF001 - MLflow calls it a stable API


def refused(why: str) -> MlflowException:
    """The refusal of a request, in one line."""
    return MlflowException(why, error_code=INVALID_PARAMETER_VALUE)


set_model(SyntheticRows())
