"""What a format is: how a file holds a table.

A `Format` knows the suffixes of its files and how their content begins. It reads names, rows and, where the file tells
types, the schema and the number of rows without the values. Formats know nothing of places: they are given *content*,
a path of this machine or bytes. The content of a text format may be compressed (gzip, Zstandard, bzip2).

Formats of texts do not tell what texts stand for. `Texts` says what may be guessed (`pipeline.arrow.texts`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import pyarrow as pa

from pipeline.data.formats.settings import ReadSettings

Content: TypeAlias = Path | pa.Buffer
Piece = Literal["all", "begin", "end"]
"""How much of a file is needed."""
Texts = Literal["texts", "dates", "anything"]
"""What texts of a format may stand for."""

HEAD = 2**20
"""Bytes of a beginning."""
COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
"""How compressed content begins."""


class Footer(NamedTuple):
    """The schema of a file and its number of rows."""

    schema: pa.Schema
    rows: int


class Format(ABC):
    """How a file holds a table.

    Attributes:
        called: Its name for people.
        suffixes: Suffixes of its files, the usual one first.
        named_in: The part of a file that tells its column names.
        all_named: Whether that part tells all names.
        texts: What its texts may stand for.
    """

    called: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    named_in: ClassVar[Piece] = "all"
    all_named: ClassVar[bool] = True
    texts: ClassVar[Texts] = "texts"

    @abstractmethod
    def begins(self, head: bytes) -> bool:
        """Whether content of this format begins so."""

    @abstractmethod
    def names(self, content: Content, settings: ReadSettings, where: str) -> list[str]:
        """The names of the columns, from the part of the content that `named_in` says.

        Raises:
            TableError: They cannot be read.
        """

    @abstractmethod
    def footer(self, content: Content, settings: ReadSettings, where: str) -> Footer:
        """The schema and the number of rows. Texts are texts, whatever they stand for.

        Raises:
            TableError: They cannot be read.
        """

    @abstractmethod
    def rows(self, content: Content, settings: ReadSettings, where: str) -> pa.Table:
        """The rows.

        Args:
            content: The content.
            settings: How to read it.
            where: Name of the file in messages.

        Raises:
            TableError: The content is damaged, or holds something that this format has no place for.
        """


@contextmanager
def stream(content: Content) -> Iterator[pa.NativeFile]:
    """The content from its beginning, without compression."""
    with _raw(content) as raw:
        begin = raw.read(4)
    with _raw(content) as raw:
        codec = next((codec for mark, codec in COMPRESSED.items() if begin.startswith(mark)), None)
        if codec is None:
            yield raw
        else:
            with pa.CompressedInputStream(raw, codec) as plain:
                yield plain


def head(content: Content, size: int = HEAD) -> bytes:
    """The beginning of the content, without compression. It may be shorter if the content is cut off.

    Raises:
        OSError: Nothing of the content can be read.
    """
    found = b""
    with stream(content) as plain:
        try:
            while len(found) < size and (piece := plain.read(min(size, 2**16))):
                found += piece
        except OSError:
            if not found:
                raise
    return found


def source(content: Content) -> pa.NativeFile | str:
    """The content for readers that look at it in any order."""
    return pa.BufferReader(content) if isinstance(content, pa.Buffer) else str(content)


def _raw(content: Content) -> pa.NativeFile:
    return pa.BufferReader(content) if isinstance(content, pa.Buffer) else pa.OSFile(str(content))
