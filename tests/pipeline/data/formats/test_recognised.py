"""A file is what its content says, and a name that says otherwise is told in one line."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from store import Store

from pipeline.data import formats, tables
from pipeline.data.tables import files, footer, names
from pipeline.errors import TableError

TABLE = pa.table({"x": [1, 2], "y": ["a", "b"]})
CSV, JSON = b"x,y\n1,a\n2,b\n", b'{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n'


def written(form: str) -> bytes:
    """The table in a form."""
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(TABLE, sink)
    elif form == "feather":
        feather.write_feather(TABLE, sink)
    return {"csv": CSV, "jsonl": JSON}.get(form) or sink.getvalue().to_pybytes()


FORMS = {"parquet": "Parquet", "feather": "Arrow", "csv": "CSV", "jsonl": "JSON lines"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", ["", ".data", ".txt"])
def test_a_named_file_without_a_known_suffix_is_recognised(tmp_path, form, suffix):
    """By its content, whatever the name."""
    path = tmp_path / f"t{suffix}"
    path.write_bytes(written(form))
    assert tables.read(path).to_pydict() == TABLE.to_pydict()
    assert names(path) == ["x", "y"]
    assert footer(files(path)[0]).rows == 2


@pytest.mark.parametrize("claimed", FORMS)
@pytest.mark.parametrize("form", FORMS)
def test_content_that_is_not_what_the_name_says(tmp_path, claimed, form):
    """The line says what it looks like and which name would do. Footers, names and rows agree."""
    path = tmp_path / f"t.{claimed}"
    path.write_bytes(written(form))
    if claimed == form:
        assert tables.read(path).to_pydict() == TABLE.to_pydict()
        return
    message = f"a readable {FORMS[claimed]} file at {path}, its content is {FORMS[form]}: rename it to t.{form}"
    for look in (tables.read, names, footer):
        with pytest.raises(TableError) as caught:
            look(path)
        assert message in str(caught.value)


FOREIGN = {
    b"PK\x03\x04rest": "an Excel workbook: save its rows as CSV",
    b"SQLite format 3\0": "a SQLite database: name one of its tables as sqlite:///PATH",
    b"12345678DUCK@": "a DuckDB database: name one of its tables as duckdb://PATH",
    b"%PDF-1.4": "a PDF",
    b"Obj\x01": "Avro: write it as Parquet",
}


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("name", ["t.csv", "t.bin", "t.parquet"])
def test_known_content_of_other_kinds(tmp_path, content, name):
    """The line says what to do with it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=FOREIGN[content]):
        tables.read(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"hello\nworld\n", b"\x00\x01\x02", "é, x\n".encode("latin-1")])
def test_content_of_no_known_kind(tmp_path, content):
    """A text without any delimiter is no table, unless its name says so."""
    (tmp_path / "notes").write_bytes(content)
    with pytest.raises(TableError, match=r"expected a \*.parquet, .* or \*.csv file at .*notes"):
        tables.read(tmp_path / "notes")


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("a.PARQUET", "Parquet"),
        ("a.pq", "Parquet"),
        ("a.tsv", "CSV"),
        ("a.csv.gz", "CSV"),
        ("a.json.zst", "JSON lines"),
        ("a.arrows", "Arrow"),
        ("a.parquet.gz", None),
        ("a.txt", None),
        ("a", None),
        ("csv", None),
    ],
)
def test_suffixes(name, called):
    """Texts may be compressed; Parquet and Arrow compress themselves."""
    found = formats.named(name)
    assert (found.called if found else None) == called


def put(directory: Path, name: str, form: str) -> Path:
    """The table in a file."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(form))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_directories_patterns_and_folders(tmp_path, form):
    """Files of one format at any depth, with columns in their paths, without hidden files, notes and our exports."""
    put(tmp_path, f"country=DE/b.{form}", form)
    put(tmp_path, f"country=NA/a.{form}", form)
    for name in (f"_temporary/c.{form}", f".hidden.{form}", "country=DE/readme.txt", "notes.docx"):
        put(tmp_path, name, form)
    put(tmp_path, f"twin/part-00000.{form}", form)
    (tmp_path / "twin" / "_manifest.parquet").touch()
    table = tables.read(tmp_path)
    assert table.to_pydict() == {
        "x": [1, 2, 1, 2],
        "y": ["a", "b", "a", "b"],
        "country": ["DE", "DE", "NA", "NA"],
    }
    assert tables.read(tmp_path / "country=*" / f"*.{form}").to_pydict() == table.to_pydict()
    assert names(files(tmp_path)[0]) == ["x", "y", "country"]
    assert footer(files(tmp_path)[0]).schema == table.schema


def test_a_directory_holds_one_format(tmp_path):
    """Parquet if there is any; else one other; else a line that says what was found and what to do."""
    put(tmp_path, "a.csv", "csv")
    put(tmp_path, "b.csv.gz", "csv").write_bytes(gzip.compress(CSV))
    assert len(files(tmp_path)) == 2
    put(tmp_path, "c.jsonl", "jsonl")
    with pytest.raises(TableError, match=r"files of one format in .*, found 1 .csv, 1 .gz, 1 .jsonl: name a pattern"):
        files(tmp_path)
    assert len(files(tmp_path / "*.csv*")) == 2
    put(tmp_path, "d.parquet", "parquet")
    assert files(tmp_path) == [tmp_path / "d.parquet"]


def test_a_directory_of_other_files(tmp_path):
    """Stray texts are not taken for data. The line says what was found."""
    for name in ("a.txt", "b.txt", "c.docx", "d.xlsx", "e.pdf", "README"):
        put(tmp_path, name, "csv")
    with pytest.raises(TableError, match=r"at least one \*.parquet, .*\.csv file in .*, found 2 .txt, 1 .*, others"):
        files(tmp_path)


def test_objects_have_formats_too(store: Store):
    """Prefixes hold one format, objects are recognised, and names are known from a part of them."""
    big = b"x,y\n" + b"1,a\n" * 600_000
    store.put("forms/csv/day=1/a.csv", big)
    store.put("forms/csv/day=2/b.csv", CSV)
    store.put("forms/csv/readme.txt", b"x")
    table = tables.read("s3://incoming/forms/csv")
    assert table.num_rows == 600_002
    assert (table["day"][-1].as_py(), table["x"][-1].as_py()) == (2, 2)
    with store.counting():
        assert names(files("s3://incoming/forms/csv")[0]) == ["x", "y", "day"]
    for form in FORMS:
        store.put(f"forms/{form}.bin", written(form))
        assert tables.read(f"s3://incoming/forms/{form}.bin").to_pydict() == TABLE.to_pydict()
        store.put(f"forms/one/{form}.{form}", written(form))
    (found,) = files("s3://incoming/forms/one")
    assert found.name == "parquet.parquet"
    store.put("forms/wrong/t.parquet", CSV)
    for look in (tables.footer, names, lambda file: tables.read([file])):
        with pytest.raises(TableError, match=r"its content is CSV: rename it to t\.csv"):
            look(files("s3://incoming/forms/wrong")[0])
    store.put("forms/two/a.csv", CSV)
    store.put("forms/two/b.jsonl", JSON)
    with pytest.raises(TableError, match="expected files of one format in s3://incoming/forms/two"):
        files("s3://incoming/forms/two")
    store.put("forms/notes/a.txt", CSV)
    with pytest.raises(TableError, match=r"found none at s3://incoming/forms/notes; there are others \(1 .txt\)"):
        files("s3://incoming/forms/notes")
