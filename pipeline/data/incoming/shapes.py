"""Shapes: groups of files whose columns differ harmlessly.

A *shape* is a schema that can hold every file of the group. Its *mark* is a hash of the schema it began with. A new
file joins the first shape that it fits (`pipeline.data.tables.joined`), trying the right shape first, or it founds a
new one. The ledger keeps the shapes, so known files are not read again.

A file that tells no types, such as CSV, is read with the types of the right shape where they hold. Types that were
guessed may be widened further than types that files tell, because all files are read again with the wider type.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from pipeline.arrow.naming import type_of
from pipeline.arrow.widening import candidates, lossless
from pipeline.data import tables
from pipeline.data.contents import Contents
from pipeline.data.incoming.ledger import Ledger
from pipeline.data.storage import File
from pipeline.data.tables import ReadSettings
from pipeline.errors import InputError
from pipeline.schema import ColumnSettings

EDITION = "2"  # version of the rules that judge files; a new version retries every unusable file


class Sorted(NamedTuple):
    """The present files, sorted into shapes.

    Attributes:
        marks: The mark of each file's shape, by digest; known files first, in order of arrival.
        reasons: Why a new file has no shape, by digest.
        shapes: The schema of every shape, by mark.
        judged: Digests of the files that were read now.
        rules: Mark of the settings that files were judged by.
    """

    marks: dict[str, str]
    reasons: dict[str, str]
    shapes: dict[str, pa.Schema]
    judged: frozenset[str]
    rules: str

    def difference(self, digest: str, right: str) -> str:
        """How the columns of a file differ from the right shape, in one line."""
        schema, usual = self.shapes[self.marks[digest]], self.shapes[right]
        found = [f"column {name!r} is missing" for name in usual.names if name not in schema.names]
        found += [f"column {name!r} is new" for name in schema.names if name not in usual.names]
        both = [(field, usual.field(field.name)) for field in schema if field.name in usual.names]
        found += [
            f"column {came.name!r} has type {came.type}, expected {expected.type}"
            for came, expected in both
            if not pa.types.is_null(expected.type) and not lossless(came.type, expected.type)
        ]
        return "; ".join(found or ["no type holds all values of its columns and of the others'"])


def sort(
    here: Mapping[str, File],
    ledger: Ledger,
    settings: ReadSettings,
    overrides: Mapping[str, ColumnSettings],
    contents: Contents,
    *,
    changing: bool,
) -> Sorted:
    """Find the shape of every file. New files are read from end to end, one at a time.

    A file that could not be used before is retried if the settings have changed.

    Args:
        here: The present files, by digest.
        ledger: What came in before.
        settings: Which values are unusable.
        overrides: Column settings.
        contents: What is known of the contents of files.
        changing: Whether the columns of the table may change.

    Raises:
        ResynthError: An object store does not answer.
    """
    rules = _rules(settings, overrides)
    again = rules != ledger.rules
    passed = {} if again else {file.digest: file.columns for file in ledger.quarantined}
    told = passed | {file.digest: file.columns for file in ledger.files}
    known = [file.digest for file in ledger.files if file.digest in here]
    marks = {digest: mark for digest, mark in told.items() if digest in here and mark}
    marks |= {
        digest: _mark(_schema(here[digest], settings, overrides, contents)) for digest in known if digest not in marks
    }
    shapes = {} if again else {mark: read_shape(text) for mark, text in ledger.shapes.items()}
    for mark in dict.fromkeys(marks.values()):
        if mark not in shapes:
            files = [here[digest] for digest, other in marks.items() if other == mark]
            before = read_shape(ledger.shapes[mark]) if mark in ledger.shapes else None
            shapes[mark] = _merged([_schema(file, settings, overrides, contents) for file in files], before)
    came = [*ledger.columns, *marks.values()] if changing else []
    right = right_shape(_in_order(marks, known, here), set(known), came) if known else ""
    reasons: dict[str, str] = {}
    judged = [digest for digest in here if digest not in told]
    for digest in judged:
        try:
            like = shapes.get(right, next(iter(shapes.values()), None))
            marks[digest] = _place(tables.gather([here[digest]], settings, overrides, like, contents), shapes, right)
        except InputError as error:
            reasons[digest] = str(error)
    return Sorted(_in_order(marks, known, here), reasons, shapes, frozenset(judged), rules)


def right_shape(marks: Mapping[str, str], taken: Collection[str], came: Sequence[str]) -> str:
    """The mark of the right shape.

    Args:
        marks: The marks of the present files, by digest; known files first.
        taken: Digests of all files that were ever taken in.
        came: All marks in order of their first arrival, if the table's columns may change; else empty.
    """
    if came and taken:
        return max(marks.values(), key=came.index, default="")
    known = [mark for digest, mark in marks.items() if digest in taken]
    return known[-1] if known else next((mark for mark, _ in Counter(marks.values()).most_common(1)), "")


def read_shape(text: str) -> pa.Schema:
    """The inverse of `write_shape`."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def write_shape(shape: pa.Schema) -> str:
    """A schema as a text."""
    return base64.b64encode(shape.serialize().to_pybytes()).decode()


def _place(found: tables.Gathered, shapes: dict[str, pa.Schema], right: str) -> str:
    """The mark of a table's shape. An existing shape may be widened; if none fits, a new one is founded."""
    for mark in sorted(shapes, key=lambda mark: mark != right):
        shape, reasons = tables.joined(shapes[mark], found.loaded.table, found.guessed)
        if not reasons:
            shapes[mark] = shape
            return mark
    shape = tables.founded(found.loaded.table, found.guessed)
    mark = _mark(shape)
    shapes[mark] = shape
    return mark


def _in_order(marks: Mapping[str, str], known: Sequence[str], here: Mapping[str, File]) -> dict[str, str]:
    return {digest: marks[digest] for digest in dict.fromkeys([*known, *here]) if digest in marks}


def _rules(settings: ReadSettings, overrides: Mapping[str, ColumnSettings]) -> str:
    """A hash of the settings that files are judged by."""
    columns = (f"{name}={overrides[name].model_dump_json()}" for name in sorted(overrides))
    return hashlib.sha256("\n".join([EDITION, settings.model_dump_json(), *columns]).encode()).hexdigest()


def _mark(schema: pa.Schema) -> str:
    """A hash of the names, types and nullability of columns, in order."""
    columns = [[field.name, str(field.type), field.nullable] for field in schema]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _schema(
    file: File, settings: ReadSettings, overrides: Mapping[str, ColumnSettings], contents: Contents
) -> pa.Schema:
    """The schema of a file after the casts that the settings ask for. Values are read only if they alone tell types."""
    schema = tables.footer(file, contents, settings).schema
    for i, field in enumerate(schema):
        wanted = overrides[field.name].type if field.name in overrides else None
        if wanted is not None:
            schema = schema.set(i, field.with_type(type_of(wanted)))
    return schema


def _merged(schemas: Sequence[pa.Schema], before: pa.Schema | None) -> pa.Schema:
    """One schema for files of a shape, from their types alone."""
    return pa.schema([_field(field, schemas, before) for field in schemas[0]])


def _field(field: pa.Field, schemas: Iterable[pa.Schema], before: pa.Schema | None) -> pa.Field:
    others = [schema.field(field.name) for schema in schemas if field.name in schema.names]
    kinds = {other.type for other in others}
    found = candidates(kinds)
    if not found:  # one of the files has no value in this column
        told = before.field(field.name).type if before is not None and field.name in before.names else field.type
        found = [told if told in kinds else field.type]
    return field.with_type(found[0]).with_nullable(any(other.nullable for other in others))
