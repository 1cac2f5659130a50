"""Tables in the forms that people use: Arrow tables, pandas frames, Polars frames.

A `Form` names the form of a frame. `to_arrow` turns a frame into an Arrow table, and `from_arrow` turns generated
tables back. pandas and Polars are imported only if a frame of theirs is given.
"""

import sys
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from pipeline.arrow.widening import plain
from pipeline.errors import TableError

Form = Literal["arrow", "pandas", "polars"]
Frame: TypeAlias = Any
"""An Arrow table, a pandas DataFrame or a Polars DataFrame; pandas and Polars are not imported to name their types."""


def form_of(frame: object) -> Form:
    """The form of a frame.

    Raises:
        TableError: The form is unknown.
    """
    if isinstance(frame, pa.Table):
        return "arrow"
    forms: tuple[Form, ...] = ("pandas", "polars")
    for form in forms:
        library = sys.modules.get(form)  # a library that is not imported has made no frame
        if library is not None and isinstance(frame, library.DataFrame):
            return form
    raise TableError(f"expected an Arrow table, a pandas DataFrame or a Polars DataFrame, got {type(frame).__name__}")


def to_arrow(frame: Frame) -> pa.Table:
    """A frame as an Arrow table, without view types.

    A named index of a pandas frame becomes a column. An index without a name is left out.

    Raises:
        TableError: The frame has no known form, two columns have one name, or a column has no Arrow type.
    """
    form = form_of(frame)
    names = [str(name) for name in (frame.column_names if form == "arrow" else frame.columns)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"expected distinct column names, got {', '.join(map(repr, twice))} more than once")
    try:
        table = _from_pandas(frame) if form == "pandas" else frame.to_arrow() if form == "polars" else frame
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise TableError(f"expected a frame whose columns have one type each, got {type(error).__name__}") from None
    schema = pa.schema([field.with_type(plain(field.type)) for field in table.schema], table.schema.metadata)
    return table if schema == table.schema else table.cast(schema)


def _from_pandas(frame: Frame) -> pa.Table:
    if any(name is not None for name in frame.index.names):
        return pa.Table.from_pandas(frame, preserve_index=True)
    # with `preserve_index=False`, Arrow would forget that labels of columns are numbers or tuples
    return pa.Table.from_pandas(frame.reset_index(drop=True))


def alike(frame: Frame, schema: pa.Schema) -> pa.Table:
    """The columns of a frame that a schema names, cast to its types, in which two frames of one table may differ.

    Raises:
        TableError: A column is missing, or its values do not fit.
    """
    table = to_arrow(frame)
    if missing := [name for name in schema.names if name not in table.column_names]:
        raise TableError(f"expected a column {missing[0]!r}, got {', '.join(table.column_names)}")
    table = table.select(schema.names)
    try:
        return table if table.schema.equals(schema) else table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise TableError(f"expected the types of the other table ({type(error).__name__})") from None


def from_arrow(table: pa.Table, form: Form) -> Frame:
    """A generated table in the given form.

    Raises:
        TableError: Polars is not installed.
    """
    if form == "pandas":
        return table.to_pandas()
    if form == "polars":
        try:
            import polars as pl  # noqa: PLC0415 - only for those who gave a frame of theirs
        except ImportError as error:
            raise TableError("expected Polars to be installed, for the model was fitted to a Polars frame") from error
        return pl.from_arrow(table)
    return table
