"""What MLflow's pages say of an experiment, of a registered model and of the source of a run.

Without a kind, most versions of MLflow open a new experiment on their page for language models, which stays empty. The
page itself also guesses a kind and writes it into the tag, with the ending "_inferred". A guess is replaced; what a
person has chosen or written stays.
"""

import getpass
from collections.abc import Mapping

from mlflow.utils.mlflow_tags import (
    MLFLOW_GIT_COMMIT,
    MLFLOW_GIT_DIRTY,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
    MLFLOW_USER,
)

KIND = "mlflow.experimentKind"
TRAINING = "custom_model_development"
"""The kind of an experiment that opens on its training runs."""
GUESSED = ("", "no_inferred_type", "genai_development_inferred", "custom_model_development_inferred")
NOTE = MLFLOW_RUN_NOTE
TOOL = {"tool": "resynth"}
DIRTY = "-dirty"

EXPERIMENT = (
    "**resynth** keeps synthetic rows of the table {name} fresh: [runs]({runs}), [versions](#/models/{name}).\n\n"
    "- A *run* reads the table, trains a version if one is due, compares its rows with real ones, and publishes.\n"
    "- A *drift check* compares new rows with those that the champion was trained on.\n"
    "- A *replay* runs the loop over the history of the table.\n\n"
    "A run has its scores beside what real rows reach (`<score>_ceiling`), pictures, and documents in JSON: "
    "`report.json` is the outcome, `settings.json` has all settings, and parameters are those that somebody chose."
)
MODEL = (
    "Generates synthetic rows of the table {name}. A version publishes only after a gate has compared its rows with "
    "held-out real rows and with those of the champion. The alias `champion` marks the version that publishes. "
    "`resynth promote` and `resynth rollback` move it, and `resynth models {name}` tells its history. "
    "No other alias has a meaning for resynth."
)


def runs(experiment: str) -> str:
    """The part of an address that opens an experiment on its training runs.

    MLflow 3.17 no longer looks at the kind of an experiment. It opens on the page for language models until somebody
    chooses "Model training" in the browser, or the address does.
    """
    return f"#/experiments/{experiment}?workflowType=machine_learning"


def experiment(name: str, number: str, found: Mapping[str, str]) -> dict[str, str]:
    """The tags that the experiment of a name lacks, given its id and the tags it has."""
    wanted = {KIND: TRAINING, NOTE: EXPERIMENT.format(name=name, runs=runs(number)), **TOOL}
    return {key: value for key, value in wanted.items() if found.get(key, "") in (GUESSED if key == KIND else ("",))}


def model(name: str) -> str:
    """The description of a registered model."""
    return MODEL.format(name=name)


def source(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of MLflow itself that say where a run came from, given resynth's own."""
    told = {MLFLOW_SOURCE_TYPE: "LOCAL", MLFLOW_SOURCE_NAME: f"resynth {tags.get('flow', '')}".strip()}
    commit = tags.get("code_version", "unknown")
    if commit != "unknown":
        told |= {MLFLOW_GIT_COMMIT: commit.removesuffix(DIRTY), MLFLOW_GIT_DIRTY: str(commit.endswith(DIRTY))}
    return told | _user()


def _user() -> dict[str, str]:
    try:
        return {MLFLOW_USER: getpass.getuser()}
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return {}
