"""Checks of the settings `fake` and `locale`, which choose what made-up values of a column look like."""

import pyarrow as pa

from pipeline import personal
from pipeline.arrow.arrays import Array, is_text
from pipeline.columns.identifier import Identifier
from pipeline.columns.text import Text, present
from pipeline.errors import SchemaError, SettingsError
from pipeline.personal import Recognition
from pipeline.schema import Column, ColumnSettings, value_type

NAMES = frozenset({"person", "first name", "last name"})
"""Shapes of columns of names. Their words appear in no made-up value of any column."""
KINDS = (Text.kind, Identifier.kind)
"""Kinds of columns whose values are made up."""
DIGITS = {"phone": 9, "card": 16, "national id": 9, "code": 2}
"""Shapes that are written in digits, and how many digits an integer type must hold for them."""


def check(name: str, settings: ColumnSettings) -> None:
    """Check what the settings of a column say about its made-up values, without the column.

    Raises:
        SettingsError: There are no such values, or the column's kind has no made-up values.
    """
    if settings.fake is None:
        if settings.locale is not None:
            raise SettingsError(f"column {name!r}: expected a fake beside locale = {settings.locale!r:.80}, got none")
        return
    if settings.kind not in {None, *KINDS}:
        raise SettingsError(f"column {name!r}: expected kind {' or '.join(KINDS)} beside fake, got {settings.kind!r}")
    try:
        personal.check(settings.fake, settings.locale)
    except SettingsError as error:
        raise SettingsError(f"column {name!r}: {error}") from None


def expect_type(field: pa.Field, fake: str) -> None:
    """Check that a column of this type can hold made-up values of this name.

    Raises:
        SchemaError: It cannot.
    """
    shape, arrow = personal.canonical(fake), value_type(field.type)
    if is_text(arrow):
        return
    cannot = f"column {field.name!r} of type {field.type} cannot hold {personal.described(fake)}"
    if shape not in DIGITS or not pa.types.is_integer(arrow):
        digits = f", or integers for {', '.join(DIGITS)}" if not pa.types.is_integer(arrow) else ""
        raise SchemaError(f"{cannot}: expected strings{digits}")
    if (most := personal.digits_of(arrow)) < DIGITS[shape]:
        raise SchemaError(f"{cannot}: expected room for {DIGITS[shape]} digits, there is room for {most}")


def why(settings: ColumnSettings) -> str:
    """Why a column is taken as it is, in words, if the settings choose its made-up values."""
    locale = f" ({settings.locale})" if settings.locale is not None else ""
    return f"the settings say so: {personal.described(settings.fake or '')}{locale}"


def holds_names(column: Column, array: Array) -> bool:
    """Whether a column holds names of persons, as its values, its name or the settings say."""
    if column.kind != Text.kind or not is_text(array.type):
        return False
    values = present(array)
    found = personal.recognise(column.name, values)
    if column.fake is None or (found is not None and found.shape in NAMES):
        return found is not None and found.shape in NAMES
    told = personal.look(column.fake, column.locale, column.name, values)
    return isinstance(told, Recognition) and told.shape in NAMES and not told.usual
