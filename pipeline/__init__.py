"""resynth's library: records in, records out.

    >>> import pandas as pd
    >>> from pipeline import Synthesizer, TrainingSettings
    >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "member": [True, False] * 50})
    >>> rows = Synthesizer.fit(frame, training=TrainingSettings(epochs=1)).sample(1000)

A table is described by a `Schema`; each column has a *kind* (`pipeline.columns`) that turns its values into the
variables of a variational autoencoder (`pipeline.models`) and back. A `Synthesizer` holds schema, normalization and
network: it is fitted, sampled, saved and loaded. `evaluate`, `compare` and `decide` compare tables and decide. Nothing
here knows Prefect, MLflow or the environment: that is `flows`.

The names below are the public ones. Each is imported when it is first used, so that reading settings waits for no
network and no classifier.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.assumptions import Assumption
    from pipeline.columns import infer
    from pipeline.data.tables import ReadSettings, Split, SplitSettings, read, split
    from pipeline.decisions.drift import compare
    from pipeline.decisions.findings import DriftReport
    from pipeline.decisions.promotion import Decision, decide
    from pipeline.errors import (
        BusyError,
        DamagedError,
        DiskFullError,
        FormatError,
        InputError,
        NotFoundError,
        ResynthError,
        SchemaError,
        SettingsError,
        TableError,
    )
    from pipeline.evaluation import Evaluation, Score, evaluate
    from pipeline.profiles.profile import Profile
    from pipeline.profiles.reference import Reference
    from pipeline.schema import Column, ColumnSettings, PrivacySettings, Schema
    from pipeline.settings import (
        DriftSettings,
        EvaluationSettings,
        GateSettings,
        ModelSettings,
        RelationSettings,
        TrainingSettings,
    )
    from pipeline.synthesizer import Synthesizer

__all__ = [
    "Assumption",
    "BusyError",
    "Column",
    "ColumnSettings",
    "DamagedError",
    "Decision",
    "DiskFullError",
    "DriftReport",
    "DriftSettings",
    "Evaluation",
    "EvaluationSettings",
    "FormatError",
    "GateSettings",
    "InputError",
    "ModelSettings",
    "NotFoundError",
    "PrivacySettings",
    "Profile",
    "ReadSettings",
    "Reference",
    "RelationSettings",
    "ResynthError",
    "Schema",
    "SchemaError",
    "Score",
    "ScoreSettings",
    "SettingsError",
    "Split",
    "SplitSettings",
    "Synthesizer",
    "TableError",
    "TrainingSettings",
    "compare",
    "decide",
    "evaluate",
    "infer",
    "read",
    "split",
]

_ROOMS = {
    "assumptions": ("Assumption",),
    "columns": ("infer",),
    "data.tables": ("ReadSettings", "Split", "SplitSettings", "read", "split"),
    "decisions.drift": ("compare",),
    "decisions.findings": ("DriftReport",),
    "decisions.promotion": ("Decision", "decide"),
    "evaluation": ("Evaluation", "Score", "evaluate"),
    "profiles.profile": ("Profile",),
    "profiles.reference": ("Reference",),
    "schema": ("Column", "ColumnSettings", "PrivacySettings", "Schema"),
    "settings": (
        *("DriftSettings", "EvaluationSettings", "GateSettings", "ModelSettings", "RelationSettings"),
        "TrainingSettings",
    ),
    "statistics.thresholds": ("ScoreSettings",),
    "synthesizer": ("Synthesizer",),
}
_MOVED = {"tables": "pipeline.data.tables"}
"""Modules that scripts still import from where they were."""
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: what the name stands for
    if name in _MOVED:
        return import_module(_MOVED[name])
    if name not in __all__:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    found = getattr(import_module(f"pipeline.{_PLACES.get(name, 'errors')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
