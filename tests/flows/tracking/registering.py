"""Versions for tests of the registry."""

from pathlib import Path

from flows.tracking import registry
from flows.tracking.registry import Version
from flows.tracking.store import Run


def register(saved: Path, name: str) -> Version:
    """Register it under a name."""
    with Run.start(name, {}) as run:
        return registry.register(run, saved, {"data_digest": "d", "code_version": "c"})
