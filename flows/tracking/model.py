"""The stored form of a model. MLflow runs this file to load it ("models from code"), so nothing is pickled.

The file is copied into the model beside `synthesizer/`, which holds weights as safetensors and everything else as JSON.
`predict` needs no input rows, only parameters:

    mlflow.pyfunc.load_model("models:/adult@champion").predict(None, params={"rows": 1000, "seed": 7})

It is for users of MLflow, who run what the store holds and must trust it. resynth itself never runs it
(`flows.tracking.fetching`).
"""

from pathlib import Path

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from pipeline.synthesizer import Synthesizer


class SyntheticRows(PythonModel):
    """A synthesizer that generates rows on request."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the synthesizer from the model's files."""
        self.synthesizer = Synthesizer.load(Path(context.artifacts["synthesizer"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,  # noqa: ARG002 - MLflow warns of any other type, None included
        params: dict[str, int] | None = None,
    ) -> pd.DataFrame:
        """Generate rows.

        Args:
            context: Unused: everything was loaded before.
            model_input: Unused, and may be None.
            params: `rows`, `seed`, and `start`, the number of the first row. Row i depends on the seed and i only.

        Returns:
            The rows, with Arrow types.
        """
        chosen = {"rows": 1, "seed": 0, "start": 0} | (params or {})
        rows = self.synthesizer.sample(chosen["rows"], seed=chosen["seed"], start=chosen["start"])
        return rows.to_pandas(types_mapper=pd.ArrowDtype)


set_model(SyntheticRows())
