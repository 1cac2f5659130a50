"""Heads: each is one sort of variable inside the network.

`HEADS` lists them. Networks, saved weights and states follow its order: symbols, reals, then other sorts by name. So it
does not matter in which order a program registers them.
"""

from torch import nn

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
        SettingsError: Another head has this name, or no module can.
    """
    if not sort or "." in sort or hasattr(nn.ModuleDict(), sort):
        raise SettingsError(f"expected a sort of variable whose name a module can have, got {sort!r}")
    if HEADS.setdefault(sort, head) is not head:
        raise SettingsError(f"expected a sort of variable of a new name, got another {sort!r}")
    for other in sorted(HEADS.keys() - {SYMBOLS, REALS}):
        HEADS[other] = HEADS.pop(other)
