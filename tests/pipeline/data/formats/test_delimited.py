"""CSV is read without a loss, and refused in one line where it is no table."""

import bz2
import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import tables
from pipeline.data.formats.delimited import Delimited
from pipeline.data.tables import ReadSettings, files, footer, names
from pipeline.errors import TableError
from pipeline.schema import ColumnSettings

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


def put(directory: Path, text: str | bytes, name: str = "t.csv") -> Path:
    """A file."""
    path = directory / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_nothing_is_lost(tmp_path):
    """Codes, Namibia, empty texts and large integers stay what they are; numbers, dates and nulls are read."""
    path = put(
        tmp_path,
        'code,country,note,big,amount,day,flag\n007,NA,"",99999999999999999999,1.5,2024-02-29,true\n'
        '012,DE,,1,NA,,false\n120,"NA","a\nb, ""c""",2,2,2024-03-01,\n',
    )
    loaded = tables.load(path)
    assert loaded.table.to_pydict() == {
        "code": ["007", "012", "120"],
        "country": ["NA", "DE", "NA"],
        "note": ["", None, 'a\nb, "c"'],
        "big": ["99999999999999999999", "1", "2"],
        "amount": [1.5, None, 2.0],
        "day": [pa.scalar(19782, pa.date32()).as_py(), None, pa.scalar(19783, pa.date32()).as_py()],
        "flag": [True, False, None],
    }
    guessed, kept = loaded.notes
    assert guessed.startswith(
        "CSV tells no types: 'code' (string), 'country' (string), 'note' (string), 'big' (string), "
    )
    assert "'amount' (double), 'day' (date32[day]), 'flag' (bool); `resynth inspect --write` keeps them" in guessed
    assert kept.startswith(
        "numbers that stay texts, so that nothing is lost: 'code' (leading zeros or signs), 'big' (int"
    )
    assert footer(files(path)[0]) == (loaded.table.schema, 3)


def test_names_need_the_first_line_only(tmp_path):
    """Whatever is wanted, and whatever is wrong further down."""
    path = put(tmp_path, "x,y\n1,2\n1,2,3\n")
    assert names(path, wanted=["z"]) == ["x", "y"]


def test_types_follow_from_all_rows(tmp_path):
    """A text after a million numbers counts, far beyond the first block that Arrow would look at."""
    lines = [f"{i},{i}" for i in range(1_200_000)]
    path = put(tmp_path, "\n".join(["x,y", *lines, "007,end"]) + "\n")
    table = tables.read(path)
    assert table.schema.types == [pa.string(), pa.string()]
    assert (table["x"][5].as_py(), table["x"][-1].as_py(), table.num_rows) == ("5", "007", 1_200_001)


@given(st.lists(st.tuples(TEXT | st.none(), TEXT | st.none()), min_size=1, max_size=8))
def test_what_python_writes_is_read(tmp_path_factory, rows):
    """Texts of Python's own writer come back, with nulls where it writes nothing and quotes where it writes a text."""
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL") else csv.QUOTE_ALL)
        writer.writerow(["a", "b", "c"])
        writer.writerows([("x", *row) for row in rows])
    told = [tuple("" if text is None and not hasattr(csv, "QUOTE_NOTNULL") else text for text in row) for row in rows]
    table = Delimited().rows(path, ReadSettings(), "t.csv")
    assert list(zip(table["b"].to_pylist(), table["c"].to_pylist(), strict=True)) == told


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_first_line(tmp_path, delimiter):
    """It is recognised outside quotes, and can be set."""
    path = put(tmp_path, f'"a,;b"{delimiter}c\n1{delimiter}2\n')
    assert tables.read(path).to_pydict() == {"a,;b": [1], "c": [2]}
    path = put(tmp_path, "a:b\n1:2\n")
    assert tables.read(path, ReadSettings(delimiter=":")).to_pydict() == {"a": [1], "b": [2]}


def test_european_csv(tmp_path):
    """A decimal comma, another encoding, and lines that end as on Windows."""
    path = put(tmp_path, "größe;preis\r\nklein;1,50\r\ngroß;12,25\r\n".encode("cp1252"))
    table = tables.read(path, ReadSettings(encoding="cp1252", decimal=","))
    assert table.to_pydict() == {"größe": ["klein", "groß"], "preis": [1.5, 12.25]}
    for encoding in ("utf-16", "utf-8-sig"):
        path = put(tmp_path, "größe,x\nklein,1\n".encode(encoding))
        settings = ReadSettings(encoding=encoding) if encoding == "utf-16" else ReadSettings()
        assert tables.read(path, settings).to_pydict() == {"größe": ["klein"], "x": [1]}
        assert names(path, settings) == ["größe", "x"]


