"""Heads: one sort of variable inside the network each.

`HEADS` names them. Networks, saved weights and states follow its order, so a further sort is added after the others.
"""

from pipeline.columns.variables import REALS, SYMBOLS
from pipeline.errors import SettingsError
from pipeline.models.heads.base import Embedding, Head, Legacy, Likelihood, Modules
from pipeline.models.heads.reals import Reals
from pipeline.models.heads.symbols import Symbols

__all__ = ["HEADS", "Embedding", "Head", "Legacy", "Likelihood", "Modules", "register"]

HEADS: dict[str, Head] = {SYMBOLS: Symbols(), REALS: Reals()}
"""The head of each sort of variable."""


def register(sort: str, head: Head) -> None:
    """Make a sort of variable known.

    Raises:
        SettingsError: There is another head of this name.
    """
    if HEADS.setdefault(sort, head) is not head:
        raise SettingsError(f"expected a sort of variable of a new name, got another {sort!r}")
