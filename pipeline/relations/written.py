"""Dates and times that are written as texts.

The free table has them as dates and times, so they are modelled as such, other relations see them, and every generated
text is a date of the calendar.
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from pipeline.arrow.arrays import Array, combined
from pipeline.relations.base import Mask, Relation, changed, placed
from pipeline.relations.times import FORMATS
from pipeline.schema import Schema

FORMS = tuple(form for form in FORMATS if all(part in form for part in ("%Y", "%m", "%d")))
"""Forms that tell a whole date."""
KIND = "datetime"
"""The kind of the column in the free table."""


def _form(name: str) -> str:
    if name not in FORMS:
        raise ValueError("expected a form of a date")
    return name


class Written(Relation):
    """A column of texts, each of which is a date or a time in one form.

    Attributes:
        form: The form, as in strftime.
    """

    binds: ClassVar[bool] = True
    number: ClassVar[int | None] = None
    kind: Literal["written"] = "written"
    form: Annotated[str, AfterValidator(_form)]

    def _sized(self) -> bool:
        return not self.sources

    @property
    def text(self) -> str:
        """See `Relation.text`."""
        return f"{self.target} is a date, written as {self.form}"

    def freed(self, schema: Schema) -> Schema:
        """See `Relation.freed`."""
        column = schema[self.target].model_copy(update={"kind": KIND})
        return changed(schema, column, pa.timestamp("s") if "%H" in self.form else pa.date32())

    def free(self, table: pa.Table) -> pa.Table:
        """See `Relation.free`."""
        times = read(table[self.target], self.form)
        times = times if "%H" in self.form else times.cast(pa.date32())
        return table.set_column(table.column_names.index(self.target), self.target, times)

    def bind(self, table: pa.Table, schema: Schema) -> pa.Table:
        """See `Relation.bind`."""
        return placed(table, schema, self.target, written(combined(table[self.target]), self.form))

    def broken(self, table: pa.Table) -> Mask:
        """See `Relation.broken`."""
        texts = combined(table[self.target]).cast(pa.string())
        alike = pc.equal(written(read(texts, self.form), self.form), texts)
        return np.asarray(pc.and_(texts.is_valid(), pc.invert(pc.fill_null(alike, False))))  # noqa: FBT003


def read(texts: Array, form: str) -> pa.Array:
    """The time of each text in a form, in seconds. Null where a text has another form."""
    return pc.strptime(combined(texts).cast(pa.string()), format=form, unit="s", error_is_null=True)


def written(times: pa.Array, form: str) -> pa.Array:
    """Each date or time as a text in a form."""
    return pc.strftime(times.cast(pa.timestamp("s")), format=form)
