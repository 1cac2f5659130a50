"""Progress of long work: a callable that receives ticks.

Library functions take `progress: Progress = silent` and call it with a `Tick` now and then. The caller decides what to
do with a tick: show a bar, write a log line, log an MLflow metric.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Tick(NamedTuple):
    """`done` of `total` units of `phase` are finished. `metrics` and `notes` can be shown with it."""

    phase: str
    done: float
    total: float
    metrics: Mapping[str, float] = MappingProxyType({})
    notes: tuple[str, ...] = ()


Progress = Callable[[Tick], None]


def silent(tick: Tick) -> None:
    """Ignore the tick."""
