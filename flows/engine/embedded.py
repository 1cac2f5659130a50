"""Prefect's server as a child of one command: its interface for programs, without pages, schedules and services.

`engine` starts it as `uvicorn --factory flows.engine.embedded:app`; nothing of it is imported into the command itself.

The first server of a home makes the database and later ones look whether it is up to date, which two must not do at
once. So servers of one home start one after another: a lock that the operating system releases with its process is
held from the beginning of a start to its end.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from fastapi import FastAPI


def starting() -> FileLock:
    """The lock of a server that starts on the database of `PREFECT_HOME`."""
    return FileLock(Path(os.environ["PREFECT_HOME"]) / "starting.lock")


def app() -> "FastAPI":
    """The application."""
    from prefect.server.api.server import create_app  # noqa: PLC0415 - it takes three seconds, and only the child pays

    made = create_app(ephemeral=True, final=True)
    begin = made.router.lifespan_context

    @asynccontextmanager
    async def one_at_a_time(app: "FastAPI") -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            with starting():
                await running.enter_async_context(begin(app))
            yield

    made.router.lifespan_context = one_at_a_time
    return made
