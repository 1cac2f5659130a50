"""Which versions and runs of a model are not kept, and their removal.

Always kept are: versions with an alias, as many earlier champions for rollbacks as versions are kept, runs that made a
kept version, runs at work, and runs that later runs read. These are the last run that kept a ledger, and runs begun
since the champion was registered. Only runs of `resynth run` are considered.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mlflow.entities import Run as Made

from flows.tracking import history, leftovers, registry, store
from flows.tracking.registry import Version
from flows.tracking.store import client


class Surplus(NamedTuple):
    """What a model does not need.

    Attributes:
        versions: Registered versions.
        runs: Ids of MLflow runs.
        models: Ids of stored models without a version, left by killed runs and withdrawn versions.
    """

    versions: tuple[Version, ...]
    runs: tuple[str, ...]
    models: tuple[str, ...]


def surplus(name: str, versions: int, runs: int) -> Surplus:
    """Find what is not kept of a model that no run is working on.

    Args:
        name: The model's name.
        versions: How many of the newest versions, and of the last champions, to keep.
        runs: How many of the newest runs to keep.
    """
    every = registry.versions(name) if name in registry.names() else ()
    line = history.line(history.read(name))[-versions:] if every else []
    kept = {version.version for version in every[:versions]} | set(line)
    past = tuple(version for version in every if version.version not in kept and not version.aliases)
    gone = {version.version for version in past}
    staying = [version for version in every if version.version not in gone]
    made = store.runs(name)
    over = {run.info.run_id for run in made if _over(run)}
    strays = tuple(model.model_id for model in leftovers.strays(name) if model.source_run_id in over)
    return Surplus(past, _runs(name, made, staying, runs), strays)


def remove(found: Surplus) -> None:
    """Remove a surplus, with its files."""
    for version in found.versions:
        registry.remove(client().get_model_version(version.name, version.version))
    for run in found.runs:
        leftovers.remove_run(run)
    for model in found.models:
        leftovers.remove_model(model)


def _runs(name: str, made: Sequence[Made], staying: Sequence[Version], keep: int) -> tuple[str, ...]:
    champion = next((version for version in staying if registry.CHAMPION in version.aliases), None)
    since = champion.created.timestamp() * 1000 if champion is not None else 0
    needed = {version.run for version in staying}
    if made and (last := store.last_complete(name)) is not None:
        needed.add(last.id)
    return tuple(
        run.info.run_id
        for run in made[keep:]
        if run.info.run_id not in needed and _over(run) and (champion is None or run.info.start_time < since)
    )


def _over(run: Made) -> bool:
    return run.info.status != "RUNNING" and run.data.tags.get("flow") == "run"
