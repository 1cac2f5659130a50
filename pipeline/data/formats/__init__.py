"""Formats: how files hold tables.

A file's suffix says which format it should be, and its content which one it is. `named` goes by the suffix, as a
directory is searched. `recognise` looks at the content too, and says in one line what is wrong where they differ.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

from pipeline.data.formats.base import Content, Footer, Format, Piece, Texts, head
from pipeline.data.formats.delimited import Delimited
from pipeline.data.formats.ipc import Ipc
from pipeline.data.formats.jsonlines import JsonLines
from pipeline.data.formats.parquet import Parquet, as_held, held
from pipeline.data.formats.settings import ReadSettings
from pipeline.data.formats.writing import WRITERS, Writer, Written, check
from pipeline.errors import TableError

__all__ = [
    "FORMATS",
    "KNOWN",
    "PARQUET",
    "WRITERS",
    "Content",
    "Footer",
    "Format",
    "Piece",
    "ReadSettings",
    "Texts",
    "Writer",
    "Written",
    "as_held",
    "check",
    "counted",
    "held",
    "named",
    "recognise",
]

PARQUET = Parquet()
FORMATS: tuple[Format, ...] = (PARQUET, Ipc(), JsonLines(), Delimited())
"""All formats that can be read, in the order in which content is compared with them."""
KNOWN = "*.parquet, *.feather, *.jsonl or *.csv"
COMPRESSIONS = {".gz", ".zst", ".bz2"}
BEGINNING = 2**16  # bytes by which a format is recognised
FOREIGN = {
    rb"PK\x03\x04": "a zip archive or an Excel workbook: save its rows as CSV",
    rb"\xd0\xcf\x11\xe0": "an old Excel workbook: save its rows as CSV",
    rb"SQLite format 3": "a SQLite database: name one of its tables as sqlite:///PATH?table=NAME",
    rb".{8}DUCK": "a DuckDB database: name one of its tables as duckdb://PATH?table=NAME",
    rb"ORC": "ORC: write it as Parquet",
    rb"Obj\x01": "Avro: write it as Parquet",
    rb"%PDF": "a PDF",
}
"""What content that is of no format may be, by how it begins."""


def named(name: str) -> Format | None:
    """The format that a file's name says. A text format may be compressed."""
    path = PurePath(name.lower())
    plain = PurePath(path.stem) if path.suffix in COMPRESSIONS else path
    found = next((each for each in FORMATS if plain.suffix in each.suffixes), None)
    return None if found is not None and plain != path and found.texts == "texts" else found


def recognise(name: str, content: Content, where: str) -> Format:
    """The format of content in a file of some name.

    Args:
        name: The file's name.
        content: The content, from its beginning.
        where: Name of the file in messages.

    Raises:
        TableError: The content is not what the name says, or of no format.
        OSError: The content cannot be read.
    """
    begin, claimed = head(content, BEGINNING), named(name)
    foreign = next((what for mark, what in FOREIGN.items() if re.match(mark, begin, re.DOTALL)), None)
    seen = None if foreign else next((each for each in FORMATS if each.begins(begin)), None)
    if foreign is not None:
        raise TableError(f"expected a table in {where}, its content is {foreign}")
    if seen is None:
        if claimed is None:
            raise TableError(f"expected a {KNOWN} file at {where}, its content is of no known format")
        return claimed
    if claimed is None or claimed is seen or _may_be(claimed, seen, begin):
        return claimed or seen
    renamed = PurePath(name).with_suffix(seen.suffixes[0])
    raise TableError(
        f"expected a readable {claimed.called} file at {where}, its content is {seen.called}: rename it to {renamed}"
    )


def counted(names: Iterable[str]) -> str:
    """How many files of which suffixes there are, as a text; empty if there is none."""
    counts = Counter("".join(PurePath(name).suffixes[-1:]) or "without a suffix" for name in names)
    shown = [f"{count} {suffix}" for suffix, count in counts.most_common(3)]
    return ", ".join([*shown, *(["others"] if len(counts) > len(shown) else [])])


def _may_be(claimed: Format, seen: Format, begin: bytes) -> bool:
    """Whether content that looks like another format of texts may still be of the format that its name says."""
    if claimed.texts == "texts" or seen.texts == "texts":
        return False
    return begin.lstrip()[:1] in b"[{" if isinstance(claimed, JsonLines) else not begin.lstrip().startswith(b'{"')
