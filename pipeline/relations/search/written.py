"""A finder of dates and times that are written as texts."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.arrow.arrays import combined, is_text
from pipeline.relations.written import FORMS, Written
from pipeline.schema import Column, Schema

FIRST = 50
"""Values that rule out most forms."""


def dates(table: pa.Table, schema: Schema) -> Iterator[Written]:
    """Propose columns of texts that would be made up otherwise, and are all dates or times in one form."""
    for column in schema:
        if _free(column) and is_text(table.schema.field(column.name).type):
            texts = combined(table[column.name]).drop_null()
            head = texts.take(pa.array(np.linspace(0, len(texts) - 1, min(len(texts), FIRST)).astype(np.int64)))
            for form in FORMS if len(texts) else ():
                found = Written(target=column.name, sources=(), support=len(texts), form=form)
                if not found.broken(pa.table({column.name: head})).any() and not found.broken(table).any():
                    yield found
                    break


def _free(column: Column) -> bool:
    """Whether nobody has chosen what a column is, and it is no part of a key."""
    return not (columns.is_modelled(column.kind) or column.chosen or column.unique_with)
