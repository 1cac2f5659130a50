"""The stages that flows are made of, each a Prefect task.

Tasks exchange references: a `Workspace` whose tables they read and write by name, a `Version` of the registry, a `Run`
of MLflow, and small records. No table travels through Prefect. The tables are `incoming` and `new`, as they came, and
`shown`, `train`, `validation`, `holdout` and `synthetic`, from which is taken what may not be shown.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import pyarrow as pa
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from pydantic import ValidationError

from flows.engine.workspace import Workspace
from flows.settings import Settings
from flows.tracking import registry
from flows.tracking.registry import OutdatedError, Version
from flows.tracking.store import Run, answering, last_complete, past_checks
from pipeline import columns, evaluation, loop, pictures
from pipeline.data import exports, incoming, tables
from pipeline.data.exports import Manifest, Source
from pipeline.data.incoming import Arrivals, Ledger, Window
from pipeline.data.storage import Place
from pipeline.data.tables import Split
from pipeline.decisions import policy, promotion
from pipeline.decisions.drift import DriftReport, ModelView
from pipeline.decisions.policy import Plan
from pipeline.decisions.promotion import Decision
from pipeline.errors import ResynthError, SchemaError
from pipeline.evaluation import Evaluation
from pipeline.loop import Past, PrivacyReport
from pipeline.privacy.rehearsal import Shrinkage
from pipeline.profiles.reference import Reference
from pipeline.progress import Progress, Tick
from pipeline.queries.bound import ElboReport
from pipeline.records import Record

REFERENCE = "profile.json"
ELBO = "elbo.json"
VIEW = "view.json"
PRIVACY = "privacy.json"
LEDGER = "ledger.json"
START = "start"  # tag of a version: the one that its training started from
WARM_STARTS = "warm_starts"  # tag of a version: warm starts in a row that led to it
NEWS = 5.0  # seconds between two of a training's news in MLflow

P = ParamSpec("P")
T = TypeVar("T")


class Incoming(Record):
    """What came in.

    Attributes:
        rows: Number of rows.
        new_rows: How many of them are new; without an `[incoming]` section, all.
        latest: The latest time, where `[incoming]` names a column of times.
        digest: SHA-256 of schema and content.
        warnings: What a person should know about the columns.
    """

    rows: int
    new_rows: int
    latest: datetime | None
    digest: str
    warnings: tuple[str, ...]


def stage(function: Callable[P, T]) -> Task[P, T]:
    """A Prefect task that keeps no result: what it made is in the workspace, the registry or MLflow."""

    @wraps(function)
    def answered(*arguments: P.args, **named: P.kwargs) -> T:
        with answering():
            return function(*arguments, **named)

    return task(cache_policy=NO_CACHE, persist_result=False)(answered)


@stage
def survey(data: Place, name: str, settings: Settings) -> Arrivals:
    """Tell the files that came since the last complete run of a model.

    Raises:
        TableError: There is no file at all.
        ResynthError: An object store does not answer.
    """
    last = last_complete(name)
    ledger = Ledger.model_validate_json(last.read(LEDGER)) if last is not None else Ledger()
    changing = settings.policy.new_columns == "retrain"
    return incoming.survey(tables.files(data), ledger, settings.read, settings.columns, changing=changing)


@stage
def read(
    data: Place,
    work: Workspace,
    settings: Settings,
    arrivals: Arrivals | None = None,
    champion: Version | None = None,
) -> Incoming:
    """Read and validate the rows to train on, and infer their schema.

    Columns that differ harmlessly from the champion's are read as the champion has them.

    Args:
        data: The table: files that count as a whole.
        work: Receives the rows as `incoming`, and as `new` those of them that are new, if they are some but not all.
        settings: How to read, and which window of what has arrived.
        arrivals: What has arrived, where only that is looked at.
        champion: Whose columns the table is expected to have.

    Raises:
        TableError: The table is missing, damaged or unusable.
        SchemaError: A column is of no supported type, or the settings ask for what it cannot be.
    """
    like = registry.load(champion).schema.arrow if champion is not None else None
    if arrivals is None or settings.incoming is None:
        table, notes = tables.load(data, settings.read, settings.columns, like)
        found = Window(table, table, notes=notes)
    else:
        found = incoming.window(arrivals, settings.incoming, settings.read, settings.columns, like)
    schema = columns.infer(found.rows, settings.columns, settings.privacy)
    rows, new = (table.select(schema.names) for table in (found.rows, found.new))
    work.write("incoming", [rows], rows.schema)
    if 0 < new.num_rows < rows.num_rows:
        work.write("new", [new], new.schema)
    work.schema_file.write_text(schema.to_json(), "utf-8")
    return Incoming(
        rows=rows.num_rows,
        new_rows=new.num_rows,
        latest=found.latest,
        digest=tables.digest(rows),
        warnings=(*found.notes, *schema.warnings),
    )


@stage
def match(work: Workspace, champion: Version, *, kept: bool) -> None:
    """Check that the incoming table has the champion's columns.

    Args:
        work: Where the table is.
        champion: The version.
        kept: Whether columns count that the settings leave out of the table.

    Raises:
        SchemaError: It has not; the message names the differences.
    """
    schema = work.columns
    if found := registry.load(champion).schema.differences(schema.arrow, () if kept else schema.dropped):
        raise SchemaError(f"table: expected the columns of {champion.uri}; {'; '.join(found)}")


def differences(work: Workspace, champion: Version) -> tuple[str, ...]:
    """How the columns that are kept of the incoming table differ from the champion's, one phrase each."""
    return registry.load(champion).schema.differences(work.columns.arrow)


