"""All settings in one record. They come from a file and the command line, and are checked against the data."""

import glob
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Annotated, Any, Self

import pyarrow as pa
from pydantic import BeforeValidator, Field, ValidationError

from flows.settings import toml
from flows.settings.sections import NotifySettings, RetentionSettings, ScheduleSettings
from pipeline import columns
from pipeline.data import formats, parts, queries, tables
from pipeline.data.storage import File, Place, absolute, place
from pipeline.errors import ResynthError, SettingsError, TableError, did_you_mean
from pipeline.settings import LoopSettings

FILE = "resynth.toml"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"  # also a directory's name, and MLflow allows no "/" or ":"

MOST_LISTED = 30  # columns that a message lists
Rows = Annotated[int, Field(ge=1, le=10**12)]


def _data(given: object) -> Place:
    if not isinstance(given, str | Path):
        raise ValueError("expected a path or an address")  # noqa: TRY004 - pydantic's own
    return place(str(given))


class Settings(LoopSettings):
    """Everything that `resynth.toml` may say. These keys stand at its top, before any section.

    Attributes:
        name: Name of the model. Default: the name of the data file.
        data: The table, for `resynth serve` and for a `resynth run` without DATA: a path relative to the home, an
            address in an object store, or a database's address with a table or a query.
        rows: Number of rows to publish. Default: as many as came in.
        partition_by: Columns whose values go into the paths of the export (`country=DE/part-00000.parquet`).
        format: What published rows are written as. A DuckDB file (needs `pip install 'resynth[duckdb]'`) holds one
            table, named after the model.
    """

    name: Annotated[str, Field(pattern=f"^{NAME}$")] | None = None
    data: Annotated[Place, BeforeValidator(_data)] | None = None
    rows: Rows | None = None
    partition_by: tuple[str, ...] = ()
    format: formats.Written = "parquet"
    schedule: ScheduleSettings = ScheduleSettings()
    notify: NotifySettings = NotifySettings()
    retention: RetentionSettings = RetentionSettings()

    @classmethod
    def load(cls, home: Path, config: Path | None = None, **given: object) -> Self:
        """Read settings from a file and the command line.

        If the file has a section `[tables.NAME]` for the given `name`, its values win over the rest of the file.

        Args:
            home: Directory of `resynth.toml`, if no file is named. The file is optional.
            config: The file to read.
            given: Values that win over the file. None means not given.

        Raises:
            SettingsError: The file is missing or is not TOML, a key is unknown, or a value is impossible.
        """
        file = config if config is not None else home / FILE
        values = toml.read(file) if config is not None or file.exists() else {}
        chosen = {name: value for name, value in given.items() if value is not None}
        for given_by, some in ((str(file), values), ("the command line", chosen)):
            toml.refuse_odd(some, given_by)
        values = toml.merged(values, toml.tables(values.pop("tables", {}), file).get(str(chosen.get("name")), {}))
        try:
            return cls.model_validate(values | chosen)
        except ValidationError as error:
            raise SettingsError(toml.line(cls, error, file, chosen)) from None

    @classmethod
    def tables(cls, home: Path, config: Path | None = None) -> dict[str, Self]:
        """The settings of every table of a file, by name. Without `[tables]` the file describes one table.

        Raises:
            SettingsError: As for `load`, or a table has no `data`.
        """
        file = config if config is not None else home / FILE
        values = toml.read(file)
        toml.refuse_odd(values, str(file))
        names: list[str | None] = [*toml.tables(values.get("tables", {}), file)] or [None]
        found = [cls.load(home, config, name=name) for name in names]
        for name, settings in zip(names, found, strict=True):
            if settings.data is None:
                where = "" if name is None else f"tables.{name}."
                raise SettingsError(f"settings: expected {where}data in {file}, got none")
        return {settings.name or name_of(settings.source(home)): settings for settings in found}

    @property
    def chosen(self) -> dict[str, Any]:
        """What somebody chose about runs: every setting that is not the default, as in the file."""
        others = {"name", "data", "schedule", "notify", "retention", "seed"}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=others)

    @property
    def shown(self) -> str:
        """The settings that say what may be published, as a text: equal for equal rules."""
        keys = {"kind", "public", "unique_with", "fake", "locale"}
        said = {name: own.model_dump(include=keys) for name, own in self.columns.items()}
        columns = {name: {key: value for key, value in own.items() if value} for name, own in said.items()}
        rules = {"least_rows": self.privacy.least_rows, "columns": {k: v for k, v in columns.items() if v}}
        return json.dumps(rules, sort_keys=True)

    def check(self, found: Sequence[File], *, whole: bool = False) -> None:
        """Check that the columns and fakes named in the settings exist, before any work starts.

        One file with all of them is enough.

        Args:
            found: The files of the table.
            whole: Whether a file that cannot be read is an error. Otherwise it is reported when the table is read.

        Raises:
            SettingsError: No file has all columns, or there is no such fake.
            TableError: A file cannot be read, if that is an error.
            ResynthError: An object store does not answer.
        """
        columns.check(self.columns)
        named: list[tuple[str, str | None]] = [(f"columns.{name}", name) for name in self.columns]
        named += [
            (f"columns.{name}.unique_with", other)
            for name, own in self.columns.items()
            for other in own.unique_with or ()
        ]
        named += [("drift.ignore", name) for name in self.drift.ignore]
        named += [("partition_by", name) for name in self.partition_by]
        named.append(("evaluation.target", self.evaluation.target))
        if self.incoming is not None:
            named.append(("incoming.time", self.incoming.time))
        wanted = [name for _, name in named if name is not None]
        problem = None
        for file in found:
            try:
                names = tables.names(file, self.read, wanted)
            except TableError:
                if whole:
                    raise
                continue
            wrong = [(key, name) for key, name in named if name is not None and name not in names]
            if not wrong:
                return
            key, name = wrong[0]
            problem = problem or f"settings: {key}: {_no_column(name, names, str(file))}"
        if problem is not None:
            raise SettingsError(problem)

    def check_types(self, schema: pa.Schema) -> None:
        """Check that the settings fit the types of a table's columns, before any work starts.

        Raises:
            SettingsError: A kind, a rule or a partition does not fit.
            SchemaError: The same.
        """
        columns.check(self.columns, schema)
        parts.check(schema, self.partition_by)
        if self.relations.rules:
            from pipeline.relations.rules import Rule  # noqa: PLC0415 - most settings have none

            for text in self.relations.rules:
                Rule.parse(text, schema)

    def check_format(self) -> None:
        """Check that rows can be written as the settings ask, as far as that is known without them.

        Raises:
            InputError: The package for the format is not installed, or a format of one file is to be partitioned.
        """
        formats.check(self.format, pa.schema([]))
        if self.partition_by and formats.WRITERS[self.format].alone:
            raise SettingsError(f"settings: expected no partition_by with format {self.format!r}, which is one file")

    def check_device(self) -> None:
        """Check that this machine has the device for training, before any work starts.

        Raises:
            SettingsError: The device does not exist.
        """
        if self.training.device.startswith("cuda"):
            from pipeline.training.schedules import device_of  # noqa: PLC0415 - importing PyTorch takes seconds

            device_of(self.training.device)

    def check_source(self, home: Path) -> None:
        """Run all checks for the table that `data` names. It may be missing or out of reach for now.

        Raises:
            SettingsError: A column or the device does not exist, or there is no `data`.
            InputError: As for `check_format`.
        """
        self.check_device()
        self.check_format()
        try:
            self.check(tables.files(self.source(home)))
        except SettingsError:
            raise
        except ResynthError:
            return  # reported when the table is read

    def source(self, home: Path) -> Place:
        """The place of the table that `data` names.

        Raises:
            SettingsError: There is no `data`.
        """
        if self.data is None:
            raise SettingsError(
                "settings: expected a table, got none; name it (resynth run DATA), or set `data` in resynth.toml"
            )
        return absolute(self.data, home)


def name_of(data: Place) -> str:
    """A model's default name: that of its data file, prefix or table, or of the folder that a pattern searches."""
    if isinstance(data, str) and queries.asked(data):
        stem = queries.parse(data).name
    else:
        path = Path(data.partition(":/")[2]) if isinstance(data, str) else data.resolve()
        plain = next(path for path in (path, *path.parents) if not glob.has_magic(path.name))
        stem = PurePath(plain.stem).stem if plain.suffix in formats.COMPRESSIONS else plain.stem
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip("_.-")
    return name[:100] or "table"


def _no_column(name: str, known: Sequence[str], where: str) -> str:
    """What is wrong with the name of a column that a table does not have. Of many columns, some are listed."""
    listed = ", ".join(known[:MOST_LISTED]) + (f" and {len(known) - MOST_LISTED} more" if known[MOST_LISTED:] else "")
    return f"expected a column of {where} ({listed}), got {name!r}{did_you_mean(name, known)}"
