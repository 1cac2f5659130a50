"""The opening that verbs share: what is held while a verb is at work in a home, and what it knows already."""

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


class Operation(NamedTuple):
    """A verb at work on a model in a home.

    Attributes:
        verb: What it is called.
        name: The model's name.
        work: Where its tables are.
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
        """Begin, and clear away on leaving.

        Args:
            verb: What is done.
            home: Where.
            name: The model's name.
            lock: The right to be held while the verb is at work, if it needs one.

        Raises:
            BusyError: Somebody else holds the right.
            ResynthError: MLflow's server no longer answers.
        """
        right = alone(home, lock) if lock is not None else nullcontext()
        with store.answering(), right, Workspace.open(home) as work:
            contents = Contents(work.directory / "objects")
            yield cls(verb, name, work, Models(), contents, code_version())

    def tracked(self, **tags: str) -> AbstractContextManager[Run]:
        """A run of MLflow that remembers it, tagged with more if there is more to tell."""
        own = {"flow": self.verb, "code_version": self.code, MARK: self.work.mark}
        return Run.start(self.name, own | tags)
