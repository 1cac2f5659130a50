"""The schema of a table: its columns, their Arrow types, and how each is modelled.

A `Schema` is the exact Arrow schema of a table (names, order, types, dictionary encoding, time zones, field and schema
metadata) together with the *kind* of every column, which says how its values are modelled (`pipeline.columns`). Of the
values themselves it says only whether some are null and whether they differ, and what made-up texts are taken for.
"""

import base64
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pydantic import Field

from pipeline.arrow.naming import type_of
from pipeline.arrow.widening import value_type
from pipeline.checks import expect, record
from pipeline.errors import DamagedError, SchemaError
from pipeline.records import Record

__all__ = ["Column", "ColumnSettings", "Schema", "arrow_type", "value_type"]


class PrivacySettings(Record):
    """What may be published.

    Attributes:
        least_rows: A label, an extreme or an exact number that fewer rows share is withheld. 1 withholds nothing.

    Example:
        >>> import pandas as pd
        >>> from pipeline import PrivacySettings, infer
        >>> infer(pd.DataFrame({"age": [31, 54]}), privacy=PrivacySettings(least_rows=10))["age"].least_rows
        10
    """

    least_rows: int = Field(default=5, ge=1, le=1_000_000)


class ColumnSettings(Record):
    """What is fixed about one column. resynth chooses what is not set.

    Attributes:
        kind: How the column is taken: "numeric", "categorical", "code" (numbers that name things), "datetime",
            "identifier", "text", "null" (the column stays, with nulls only) or "drop" (the column is left out).
        normalization: How numbers and times become network variables: "tokens" (the default), "quantile", "zscore",
            "minmax" or "robust".
        public: Whether the labels are common knowledge, such as codes or countries, so that even the rarest may be
            published.
        nullable: false refuses nulls. Otherwise they are allowed where they occur.
        type: An Arrow type, such as "int32", that the column is cast to when it is read.
        unique_with: Columns that name a row together with this one, as a line does with an order. This column then
            gets fresh values, and no two generated rows agree in all of them. An empty list is for an identifier
            that names no row together with others.
        fake: What made-up values look like: "email", "phone", "person" (or "name"), "first name", "last name",
            "company", "user name", "address", "iban", "card", "ip", "mac address", "url", "national id", "uuid", "free
            text", "code", or a provider of Faker that makes texts, such as "job". The kind is then "text", unless it is
            set to "identifier".
        locale: A locale of Faker for these values, such as "de_DE". By default names and words are of the language of
            the real values, and values of Faker's providers are "en_US".

    Example:
        >>> import pandas as pd
        >>> from pipeline import ColumnSettings, infer
        >>> frame = pd.DataFrame({"code": [1, 2, 2, 3]})
        >>> infer(frame, {"code": ColumnSettings(kind="categorical")})["code"].kind
        'categorical'
    """

    kind: str | None = None
    normalization: str | None = None
    public: bool = False
    nullable: Literal[False] | None = None
    type: str | None = None
    unique_with: tuple[str, ...] | None = None
    fake: str | None = None
    locale: str | None = None

    @property
    def chosen(self) -> bool:
        """Whether they choose how the column is taken."""
        return self.kind is not None or self.fake is not None or bool(self.unique_with)


class Column(Record):
    """One column of a schema.

    Attributes:
        name: Its name.
        kind: A key of `pipeline.columns.KINDS`.
        nullable: Whether nulls occurred.
        normalization: The form that the user chose; None for the kind's default.
        least_rows: A value of fewer rows is not published, neither as a label nor as an exact number.
        why: Why the column is of this kind, for people.
        chosen: Whether a person chose the kind.
        varies: Whether there are values that differ. Unknown, and so true, for values that are made up.
        shape: What made-up texts are taken for, such as "email" (`pipeline.personal.Shape`). None for other columns.
        unique_with: Names of the columns that name a row together with this one, as an order and a line do. Empty if
            there are none.
        fake: What the settings choose for made-up values: a shape, or a provider of Faker. None if they do not.
        locale: The locale of these values, if one is chosen.

    Example:
        >>> from pipeline import Column
        >>> Column(name="age", kind="numeric", nullable=False).least_rows
        1
    """

    name: str
    kind: str
    nullable: bool
    normalization: str | None = None
    least_rows: int = 1
    why: str = ""
    chosen: bool = False
    varies: bool = True
    shape: str | None = None
    unique_with: tuple[str, ...] = ()
    fake: str | None = None
    locale: str | None = None