@stage
def split(work: Workspace, run: Run, settings: Settings) -> tuple[dict[str, int], PrivacyReport]:
    """Divide the incoming table into train, validation and hold-out, and take out what may not be shown.

    By the content of the rows alone, whatever the run's seed: what was held out of the champion's training must be
    held out of the challenger's. From here on nothing reads the table as it came but what makes up identifiers.

    Returns:
        The rows of each part, and what is not shown.
    """
    table, schema = work.read("incoming"), work.columns
    parts = tables.split(table, settings.split)
    shown = loop.show(table, parts, schema, settings)
    for name, part in shown.parts._asdict().items():
        work.write(name, [part], part.schema)
    work.write("shown", [shown.table], shown.table.schema)
    found = loop.privacy(shown, parts, schema, settings)
    run.record(found, PRIVACY)
    return {name: part.num_rows for name, part in parts._asdict().items()}, found


@stage
def profile(work: Workspace, run: Run, settings: Settings) -> None:
    """Summarise the incoming table, for later ones to be compared with; the summary is kept and holds no rows."""
    made = Reference.of(work.read("shown"), work.columns, seed=settings.seed, ignore=settings.drift.ignore)
    run.record(made, REFERENCE)


@stage
def check_drift(work: Workspace, champion: Version, run: Run, settings: Settings) -> DriftReport:
    """Compare the new rows with what is remembered of those the champion was trained on.

    Pictures of what changed are kept with the run when there is drift.

    Raises:
        OutdatedError: The champion is of another format.
        ResynthError: What is remembered of it is missing.
    """
    known = recall(champion)
    table = work.read("new" if work.holds("new") else "incoming")
    profile, found = loop.check(known, table, settings)
    if found.drifted:
        run.picture("drift.png", lambda: pictures.drift(known.reference.profile, profile, found))
    return found


def recall(version: Version) -> loop.Champion:
    """A version and what is remembered of its training.

    Raises:
        OutdatedError: It is of another format.
        ResynthError: Something of it is missing.
    """
    synthesizer = registry.load(version)
    try:
        reference = Reference.model_validate_json(version.origin.read(REFERENCE))
        view = ModelView.model_validate_json(version.origin.read(VIEW))
    except ValidationError as error:
        raise OutdatedError(f"model: the profile of {version.uri} is of another format than this code") from error
    return loop.Champion(synthesizer, reference, view)


