"""Heads: one sort of variable inside the network each.

`HEADS` names them. Networks, saved weights and states follow its order.
"""

from pipeline.columns.variables import REALS, SYMBOLS
from pipeline.models.heads.base import Embedding, Head, Legacy, Likelihood, Modules
from pipeline.models.heads.reals import Reals
from pipeline.models.heads.symbols import Symbols

__all__ = ["HEADS", "Embedding", "Head", "Legacy", "Likelihood", "Modules"]

HEADS: dict[str, Head] = {SYMBOLS: Symbols(), REALS: Reals()}
"""The head of each sort of variable."""
