"""Prefect's server as a child of one command: its interface for programs, without pages, schedules and services.

`engine` starts it as `uvicorn --factory flows.embedded:app`; nothing of it is imported into the command itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def app() -> "FastAPI":
    """The application."""
    from prefect.server.api.server import create_app  # noqa: PLC0415 - it takes three seconds, and only the child pays

    return create_app(ephemeral=True, final=True)
