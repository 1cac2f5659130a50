"""Progress for people: one bar per phase, with the remaining time.

On a terminal, a bar appears on standard error when a phase starts. Elsewhere nothing is drawn, so logs stay clean.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pipeline.progress import Progress as Listener
from pipeline.progress import Tick, silent


@contextmanager
def shown(console: Console) -> Iterator[Listener]:
    """A listener that draws ticks on `console`, or ignores them if it is no terminal."""
    if not console.is_terminal:
        yield silent
        return
    bars = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[metrics]}", style="dim"),
        console=console,
    )
    with bars:
        yield Bars(bars)


class Bars:
    """Turns ticks into bars, one per phase."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, tick: Tick) -> None:
        """Move the bar of the tick's phase, and print its notes above the bars."""
        for note in tick.notes:
            self.bars.console.print(note, markup=False, highlight=False, soft_wrap=True)
        metrics = "  ".join(f"{name} {value:.4g}" for name, value in tick.metrics.items())
        if tick.phase not in self.tasks:
            self.tasks[tick.phase] = self.bars.add_task(tick.phase, metrics="")
        self.bars.update(self.tasks[tick.phase], completed=tick.done, total=tick.total, metrics=metrics)
