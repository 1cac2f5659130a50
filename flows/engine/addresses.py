"""Addresses of files and databases, whatever characters their paths hold.

A path is no address: in one, `?` begins options, `#` a fragment, and `%20` is a space. What addresses a file here is
made, and read back, by these functions.
"""

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
SQLITE = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>[^?]*)(?:\?(?P<options>.*))?")


def database(file: Path, driver: str = "sqlite") -> str:
    """The address of an SQLite database, for SQLAlchemy.

    It takes everything up to a `?` as it is. A path with one is given as a URI of SQLite's own, which is escaped. Then
    the driver is named too: in an address that begins with `sqlite:///` MLflow takes what follows for a path as it is,
    and makes its directories.
    """
    path = str(file)
    if "?" not in path:
        return f"{driver}:///{path}"
    return f"{driver if '+' in driver else 'sqlite+pysqlite'}:///file:{quote(path)}?uri=true"


def database_file(address: str) -> Path | None:
    """The file of an SQLite database; None of any other database."""
    found = SQLITE.fullmatch(address)
    if found is None:
        return None
    escaped = "uri=true" in (found["options"] or "")
    return Path(unquote(found["path"].removeprefix("file:"))) if escaped else Path(found["path"])


def is_local(address: str) -> bool:
    """Whether a file or a plain path is addressed; MLflow's own server has addresses such as `mlflow-artifacts:/1`."""
    return address.startswith("file:") or SCHEME.match(address) is None


def local(address: str) -> str:
    """The path of a file's address; any other address, and a plain path, as it is."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address
