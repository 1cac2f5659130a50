"""The opening that verbs share: what a verb holds and has loaded while it works in a home."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple, Self

from flows.engine.provenance import code_version
from flows.engine.workspace import Workspace, alone
from flows.tracking import store
from flows.tracking.registry import Models
from flows.tracking.store import MARK, Run
from pipeline.data.contents import Contents

TITLES = {"drift": "drift check"}
"""What runs of a verb are called in MLflow, if not like the verb."""


class Operation(NamedTuple):
    """A verb at work on a model in a home.

    Attributes:
        verb: The name of the verb.
        name: The model's name.
        work: The working files.
        models: The versions that it has loaded, each once.
        contents: The contents of files that it has read, each object fetched once.
        code: Version of the code.
    """

    verb: str
    name: str
    work: Workspace
    models: Models
    contents: Contents
    code: str

    @classmethod
    @contextmanager
    def open(cls, verb: str, home: Path, name: str, *, lock: str | None = None) -> Iterator[Self]:
        """Open an operation, and clean up on leaving.

        Args:
            verb: The name of the verb.
            home: The home directory.
            name: The model's name.
            lock: The name of the lock to hold during the operation, if it needs one.

        Raises:
            BusyError: Another process holds the lock.
            ResynthError: MLflow's server no longer answers.
        """
        right = alone(home, lock) if lock is not None else nullcontext()
        with store.answering(), right, Workspace.open(home) as work:
            contents = Contents(work.directory / "objects")
            yield cls(verb, name, work, Models(), contents, code_version())

    def tracked(self, **tags: str) -> AbstractContextManager[Run]:
        """Start an MLflow run for the operation, with further `tags`."""
        own = {"flow": self.verb, "code_version": self.code, MARK: self.work.mark}
        return Run.start(self.name, own | tags, f"{self.name}: {TITLES.get(self.verb, self.verb)}")
