"""The verb `preview`: a few rows to look at, of a model or of a table. It starts no server and leaves no trace."""

from typing import Any, NamedTuple

import pyarrow as pa

from flows.settings import Settings
from pipeline.arrow import jsonable
from pipeline.data import storage, tables


class Preview(NamedTuple):
    """A few rows.

    Attributes:
        of: What the rows are of, for people.
        rows: The rows.
        notes: What a person should know about how they were read, one line each.
    """

    of: str
    rows: pa.Table
    notes: tuple[str, ...] = ()

    def answer(self) -> dict[str, Any]:
        """The JSON for scripts. What JSON cannot hold, such as a decimal or a date, is a text."""
        types = {field.name: str(field.type) for field in self.rows.schema}
        return {"of": self.of, "columns": types, "rows": jsonable.records(self.rows), "notes": list(self.notes)}


def of_table(place: storage.Place, rows: int, settings: Settings) -> Preview:
    """The first rows of a table, as they would be read.

    Raises:
        InputError: The table cannot be used.
    """
    table, notes = tables.load(place, settings.read, settings.columns)
    shown = min(rows, table.num_rows)
    return Preview(f"the first {shown:,} of {table.num_rows:,} rows of {place}", table.slice(0, shown), notes)


def of_version(reference: str, rows: int, seed: int) -> Preview:
    """The first generated rows of a version.

    Raises:
        NotFoundError: There is no such version.
        ResynthError: It cannot be loaded.
    """
    from flows.tracking import registry  # noqa: PLC0415 - a look at a table waits for no network

    version = registry.resolve(reference)
    made = registry.load(version).sample(rows, seed=seed)
    return Preview(f"the first {rows:,} generated rows of {version.name} version {version.version}", made)
