"""Heads: each is one sort of variable inside the network.

`HEADS` lists them. Networks, saved weights and states follow its order, so a new sort is added after the others.
"""

from pipeline.columns.variables import REALS, SYMBOLS
from pipeline.errors import SettingsError
from pipeline.models.heads.base import Head, Legacy, Likelihood, Modules, Reader
from pipeline.models.heads.reals import Reals
from pipeline.models.heads.symbols import Symbols

__all__ = ["HEADS", "Head", "Legacy", "Likelihood", "Modules", "Reader", "register"]

HEADS: dict[str, Head] = {SYMBOLS: Symbols(), REALS: Reals()}
"""The head of each sort of variable."""


def register(sort: str, head: Head) -> None:
    """Add the head of a new sort of variable.

    Raises:
        SettingsError: Another head has this name.
    """
    if HEADS.setdefault(sort, head) is not head:
        raise SettingsError(f"expected a sort of variable of a new name, got another {sort!r}")
