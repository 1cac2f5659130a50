"""Runs without a person watching, for tests: what they are given, and what they leave."""

from pathlib import Path

from mlflow import MlflowClient

from pipeline.data import exports


def arguments(heap: Path, name: str) -> list[str]:
    """What `resynth` is given."""
    return ["run", str(heap), "--name", name, "--config", str(heap.parent / "settings.toml"), "--json"]


def statuses(name: str) -> list[str]:
    """How the runs of a name ended, in their order."""
    experiment = MlflowClient().get_experiment_by_name(name)
    assert experiment is not None
    runs = MlflowClient().search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return [run.info.status for run in runs]


def exported(directory: Path) -> tuple[str, list[str]]:
    """The version of the published rows, which must be whole, and the names of files beside them."""
    assert exports.verify(directory) == ()
    beside = sorted(path.name for path in directory.parent.iterdir() if path != directory)
    return exports.load_manifest(directory).source.version, beside
