"""Progress for people: one bar per phase, with the remaining time.

On a terminal, a bar appears on standard error when a phase starts. Elsewhere nothing is drawn, so logs stay clean.

Phases follow each other. A bar at 100 % is a phase that is over, so a phase ends when the next begins. The remaining
time is what the share that is done has taken, applied to the rest; so it appears with the first share.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

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
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        Left(),
        TextColumn("{task.fields[metrics]}", style="dim"),
        console=console,
    )
    with bars:
        listener = Bars(bars)
        yield listener
        listener.finish()


class Left(ProgressColumn):
    """The remaining time of a phase. Nothing if it is over, or if no share of it is done."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn.render`."""
        share = task.percentage / 100
        if task.finished or not share or task.elapsed is None:
            return Text(" " * len("left 0:00:00"))
        seconds = round(task.elapsed / share * (1 - share))
        return Text(f"left {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}", style="progress.remaining")


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
            self.finish()
            self.tasks[tick.phase] = self.bars.add_task(tick.phase, metrics="")
        self.bars.update(self.tasks[tick.phase], completed=tick.done, total=tick.total, metrics=metrics)

    def finish(self) -> None:
        """Fill the bars of all phases so far."""
        for task in self.bars.tasks:
            self.bars.update(task.id, completed=task.total)
