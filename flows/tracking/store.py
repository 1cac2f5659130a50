"""Runs in MLflow.

A `Run` records one execution: its input, what happened, and how it ended. It is a reference (an id and the name it
belongs to), so tasks can pass it around. All runs of one model name are one MLflow experiment.

On the embedded SQLite store, the first access migrates the database, which two processes must not do at once.
Write-ahead logging makes every later write four times faster. `client` takes care of both. MLflow's files of a run are
made from real rows, so on the embedded store only its owner may read them.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import mlflow
import pyarrow as pa
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.entities import Run as Made
from mlflow.exceptions import MlflowException

from flows.engine import addresses
from flows.engine.homes import answers
from flows.tracking import pages, relocation
from flows.tracking.figures import attempt, draw
from pipeline import files
from pipeline.arrow.widening import value_type
from pipeline.data.storage import Place
from pipeline.errors import ResynthError
from pipeline.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipeline.training.history import Epoch

BATCH = 100  # parameters that MLflow accepts at once; it accepts 1,000 metrics
LONGEST_VALUE = 6000  # characters of a parameter
LONGEST_TAG = 5000
LONGEST_DIGEST = 36
MARK = "workspace"
"""The tag that tells a dead run from a living one."""
COMPLETE = "decision"
"""The tag that a run sets last: its work is complete."""
NOT_UNDONE = "attributes.status != 'FAILED' AND attributes.status != 'KILLED'"
"""A failed run was undone, even if a server wrote its tags after the run had stopped waiting."""


def client() -> MlflowClient:
    """The client of the store in `MLFLOW_TRACKING_URI`, ready for use."""
    return _client(mlflow.get_tracking_uri())


@cache
def _client(uri: str) -> MlflowClient:
    file = addresses.database_file(uri)
    if file is None:
        return MlflowClient(uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock"), mode=0o600), files.private():
        relocation.relocate(file)
        opened = MlflowClient(uri)
        opened.search_experiments(max_results=1)  # creates or migrates the tables
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA journal_mode=WAL")
    return opened


def away() -> bool:
    """Whether the tracking server no longer answers. A database always does."""
    uri = mlflow.get_tracking_uri()
    return uri.startswith("http") and not answers(f"{uri.rstrip('/')}/health")


@contextmanager
def answering() -> Iterator[None]:
    """If the block fails because the server is away, raise one line without the address instead.

    Raises:
        ResynthError: The server is away.
    """
    try:
        yield
    except (MlflowException, OSError):
        if not away():
            raise
        raise ResynthError(
            "expected the MLflow server of MLFLOW_TRACKING_URI to go on answering, it does not; "
            "the next run undoes what is left half done"
        ) from None


class Run(Record):
    """One run in MLflow.

    Attributes:
        id: Its id in MLflow.
        name: The model it belongs to.
    """

    id: str
    name: str

    @classmethod
    @contextmanager
    def start(cls, name: str, tags: Mapping[str, str], title: str | None = None) -> Iterator[Self]:
        """A run that ends as FAILED (an exception), KILLED (a signal) or FINISHED. If complete, it is FINISHED.

        Args:
            name: The model's name.
            tags: Its tags. `flow`, the verb, and `code_version` are also shown as its source.
            title: Its name in MLflow, until `Run.entitle`.
        """
        experiment = _experiment(name)
        _dress(experiment, name)
        run = client().create_run(experiment, run_name=title or name, tags=pages.source(tags) | dict(tags))
        status = "KILLED"
        try:
            yield cls(id=run.info.run_id, name=name)
            status = "FINISHED"
        except Exception:
            status = "FAILED"
            raise
        finally:
            if status == "FINISHED" or not away():
                _end(run.info.run_id, status)

    @property
    def complete(self) -> bool:
        """Whether the run's work is complete. False if MLflow does not know the run."""
        try:
            return COMPLETE in client().get_run(self.id).data.tags
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    @property
    def url(self) -> str:
        """The address of the run's files."""
        return addresses.local(str(client().get_run(self.id).info.artifact_uri))

    def parameters(self, values: Mapping[str, object]) -> None:
        """Log the run's input. Nested mappings become dotted names."""
        params = [Param(key, str(value)[:LONGEST_VALUE]) for key, value in _flat(values)]
        for start in range(0, len(params), BATCH):
            client().log_batch(self.id, params=params[start : start + BATCH])

    def metrics(self, values: Mapping[str, float], step: int = 0, model: str | None = None) -> None:
        """Log numbers, all at once. `model` is the id of the stored model that they are about, if any."""
        now = int(time.time() * 1000)
        made = [Metric(key, value, now, step, model_id=model, run_id=self.id) for key, value in values.items()]
        client().log_batch(self.id, metrics=made)

    def history(self, epochs: Iterable["Epoch"]) -> None:
        """Log the numbers of every epoch, with one call per epoch because MLflow limits the size of a call."""
        for epoch in epochs:
            values = epoch.model_dump(exclude={"epoch"})
            self.metrics({f"epoch/{name}": value for name, value in values.items()}, step=epoch.epoch)

    def tags(self, values: Mapping[str, str]) -> None:
        """Tag the run."""
        client().log_batch(self.id, tags=[RunTag(key, value[:LONGEST_TAG]) for key, value in values.items()])

    def entitle(self, title: str, note: str) -> None:
        """Give the run its name and its description, in Markdown, for MLflow's pages."""
        self.tags({pages.NOTE: note})
        client().update_run(self.id, name=title)

    def conclude(self, values: Mapping[str, str]) -> None:
        """Write the tags that make the run complete. If the answer is lost, check whether they were written."""
        try:
            self.tags(values)
        except (MlflowException, OSError):
            if not self.complete:
                raise

    def record(self, record: Record, file: str) -> None:
        """Keep a record as a JSON file."""
        self.text(record.model_dump_json(indent=1), file)

    def text(self, text: str, file: str) -> None:
        """Keep a text as a file. On the embedded store it is flushed to the disk, before the run can be complete."""
        with files.private():
            client().log_text(self.id, text, file)
        if (kept := Path(self.url) / file).is_file():
            files.sync(kept)

    def picture(self, file: str, figure: Callable[[], "Figure"]) -> None:
        """Keep a picture, if it can be drawn."""
        content = draw(file, figure)
        if content is None:
            return
        with files.private(), TemporaryDirectory() as directory:
            path = Path(directory) / file
            path.write_bytes(content)
            client().log_artifact(self.id, str(path))

    def document(self, file: str, text: Callable[[], str]) -> str | None:
        """Keep a text for people, if it can be made. Returns its address."""
        content = attempt(file, text)
        if content is None:
            return None
        self.text(content, file)
        return f"{self.url}/{file}"

    def data(self, source: Place, digest: str, schema: pa.Schema, rows: int, context: str = "training") -> None:
        """Log which data the run read, and for what. Columns have Arrow's types, in a form that MLflow shows."""
        from flows.settings import name_of  # noqa: PLC0415 - who asks for a version waits for no settings

        fields = [
            {"name": field.name, "type": str(value_type(field.type)), "required": not field.nullable}
            for field in schema
        ]
        dataset = Dataset(
            name=name_of(source),
            digest=digest[:LONGEST_DIGEST],
            source_type="local" if isinstance(source, Path) else source.partition(":")[0],
            source=json.dumps({"uri": str(source)}),
            schema=json.dumps({"mlflow_colspec": fields}),
            profile=json.dumps({"num_rows": rows}),
        )
        client().log_inputs(self.id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])

    def read(self, file: str) -> str:
        """Read a text that the run kept.

        Raises:
            ResynthError: The run kept no such file.
        """
        try:
            with TemporaryDirectory() as place:  # otherwise MLflow makes one and leaves it
                kept = mlflow.artifacts.download_artifacts(run_id=self.id, artifact_path=file, dst_path=place)
                return Path(kept).read_text("utf-8")
        except (MlflowException, OSError) as error:
            raise ResynthError(f"tracking: expected {file} in run {self.id}, found none") from error


