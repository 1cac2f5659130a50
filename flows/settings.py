"""`resynth.toml`: every choice a user can make, in one validated record.

Each section is the settings record of the stage that reads it, so a key is described where it is used:

    name = "adult"
    [evaluation]
    target = "income"
    [columns.age]
    normalization = "quantile"

Values of the command line win over the file. One file may serve several tables, each with its own settings:

    [schedule]
    retrain = "0 3 * * *"
    [tables.customers]
    data = "incoming/customers"
    [tables.orders]
    data = "incoming/orders"
    training.time_limit = 60
"""

import glob
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator

from pipeline.data import tables
from pipeline.data.storage import File, Place, place
from pipeline.errors import ResynthError, SettingsError, TableError
from pipeline.records import Record
from pipeline.settings import LoopSettings

FILE = "resynth.toml"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"  # also a directory's name, and MLflow allows no "/" or ":"

Event = Literal["promoted", "refused", "waiting", "failed", "quarantined", "drift"]
Rows = Annotated[int, Field(ge=1, le=10**12)]
INTERVAL = re.compile(r"(?P<count>[1-9][0-9]*) ?(?P<unit>[mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
CRON = re.compile(r"@[a-z]+|\S{1,200}( +\S{1,200}){4,6}")  # the form only; Prefect checks the fields
MOST_DAYS = 3650  # of an interval
DEEPEST = 8  # levels of nested sections
LARGEST = 2**20  # bytes of a settings file


def _data(given: object) -> Place:
    if not isinstance(given, str | Path):
        raise ValueError("expected a path or an address")  # noqa: TRY004 - pydantic's own
    return place(str(given))


class ScheduleSettings(Record):
    """When `resynth serve` works on a table.

    Attributes:
        retrain: When to run: a cron expression ("0 3 * * 1-5"), or an interval in minutes, hours or days ("12h").
        drift: When to check for drift, in the same form.
        timezone: Time zone of the cron expressions, by its IANA name ("Europe/Berlin").
        retrain_on_drift: Whether a check that finds drift starts a run at once.
    """

    retrain: str | None = None
    drift: str | None = None
    timezone: str = "UTC"
    retrain_on_drift: bool = True

    @field_validator("retrain", "drift")
    @classmethod
    def _usual(cls, when: str | None) -> str | None:
        if when is not None and interval(when) is None and CRON.fullmatch(when.strip()) is None:
            raise ValueError("expected an interval like 12h or a cron expression")
        return when

    @field_validator("timezone")
    @classmethod
    def _exists(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError("expected the IANA name of a time zone")
        return timezone


def interval(when: str) -> timedelta | None:
    """The interval that a text such as `12h` means; None for a text of another form.

    Raises:
        ValueError: The interval is longer than `MOST_DAYS`.
    """
    if (found := INTERVAL.fullmatch(when.strip())) is None:
        return None
    count, unit = found["count"], UNITS[found["unit"]]
    if len(count) > 9 or int(count) * unit > timedelta(days=MOST_DAYS):  # noqa: PLR2004 - digits that a timedelta holds
        raise ValueError(f"expected an interval of at most {MOST_DAYS:,} days")
    return int(count) * unit


class NotifySettings(Record):
    """Which webhook hears of which events.

    Attributes:
        webhook: Address that receives a POST of JSON. It appears in no log, and in neither MLflow nor Prefect.
        on: The events to send.
    """

    webhook: SecretStr | None = None
    on: tuple[Event, ...] = get_args(Event)

    @field_validator("webhook")
    @classmethod
    def _web(cls, webhook: SecretStr | None) -> SecretStr | None:
        if webhook is None:
            return None
        with suppress(ValueError):
            address = urlsplit(webhook.get_secret_value())
            if address.scheme in {"http", "https"} and address.hostname:
                return webhook
        raise ValueError("expected an address that begins with https:// or http:// and a host")


class RetentionSettings(Record):
    """What `resynth prune` keeps of every model.

    Attributes:
        versions: Number of newest versions to keep, and of last champions, which rollbacks need.
        exports: Number of newest exports to keep in the home. The champion's export is always kept.
        runs: Number of newest MLflow runs to keep. Runs that a kept version needs are always kept.
    """

    versions: Annotated[int, Field(ge=1)] = 10
    exports: Annotated[int, Field(ge=1)] = 5
    runs: Annotated[int, Field(ge=1)] = 100


class Settings(LoopSettings):
    """Everything that `resynth.toml` may say. These keys stand at its top, before any section.

    Attributes:
        name: Name of the model. Default: the name of the data file.
        data: The table, for `resynth serve` and for a `resynth run` without DATA: a path relative to the home, or an
            address in an object store.
        rows: Number of rows to publish. Default: as many as came in.
        partition_by: Columns whose values go into the paths of the export (`country=DE/part-00000.parquet`).
    """

    name: Annotated[str, Field(pattern=f"^{NAME}$")] | None = None
    data: Annotated[Place, BeforeValidator(_data)] | None = None
    rows: Rows | None = None
    partition_by: tuple[str, ...] = ()
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
        values = _toml(file) if config is not None or file.exists() else {}
        chosen = {name: value for name, value in given.items() if value is not None}
        for given_by, some in ((str(file), values), ("the command line", chosen)):
            _check(some, given_by)
        values = _merged(values, _tables(values.pop("tables", {}), file).get(str(chosen.get("name")), {}))
        try:
            return cls.model_validate(values | chosen)
        except ValidationError as error:
            raise SettingsError(_line(error, file, chosen)) from None

    @classmethod
    def tables(cls, home: Path, config: Path | None = None) -> dict[str, Self]:
        """The settings of every table of a file, by name. Without `[tables]` the file describes one table.

        Raises:
            SettingsError: As for `load`, or a table has no `data`.
        """
        file = config if config is not None else home / FILE
        values = _toml(file)
        _check(values, str(file))
        names: list[str | None] = [*_tables(values.get("tables", {}), file)] or [None]
        found = [cls.load(home, config, name=name) for name in names]
        for name, settings in zip(names, found, strict=True):
            if settings.data is None:
                where = "" if name is None else f"tables.{name}."
                raise SettingsError(f"settings: expected {where}data in {file}, got none")
        return {settings.name or name_of(settings.source(home)): settings for settings in found}

    @property
    def shown(self) -> str:
        """The settings that say what may be published, as a text: equal for equal rules."""
        columns = {
            name: {key: value for key, value in (("kind", column.kind), ("public", column.public)) if value}
            for name, column in sorted(self.columns.items())
        }
        rules = {"least_rows": self.privacy.least_rows, "columns": {k: v for k, v in columns.items() if v}}
        return json.dumps(rules, sort_keys=True)

    def check(self, found: Sequence[File]) -> None:
        """Check that the columns named in the settings exist, before any work starts.

        One file with all of them is enough. Unusable files are reported elsewhere.

        Raises:
            SettingsError: No file has all of them.
            ResynthError: An object store does not answer.
        """
        named: list[tuple[str, str | None]] = [(f"columns.{name}", name) for name in self.columns]
        named += [("drift.ignore", name) for name in self.drift.ignore]
        named += [("partition_by", name) for name in self.partition_by]
        named.append(("evaluation.target", self.evaluation.target))
        if self.incoming is not None:
            named.append(("incoming.time", self.incoming.time))
        problem = None
        for file in found:
            with suppress(TableError):
                names = tables.footer(file).schema.names
                wrong = [(key, name) for key, name in named if name is not None and name not in names]
                if not wrong:
                    return
                key, name = wrong[0]
                problem = problem or f"settings: {key}: expected a column of {file} ({', '.join(names)}), got {name!r}"
        if problem is not None:
            raise SettingsError(problem)

    def check_device(self) -> None:
        """Check that this machine has the device for training, before any work starts.

        Raises:
            SettingsError: The device does not exist.
        """
        if self.training.device.startswith("cuda"):
            from pipeline.training.schedules import device_of  # noqa: PLC0415 - importing PyTorch takes seconds

            device_of(self.training.device)

    def check_source(self, home: Path) -> None:
        """Run `check` and `check_device` for the table that `data` names. It may be missing or out of reach for now.

        Raises:
            SettingsError: A column or the device does not exist, or there is no `data`.
        """
        self.check_device()
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
            raise SettingsError("settings: expected data, the place of the table, got none")
        return self.data if isinstance(self.data, str) else home / self.data


def name_of(data: Place) -> str:
    """A model's default name: the name of its data file or prefix, or of the folder that a pattern searches."""
    path = Path(data.partition(":/")[2]) if isinstance(data, str) else data.resolve()
    plain = next(path for path in (path, *path.parents) if not glob.has_magic(path.name))
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain.stem).lstrip("_.-")
    return name[:100] or "table"


def _tables(given: object, file: Path) -> Mapping[str, dict[str, Any]]:
    if isinstance(given, dict) and all(isinstance(table, dict) for table in given.values()):
        return given
    raise SettingsError(f"settings: expected sections [tables.NAME] in {file}, got another kind of 'tables'")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, section by section."""
    both = {
        key: _merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in over.items()
    }
    return {**base, **both}


def _check(values: Mapping[str, object], where: str) -> None:
    """Refuse numbers that no setting can have, and sections that are nested too deeply.

    Raises:
        SettingsError: The values hold such a number or section.
    """
    waiting: list[tuple[tuple[str, ...], object]] = [((), values)]
    while waiting:
        keys, value = waiting.pop()
        problem = None
        if isinstance(value, Mapping):
            waiting += [((*keys, str(key)), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*keys, str(i)), inner) for i, inner in enumerate(value)]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            problem = "a whole number of at most 64 bits"
        elif isinstance(value, float) and not math.isfinite(value):
            problem = "a finite number"
        if len(keys) > DEEPEST:
            problem = f"at most {DEEPEST} sections in one another"
        if problem is not None:
            raise SettingsError(f"settings: {_key(keys)} in {where}: expected {problem}, got another")


def _key(parts: Sequence[object]) -> str:
    """A dotted key as one short line of ASCII."""
    return ascii(".".join(str(part) for part in parts))[1:-1][:100]


def _toml(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            raise SettingsError(f"settings: expected a TOML file of at most {LARGEST:,} bytes at {file!s:.200}")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings: expected a TOML file at {file!s:.200}, {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # such as numbers of thousands of digits
        raise SettingsError(f"settings: expected TOML in {file}, {error}") from error


def _line(error: ValidationError, file: Path, chosen: Mapping[str, object]) -> str:
    """The first problem in one line: key, file, what was expected and what came."""
    problem = error.errors(include_url=False)[0]
    key = _key(problem["loc"])
    where = "the command line" if problem["loc"] and problem["loc"][0] in chosen else str(file)
    if problem["type"] == "extra_forbidden":
        return f"settings: unknown key '{key}' in {where}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    came = problem["input"]
    secret = "webhook" in problem["loc"]
    shown = (
        "an address" if secret else repr(came) if isinstance(came, bool | int | float | str) else type(came).__name__
    )
    message = problem["msg"].removeprefix("Value error, ")
    return f"settings: {key} in {where}: {message}; got {shown:.80}{more}"
