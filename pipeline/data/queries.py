"""Queries: tables that a database answers.

    duckdb://PATH?query=SELECT …        duckdb://PATH?table=NAME
    sqlite:///PATH?query=SELECT …       postgresql+psycopg://USER@HOST/DB?table=NAME

The address ends with the query, as it is written, or with a table's name. What stands before is the address of a DuckDB
file or a URL of SQLAlchemy. It is kept, logged and shown, so it must hold no secret: a password is refused, unless it
is `${NAME}`, which is replaced from the environment only when a connection is made (`pipeline.data.tables.database`).
"""

import re
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

from pipeline.errors import SettingsError
from pipeline.records import Record

DUCKDB, SQLITE = "duckdb", "sqlite"
DATABASES = (DUCKDB, SQLITE, "postgresql", "mysql", "mariadb", "oracle", "mssql")
"""Databases that are recognised without a query, to say what is missing."""
STORES = {"s3": "S3", "gs": "Google", "gcs": "Google", "abfs": "Azure", "abfss": "Azure"}
"""Schemes of object stores, which are no databases."""
MEMORY = ":memory:"
ASKED = re.compile(r"[?&](query|table)=")
VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
SECRET = re.compile(
    r"pass|pwd|secret|token|credential|(api|access|account|private|encryption)_?key|\A(key|auth)\Z", re.IGNORECASE
)
BEHIND = re.compile(r"&([A-Za-z_]+)=")
"""An option behind the query or the table, where there is no place for one."""
ADVICE = (
    "expected a database's address without a password, got one that may carry it: use the driver's own environment "
    "variables or password file, or write ${NAME} in its place, which is replaced from the environment"
)


class Query(Record):
    """A table that a database answers, read as a whole and once.

    Attributes:
        url: Address of the database, without any secret.
        table: Name of the table; None with a query.
        sql: The query; None with a table.
    """

    url: str
    table: str | None = None
    sql: str | None = None

    def __str__(self) -> str:
        """The whole address in one line."""
        return " ".join(self.address.split())

    @property
    def address(self) -> str:
        """The whole address: the inverse of `parse`."""
        asked = f"table={quote(self.table)}" if self.table is not None else f"query={self.sql}"
        return f"{self.url}{'&' if '?' in self.url else '?'}{asked}"

    @property
    def name(self) -> str:
        """The table's name, or the database's without a suffix."""
        return self.table or PurePosixPath(self.url.partition("?")[0].partition("://")[2]).stem or "query"

    @property
    def dialect(self) -> str:
        """The database, without the driver."""
        return self.url.partition("://")[0].partition("+")[0]

    def anchored(self, base: Path) -> "Query":
        """The same query, with the path of a database file relative to a directory made absolute."""
        scheme, _, rest = self.url.partition("://")
        path, options = rest.partition("?")[::2]
        lead = "/" if self.dialect == SQLITE else ""
        if self.dialect not in {DUCKDB, SQLITE} or not path.startswith(lead):
            return self
        file = path.removeprefix(lead)
        if not file or file.startswith((MEMORY, "${")):
            return self
        url = f"{scheme}://{lead}{(base / file).absolute()}"
        return self.model_copy(update={"url": f"{url}?{options}" if options else url})


def asked(text: str) -> bool:
    """Whether a text with a scheme is the address of a query, whole or not."""
    scheme = text.partition("://")[0].partition("+")[0]
    return scheme in DATABASES or (scheme not in STORES and ASKED.search(text) is not None)


def parse(text: str) -> Query:
    """The query that an address names.

    Raises:
        SettingsError: Neither query nor table is named, or the address may carry a password. It is not quoted then.
    """
    found = ASKED.search(text)
    url = text[: found.start()] if found is not None else text
    _refuse_secrets(url)
    if found is None:
        scheme = text.partition("://")[0]
        raise SettingsError(f"expected {scheme}://…?table=NAME or ?query=SELECT …, got an address without either")
    value = text[found.end() :]
    if any(SECRET.search(name) for name in BEHIND.findall(value)):
        raise SettingsError(ADVICE)
    if found[1] == "table" or not re.search(r"\s", value):  # a query without any space is percent-encoded
        value = unquote_plus(value)
    if not value.strip():
        raise SettingsError(f"expected a text after {found[1]}= in the address of a database, got none")
    return Query(url=url, table=value) if found[1] == "table" else Query(url=url, sql=value.strip())


def _refuse_secrets(url: str) -> None:
    """Refuse an address in which anything may be a password."""
    scheme, _, rest = url.partition("://")
    rest, _, options = rest.partition("?")
    place, _, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    password = unquote(user).partition(":")[2]
    port = "" if host.startswith("[") else VARIABLE.sub("", host).partition(":")[2]
    doubtful = [
        bool(password) and VARIABLE.fullmatch(password) is None,
        bool(at) and not user,
        bool(port) and not port.isdigit(),  # a password with a slash in it looks like a port
        "@" in f"{user}{path}{options}",
    ]
    if scheme.partition("+")[0] in {DUCKDB, SQLITE}:  # what follows is a path of this machine
        doubtful = doubtful[:1]
    for name, value in parse_qsl(options, keep_blank_values=True):
        within = re.search(r"(pass|pwd|secret|token)\w*\s*=\s*(?!\$\{)", value, re.IGNORECASE)
        doubtful.append(within is not None or (SECRET.search(name) is not None and VARIABLE.fullmatch(value) is None))
    if any(doubtful):
        raise SettingsError(ADVICE)
