"""Where a table lies: in files of this machine, in an object store, or in a database.

A user names a *place*: a path, the URI of a store's prefix or object (`s3://bucket/incoming`), or the address of a
query (`pipeline.data.queries`). Arrow reaches the stores. Credentials and endpoints come from the stores' own
environment variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …). A URI that carries a password or options is refused,
because it would end up in logs.

A store that does not answer ends a run; a damaged object is only put aside. To tell the two apart, an object or its end
is first fetched, which fails only if the store does, and parsed afterwards.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType

from pipeline.data import queries
from pipeline.data.formats.base import HEAD
from pipeline.data.queries import STORES, Query
from pipeline.errors import ResynthError, SettingsError
from pipeline.records import Record

PIECE = 2**26  # bytes of an object that are asked for at once
MARGIN = 8  # bytes after the footer of a Parquet file: its length, and the format's mark


class Object(Record):
    """An object of a store.

    Attributes:
        uri: The object's address.
        size: Size in bytes.
        modified: Time of the last write.
    """

    uri: str
    size: int
    modified: datetime

    def __str__(self) -> str:
        """The address."""
        return self.uri

    @property
    def name(self) -> str:
        """The last part of the address, like a file's name."""
        return PurePosixPath(self.uri).name

    @property
    def stamp(self) -> str:
        """Address, size and time: equal for an object that has not changed, known without fetching it."""
        return f"{self.uri} {self.size} {self.modified.isoformat()}"


class Key(Record):
    """A column that the path of a file names, as `country` in `country=DE/part-0.parquet`.

    Attributes:
        name: The name of the column.
        value: The value as it is written; None for null.
        type: Arrow type of the column over all files.
    """

    name: str
    value: str | None
    type: str


class Keyed(Record):
    """A file whose path names some columns of the table.

    Attributes:
        file: The file with the other columns.
        keys: The columns in the path.
    """

    file: Path | Object
    keys: tuple[Key, ...]

    def __str__(self) -> str:
        """The path or the address."""
        return str(self.file)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.file.name


class Delta(Record):
    """A version of a Delta Lake table, which is read as a whole.

    Attributes:
        uri: Directory of the table, a path or an address.
        version: The version of the table.
    """

    uri: str
    version: int

    def __str__(self) -> str:
        """Directory and version."""
        return f"{self.uri} (version {self.version})"

    @property
    def name(self) -> str:
        """The last part of the directory, and the version."""
        return f"{PurePosixPath(self.uri).name}@{self.version}"


File = Path | Object | Keyed | Delta | Query
Place = Path | str
"""A path; or a text, the URI of a prefix or an object, or the address of a query."""


def place(named: str | Path) -> Place:
    """The place that a user's text names.

    Raises:
        SettingsError: The URI is of an unknown store, holds more than an address, or names no query.
    """
    text = str(named)
    if isinstance(named, Path) or "://" not in text:
        return Path(named)
    if queries.asked(text):
        return queries.parse(text).address
    parts = urlsplit(text)
    if parts.scheme not in STORES or not parts.netloc:
        known = ", ".join(f"{scheme}://" for scheme in STORES)
        raise SettingsError(
            f"expected a path, a database's address with ?table= or ?query=, or an address that begins with {known}; "
            f"got {parts.scheme}://"
        )
    user = parts.username if not parts.scheme.startswith("abfs") else None  # there the user is the container
    if user is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(
            f"expected a plain {parts.scheme}:// address, with credentials and endpoint in the environment, "
            "got one that carries a user, a password or options"
        )
    return text.rstrip("/")


def absolute(named: Place, base: Path | None = None) -> Place:
    """The same place, whatever the working directory.

    Args:
        named: The place.
        base: The directory that a relative path begins at. Default: the working directory, with links resolved.
    """
    if isinstance(named, str):
        return queries.parse(named).anchored(base or Path.cwd()).address if queries.asked(named) else named
    return named.resolve() if base is None else base / named


