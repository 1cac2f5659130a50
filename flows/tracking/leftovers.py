"""Files that MLflow keeps after a version or run is deleted, or a model never became a version.

Deleting a version or a run only hides it in MLflow's database, and its files stay. They are removed here through
MLflow's own access to the store. A model is stored before it becomes a version. If its run ends in between, the model
is a stray.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from flows.engine import addresses
from flows.tracking.store import MARK, client

SOURCE = re.compile(r"models:/(m-[0-9a-f]{32})")


def model_of(version: ModelVersion) -> str | None:
    """The id of a version's logged model. The embedded store has it only in the version's source."""
    found = SOURCE.fullmatch(version.source or "")
    return found[1] if found is not None else None


def remove_model(model: str) -> None:
    """Delete a logged model after its files. A missing model, or files that may not be deleted, are no error."""
    with suppress(MlflowException):
        place = str(client().get_logged_model(model).artifact_location)
        _remove_files(place)
        client().delete_logged_model(model)
        with suppress(OSError):
            Path(addresses.local(place)).parent.rmdir()  # the embedded store keeps it in a directory of its own


def remove_run(run: str) -> None:
    """Delete a run after its files."""
    with suppress(MlflowException):
        _remove_files(str(client().get_run(run).info.artifact_uri))
        client().delete_run(run)


def strays(name: str) -> tuple[LoggedModel, ...]:
    """Stored models of a name without a version. A run at work may have stored one a moment ago."""
    experiment = client().get_experiment_by_name(name)
    used = {model_of(version) for version in client().search_model_versions(f"name='{name}'", max_results=10_000)}
    stored = _models(experiment.experiment_id) if experiment is not None else ()
    return tuple(model for model in stored if model.model_id not in used)


def remove_strays(name: str, died: Callable[[str], bool]) -> None:
    """Delete the strays of dead runs.

    Args:
        name: The model's name.
        died: Whether the run with a given mark is dead.
    """
    for model in strays(name):
        with suppress(MlflowException):  # its run has been removed
            if died(client().get_run(str(model.source_run_id)).data.tags.get(MARK, "")):
                remove_model(model.model_id)


def _models(experiment: str) -> Iterator[LoggedModel]:
    token = None
    while True:
        page = client().search_logged_models([experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _remove_files(place: str) -> None:
    with suppress(OSError, NotImplementedError):
        get_artifact_repository(place).delete_artifacts()  # type: ignore[no-untyped-call]