@stage
def outdated(version: Version) -> tuple[str, ...]:
    """Why this code can neither ask a version nor let it publish; what else may be wrong with it, its use will tell."""
    try:
        recall(version)
    except OutdatedError as error:
        return (str(error),)
    except ResynthError:
        pass
    return ()


@stage
def consider(
    work: Workspace,
    champion: Version,
    incoming: Incoming,
    drift: DriftReport | None,
    settings: Settings,
) -> Plan:
    """What the new rows call for."""
    now, versions = datetime.now(UTC), registry.versions(champion.name)
    earlier = past_checks(champion.name, champion.created)
    past = Past(
        verdicts=tuple(check.drifted for check in earlier),
        waiting=sum(check.new_rows for check in earlier),
        age_days=(now - champion.created) / timedelta(days=1),
        idle_hours=idle_hours(versions, now),
        warm_starts=int(champion.tags.get(WARM_STARTS, 0)),
        warm_start_refused=any(version.tags.get(START) == champion.version for version in versions),
    )
    same = settings.incoming is None and incoming.digest == champion.tags["data_digest"]
    situation = loop.situate(
        registry.load(champion),
        past,
        Split(*(work.read(part) for part in Split._fields)),
        work.columns,
        settings,
        new_rows=0 if same else incoming.new_rows,
        drift=drift,
    )
    return policy.plan(situation, settings.policy)


@stage
def cooling_down(name: str, settings: Settings) -> tuple[str, ...]:
    """Why a run that need not train is not begun now; nothing where it may."""
    return policy.cooling_down(idle_hours(registry.versions(name), datetime.now(UTC)), settings.policy)


@stage
def due(champion: Version, settings: Settings) -> bool:
    """Whether a training is due though nothing is new.

    Either the champion is too old, and rows wait that no training has seen; or this code understands neither the
    champion nor the last version that was trained.
    """
    last = max(registry.versions(champion.name), key=lambda version: version.created)
    waiting = sum(check.new_rows for check in past_checks(champion.name, last.created))
    age = (datetime.now(UTC) - champion.created) / timedelta(days=1)
    understood = not (outdated.fn(champion) and outdated.fn(last))
    return policy.overdue(age, waiting, settings.policy) or not understood


def idle_hours(versions: Sequence[Version], now: datetime) -> float:
    """Time since any version of a model was trained."""
    return (now - max(version.created for version in versions)) / timedelta(hours=1)


@stage
def train(work: Workspace, run: Run, start: Version | None, settings: Settings, progress: Progress) -> Shrinkage:
    """Fit a synthesizer, warm where a version to start from is given; returns how far it is shrunk.

    Its loss curves go to MLflow, its files to the workspace.
    """
    synthesizer = loop.fit(
        Split(*(work.read(part) for part in Split._fields)),
        work.columns,
        settings,
        champion=registry.load(start) if start is not None else None,
        taken=work.read("incoming"),
        progress=watched(run, progress),
    )
    synthesizer.save(work.model)
    run.history(synthesizer.history)
    run.picture("losses.png", lambda: pictures.loss_curves(synthesizer.history))
    return synthesizer.shrinkage


@stage
def register(work: Workspace, run: Run, start: Version | None, digest: str, code: str, settings: Settings) -> Version:
    """Make the trained synthesizer the model's next version.

    Args:
        work: Where it is.
        run: That trained it.
        start: The version that its training started from, if any.
        digest: The digest of the rows it was trained on.
        code: Version of the code.
        settings: What may be shown is kept with the version.
    """
    tags = {"data_digest": digest, "code_version": code, registry.PRIVACY: settings.shown}
    if start is not None:
        tags |= {START: start.version, WARM_STARTS: str(1 + int(start.tags.get(WARM_STARTS, 0)))}
    return registry.register(run, work.model, tags)