class Dropped(Record):
    """A column of a table that is not in its schema.

    Attributes:
        name: Its name.
        why: Why it is left out, for people.
        chosen: Whether a person chose to leave it out.
    """

    name: str
    why: str
    chosen: bool = False


@dataclass(frozen=True)
class Schema:
    """The columns of a table, with their types and kinds.

    Attributes:
        columns: The modelled columns, in order.
        arrow: The Arrow schema of these columns as they came.
        left_out: The columns of the table that are not modelled, with the reasons.

    Example:
        >>> import pandas as pd
        >>> from pipeline import Schema, infer
        >>> schema = infer(pd.DataFrame({"age": [31, 54, 27], "member": [True, False, True]}))
        >>> schema.names
        ('age', 'member')
        >>> Schema.from_json(schema.to_json()) == schema
        True
    """

    columns: tuple[Column, ...]
    arrow: pa.Schema
    left_out: tuple[Dropped, ...] = ()

    def __getitem__(self, name: str) -> Column:
        """The column called `name`. Raises KeyError if there is none."""
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

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing in generated rows, one line for each column."""
        return tuple(f"column {left.name!r} is left out: {left.why}" for left in self.left_out)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the columns that are left out."""
        return tuple(left.name for left in self.left_out)

    def differences(self, other: pa.Schema, dropped: Collection[str] = ()) -> tuple[str, ...]:
        """The differences that keep a table of schema `other` from being used as this one, one phrase each.

        Names and types must agree. Order, metadata and dictionary encoding may differ. A table that differs harmlessly
        must be read in the types of this schema first (`pipeline.data.tables.load` with `like`).

        Args:
            other: The schema of the other table.
            dropped: Columns of this schema that the other table may lack.
        """
        mine, theirs = set(self.names), set(other.names)
        found = [f"column {name!r} is missing" for name in self.names if name not in theirs and name not in dropped]
        found += [f"column {name!r} is new" for name in other.names if name not in mine and name not in self.dropped]
        for name in self.names:
            if name in theirs:
                expected, came = self.arrow.field(name).type, other.field(name).type
                if value_type(expected) != value_type(came):
                    found.append(f"column {name!r} has type {came}, expected {expected}")
        return tuple(found)

    def to_json(self) -> str:
        """The schema as JSON. The Arrow part is an IPC message, so nothing is lost."""
        return json.dumps(
            {
                "columns": [column.model_dump() for column in self.columns],
                "arrow": base64.b64encode(self.arrow.serialize().to_pybytes()).decode(),
                "left_out": [left.model_dump() for left in self.left_out],
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """The inverse of `to_json`.

        Raises:
            DamagedError: The text does not describe a schema.
        """
        try:
            kept = record(_Kept, json.loads(text))
            arrow = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(kept.arrow, validate=True)))
        except (ValueError, RecursionError, OSError, pa.ArrowException) as error:
            raise DamagedError(f"expected the JSON of a schema, got other text ({type(error).__name__})") from None
        expect(arrow.names == [column.name for column in kept.columns], "the same columns twice in a schema")
        every = [*arrow.names, *(left.name for left in kept.left_out)]
        expect(len(set(every)) == len(every), "column names that differ")
        alone = {column.name for column in kept.columns if not column.unique_with}
        expect(all(alone.issuperset(column.unique_with) for column in kept.columns), "keys of columns of the schema")
        return cls(kept.columns, arrow, kept.left_out)


class _Kept(Record):
    """The form of a schema in JSON."""

    columns: tuple[Column, ...]
    arrow: str
    left_out: tuple[Dropped, ...]


def arrow_type(name: str, wanted: str) -> pa.DataType:
    """The Arrow type that the settings of a column name.

    Raises:
        SchemaError: There is no such type.
    """
    try:
        return type_of(wanted)
    except ValueError as error:
        raise SchemaError(
            f"column {name!r}: expected the name of an Arrow type, such as int64, double, string, date32[day] or "
            f"timestamp[us]; got {wanted!r:.80}"
        ) from error
