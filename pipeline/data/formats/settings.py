"""What a user may choose about the reading of tables."""

from contextlib import suppress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.records import Record


def _known(encoding: str) -> str:
    try:
        with suppress(UnicodeError):  # one byte is not enough for every encoding
            b"a".decode(encoding)
    except LookupError as error:
        raise ValueError("expected the name of an encoding of texts, such as utf-8, latin-1 or utf-16") from error
    return encoding


def _apart(delimiter: str) -> str:
    if delimiter in '"\r\n' or not delimiter.isascii():
        raise ValueError("expected one character between values, such as ; or a tab")
    return delimiter


class ReadSettings(Record):
    """How tables are read, and what happens to doubtful values.

    Attributes:
        infinite: Infinite numbers and numbers beyond ±1e300: "refuse" the table, or "clip" them to the largest other
            number of the column.
        longest_text: Most bytes of one text. A longer one refuses the table.
        delimiter: The character between values of a CSV file. Default: the one of , ; | and tab that the first line
            holds most often.
        encoding: The encoding of CSV files, such as "latin-1" or "utf-16".
        decimal: The decimal mark of numbers in CSV files.

    Example:
        >>> from pipeline import ReadSettings
        >>> ReadSettings(infinite="clip").longest_text
        65536
    """

    infinite: Literal["refuse", "clip"] = "refuse"
    longest_text: int = Field(default=65_536, ge=1)
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_apart)] | None = None
    encoding: Annotated[str, AfterValidator(_known)] = "utf-8"
    decimal: Literal[".", ","] = "."
