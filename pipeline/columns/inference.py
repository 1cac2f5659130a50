"""How each column of a table is taken: its kind, and what the settings may choose of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import personal
from pipeline.arrow.arrays import Array, is_text
from pipeline.arrow.widening import plain
from pipeline.columns import fakes, keys, moulds
from pipeline.columns.blank import Blank
from pipeline.columns.categorical import Categorical
from pipeline.columns.datetime import Datetime
from pipeline.columns.identifier import Identifier
from pipeline.columns.kinds import DROP, KINDS, measure
from pipeline.columns.numeric import Numeric
from pipeline.columns.text import Text, present
from pipeline.errors import SchemaError, SettingsError, did_you_mean
from pipeline.frames import Frame, to_arrow
from pipeline.progress import Progress, silent, ticked
from pipeline.schema import Column, ColumnSettings, Dropped, PrivacySettings, Schema, arrow_type, value_type

LISTING = (b"_PL_ENUM_VALUES",)
"""Beginnings of the keys of field metadata that list values: Polars writes all labels of an Enum there."""


def infer(
    table: Frame,
    overrides: Mapping[str, ColumnSettings] | None = None,
    privacy: PrivacySettings | None = None,
    progress: Progress = silent,
) -> Schema:
    """Infer the schema of a table. `table.select(schema.names)` is the table without dropped columns.

    Args:
        table: The values, as an Arrow table, a pandas frame or a Polars frame. They show where nulls are, which numbers
            are identifiers, and which columns hold personal data.
        overrides: Settings by column name.
        privacy: How many rows must share a value before it may be published.
        progress: Called after every column.

    Raises:
        SchemaError: An override does not fit its column, or no column is kept.
        SettingsError: An override names a column, a kind or a fake that does not exist.

    Example:
        >>> import pandas as pd
        >>> from pipeline import infer
        >>> schema = infer(pd.DataFrame({"age": [31, 54, 27], "member": [True, False, True]}))
        >>> [(column.name, column.kind) for column in schema]
        [('age', 'numeric'), ('member', 'categorical')]
    """
    table, overrides, least = to_arrow(table), overrides or {}, (privacy or PrivacySettings()).least_rows
    unknown = sorted(set(overrides) - set(table.column_names))
    if unknown:
        raise SettingsError(f"settings name column {unknown[0]!r}, expected one of {', '.join(table.column_names)}")
    found = {
        field.name: _taken(field, table[field.name], overrides.get(field.name, ColumnSettings()), least)
        for field in ticked(list(table.schema), "columns", progress)
    }
    found = _keyed(table, found, overrides, least)
    columns, left_out = [], []
    for field in table.schema:
        array, settings, taken = table[field.name], overrides.get(field.name, ColumnSettings()), found[field.name]
        if taken.kind == DROP:
            left_out.append(Dropped(name=field.name, why=taken.why, chosen=settings.chosen))
            continue
        column = _column(field, array, settings, taken, least)
        columns.append(column)
        if settings.kind == Identifier.kind and (column.fake is not None or not is_text(field.type)):
            Identifier.fit(array, column)  # raises now if there is no room for fresh values
    if not columns:
        raise SchemaError(f"expected at least one column to keep, got none of {len(left_out)}")
    fields = [_without_values(table.schema.field(column.name), column) for column in columns]
    kept = pa.schema(fields, table.schema.metadata)
    return Schema(tuple(columns), kept, tuple(left_out))


def check(overrides: Mapping[str, ColumnSettings], schema: pa.Schema | None = None) -> None:
    """Check settings of columns as far as that is possible without values.

    Args:
        overrides: Settings by column name.
        schema: Names and types of the columns, if they are known. Columns that it lacks are not checked.

    Raises:
        SettingsError: There is no such kind, normalization, type or fake.
        SchemaError: A kind or a fake does not fit the type of its column.
    """
    for name, settings in overrides.items():
        fakes.check(name, settings)
        if settings.kind is not None and settings.kind != DROP:
            _expect_kind(name, settings.kind)
            _expect_form(name, settings.kind, settings.normalization)
        field = schema.field(name) if schema is not None and name in schema.names else None
        if settings.type is not None:
            field = pa.field(name, arrow_type(name, settings.type))
        if field is None or pa.types.is_null(field.type):
            continue
        if settings.fake is not None:
            fakes.expect_type(field, settings.fake)
        elif settings.kind is not None and settings.kind != DROP:
            _expect_support(field.with_type(plain(field.type)), settings.kind)


class _Taken(NamedTuple):
    """How a column is taken: its kind, the reason in words, and whether everybody knows its labels.

    An identifier that rows share may be `unique_with` other columns.
    """

    kind: str
    why: str
    public: bool = False
    unique_with: tuple[str, ...] = ()


def _taken(field: pa.Field, array: Array, settings: ColumnSettings, least: int) -> _Taken:
    """How a column is taken."""
    fakes.check(field.name, settings)
    if settings.fake is not None:
        fakes.expect_type(field, settings.fake)
        return _Taken(settings.kind or Text.kind, fakes.why(settings), settings.public)
    if settings.kind is not None:
        _expect_kind(field.name, settings.kind)
        return _Taken(settings.kind, "the settings say so", settings.public)
    if settings.public and Categorical.supports(field.type):
        return _Taken(Categorical.kind, "the settings say that its labels are public", public=True)
    vocabulary = personal.public_vocabulary(present(array)) if is_text(field.type) else None
    if vocabulary is not None:
        return _Taken(Categorical.kind, f"{vocabulary}: labels that everybody knows", public=True)
    for name, kind in KINDS.items():
        if why := kind.claim(array, field.name, least):
            return _Taken(name, why, settings.public)
    keep = "kind = 'categorical', 'text' or 'identifier' keeps it, 'null' its name"
    return _Taken(DROP, f"values of type {field.type} cannot be modelled by themselves ({keep})")


def _expect_kind(name: str, kind: str) -> None:
    """Refuse a kind that does not exist."""
    offered = (*KINDS, DROP)
    if kind not in offered:
        known = ", ".join(offered)
        raise SettingsError(f"column {name!r}: expected a kind of {known}; got {kind!r}{did_you_mean(kind, offered)}")


def _expect_form(name: str, kind: str, form: str | None) -> None:
    """Refuse a normalization that columns of a kind cannot have."""
    forms = KINDS[kind].forms
    if form is not None and form not in forms:
        raise SettingsError(
            f"column {name!r} of kind {kind!r}: expected a normalization of {', '.join(forms) or 'none'}; "
            f"got {form!r}{did_you_mean(form, forms)}"
        )


def _expect_support(field: pa.Field, kind: str) -> None:
    """Refuse a kind that a column of this type cannot be of."""
    if not KINDS[kind].supports(field.type):
        advice = "; it holds texts, which 'categorical' takes as labels" if is_text(field.type) else ""
        raise SchemaError(f"column {field.name!r} of type {field.type} cannot be of kind {kind!r}{advice}")


def _keyed(
    table: pa.Table, found: Mapping[str, _Taken], overrides: Mapping[str, ColumnSettings], least: int
) -> dict[str, _Taken]:
    """The same with composite keys: identifiers, declared or found, that name a row together with other columns."""
    declared = {name: _declared(table, name, own, found) for name, own in overrides.items() if own.unique_with}
    keyed, beside = {**found, **declared}, {other for taken in declared.values() for other in taken.unique_with}
    others = [name for name, taken in keyed.items() if taken.kind in (Numeric.kind, Categorical.kind, Datetime.kind)]
    others = [name for name in others if not pa.types.is_floating(value_type(table[name].type))]
    for name, taken in sorted(found.items(), key=lambda pair: pair[1].kind != Identifier.kind):
        own = overrides.get(name)
        fixed = own is not None and (own.unique_with is not None or taken.kind != Identifier.kind)
        if name in beside or fixed or taken.public:
            continue
        key = _key(table, name, taken, [other for other in others if other != name], least)
        if key is not None:
            keyed[name] = key
            beside.update(key.unique_with)
            others = [other for other in others if other != name]
    return keyed


def _key(table: pa.Table, name: str, taken: _Taken, others: Sequence[str], least: int) -> _Taken | None:
    """How a column is taken if it names a row together with other columns. None if it does not."""
    if taken.kind == Identifier.kind:
        group = keys.beside(table, name, others)
        return taken._replace(unique_with=group) if group else None
    if Identifier.named(table[name], name):
        group = keys.beside(table, name, others)
        why = f"the name says so, and {' and '.join(group)} number the rows of each value"
        return _Taken(Identifier.kind, why, unique_with=group) if group and keys.numbers(table, name, group) else None
    if not Identifier.countable(table[name].type) or (taken.kind == Text.kind and not Text.plain(table[name], name)):
        return None
    line = keys.line(table, name, others, least)
    why = f"{line} numbers the rows of each value"
    return _Taken(Identifier.kind, why, unique_with=(line,)) if line is not None else None


def _declared(table: pa.Table, name: str, settings: ColumnSettings, found: Mapping[str, _Taken]) -> _Taken:
    """A column that the settings say is unique with others."""
    group = settings.unique_with or ()
    if settings.kind not in {None, Identifier.kind}:
        raise SettingsError(f"column {name!r}: unique_with makes it an identifier, expected no kind {settings.kind!r}")
    for other in group:
        if other not in found or other == name or found[other].kind == DROP:
            raise SettingsError(f"column {name!r}: unique_with names {other!r}, expected another column that is kept")
    keys.expect_unique(table, name, group)
    return _Taken(Identifier.kind, "the settings say so", unique_with=group)


def _column(field: pa.Field, array: Array, settings: ColumnSettings, taken: _Taken, least: int) -> Column:
    kind = taken.kind
    _expect_support(field, kind)
    _expect_form(field.name, kind, settings.normalization)
    nulls = _null_count(array) > 0
    if nulls and settings.nullable is False:
        raise SchemaError(f"column {field.name!r} is set to nullable = false but holds {_null_count(array)} nulls")
    if kind == Blank.kind and not field.nullable:
        raise SchemaError(f"column {field.name!r} is declared without nulls, expected that of a column of kind 'null'")
    public = taken.public or pa.types.is_boolean(value_type(field.type))
    return Column(
        name=field.name,
        kind=kind,
        nullable=nulls,
        normalization=settings.normalization,
        least_rows=1 if public else least,
        why=taken.why,
        chosen=settings.chosen,
        varies=_varies(kind, array),
        shape=moulds.shape_of(field.name, present(array)).shape if kind == Text.kind and not settings.chosen else None,
        unique_with=taken.unique_with,
        fake=None if settings.fake is None else personal.canonical(settings.fake),
        locale=settings.locale,
    )


def _without_values(field: pa.Field, column: Column) -> pa.Field:
    """The field without metadata that lists values of the column, unless these are public."""
    if column.least_rows <= 1 or not field.metadata:
        return field
    return field.with_metadata({k: v for k, v in field.metadata.items() if not k.startswith(LISTING)})


def _null_count(array: Array) -> int:
    nans = pc.sum(pc.is_nan(array)).as_py() if pa.types.is_floating(array.type) else 0
    return int(array.null_count + (nans or 0))


def _varies(kind: str, array: Array) -> bool:
    """Whether values of a column differ. Values that are not compared are taken to differ if there are any."""
    if _null_count(array) == len(array):
        return False
    seen = measure(kind)
    return seen is None or not seen.constant(array)
