"""Shapes: which files have columns that differ harmlessly.

A *shape* is a schema that holds every file of it; its *mark* is a hash of what it was at first. A new file is of
the first shape that it can be added to (`pipeline.data.tables.joined`), the right one before others, or founds one. The
ledger keeps shapes, so that files that are known need not be looked at again.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from pipeline.arrow.widening import candidates, lossless
from pipeline.data import tables
from pipeline.data.incoming.ledger import Ledger
from pipeline.data.storage import File
from pipeline.data.tables import ReadSettings
from pipeline.errors import InputError
from pipeline.schema import ColumnSettings

EDITION = "2"  # of the rules by which files are judged; another one has all that could not be used tried again


class Sorted(NamedTuple):
    """The files that are there, by their columns.

    Attributes:
        marks: The marks of the shapes of files by digest, known files first, in the order of their coming.
        reasons: Why new files have none.
        shapes: The schema of every shape by its mark.
        judged: Digests of the files that were read for it.
        rules: Mark of the settings by which they were judged.
    """

    marks: dict[str, str]
    reasons: dict[str, str]
    shapes: dict[str, pa.Schema]
    judged: frozenset[str]
    rules: str

    def difference(self, digest: str, right: str) -> str:
        """What is unusual about the columns of a file, in one line."""
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
    *,
    changing: bool,
) -> Sorted:
    """Find the shape of every file; new files are read from end to end, one at a time.

    A file that could not be used before is tried again where the settings have changed.

    Args:
        here: The files that are there by digest.
        ledger: What came before.
        settings: What makes a value unusable.
        overrides: Column settings.
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
    marks |= {digest: _mark(_schema(here[digest], overrides)) for digest in known if digest not in marks}
    shapes = {} if again else {mark: read_shape(text) for mark, text in ledger.shapes.items()}
    for mark in dict.fromkeys(marks.values()):
        if mark not in shapes:
            files = [here[digest] for digest, other in marks.items() if other == mark]
            before = read_shape(ledger.shapes[mark]) if mark in ledger.shapes else None
            shapes[mark] = _merged([_schema(file, overrides) for file in files], before)
    came = [*ledger.columns, *marks.values()] if changing else []
    right = right_shape(_in_order(marks, known, here), set(known), came) if known else ""
    reasons: dict[str, str] = {}
    judged = [digest for digest in here if digest not in told]
    for digest in judged:
        try:
            table = tables.load([here[digest]], settings, overrides, shapes.get(right)).table
            marks[digest] = _place(table, shapes, right)
        except InputError as error:
            reasons[digest] = str(error)
    return Sorted(_in_order(marks, known, here), reasons, shapes, frozenset(judged), rules)


def right_shape(marks: Mapping[str, str], taken: Collection[str], came: Sequence[str]) -> str:
    """The mark of the right shape.

    Args:
        marks: The marks of the files that are there, by digest, known ones first.
        taken: Digests of all files that were ever taken in.
        came: Where the table may change, all marks in the order of their first coming.
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


def _place(table: pa.Table, shapes: dict[str, pa.Schema], right: str) -> str:
    """The mark of the shape that a table is of, which is widened or founded."""
    for mark in sorted(shapes, key=lambda mark: mark != right):
        shape, reasons = tables.joined(shapes[mark], table)
        if not reasons:
            shapes[mark] = shape
            return mark
    shape = tables.founded(table)
    mark = _mark(shape)
    shapes[mark] = shape
    return mark


def _in_order(marks: Mapping[str, str], known: Sequence[str], here: Mapping[str, File]) -> dict[str, str]:
    return {digest: marks[digest] for digest in dict.fromkeys([*known, *here]) if digest in marks}


def _rules(settings: ReadSettings, overrides: Mapping[str, ColumnSettings]) -> str:
    """What tells the settings from others by which files are judged."""
    columns = (f"{name}={overrides[name].model_dump_json()}" for name in sorted(overrides))
    return hashlib.sha256("\n".join([EDITION, settings.model_dump_json(), *columns]).encode()).hexdigest()


def _mark(schema: pa.Schema) -> str:
    """What tells the columns of a file from others: their names, types and nullability, in order."""
    columns = [[field.name, str(field.type), field.nullable] for field in schema]
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def _schema(file: File, overrides: Mapping[str, ColumnSettings]) -> pa.Schema:
    """The columns of a file as they are read, without its values."""
    schema = tables.footer(file).schema
    for i, field in enumerate(schema):
        wanted = overrides[field.name].type if field.name in overrides else None
        if wanted is not None:
            schema = schema.set(i, field.with_type(pa.type_for_alias(wanted)))
    return schema


def _merged(schemas: Sequence[pa.Schema], before: pa.Schema | None) -> pa.Schema:
    """One shape of files that were found to have one, from their types alone."""
    return pa.schema([_field(field, schemas, before) for field in schemas[0]])


def _field(field: pa.Field, schemas: Iterable[pa.Schema], before: pa.Schema | None) -> pa.Field:
    others = [schema.field(field.name) for schema in schemas if field.name in schema.names]
    kinds = {other.type for other in others}
    found = candidates(kinds)
    if not found:  # one of them is of a file without a value
        told = before.field(field.name).type if before is not None and field.name in before.names else field.type
        found = [told if told in kinds else field.type]
    return field.with_type(found[0]).with_nullable(any(other.nullable for other in others))
