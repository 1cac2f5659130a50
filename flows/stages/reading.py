"""A table comes in: it is surveyed, read, compared with the champion in its columns, and split."""

from datetime import datetime
from typing import NamedTuple

from flows.engine.workspace import Workspace
from flows.stages.stage import stage
from flows.tracking.registry import Models, Version
from flows.tracking.store import Run, last_complete
from pipeline import columns, loop
from pipeline.assumptions import Assumption, assumed
from pipeline.data import incoming, tables
from pipeline.data.contents import Contents
from pipeline.data.incoming import Arrivals, Ledger, Window
from pipeline.data.storage import Place
from pipeline.errors import SchemaError
from pipeline.loop import PrivacyReport
from pipeline.progress import Progress, part, silent
from pipeline.records import Record
from pipeline.relations import Kept
from pipeline.settings import LoopSettings

LEDGER = "ledger.json"
PRIVACY = "privacy.json"


class Incoming(Record):
    """The table that came in.

    Attributes:
        rows: Number of rows.
        new_rows: Number of new rows. All rows without an `[incoming]` section.
        latest: The latest time, if `[incoming]` names a column of times.
        digest: SHA-256 of schema and content.
        warnings: What a person should know about the files, such as casts.
    """

    rows: int
    new_rows: int
    latest: datetime | None
    digest: str
    warnings: tuple[str, ...]


@stage("look for new files")
def survey(data: Place, name: str, settings: LoopSettings, contents: Contents) -> Arrivals:
    """Find the files that came since the last complete run of a model.

    Raises:
        TableError: There is no file at all.
        ResynthError: An object store does not answer.
    """
    last = last_complete(name)
    ledger = Ledger.model_validate_json(last.read(LEDGER)) if last is not None else Ledger()
    changing = settings.policy.new_columns == "retrain"
    return incoming.survey(tables.files(data), ledger, settings.read, settings.columns, contents, changing=changing)


@stage("read the table")
def read(
    data: Place,
    work: Workspace,
    contents: Contents,
    settings: LoopSettings,
    *,
    arrivals: Arrivals | None,
    like: Version | None,
    models: Models,
    progress: Progress = silent,
) -> Incoming:
    """Read and validate the rows to train on, and infer their schema.

    Columns that differ harmlessly from those of `like` are read with the types of that version.

    Args:
        data: The table, whose files count as a whole.
        work: Receives the rows as `incoming`. If some but not all rows are new, it also receives those as `new`.
        contents: What `survey` has learned of the contents of files.
        settings: How to read, and which window of the arrived rows to use.
        arrivals: What has arrived, if only that is read.
        like: The version whose columns the table should have.
        models: The versions of this run.
        progress: Called after the rows are read, and after every column.

    Raises:
        TableError: The table is missing, damaged or unusable, or a file has changed since it was surveyed.
        SchemaError: A column has no supported type, or the settings ask for a kind that it cannot have.
    """
    before = models(like).schema.arrow if like is not None else None
    if arrivals is None or settings.incoming is None:
        table, notes = tables.load(data, settings.read, settings.columns, before, contents)
        found = Window(table, table, notes=notes)
    else:
        found = incoming.window(arrivals, settings.incoming, settings.read, settings.columns, before, contents)
    schema = columns.infer(found.rows, settings.columns, settings.privacy, part(progress, 0.3, 0.9))
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
        warnings=found.notes,
    )


@stage("compare the columns with version {champion.version}")
def match(work: Workspace, champion: Version, models: Models, *, kept: bool) -> None:
    """Check that the incoming table has the champion's columns.

    Args:
        work: The working files, which hold the table.
        champion: The version.
        models: The versions of this run.
        kept: Whether columns count that the settings leave out of the table.

    Raises:
        SchemaError: The columns differ. The message names the differences.
    """
    schema = work.columns
    if found := models(champion).schema.differences(schema.arrow, () if kept else schema.dropped):
        raise SchemaError(f"table: expected the columns of {champion.uri}; {'; '.join(found)}")


def differences(work: Workspace, champion: Version, models: Models) -> tuple[str, ...]:
    """How the kept columns of the incoming table differ from the champion's, one phrase each."""
    return models(champion).schema.differences(work.columns.arrow)


def covered(work: Workspace, champion: Version, models: Models) -> bool:
    """Whether the champion has every kept column of the incoming table. It has none that its settings left out."""
    return set(work.columns.names) <= set(models(champion).schema.names)


class Prepared(NamedTuple):
    """A table that is ready for a training.

    Attributes:
        rows: The number of rows of each part.
        privacy: What is withheld.
        relations: The relations that were found.
        assumptions: What is assumed about the table.
    """

    rows: dict[str, int]
    privacy: PrivacyReport
    relations: tuple[Kept, ...]
    assumptions: tuple[Assumption, ...]


@stage("split the table")
def split(work: Workspace, run: Run, settings: LoopSettings, progress: Progress = silent) -> Prepared:
    """Split the incoming table into train, validation and hold-out, and withhold what may not be shown.

    The split depends on the content of the rows alone, and not on the run's seed: rows held out of the champion's
    training must be held out of the challenger's. From here on, only made-up columns use the table as it came.
    """
    table, schema = work.read("incoming"), work.columns
    parts = tables.split(table, settings.split)
    shown = loop.show(table, parts, schema, settings, part(progress, 0, 0.4))
    for name, own in shown.parts._asdict().items():
        work.write(name, [own], own.schema)
    work.write("shown", [shown.table], shown.table.schema)
    found = loop.privacy(shown, parts, schema, settings, part(progress, 0.4, 1))
    run.record(found, PRIVACY)
    rows = {name: own.num_rows for name, own in parts._asdict().items()}
    return Prepared(rows, found, shown.relations.kept, assumed(schema, shown.relations, shown.withheld))
