"""The types of texts: a CSV file tells none, and JSON and SQLite have no dates.

Whatever types the settings ask for, or an earlier schema has, win where they hold. All other types are guessed from the
rows of all files together, so that a column has one type, whichever file is read first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from pipeline.arrow.naming import type_of
from pipeline.arrow.texts import Guess, fits, guess, guess_dates, parse
from pipeline.arrow.widening import is_string, value_type
from pipeline.data.formats import ReadSettings
from pipeline.data.tables.opening import FileRows
from pipeline.errors import SchemaError
from pipeline.schema import ColumnSettings

SHOWN = 8
"""Most columns in a note."""


class Typed(NamedTuple):
    """Files whose texts have become values.

    Attributes:
        parts: The files.
        guessed: What was guessed, by column.
        notes: What a person should know, one line each.
    """

    parts: tuple[FileRows, ...]
    guessed: Mapping[str, Guess]
    notes: tuple[str, ...]


def typed(
    parts: Sequence[FileRows],
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    like: pa.Schema | None,
) -> Typed:
    """Give texts their types.

    Args:
        parts: The files of a table.
        settings: How numbers are written.
        overrides: Column settings. A `type` wins over everything.
        like: The earlier schema of the table.

    Raises:
        SchemaError: A text is no value of the type that the settings ask for.
    """
    done = list(parts)
    found: dict[str, Guess] = {}
    names = dict.fromkeys(name for part in parts if part.texts != "texts" for name in part.table.column_names)
    for name in names:
        texts = [i for i, part in enumerate(parts) if _stands_for(part, name)]
        if not texts:
            continue
        column = pa.chunked_array(
            [chunk for i in texts for chunk in parts[i].table[name].chunks], parts[texts[0]].table[name].type
        )
        override = overrides[name].type if name in overrides else None
        kind = _given(name, column, override, settings)
        if kind is None and like is not None and name in like.names:
            kind = _earlier(column, like.field(name).type, settings, dates=parts[texts[0]].texts == "dates")
        if kind is None:
            dates = any(parts[i].texts == "dates" for i in texts)
            found[name] = guess_dates(column) if dates else guess(column, settings.decimal)
            kind = found[name].type
        for i in texts:
            done[i] = _with(done[i], name, kind, settings)
    return Typed(tuple(done), found | _numbers(parts), _notes(found, parts))


def _stands_for(part: FileRows, name: str) -> bool:
    """Whether texts of a file may stand for something."""
    if part.texts == "texts" or name in part.keys or part.table.column_names.count(name) != 1:
        return False
    return is_string(part.table.schema.field(name).type)


def _numbers(parts: Sequence[FileRows]) -> dict[str, Guess]:
    """Columns of numbers in formats that do not tell integers from other numbers."""
    fields = [field for part in parts if part.texts == "dates" for field in part.table.schema]
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    return {field.name: Guess(field.type) for field in fields if any(test(field.type) for test in tests)}


def _given(name: str, column: pa.ChunkedArray, wanted: str | None, settings: ReadSettings) -> pa.DataType | None:
    """The type that the settings ask for, if any."""
    if wanted is None:
        return None
    try:
        kind = type_of(wanted)
    except ValueError as error:
        raise SchemaError(f"column {name!r}: expected an Arrow type name, got {wanted!r}") from error
    if parse(column, kind, settings.decimal) is None:
        raise SchemaError(f"column {name!r}: expected texts that are values of type {wanted}, got others")
    return kind


def _earlier(column: pa.ChunkedArray, kind: pa.DataType, settings: ReadSettings, *, dates: bool) -> pa.DataType | None:
    """The earlier type, if texts are values of it and nothing is lost."""
    if pa.types.is_null(kind) or (dates and not (is_string(value_type(kind)) or pa.types.is_temporal(kind))):
        return None
    return kind if fits(column, kind, settings.decimal) is not None else None


def _with(part: FileRows, name: str, kind: pa.DataType, settings: ReadSettings) -> FileRows:
    i = part.table.schema.get_field_index(name)
    column = parse(part.table.column(i), kind, settings.decimal)
    assert column is not None, f"{kind} was tried before"
    return part._replace(table=part.table.set_column(i, pa.field(name, kind), column))


def _notes(found: Mapping[str, Guess], parts: Sequence[FileRows]) -> tuple[str, ...]:
    """What was guessed, and which numbers stay texts."""
    anything = any(part.texts == "anything" for part in parts)
    told = {name: each for name, each in found.items() if anything or not is_string(each.type)}
    if not told:
        return ()
    where = "CSV tells no types" if anything else "texts were read as dates"
    lines = [f"{where}: {_listed([f'{name!r} ({each.type})' for name, each in told.items()])}"]
    if anything:
        lines[0] += "; `resynth inspect --write` keeps them in resynth.toml"
    kept = [f"{name!r} ({each.why})" for name, each in told.items() if each.why]
    if kept:
        lines.append(
            f"numbers that stay texts, so that nothing is lost: {_listed(kept)}; `type` under [columns.NAME] wins"
        )
    return tuple(lines)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
