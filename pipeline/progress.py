"""How long work tells whoever waits: a callable that receives ticks.

Library functions take `progress: Progress = silent` and call it with a `Tick` now and then. What becomes of
a tick (a bar, a log line, an MLflow metric) is the caller's business.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Tick(NamedTuple):
    """`done` of `total` units of `phase` are finished; `metrics` and `notes` are worth showing with it."""

    phase: str
    done: float
    total: float
    metrics: Mapping[str, float] = MappingProxyType({})
    notes: tuple[str, ...] = ()


Progress = Callable[[Tick], None]


def silent(tick: Tick) -> None:
    """Ignore the tick."""
