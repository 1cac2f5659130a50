"""What took long to make stays made.

A `Shelf` is a directory of records and synthesizers by name. Whoever asks for one says how to make it, and it is made
once: strategies that need the same training share it, and a replay that was interrupted goes on where it was.
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
    """Records and synthesizers in a directory, which is made."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory

    def record(self, name: str, kind: type[R], make: Callable[[], R]) -> R:
        """The record of a name, made if it is not there or cannot be read; it appears at once and whole."""
        with suppress(FileNotFoundError, ValueError):
            return self.recall(name, kind)
        made = make()
        files.write(self._file(name), made.model_dump_json())
        return made

    def recall(self, name: str, kind: type[R]) -> R:
        """The record of a name, which is there."""
        return kind.model_validate_json(self._file(name).read_text("utf-8"))

    def keep(self, name: str, synthesizer: Synthesizer) -> None:
        """Keep a synthesizer; it counts as made once a record says so."""
        synthesizer.save(self.directory / name)

    def synthesizer(self, name: str) -> Synthesizer:
        """The synthesizer of a name."""
        return Synthesizer.load(self.directory / name)

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"
