"""Prefect's server as a child process of a command: only its API, without pages, schedules and services.

`engine` starts it as `uvicorn --factory flows.engine.embedded:app`. The command itself imports nothing of it.

The first server of a home creates the database, and later ones check whether it is up to date. Two servers must not do
this at once, so servers of one home start one after another. A lock is held from the beginning of a start to its end.
The operating system releases the lock with its process.
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
    """The lock for starting a server on the database of `PREFECT_HOME`."""
    return FileLock(Path(os.environ["PREFECT_HOME"]) / "starting.lock")


def app() -> "FastAPI":
    """Make the application."""
    from prefect.server.api.server import create_app  # noqa: PLC0415 - takes three seconds, in the child only

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
