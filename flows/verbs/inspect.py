"""The verb `inspect`: how a table would be taken, with made-up examples. It starts no server and trains nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flows.settings import Settings
from pipeline import assumptions, columns, inspection
from pipeline.arrow.texts import Guess
from pipeline.assumptions import Assumption
from pipeline.data import storage, tables
from pipeline.data.storage import Place
from pipeline.inspection import Inspection
from pipeline.progress import Progress, Tick, silent
from pipeline.relations import Relations, search


class Inspected(NamedTuple):
    """A table as it would be taken.

    Attributes:
        table: The table.
        rows: Number of its rows.
        columns: How each column would be taken.
        relations: What holds in every row.
        assumptions: What is assumed where nothing is chosen.
        notes: What a person should know about how the rows were read, one line each.
        guessed: The columns whose types were guessed, because the table has none.
    """

    table: Place
    rows: int
    columns: tuple[Inspection, ...]
    relations: Relations
    assumptions: tuple[Assumption, ...]
    notes: tuple[str, ...]
    guessed: Mapping[str, Guess]

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts."""
        return {
            "rows": self.rows,
            "warnings": list(self.notes),
            "columns": [each.model_dump(mode="json") for each in self.columns],
            "relations": [each.model_dump(mode="json") for each in self.relations.kept],
            "assumptions": [each.model_dump(mode="json") for each in self.assumptions],
        }

    def write(self, file: Path, settings: Settings) -> None:
        """Write the result as a settings file, for a person to edit."""
        given = {"data": str(storage.absolute(self.table))}
        text = inspection.settings(self.columns, settings.privacy, given, self.assumptions, self.guessed, settings.read)
        file.write_text(text, "utf-8")


def inspect(table: Place, settings: Settings, progress: Progress = silent) -> Inspected:
    """Look at every column of a table, and for relations.

    Raises:
        InputError: The table cannot be used, or the settings do not fit it.
    """
    progress(Tick("read", 0, 1))
    (rows, notes), guessed = tables.gather(table, settings.read, settings.columns)
    progress(Tick("read", 1, 1))
    schema = columns.infer(rows, settings.columns, settings.privacy, progress)
    relations = search.find(rows.select(schema.names), schema, settings.relations, progress=progress)
    seen = inspection.inspect(rows, schema, relations, seed=settings.seed, progress=progress)
    withheld = [each.withheld for each in seen if each.withheld is not None]
    assumed = assumptions.assumed(schema, relations, withheld)
    return Inspected(table, rows.num_rows, seen, relations, assumed, notes, guessed)
