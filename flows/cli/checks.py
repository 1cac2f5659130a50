"""What can be known before an engine starts.

The command reports a mistake that is found here within seconds. The mistake leaves nothing behind: no directory, no
MLflow experiment, no run in Prefect.
"""
# ruff: noqa: PLC0415 - nothing heavy is imported before a verb runs

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError, NotFoundError, TableError

if TYPE_CHECKING:
    from flows.settings import Settings
    from flows.tracking.registry import Version
    from pipeline.data.storage import Place


@contextmanager
def notifying(settings: "Settings", name: str) -> Iterator[None]:
    """Send a failure of the block to the webhook, if the settings name one. Nobody may be watching a nightly run."""
    if settings.notify.webhook is None:
        yield
        return
    from flows.telling import notify

    with notify.failures(settings.notify, name):
        yield


def table(
    data: str | None, settings: "Settings", home: Path, *, trains: bool = False, time: str | None = None
) -> "Place":
    """The table that was named, or that the settings name.

    Args:
        data: The table that was named.
        settings: The settings, which are compared with the columns of the table.
        home: The home directory, from which the settings name a table.
        trains: Whether a model will be trained on it.
        time: A column that must hold dates or timestamps, if one is named.

    Raises:
        InputError: There is no such table, or the settings do not fit it.
        ResynthError: An object store does not answer.
    """
    from pipeline.data import incoming, storage, tables

    if trains:
        settings.check_device()
        settings.check_format()
    place = storage.place(data) if data is not None else settings.source(home)
    files = tables.files(place)
    settings.check(files, whole=len(files) == 1)  # one of many that cannot be read may be put aside
    with suppress(TableError):  # reported when the table is read, or put aside
        schema = tables.types(files[0])
        if schema is not None:
            settings.check_types(schema)
        if schema is not None and time is not None:
            incoming.times(schema.empty_table(), time)
    return place


def is_table(what: str) -> bool:
    """Whether a text names a table, and not a model: it is an address or a pattern, or something lies there."""
    return "://" in what or any(sign in what for sign in "*?[") or Path(what).exists()


def version(reference: str, home: Path) -> "Version":
    """The version that `NAME`, `NAME@alias` or `NAME/version` refers to.

    Raises:
        NotFoundError: There is no such version.
        ResynthError: The MLflow server does not answer.
    """
    with _looking(reference, home):
        from flows.tracking import registry

        return registry.resolve(reference)


def model(name: str, home: Path) -> None:
    """Check that a model is registered.

    Raises:
        NotFoundError: It is not.
        ResynthError: The MLflow server does not answer.
    """
    with _looking(name, home):
        from flows.tracking import registry

        registry.expect(name)


@contextmanager
def _looking(reference: str, home: Path) -> Iterator[None]:
    """A look at MLflow in a home, for which MLflow is imported."""
    from flows.engine import homes

    if homes.is_new(home):
        raise NotFoundError(
            f"model: expected {reference!r} in the home {home.resolve()}, which has no model yet; "
            "`resynth run DATA` makes one, --home DIR names another home"
        )
    homes.embed(home)
    homes.reach()
    with homes.importing():
        yield


def new_file(out: Path) -> None:
    """Check that a file can be made.

    Raises:
        InputError: Something lies there, or its directory does not exist or cannot be written.
    """
    if out.exists() or out.is_symlink():
        raise InputError(f"--out: expected a file that does not exist yet, got {out}; it was left alone")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"--out: expected a file in a directory that can be written, got {out}")


def target(out: Path | None, home: Path, data: "Place | None" = None) -> None:
    """Check that rows can be published in a directory, if one is named.

    Raises:
        InputError: It cannot be written, holds something other than an export, or contains the home or the data.
    """
    if out is not None:
        from pipeline.data import exports

        exports.check_target(out, [home, Path.cwd(), *([data] if isinstance(data, Path) else [])])
