"""Intermediate results of a replay, each made once.

A `Shelf` is a directory of records and synthesizers by name. A caller asks for a record and says how to make it. It is
made once: strategies that need the same training share it, and an interrupted replay resumes where it stopped.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pipeline import files
from pipeline.records import Record
from pipeline.synthesizer import Synthesizer

R = TypeVar("R", bound=Record)


class Shelf:
    """Records and synthesizers in a directory. The directory is created."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory

    def record(self, name: str, kind: type[R], make: Callable[[], R]) -> R:
        """Read the record `name`, or make it if it is missing or cannot be read. It is written in one step."""
        with suppress(FileNotFoundError, ValueError):
            return self.recall(name, kind)
        made = make()
        files.write(self._file(name), made.model_dump_json())
        return made

    def recall(self, name: str, kind: type[R]) -> R:
        """Read the record `name`, which must exist."""
        return kind.model_validate_json(self._file(name).read_text("utf-8"))

    def keep(self, name: str, synthesizer: Synthesizer) -> None:
        """Save a synthesizer. It counts as made when a record says so."""
        synthesizer.save(self.directory / name)

    def synthesizer(self, name: str) -> Synthesizer:
        """Load the synthesizer `name`."""
        return Synthesizer.load(self.directory / name)

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"