def objects(uri: str) -> list[Object]:
    """The object at an address, or all objects below it in order of their names.

    Raises:
        ResynthError: The store does not answer, or refuses.
    """
    with _asking(uri):
        system, root = reach(uri)
        itself = system.get_file_info(root)
        if itself.type == FileType.File:
            return [_object(uri, itself)]
        infos = system.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    below = {info.path.removeprefix(root).lstrip("/"): info for info in infos if info.type == FileType.File}
    return [_object(f"{uri}/{name}", below[name]) for name in sorted(below)]


def there(uris: Sequence[str]) -> list[str]:
    """The addresses of one store at which something exists. A forbidden address counts as empty."""
    try:
        system, _ = reach(uris[0])
        infos = system.get_file_info([reach(uri)[1] for uri in uris])
    except (OSError, pa.ArrowInvalid):
        return []
    return [uri for uri, info in zip(uris, infos, strict=True) if info.type != FileType.NotFound]


def fetch(found: Object) -> pa.Buffer:
    """The content of an object.

    Raises:
        ResynthError: The store does not answer, or refuses.
    """
    with _asking(found.uri):
        system, path = reach(found.uri)
        with system.open_input_stream(path) as stream:
            return stream.read_buffer()


def pieces(found: Object) -> Iterator[bytes]:
    """The content of an object, a piece after the other, so that a large one need not be held in memory.

    Raises:
        ResynthError: The store does not answer, or refuses.
    """
    with _asking(found.uri):
        system, path = reach(found.uri)
        stream = system.open_input_stream(path)
    with stream:
        while True:
            with _asking(found.uri):
                piece = stream.read(PIECE)
            if not piece:
                return
            yield piece


def tail(found: Object) -> pa.Buffer:
    """The end of an object: the footer of a Parquet file, whose length its last bytes say.

    Raises:
        ResynthError: The store does not answer, or refuses.
    """
    with _asking(found.uri):
        system, path = reach(found.uri)
        with system.open_input_file(path) as file:
            size = file.size()
            footer = int.from_bytes(file.read_at(min(4, size), max(0, size - MARGIN)), "little")
            taken = min(size, footer + MARGIN)
            return pa.py_buffer(file.read_at(taken, size - taken))


def beginning(found: Object) -> pa.Buffer:
    """The beginning of an object: enough to recognise its format and to know the columns of texts.

    Raises:
        ResynthError: The store does not answer, or refuses.
    """
    with _asking(found.uri):
        system, path = reach(found.uri)
        with system.open_input_file(path) as file:
            return pa.py_buffer(file.read_at(min(HEAD, file.size()), 0))


def is_hidden(path: PurePath) -> bool:
    """Whether a file is no data.

    As for Spark, it is not where its name or a folder's begins with "." or "_", except for a folder `_column=value`.
    """
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in path.parts)


def reach(uri: str) -> tuple[FileSystem, str]:
    """The store of an address, and the path in it."""
    parts = urlsplit(uri)
    system, bucket = client(f"{parts.scheme}://{parts.netloc}")
    path = uri.partition("://")[2].partition("/")[2]  # not urlsplit: "?" and "#" are letters in an object's name
    return system, f"{bucket}/{path.strip('/')}".rstrip("/")


@cache
def client(address: str) -> tuple[FileSystem, str]:
    """The client of a store, and the bucket. Cached, because making a client may take a request."""
    system, bucket = FileSystem.from_uri(address)
    return system, bucket.strip("/")


def _object(uri: str, info: FileInfo) -> Object:
    return Object(uri=uri, size=info.size, modified=info.mtime)


@contextmanager
def _asking(uri: str) -> Iterator[None]:
    """Turn the errors of a store's client into one line."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0][:200]
        store = STORES[urlsplit(uri).scheme]
        raise ResynthError(f"expected the {store} object store to serve {uri}: {reason}") from error
