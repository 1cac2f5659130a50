"""The files of a version, fetched without running any of them.

MLflow loads a model by running the `model.py` among its files. So anyone who may write to the store could run code on
the machine of anyone who loads from it. resynth fetches only weights and JSON, and reads them with its installed code.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from flows.engine import addresses
from flows.tracking.store import client
from pipeline import saving

NAME = "synthesizer"
"""Name of the artifact, and of the directory that is stored as the artifact."""
INSIDE = f"artifacts/{NAME}"


@contextmanager
def fetched(name: str, version: str) -> Iterator[Path]:
    """The directory of a version's synthesizer. On this machine it is the original, to be read only; else a copy."""
    place = client().get_model_version_download_uri(name, version)
    if addresses.is_local(place):
        yield Path(addresses.local(place)) / INSIDE
        return
    store = get_artifact_repository(place, tracking_uri=mlflow.get_tracking_uri())
    with tempfile.TemporaryDirectory(prefix="resynth-model-") as copy:
        for file in saving.FILES:
            store.download_artifacts(f"{INSIDE}/{file}", dst_path=copy)  # type: ignore[no-untyped-call]
        yield Path(copy) / INSIDE