@stage
def measure(work: Workspace, version: Version, settings: Settings) -> ElboReport | None:
    """The evidence lower bound of the hold-out under a version; None where no network was taught any dependence."""
    synthesizer = registry.load(version)
    return synthesizer.elbo(work.read("holdout"), seed=settings.seed) if synthesizer.taught else None


@stage
def view(work: Workspace, version: Version, run: Run, settings: Settings) -> None:
    """Keep what a version says of the hold-out, for what it says of later rows to be compared with."""
    run.record(loop.view(registry.load(version), work.read("holdout"), settings), VIEW)


@stage
def generate(work: Workspace, version: Version, settings: Settings, progress: Progress) -> None:
    """Generate as many rows as there are training rows, at most as many as an evaluation looks at."""
    synthesizer = registry.load(version)
    rows = min(work.read("train").num_rows, settings.evaluation.rows)
    batches = counted(synthesizer.batches(rows, seed=settings.seed), rows, "generate", progress)
    work.write(f"synthetic-{version.version}", batches, synthesizer.schema.arrow)


@stage
def evaluate(work: Workspace, version: Version, settings: Settings, progress: Progress) -> Evaluation:
    """Compare a version's rows with the hold-out."""
    return evaluation.evaluate(
        work.read(f"synthetic-{version.version}"),
        holdout=work.read("holdout"),
        train=work.read("train"),
        schema=work.columns,
        settings=settings.evaluation,
        seed=settings.seed,
        progress=progress,
    )


@stage
def picture(work: Workspace, version: Version, run: Run, found: Evaluation) -> None:
    """Keep a picture of the quality of a version's rows."""
    rows = work.read(f"synthetic-{version.version}")
    run.picture("quality.png", lambda: pictures.quality(work.read("holdout"), rows, work.columns, found))


@stage
def decide(
    challenger: Evaluation, champion: Evaluation | None, settings: Settings, bound: ElboReport | None = None
) -> Decision:
    """Promote the challenger or keep the champion."""
    return promotion.decide(challenger, champion, settings.gate, bound)


@stage
def promote(version: Version) -> None:
    """Make a version the champion, once it has shown that it loads and generates."""
    registry.promote(version)


@stage
def publish(version: Version, directory: Path, rows: int, settings: Settings, progress: Progress) -> Manifest:
    """Write rows of a version as Parquet parts and a manifest.

    Raises:
        InputError: `directory` cannot be written or holds something else.
    """
    synthesizer = registry.load(version)
    return exports.publish(
        synthesizer.batches(rows, seed=settings.seed),
        directory,
        schema=synthesizer.schema.arrow,
        rows=rows,
        source=Source(
            name=version.name,
            version=version.version,
            data_digest=version.tags["data_digest"],
            code_version=version.tags["code_version"],
        ),
        seed=settings.seed,
        partition_by=settings.partition_by,
        progress=progress,
    )


def watched(run: Run, progress: Progress) -> Progress:
    """The same listener, and MLflow hears now and then how a training goes; the step is what is done, in per mille."""
    told = time.monotonic()

    def listen(tick: Tick) -> None:
        nonlocal told
        progress(tick)
        if tick.metrics and time.monotonic() - told >= NEWS:
            told = time.monotonic()
            run.metrics({f"progress.{name}": value for name, value in tick.metrics.items()}, int(1000 * tick.done))

    return listen


def counted(batches: Iterable[pa.Table], rows: int, phase: str, progress: Progress) -> Iterator[pa.Table]:
    """The same batches, with news of how many of all rows have passed."""
    done = 0
    for batch in batches:
        yield batch
        done += batch.num_rows
        progress(Tick(phase, done, rows))
