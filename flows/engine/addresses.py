"""Addresses of files and databases, whatever characters their paths contain.

A path is not an address: in an address, `?` begins options, `#` begins a fragment, and `%20` is a space. The functions
here turn paths into addresses and back.
"""

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
SQLITE = re.compile(r"sqlite(?:\+pysqlite)?:///(?P<path>[^?]*)(?:\?(?P<options>.*))?")


def database(file: Path, driver: str = "sqlite") -> str:
    """The address of an SQLite database, for SQLAlchemy.

    SQLAlchemy takes everything up to a `?` as it is. A path with a `?` is given as an escaped URI of SQLite. Then the
    driver is named too, because MLflow takes the text after `sqlite:///` for a plain path and creates its directories.
    """
    path = str(file)
    if "?" not in path:
        return f"{driver}:///{path}"
    return f"{driver if '+' in driver else 'sqlite+pysqlite'}:///file:{quote(path)}?uri=true"


def database_file(address: str) -> Path | None:
    """The file of an SQLite database. None for any other database."""
    found = SQLITE.fullmatch(address)
    if found is None:
        return None
    escaped = "uri=true" in (found["options"] or "")
    return Path(unquote(found["path"].removeprefix("file:"))) if escaped else Path(found["path"])


def is_local(address: str) -> bool:
    """Whether an address is a file's or a plain path. MLflow's server has addresses such as `mlflow-artifacts:/1`."""
    return address.startswith("file:") or SCHEME.match(address) is None


def local(address: str) -> str:
    """The path of a file's address. Any other address, and a plain path, is returned as it is."""
    return unquote(urlsplit(address).path) if address.startswith("file:") else address