def unfinished(name: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Ids and tags of the runs of a name that have not ended, or were killed before they could record their end."""
    found = client().search_runs([_experiment(name)], "attributes.status = 'RUNNING'", max_results=100)
    return ((run.info.run_id, run.data.tags) for run in found)


def runs(name: str) -> list[Made]:
    """Every run of a name, the newest first."""
    experiment = client().get_experiment_by_name(name)
    found: list[Made] = []
    token = None
    while experiment is not None:
        page = client().search_runs([experiment.experiment_id], max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    return found


def openings() -> dict[str, str]:
    """The part of an address that opens the runs of each name, for a server on the store."""
    found = client().search_experiments(filter_string="tags.tool = 'resynth'", max_results=1000)
    return {experiment.name: pages.runs(experiment.experiment_id) for experiment in found}


def last_complete(name: str) -> Run | None:
    """The latest run of a name that is complete and kept a ledger."""
    wanted = f"tags.ledger = 'kept' AND {NOT_UNDONE}"
    found = client().search_runs([_experiment(name)], wanted, max_results=1)
    return Run(id=found[0].info.run_id, name=name) if found else None


class PastCheck(Record):
    """The result of a complete run's drift check of the rows that were new to it."""

    drifted: bool
    new_rows: int


def past_checks(name: str, since: datetime) -> tuple[PastCheck, ...]:
    """The drift checks of the complete runs of a name that began after `since`, the latest last."""
    wanted = f"tags.flow = 'run' AND {NOT_UNDONE} AND attributes.start_time > {int(since.timestamp() * 1000)}"
    found = client().search_runs([_experiment(name)], wanted, order_by=["attributes.start_time"], max_results=1000)
    told = [run.data for run in found if COMPLETE in run.data.tags and "drift" in run.data.tags]
    return tuple(
        PastCheck(drifted=data.tags["drift"] == "true", new_rows=int(data.params["rows.new"])) for data in told
    )


def _end(run: str, status: str) -> None:
    """Record how a run ended. If the server has gone since its work was done, the next run records it."""
    try:
        complete = COMPLETE in client().get_run(run).data.tags
        client().set_terminated(run, "FINISHED" if complete else status)
    except (MlflowException, OSError):
        if not away():
            raise


def _experiment(name: str) -> str:
    """The id of the experiment called `name`. It is created if there is none.

    Raises:
        ResynthError: It was deleted in MLflow, which keeps its name.
    """
    found = client().get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage != "active":
        raise ResynthError(
            f"tracking: expected the MLflow experiment {name!r} to be active, it was deleted there; "
            f"restore it (mlflow experiments restore -x {found.experiment_id}) or use another name"
        )
    if found is not None:
        return str(found.experiment_id)
    uri = mlflow.get_tracking_uri()
    file = addresses.database_file(uri)
    place = None if file is None else (file.resolve().parent / "artifacts").as_uri()
    try:
        return str(client().create_experiment(name, artifact_location=place))
    except MlflowException:  # another process was faster
        found = client().get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def _dress(experiment: str, name: str) -> None:
    """Let the page of an experiment open on its runs and say what it is about."""
    for key, value in pages.experiment(name, experiment, client().get_experiment(experiment).tags).items():
        client().set_experiment_tag(experiment, key, value)


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
