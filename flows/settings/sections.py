"""The sections of `resynth.toml` that only `flows` reads: schedules, notifications, retention."""

import re
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator

from pipeline.errors import did_you_mean
from pipeline.records import Record

Event = Literal["promoted", "refused", "waiting", "failed", "quarantined", "drift"]
INTERVAL = re.compile(r"(?P<count>[1-9][0-9]*) ?(?P<unit>[mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
CRON = re.compile(r"@[a-z]+|\S{1,200}( +\S{1,200}){4,6}")
NUMBER = re.compile(r"(?<![/#\d])\d{1,9}")  # of a cron field, but for steps and weeks of a month
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
"""The fields of a cron expression, with the least and the largest number. Prefect checks the rest."""
MOST_DAYS = 3650  # of an interval


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
        if when is None or interval(when) is not None:
            return when
        if CRON.fullmatch(when.strip()) is None:
            raise ValueError('expected an interval like 12h, or a cron expression like "0 3 * * *"')
        fields = when.split()
        for (name, least, most), field in zip(FIELDS, fields if len(fields) == len(FIELDS) else (), strict=False):
            wrong = next((found for found in NUMBER.findall(field) if not least <= int(found) <= most), None)
            if wrong is not None:
                raise ValueError(f"expected {least} to {most} as the {name} of a cron expression, found {wrong}")
        return when

    @field_validator("timezone")
    @classmethod
    def _exists(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            near = did_you_mean(timezone, available_timezones())
            raise ValueError(f"expected the IANA name of a time zone, such as Europe/Berlin{near}")
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
