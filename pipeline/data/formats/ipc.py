"""Arrow: Feather of both versions, and the file and the stream of Arrow's inter-process communication."""

import warnings

import pyarrow as pa
import pyarrow.feather

from pipeline.data.formats.base import Content, Footer, Format, source
from pipeline.data.formats.settings import ReadSettings

FILE, OLD, STREAM = b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"


class Ipc(Format):
    """Arrow IPC and Feather. Every type of Arrow is held exactly."""

    called = "Arrow"
    suffixes = (".feather", ".arrow", ".ipc", ".arrows")

    def begins(self, head: bytes) -> bool:
        """Whether a mark of one of the forms is there."""
        return head.startswith((FILE, OLD, STREAM))

    def names(self, content: Content, settings: ReadSettings, where: str) -> list[str]:
        """The names, from the footer where there is one."""
        return list(self.footer(content, settings, where).schema.names)

    def footer(self, content: Content, settings: ReadSettings, where: str) -> Footer:
        """The schema and the number of rows. Only a stream and the first version of Feather are read for it."""
        if not _begin(content).startswith(FILE):
            table = self.rows(content, settings, where)
            return Footer(table.schema, table.num_rows)
        with _opened(content) as opened, pa.ipc.open_file(opened) as reader:
            counts = (reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
            return Footer(reader.schema, sum(counts))

    def rows(self, content: Content, settings: ReadSettings, where: str) -> pa.Table:  # noqa: ARG002
        """The rows."""
        begin = _begin(content)
        if begin.startswith(OLD):
            with warnings.catch_warnings():  # newer versions of Arrow warn that they will not read it for ever
                warnings.simplefilter("ignore")
                return pa.feather.read_table(source(content), memory_map=False)
        with _opened(content) as opened:
            reader = pa.ipc.open_file(opened) if begin.startswith(FILE) else pa.ipc.open_stream(opened)
            with reader:
                return reader.read_all()


def _opened(content: Content) -> pa.NativeFile:
    return pa.BufferReader(content) if isinstance(content, pa.Buffer) else pa.OSFile(str(content))


def _begin(content: Content) -> bytes:
    with _opened(content) as opened:
        return bytes(opened.read(len(FILE)))
