"""Identifiers: recognised, never repeated, never real."""

import re
import uuid

import numpy as np
import pyarrow as pa
import pytest

from pipeline import columns
from pipeline.columns import Encoded
from pipeline.columns.identifier import Identifier
from pipeline.errors import TableError
from pipeline.schema import Column

ROWS = 500
RANDOM = np.random.default_rng(5)
CASES = {
    "sequence": pa.array(np.arange(ROWS)),
    "small": pa.array(np.arange(100, dtype=np.uint8)),
    "wide": pa.array(RANDOM.choice(2**62, ROWS, replace=False)),
    "uuid": pa.array([str(uuid.UUID(int=int.from_bytes(RANDOM.bytes(16)), version=4)) for _ in range(ROWS)]),
    "code": pa.array([f"AB-{i:06d}" for i in RANDOM.choice(10**6, ROWS, replace=False)]),
    "full": pa.array([f"{i:03d}" for i in range(1000)]),
    "uneven": pa.array([f"user{i}" for i in range(ROWS)]),
}


def fresh(array: pa.Array, rows: int) -> pa.Array:
    """The identifiers of the first rows of a dataset."""
    codec = Identifier.fit(array, Column(name="id", kind="identifier", nullable=False))
    index = np.arange(rows)
    return codec.decode(Encoded((), codec.draw((), RANDOM, index)))


@pytest.mark.parametrize("name", CASES)
def test_fresh_values_are_unique_and_never_real(name):
    """No generated identifier repeats or equals a training one, in the same type."""
    array = CASES[name]
    rows = 100 if name == "small" else 20_000
    new = fresh(array, rows)
    assert new.type == array.type
    assert len(new.unique()) == rows
    assert not set(new.to_pylist()) & set(array.to_pylist())


def test_the_pattern_is_kept():
    """Codes look like codes and UUIDs parse as version-4 UUIDs."""
    codes = fresh(CASES["code"], 300).to_pylist()
    assert all(re.fullmatch(r"AB-\d{6}", text) for text in codes)
    assert {uuid.UUID(text).version for text in fresh(CASES["uuid"], 300).to_pylist()} == {4}


def test_a_narrow_type_refuses_to_overflow():
    """A uint8 identifier with 156 values left refuses the 157th row with a clear error."""
    with pytest.raises(TableError, match="room for 156"):
        fresh(CASES["small"], 157)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("customer_id", RANDOM.choice(10**9, ROWS, replace=False), "identifier"),
        ("instant", np.arange(1, ROWS + 1), "identifier"),
        ("income", RANDOM.choice(10**6, ROWS, replace=False), "numeric"),
        ("customer_id", RANDOM.integers(0, 50, ROWS), "numeric"),
        ("code", np.array([f"x{i}" for i in range(ROWS)]), "identifier"),
        ("code", np.array([f"x{i % 100}" for i in range(ROWS)]), "categorical"),
        ("height", RANDOM.normal(size=ROWS), "numeric"),
    ],
)
def test_identifiers_are_told_from_quantities(name, values, kind):
    """All-distinct strings, and all-distinct integers that are named or numbered like identifiers, are identifiers."""
    assert columns.infer(pa.table({name: values})).columns[0].kind == kind
