"""Addresses of files and databases, whatever characters their paths hold.

A path is no address: in one, `?` begins options, `#` a fragment, and `%20` is a space. What addresses a file here is
made, and read back, by these functions.
"""

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SQLITE = "sqlite:///"


def database(file: Path, driver: str = "sqlite") -> str:
    """The address of an SQLite database, for SQLAlchemy.

    It takes everything up to a `?` as it is. A path with one is given as a URI of SQLite's own, which is escaped.
    """
    path = str(file)
    return f"{driver}:///file:{quote(path)}?uri=true" if "?" in path else f"{driver}:///{path}"


def database_file(address: str) -> Path | None:
    """The file of an SQLite database; None of any other database."""
    if not address.startswith(SQLITE):
        return None
    path, _, options = address.removeprefix(SQLITE).partition("?")
    return Path(unquote(path.removeprefix("file:"))) if "uri=true" in options else Path(path)


def local(address: str) -> str:
    """The path of a file's address; any other address, and a plain path, as it is."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address
