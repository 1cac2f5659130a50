"""Delta Lake tables, through their log.

The files of such a table also hold rows that were deleted or rewritten since. The log says which rows count. The
optional package `deltalake` reads it. A table is read as a whole, at the version that was the latest when it was
listed. Delta Lake guarantees no order of rows, so rows are sorted by their content: the same order each time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.arrow.widening import plain
from pipeline.data.storage import Delta
from pipeline.data.tables.content import row_hashes
from pipeline.errors import TableError

if TYPE_CHECKING:
    from deltalake import DeltaTable


def latest(uri: str) -> Delta:
    """The newest version of the table in a directory.

    Raises:
        TableError: The table cannot be read, or `deltalake` is not installed.
    """
    with _readable(uri):
        return Delta(uri=uri, version=_table(uri).version())


def schema(table: Delta) -> tuple[pa.Schema, int]:
    """The schema and the number of rows.

    Raises:
        TableError: As `latest`.
    """
    with _readable(table.uri):
        found = _table(table.uri, table.version)
        return pa.schema(found.schema().to_arrow()), found.count()


def read(table: Delta) -> pa.Table:
    """The rows, sorted by content, with views of texts cast to plain texts.

    Raises:
        TableError: As `latest`.
    """
    with _readable(table.uri):
        stream = _table(table.uri, table.version).scan()
        rows = pa.RecordBatchReader.from_stream(stream).read_all()  # unlike its own `read_all`, without the GIL
    rows = rows.cast(pa.schema([field.with_type(plain(field.type)) for field in rows.schema]))
    return rows.take(pa.array(np.argsort(row_hashes(rows), kind="stable")))


def _table(uri: str, version: int | None = None) -> "DeltaTable":
    try:
        from deltalake import DeltaTable  # noqa: PLC0415 - optional
    except ImportError as error:
        raise TableError(f"{uri} is a Delta Lake table: to read it, install resynth[delta]") from error
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return DeltaTable(uri, version=version, storage_options={"allow_http": "true"} if plain else None)


@contextmanager
def _readable(uri: str) -> Iterator[None]:
    try:
        yield
    except TableError:
        raise
    except Exception as error:  # errors of deltalake have no common base
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TableError(f"expected a readable Delta Lake table at {uri}: {reason}") from error
