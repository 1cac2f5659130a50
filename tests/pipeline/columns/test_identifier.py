"""Identifiers: recognised, as often repeated as real ones, never real."""

import re
import uuid

import numpy as np
import pyarrow as pa
import pytest

from pipeline import Synthesizer, TrainingSettings, columns
from pipeline.columns import Encoded
from pipeline.columns.identifier import Identifier
from pipeline.errors import TableError
from pipeline.personal.checksums import CHECKS, matrix, valid
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


def digits(count: int) -> str:
    """Some digits at random."""
    return "".join(map(str, RANDOM.integers(0, 10, count)))


@pytest.mark.parametrize(
    ("check", "form", "text"),
    [
        ("EAN", r"400\d{10}", lambda: "400" + digits(9) + "0"),
        ("EAN", r"978-\d-\d{4}-\d{4}-\d", lambda: f"978-3-{digits(4)}-{digits(4)}-0"),
        ("ISBN", r"\d{9}[\dX]", lambda: digits(9) + "0"),
        ("Luhn", r"8\d{9}", lambda: "8" + digits(9)),
    ],
)
def test_check_digits_stay_right(check, form, text):
    """Products, books and numbers with a Luhn digit: fresh ones have the form, their check digit, and are not real."""
    real = []
    for written in (text() for _ in range(ROWS)):
        compact = written.replace("-", "")
        last = CHECKS[check].written(matrix([compact], len(compact)))[0, -1]
        real.append(written[:-1] + chr(last))
    made = fresh(pa.array(real), 3_000).to_pylist()
    assert valid(check, [value.replace("-", "") for value in made]) == 1.0
    assert all(re.fullmatch(form, value) for value in made)
    assert len(set(made)) == 3_000
    assert not set(made) & set(real)


def test_integers_keep_their_check_digit_too():
    """Product numbers that came as integers are made up with a valid check digit."""
    real = [int(text) for text in (chr(52) + digits(11) for _ in range(ROWS))]
    points = CHECKS["EAN"].written(matrix([f"{value}0" for value in real], 13))
    table = pa.table({"article": [int("".join(map(chr, row))) for row in points]})
    schema = columns.infer(table)
    codec = columns.fit(table, schema)["article"]
    made = codec.decode(Encoded((), np.arange(2_000)))
    assert valid("EAN", [str(value) for value in made.to_pylist()]) == 1.0
    assert len(made.unique()) == 2_000
    assert not set(made.to_pylist()) & set(table["article"].to_pylist())


def test_a_narrow_type_refuses_to_overflow(tmp_path):
    """An identifier of 8 bits gives as many rows as it has fresh values, and refuses one more with a clear error."""
    table = pa.table({"id": pa.array(range(100), pa.uint8()), "x": np.random.default_rng(0).normal(size=100)})
    synthesizer = Synthesizer.fit(table, training=TrainingSettings(epochs=1))
    assert synthesizer.schema["id"].kind == "identifier"
    assert len(synthesizer.table(156)["id"].unique()) == 156
    with pytest.raises(TableError, match="room for 156 fresh values only, expected room for 157"):
        synthesizer.table(1, start=156)
    synthesizer.save(tmp_path / "model")
    assert Synthesizer.load(tmp_path / "model").table(100).equals(synthesizer.table(100))


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("customer_id", RANDOM.choice(10**9, ROWS, replace=False), "identifier"),
        ("instant", np.arange(1, ROWS + 1), "identifier"),
        ("income", RANDOM.choice(10**6, ROWS, replace=False), "numeric"),
        ("customer_id", RANDOM.integers(0, 50, ROWS), "numeric"),
        ("code", np.array([f"x{i}" for i in range(ROWS)]), "identifier"),
        ("code", np.array([f"x{i % 100}" for i in range(ROWS)]), "categorical"),
        ("order_no", np.array([f"ORD-{i // 3:05d}" for i in range(ROWS)]), "identifier"),
        ("number", np.array([f"{i:08d}" for i in range(ROWS)]), "identifier"),
        ("height", RANDOM.normal(size=ROWS), "numeric"),
    ],
)
def test_identifiers_are_told_from_quantities(name, values, kind):
    """All-distinct strings, and all-distinct integers that are named or numbered like identifiers, are identifiers.

    So are texts of a form that few rows share, if the name says so. Zeros before a counter are no calling code.
    """
    assert columns.infer(pa.table({name: values})).columns[0].kind == kind
