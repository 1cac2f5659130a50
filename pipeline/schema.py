"""What a table is made of.

A `Schema` is the exact Arrow schema of a table (names, order, types, dictionary encoding, time zones, field
and schema metadata) together with the *kind* of every column: how its values are modelled (`pipeline.columns`).
It says nothing about the values themselves beyond whether nulls occurred.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from pipeline.records import Record
from pipeline.widening import value_type

__all__ = ["Column", "ColumnSettings", "Schema", "value_type"]


class ColumnSettings(Record):
    """What a user may fix about one column; `None` leaves the choice to resynth."""

    kind: str | None = None
    """One of `pipeline.columns.KINDS`."""
    normalization: str | None = None
    """One of the normal forms that the kind offers (`pipeline.columns.numeric.FORMS` for numbers)."""
    nullable: Literal[False] | None = None
    """False refuses nulls; whether there are any is otherwise found out."""
    type: str | None = None
    """Arrow type name, such as "int32": the column is cast to it when it is read."""


class Column(Record):
    """One column: its name, its kind, and whether nulls occurred."""

    name: str
    kind: str
    nullable: bool
    normalization: str | None = None


@dataclass(frozen=True)
class Schema:
    """Columns in order, the Arrow schema they came with, and warnings for whoever reads the run's log."""

    columns: tuple[Column, ...]
    arrow: pa.Schema
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        """The column called `name`; raises KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def differences(self, other: pa.Schema) -> tuple[str, ...]:
        """What keeps a table of schema `other` from being read as this one, one phrase per difference.

        Names and types must agree; order, metadata and the encoding as dictionaries need not. A table that differs
        harmlessly is read in these types (`pipeline.tables.load` with `like`); what is left of it then, is told here.
        """
        mine, theirs = set(self.names), set(other.names)
        found = [f"column {name!r} is missing" for name in self.names if name not in theirs]
        found += [f"column {name!r} is new" for name in other.names if name not in mine]
        for name in self.names:
            if name in theirs:
                expected, came = self.arrow.field(name).type, other.field(name).type
                if value_type(expected) != value_type(came):
                    found.append(f"column {name!r} has type {came}, expected {expected}")
        return tuple(found)

    def to_json(self) -> str:
        """The schema as JSON; the Arrow part is its IPC message, so nothing of it is lost."""
        return json.dumps(
            {
                "columns": [column.model_dump() for column in self.columns],
                "arrow": base64.b64encode(self.arrow.serialize().to_pybytes()).decode(),
                "warnings": list(self.warnings),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """The inverse of `to_json`."""
        data = json.loads(text)
        return cls(
            columns=tuple(Column.model_validate(column) for column in data["columns"]),
            arrow=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(data["arrow"]))),
            warnings=tuple(data["warnings"]),
        )
