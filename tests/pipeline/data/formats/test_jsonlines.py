"""JSON lines keep texts, large integers and nested values."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import tables
from pipeline.data.formats.jsonlines import JsonLines
from pipeline.data.tables import ReadSettings, files, footer, names
from pipeline.errors import TableError


def put(directory: Path, *rows: object, name: str = "t.jsonl") -> Path:
    """A file with an object in every line."""
    path = directory / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_values_are_what_they_were(tmp_path):
    """Dates are dates, texts that Arrow takes for dates stay texts, and a column that comes late is there."""
    path = put(
        tmp_path,
        {
            "day": "2024-01-01",
            "text": "2024-01-01",
            "n": 1,
            "x": 1,
            "in": {"when": "2024-01-01", "tags": ["2024-01-01"]},
        },
        {"day": "2024-02-29", "text": "soon", "n": None, "x": 2.5, "late": True},
    )
    loaded = tables.load(path)
    assert loaded.table.to_pydict() == {
        "day": [date(2024, 1, 1), date(2024, 2, 29)],
        "text": ["2024-01-01", "soon"],
        "n": [1, None],
        "x": [1.0, 2.5],
        "in": [{"when": "2024-01-01", "tags": ["2024-01-01"]}, None],
        "late": [None, True],
    }
    assert loaded.notes == ("texts were read as dates: 'day' (date32[day])",)
    assert footer(files(path)[0]) == (loaded.table.schema, 2)


def test_large_integers_keep_their_digits(tmp_path):
    """Beyond 64 bits they are texts, and within them integers. Numbers with fractions are doubles."""
    rows = [{"big": 10**19 + 1, "id": 2**53 + 1, "x": 1e20}, {"big": 1, "id": 2**63 - 1, "x": 0.5}]
    table = tables.read(put(tmp_path, *rows))
    assert table["big"].to_pylist() == ["10000000000000000001", "1"]
    assert table["id"].to_pylist() == [2**53 + 1, 2**63 - 1]
    assert table["x"].to_pylist() == [1e20, 0.5]


@given(
    st.lists(
        st.fixed_dictionaries({"t": st.text(max_size=5) | st.none(), "n": st.integers(-(2**63), 2**63 - 1)}),
        min_size=1,
        max_size=9,
    )
)
def test_what_python_writes_is_read(tmp_path_factory, rows):
    """Whatever texts and integers there are."""
    path = put(tmp_path_factory.mktemp("json"), {"t": "x", "n": 0}, *rows)
    table = JsonLines().rows(path, ReadSettings(), "t")
    assert table.to_pylist() == [{"t": "x", "n": 0}, *rows]


def test_types_follow_from_all_rows(tmp_path):
    """A text after many that look like dates keeps all of them texts."""
    rows = [{"x": "2024-01-01", "y": 1}] * 400_000
    table = tables.read(put(tmp_path, *rows, {"x": "no date", "y": 1.5}))
    assert table.schema.types == [pa.string(), pa.float64()]
    assert table["x"][0].as_py() == "2024-01-01"


def test_names_are_looked_for_in_all_rows_if_need_be(tmp_path):
    """Those of the first rows are enough unless another is asked for."""
    path = put(tmp_path, *[{"text": "x" * 1000}] * 2000, {"late": 1})
    assert names(path) == ["text"]
    assert names(path, wanted=["late"]) == ["text", "late"]


BAD = {
    "array": ('[{"a": 1}]', r"expected an object in every line of .*, got one array: write it as JSON lines \(jq"),
    "empty": ("", "expected an object in every line of .*, found an empty file"),
    "two types": (
        '{"a": 1}\n{"a": "secret"}\n',
        "one type in every column of .*, column 'a' changed from number to string",
    ),
    "no object": ('{"a": 1}\nsecret\n', "expected an object in every line of .*, got something else"),
    "bytes": (b'{"a": "s\xe9cret"}\n', "column 'a' in .*t.json holds 1 texts that are not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_told_in_one_line(tmp_path, case):
    """The line says what to do, and quotes no value."""
    content, message = BAD[case]
    path = tmp_path / "t.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TableError, match=message) as caught:
        tables.read(path)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("digits", [20, 38, 39, 76])
def test_integers_of_many_digits_keep_them(tmp_path, digits):
    """They become texts."""
    path = tmp_path / "t.jsonl"
    path.write_text(f'{{"x": {"9" * digits}}}\n{{"x": -1}}\n{{"x": null}}\n')
    assert tables.read(path)["x"].to_pylist() == ["9" * digits, "-1", None]
