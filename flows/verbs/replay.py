"""The verb `replay`: what drift checks, policy and gate would have done over history, and what that would have gained.

A replay does not change the registry: no version is registered, and no alias moves. One MLflow run keeps the numbers of
every turn, the story and its picture. Intermediate results lie under `<home>/.resynth/replays` until the replay is
complete. Their directory follows from the name, and from the content of the table, the settings and the code. So an
interrupted replay resumes, and a changed one starts again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from flows.settings import Settings
from flows.telling import display, journal, pages
from flows.tracking.figures import draw
from flows.tracking.store import Run
from flows.verbs.operation import Operation
from flows.verbs.shown import REPLAY, Ending, shown
from pipeline import pictures
from pipeline.data import tables
from pipeline.data.storage import Place
from pipeline.errors import InputError
from pipeline.progress import Progress, silent
from pipeline.records import Record
from pipeline.replay.periods import Every, History
from pipeline.replay.shelf import Shelf
from pipeline.replay.story import STRATEGIES, Story
from pipeline.replay.turns import replay as tell
from pipeline.settings import LoopSettings

STORY, PICTURE = "story.json", "replay.png"


class ReplayRequest(Record):
    """The request of a replay.

    Attributes:
        data: The table.
        home: The home directory.
        name: The name of the model that the settings are about. The MLflow run is one of its runs.
        settings: All other choices.
        column: The column of the times.
        every: Length of a period.
        out: Directory for story and picture.
    """

    data: Place
    home: Path
    name: str
    settings: Settings
    column: str
    every: str
    out: Path


class ReplayOutcome(Record):
    """The outcome of a replay.

    Attributes:
        story: The story of all turns.
        path: The directory of story and picture.
        documents: Their address in MLflow. Scripts know it as `report`.
    """

    story: Story
    path: Path
    documents: str

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts, with one summary per strategy. The turns are only in the story."""
        told = self.story.model_dump(mode="json", exclude={"steps"})
        strategies = {strategy: self.story.summary(strategy).model_dump(mode="json") for strategy in STRATEGIES}
        where = {"path": str(self.path), "report": self.documents}
        return told | {"strategies": strategies, "loss": self.story.loss} | where


def replay(request: ReplayRequest, progress: Progress | None = None) -> ReplayOutcome:
    """Run the loop over the history of a table, as a flow run.

    Args:
        request: What to replay.
        progress: Called for every turn, if given.

    Raises:
        InputError: Table, column or period cannot be used, or `out` cannot be written.
        BusyError: The same name is being replayed.
        ResynthError: MLflow's server no longer answers.
    """

    def ending(outcome: ReplayOutcome) -> Ending:
        return Ending("Completed", display.verdict(outcome.story))

    told = {"table": request.name, "data": request.data, "time": request.column, "every": request.every}
    told |= {"out": request.out, "home": request.home}
    return shown(REPLAY, request.name, lambda: carry_out(request, progress), ending, told)


def carry_out(request: ReplayRequest, progress: Progress | None = None) -> ReplayOutcome:
    """Do the work of `replay` in the flow run of the caller, if there is one. Arguments and errors are the same."""
    table = tables.read(request.data, request.settings.read, request.settings.columns)
    History.of(table, request.column, Every.parse(request.every))  # raises now rather than halfway
    with writing(request.out):
        TemporaryFile(dir=request.out).close()  # raises now rather than after hours
    choices = request.settings.model_dump(mode="json", include=set(LoopSettings.model_fields))
    digest = tables.digest(table)
    lock = f"replay {request.name}"
    with Operation.open("replay", request.home, request.name, lock=lock) as operation, operation.tracked() as run:
        journal.note(f"read {table.num_rows:,} rows of {table.num_columns} columns")
        run.data(request.data, digest, table.schema, table.num_rows, "history")
        run.parameters(
            {"data": request.data, "time": request.column, "every": request.every, "settings": request.settings.chosen}
        )
        run.record(request.settings, "settings.json")
        shelf = _shelf(request, _key(digest, request, choices, operation.code))
        story = tell(table, request.column, request.every, request.settings, shelf, progress or silent)
        keep(run, story)
        write(story, request.out)
        summary = pages.replay(story)
        run.entitle(f"{request.name}: replay of {story.periods} periods", summary)
        journal.note(display.verdict(story))
        pages.show(request.name, REPLAY.name, f"{story.periods} periods", summary)
        shutil.rmtree(shelf.directory, ignore_errors=True)
        return ReplayOutcome(story=story, path=request.out, documents=run.url)


def keep(run: Run, story: Story) -> None:
    """Log the numbers of every turn, one step per period, and the story and its picture."""
    for step in story.steps:
        found = {"ahead": step.ahead, "quality": step.quality}
        values = {f"{step.strategy}/{name}": quality.overall for name, quality in found.items() if quality is not None}
        values[f"{step.strategy}/seconds"] = step.seconds
        if step.drift is not None:
            values[f"{step.strategy}/drift"] = step.drift.excess
        run.metrics(values, step.period)
    for strategy in STRATEGIES:
        told = story.summary(strategy).model_dump(exclude={"strategy"}, exclude_none=True)
        run.metrics({f"{strategy} total/{name}": float(value) for name, value in told.items()})
    run.record(story, STORY)
    run.picture(PICTURE, lambda: pictures.story(story))


def write(story: Story, directory: Path) -> None:
    """Write story and picture into a directory, which is created."""
    with writing(directory):
        (directory / STORY).write_text(story.model_dump_json(indent=1), "utf-8")
        picture = draw(PICTURE, lambda: pictures.story(story))
        if picture is not None:
            (directory / PICTURE).write_bytes(picture)


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Create a directory, and report in one line if it cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise InputError(
            f"out: expected a directory that can be written, got {directory} ({error.strerror})"
        ) from error


def _shelf(request: ReplayRequest, key: str) -> Shelf:
    """The place of a replay's intermediate results. Those of an earlier replay of this name with another key go."""
    directory = request.home / ".resynth" / "replays" / request.name
    for left in directory.glob("*"):
        if left.name != key:
            shutil.rmtree(left, ignore_errors=True)
    return Shelf(directory / key)


def _key(digest: str, request: ReplayRequest, choices: Mapping[str, object], code: str) -> str:
    """A digest of everything that the turns of a replay depend on."""
    parts = (digest, request.column, request.every, json.dumps(choices), code)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
