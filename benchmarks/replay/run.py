"""The closed loop over two real histories, beside training every time and never again.

    python benchmarks/replay/run.py [bike_hour] [beijing_pm25]

The histories are two years of hourly bike rentals in periods of 30 days, and five years of hourly weather and air in
months. With `settings.toml`, this is `resynth replay` without Prefect and MLflow. Prints a page and writes
`benchmarks/results/replay.md` and, for each table, `replay_TABLE.png` and `replay_TABLE.json`. Results of an
interrupted run are kept in `benchmarks/work/replay` and not computed again. It takes a quarter of an hour for bikes and
an hour for Beijing.
"""

import argparse
import os
import sys
from pathlib import Path
from statistics import fmean

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch and scikit-learn read it

from flows.settings import Settings
from flows.telling.display import STRATEGY, strategies, verdict
from pipeline import pictures
from pipeline.data import tables
from pipeline.progress import Tick
from pipeline.replay.shelf import Shelf
from pipeline.replay.story import END, STRATEGIES, Story
from pipeline.replay.turns import replay

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
WORK = HERE.parent / "work" / "replay"
RESULTS = HERE.parent / "results"
EVERY = {"bike_hour": "30d", "beijing_pm25": "1mo"}
SCORES = ("shape_error", "trend_error", "c2st", "coverage")


def main() -> None:
    """Replay, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=list(EVERY), help="of %(default)s; the others' results are kept")
    for name in parser.parse_args().tables:
        settings = Settings.load(HERE, HERE / "settings.toml", name=name)
        table = tables.read(DATA / f"{name}.parquet")
        story = replay(table, "datetime", EVERY[name], settings, Shelf(WORK / name), tell)
        (RESULTS / f"replay_{name}.json").write_text(story.model_dump_json())
        (RESULTS / f"replay_{name}.png").write_bytes(pictures.png(pictures.story(story)))
    found = {name: RESULTS / f"replay_{name}.json" for name in EVERY}
    stories = {name: Story.model_validate_json(file.read_text()) for name, file in found.items() if file.exists()}
    page = "\n\n".join(["# Replay", INTRODUCTION, *(section(name, story) for name, story in stories.items())])
    (RESULTS / "replay.md").write_text(page + "\n")
    print(page)


INTRODUCTION = """`python benchmarks/replay/run.py`, settings in `benchmarks/replay/settings.toml`. Three strategies
see the same history with the same seed, split and gate: *loop* trains when the policy says so,
*always* afresh at every period, *never* keeps its first champion. Quality is 1 − (Shape error +
Trend error) / 2. *Ahead*: mean over the periods, of the champion on rows that had just come in.
*Quality*: mean, of the champion after its turn on held-out rows of the table as it then stood. *At
the end*: the same over the last quarter of the periods; *real rows*: what training rows reach
there. Both tables served as examples while the replay was built; thresholds are the defaults."""


def section(name: str, story: Story) -> str:
    """A table's results."""
    lines = [f"## {name}, every {story.every}: {story.periods} periods, {story.rows:,} rows", "", verdict(story), ""]
    lines += [f"| {' | '.join(STRATEGY)} |", "|" + "---|" * len(STRATEGY)]
    lines += [f"| {' | '.join(row)} |" for row in strategies(story)]
    lines += ["", "At the end, mean of the last quarter (in brackets: real rows):", ""]
    lines += [f"| strategy | {' | '.join(SCORES)} |", "|" + "---|" * (1 + len(SCORES))]
    for strategy in STRATEGIES:
        last = [
            step.quality for step in story.of(strategy)[-max(1, story.periods // END) :] if step.quality is not None
        ]
        means = [
            f"{fmean(q.scores[score] for q in last):.4f} ({fmean(q.ceilings[score] for q in last):.4f})"
            for score in SCORES
        ]
        lines.append(f"| {strategy} | {' | '.join(means)} |")
    return "\n".join([*lines, "", f"![{name}](replay_{name}.png)"])


def tell(tick: Tick) -> None:
    """Print how many turns are done."""
    if tick.phase == "replay":
        print(f"{tick.done:.0f} of {tick.total:.0f} turns", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
