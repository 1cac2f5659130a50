"""The errors of resynth, as a tree.

    ResynthError            something failed (exit code 1)
    ├── DiskFullError       the disk has no room for what is written
    ├── BusyError           another process does the same work
    └── InputError          the user's input cannot be used (exit code 2)
        ├── TableError      the table: missing, damaged, too small, unsupported values
        ├── SchemaError     the table's columns: kinds, types, differences from a model's
        ├── SettingsError   a setting or argument
        ├── NotFoundError   a model, version or export that does not exist
        │   └── FormatError a saved model that this code does not read
        └── DamagedError    a saved model whose files are not what was saved

Every message is one line that says what was expected, what came, and where. Messages name columns, types, counts and
paths. They never quote a value of the data.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ResynthError(Exception):
    """Base of every error that resynth raises on purpose."""


class DiskFullError(ResynthError):
    """The disk has no room for what is written."""


class BusyError(ResynthError):
    """Another process does the same work."""


class InputError(ResynthError):
    """The input or the usage is wrong. Nothing was changed."""


class TableError(InputError):
    """The table cannot be read or used."""


class SchemaError(InputError):
    """The table's columns are not what is supported or expected."""


class SettingsError(InputError):
    """A setting or an argument has an impossible value."""


class NotFoundError(InputError):
    """A named model, version, alias or export does not exist."""


class FormatError(NotFoundError):
    """A saved model was written in a format that this code does not read."""


class DamagedError(InputError):
    """The files of a saved model are not what was saved: cut off, changed, or no model at all."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known name that is most like it, if one is."""
    names = {name.lower(): name for name in known}
    near = get_close_matches(given.lower(), names, n=1)
    return f"; did you mean {names[near[0]]}?" if near else ""
