"""Progress of long work: a callable that receives ticks.

Library functions take `progress: Progress = silent` and call it with a `Tick` now and then. The caller decides what to
do with a tick: show a bar, write a log line, log an MLflow metric. Work that consists of several parts gives each a
`part` of its own progress, so a caller sees one share that grows from 0 to 1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Tick(NamedTuple):
    """`done` of `total` units of `phase` are finished. `metrics` and `notes` can be shown with it."""

    phase: str
    done: float
    total: float
    metrics: Mapping[str, float] = MappingProxyType({})
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share that is finished, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


Progress = Callable[[Tick], None]


def silent(tick: Tick) -> None:
    """Ignore the tick."""


def part(progress: Progress, begin: float, end: float, phase: str | None = None) -> Progress:
    """A listener for a part of longer work.

    Args:
        progress: The listener of the whole.
        begin: The share of the whole that is finished before the part.
        end: The share that is finished after it.
        phase: The name of the whole, if its ticks should have that instead of the part's.
    """

    def listen(tick: Tick) -> None:
        done = begin + (end - begin) * tick.share
        progress(tick._replace(phase=phase or tick.phase, done=done, total=1.0))

    return listen


def ticked(items: Sequence[T], phase: str, progress: Progress) -> Iterator[T]:
    """The items, with a tick after each."""
    for done, item in enumerate(items, start=1):
        yield item
        progress(Tick(phase, done, len(items)))
