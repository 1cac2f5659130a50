"""Files that MLflow keeps when what they belong to is deleted.

Deleting a version or a run hides it in MLflow's database; its files stay. They are removed here, through MLflow's own
access to wherever they are.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from flows import places
from flows.tracking.store import client

SOURCE = re.compile(r"models:/(m-[0-9a-f]{32})")


def model_of(version: ModelVersion) -> str | None:
    """The id of the logged model that a version is; the embedded store tells it by the version's source only."""
    found = SOURCE.fullmatch(version.source or "")
    return found[1] if found is not None else None


def remove_model(model: str) -> None:
    """Delete a logged model, and its files first; one that is not there, or whose files may not be deleted, is fine."""
    with suppress(MlflowException):
        place = str(client().get_logged_model(model).artifact_location)
        _remove_files(place)
        client().delete_logged_model(model)
        with suppress(OSError):
            Path(places.local(place)).parent.rmdir()  # on the embedded store a directory is around it


def remove_run(run: str) -> None:
    """Delete a run, and its files first."""
    with suppress(MlflowException):
        _remove_files(str(client().get_run(run).info.artifact_uri))
        client().delete_run(run)


def models(experiment: str) -> Iterator[LoggedModel]:
    """Every logged model of an experiment."""
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
