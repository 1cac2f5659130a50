"""A synthesizer becomes a version, or is withdrawn."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion

from flows.engine import addresses
from flows.tracking import fetching, history, leftovers, pages
from flows.tracking import model as stored
from flows.tracking.registry.finding import DIGEST, Version, exists, listed, promoted_by_hand
from flows.tracking.signature import EXAMPLE, signature
from flows.tracking.store import Run, client
from pipeline import files, saving

REQUIREMENTS = ("resynth", "torch", "safetensors", "pyarrow", "pandas", "numpy", "scipy", "pydantic")
"""What must be installed where a stored model is loaded. Its code is resynth's own."""


def register(run: Run, synthesizer: Path, tags: Mapping[str, str]) -> Version:
    """Register the synthesizer saved in a directory called "synthesizer" as the next version of the run's model.

    The digest of its files is kept with the version, apart from the files. `load` compares it.
    """
    assert synthesizer.name == fetching.NAME
    kept = {**tags, DIGEST: saving.digest(synthesizer)}
    with files.private(), mlflow.start_run(run_id=run.id):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(stored.__file__)),
            artifacts={fetching.NAME: synthesizer.as_uri()},
            signature=signature(saving.schema(synthesizer).arrow),
            input_example=EXAMPLE,
            tags=pages.source({"flow": "run", **tags}),
            pip_requirements=[requirement(package) for package in REQUIREMENTS],
        )
    place = Path(addresses.local(str(client().get_logged_model(logged.model_id).artifact_location)))
    if place.is_dir():
        files.protect(place)  # copies keep the permissions of their originals
    client().update_run(run.id, status="RUNNING")  # leaving the block above ended it
    if not exists(run.name):
        client().create_registered_model(run.name, tags=pages.TOOL, description=pages.model(run.name))
    elif not client().get_registered_model(run.name).description:
        client().update_registered_model(run.name, description=pages.model(run.name))
    made = client().create_model_version(
        run.name, source=logged.model_uri, run_id=run.id, tags=kept, model_id=logged.model_id
    )
    for twin in listed(run.name):  # MLflow's client retries if an answer is lost, and may create a version twice
        if twin.run == run.id and twin.version != str(made.version):
            client().delete_model_version(twin.name, twin.version)  # only the number: both share their files
    return Version.of(made)


def requirement(package: str) -> str:
    """A package in the version that is installed. A checkout that runs without being installed has none."""
    try:
        return f"{package}=={installed(package)}"
    except PackageNotFoundError:
        return package


def withdraw(version: Version) -> None:
    """Undo `register`, and remove the model's name if this was its only version. A version with an alias stays."""
    stored = client().get_model_version(version.name, version.version)
    found = Version.of(stored)
    if promoted_by_hand(found) or found.aliases:
        return
    remove(stored)
    champions = {number for event in history.read(version.name) for number in (event.before, event.after)}
    if not listed(version.name) and champions <= {version.version, None}:
        client().delete_registered_model(version.name)


def remove(version: ModelVersion) -> None:
    """Delete a version and its model's files, unless another version shares them."""
    client().delete_model_version(version.name, version.version)
    others = client().search_model_versions(f"name='{version.name}'", max_results=10_000)
    model = leftovers.model_of(version)
    if model is not None and all(leftovers.model_of(other) != model for other in others):
        leftovers.remove_model(model)