@pytest.mark.parametrize(
    ("pack", "suffix"),
    [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lambda text: pa.compress(text, "zstd", asbytes=True), "zst")],
)
def test_compressed_files_are_read(tmp_path, pack, suffix):
    """Alone and in a directory."""
    path = put(tmp_path, pack(b"x,y\n1,a\n2,b\n"), f"t.csv.{suffix}")
    assert tables.read(path).to_pydict() == tables.read(tmp_path).to_pydict() == {"x": [1, 2], "y": ["a", "b"]}
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match=r"t\.csv") as caught:
        tables.read(path)
    assert "\n" not in str(caught.value)


def test_a_type_of_the_settings_is_read_and_not_cast_to(tmp_path):
    """A code that the settings call a text keeps its zeros, and one that they call a number loses them on request."""
    path = put(tmp_path, "code,x\n12,007\n13,008\n")
    loaded = tables.load(path, overrides={"code": ColumnSettings(type="string"), "x": ColumnSettings(type="int16")})
    assert loaded.table.to_pydict() == {"code": ["12", "13"], "x": [7, 8]}
    assert loaded.notes == ()


def test_one_column_may_hold_nulls(tmp_path):
    """An empty line is a null there, and nothing where there are more columns."""
    assert tables.read(put(tmp_path, "x\n1\n\n2\n\n")).to_pydict() == {"x": [1, None, 2, None]}
    assert tables.read(put(tmp_path, "x,y\n1,a\n\n2,b\n")).to_pydict() == {"x": [1, 2], "y": ["a", "b"]}


BAD = {
    "empty": ("", "names of columns in the first line of .*t.csv, found an empty file"),
    "names only": ("a,b", "expected rows in"),
    "names and a line": ("a,b\n", "expected rows in"),
    "no names": ("1,2\n3,4\n", "names of columns in the first line of .*t.csv, got numbers only"),
    "ragged": ("a,b\n1,2\nsecret,4,5\n", "expected 2 values in every row of .*t.csv, got 3 in row 3: is the delimiter"),
    "other bytes": ("a,b\n1,sécret\n".encode("latin-1"), r"expected texts in utf-8 in .* encoding = .latin-1"),
    "other bytes in names": ("é,b\n1,2\n".encode("latin-1"), r"expected texts in utf-8 in .* encoding = .latin-1"),
    "twice": ("a,a\n1,2\n", "distinct column names in .*, got 'a' more than once"),
    "binary": (b"a,b\n\x00\x01,2\n\xff\xfe", "expected texts in utf-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_told_in_one_line(tmp_path, case):
    """The line names the file and what to do, and quotes no value."""
    text, message = BAD[case]
    with pytest.raises(Exception, match=message) as caught:
        tables.read(put(tmp_path, text))
    assert type(caught.value).__module__ == "pipeline.errors"
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [{"encoding": "no such"}, {"encoding": "base64"}, {"delimiter": '"'}, {"delimiter": "ab"}, {"decimal": ";"}],
)
def test_impossible_settings_are_refused(setting):
    """An encoding must exist, and a delimiter is one character."""
    with pytest.raises(ValueError, match=r"expected|at most|Input should"):
        ReadSettings.model_validate(setting)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["x", "x;y", '"x\ny";z', "x\u2028;y"])
def test_empty_lines_before_the_names_and_breaks_within_them(tmp_path, first, end):
    """Empty lines are no names of columns, even of one column. A delimiter is found in names of several lines."""
    found = tables.read(put(tmp_path, f"{end}{end}{first}{end}{';'.join('1' * (first.count(';') + 1))}{end}"))
    assert found.column_names == [name.strip('"') for name in first.split(";")]
    assert found.to_pylist() == [dict.fromkeys(found.column_names, 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'a,b\n1,"2\n3,4\n', "a quote is left open until its end"),
        (gzip.compress(b'a,b\n1,"2\n3,4\n', mtime=0), "a quote is left open until its end"),
        ("a,b\n1,2\n".encode("utf-16-be"), "zero bytes: name the encoding"),
        ("a,b\n1,2\n".encode("utf-16-le"), "zero bytes: name the encoding"),
        (gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:-20], "expected a readable CSV file"),
    ],
)
def test_damaged_files_are_refused_as_what_they_are(tmp_path, content, message):
    """No rows are swallowed, and no zero bytes come into names."""
    with pytest.raises(TableError, match=message):
        tables.read(put(tmp_path, content))


@pytest.mark.parametrize("value", ["x\ny", "x\n", '"', '\n"', "x\r\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "latin-1"])
def test_a_last_value_with_breaks_is_no_open_quote(tmp_path, value, encoding):
    """It is closed at the end of the file, whatever the encoding."""
    quoted = value.replace('"', '""')
    path = put(tmp_path, f'a,b\n1,"{quoted}"\n'.encode(encoding))
    assert tables.read(path, ReadSettings(encoding=encoding)).to_pylist() == [{"a": 1, "b": value}]
