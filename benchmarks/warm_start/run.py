"""Warm start against a fresh start on drifted tables: held-out ELBO and time.

    .venv/bin/python benchmarks/warm_start/run.py [--tables adult,bike] [--rows 0] [--seeds 1]

For each table, a champion is trained on the rows before the drift. Then the champion is continued on the drifted table,
and another network of the usual sizes is trained there from nothing at full length. Both use the same alphabets, the
champion's, extended, because ELBOs over different alphabets are not comparable. Both use one thread, and CPU
seconds are counted, so that other work on the machine does not matter. Prints a table and writes
`benchmarks/results/warm_start.{md,json}`. It takes about six minutes per table and seed, or one with 4,500 rows.

    adult       no clerical jobs and half of the high incomes → all rows: a new label, a shifted mix
    bike        first year → both years (bike sharing, hourly): half of the rows at dates that are all new
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from pipeline import columns
from pipeline.data import tables
from pipeline.data.tables import Split, SplitSettings
from pipeline.models.vae import VAE
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer
from pipeline.training.feed import Feed
from pipeline.training.optimization import train
from pipeline.training.recipe import Recipe

BENCHMARKS = Path(__file__).parents[1]
DATA = BENCHMARKS.parent / "data"
RESULTS = BENCHMARKS / "results"
TRAINING = TrainingSettings(device="cpu", time_limit=3600)


@dataclass(frozen=True)
class Trained:
    """The result of one training: ELBO of the hold-out in nats per row, CPU seconds, validation ELBO by epoch."""

    elbo: float
    seconds: float
    validation: tuple[float, ...]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="adult,bike", help="which of %(default)s")
    parser.add_argument("--rows", type=int, default=0, help="rows of the drifted table, at random (0: all)")
    parser.add_argument("--seeds", type=int, default=1, help="repetitions per table (%(default)s)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs: dict[str, list[dict[str, Trained]]] = {}
    for name in given.tables.split(","):
        for seed in range(given.seeds):
            runs.setdefault(name, []).append(measure(name, given.rows, seed))
            print(name, seed, {role: asdict(found) for role, found in runs[name][-1].items()}, file=sys.stderr)
    RESULTS.mkdir(exist_ok=True)
    plain = {
        name: [{role: asdict(found) for role, found in run.items()} for run in all_] for name, all_ in runs.items()
    }
    (RESULTS / "warm_start.json").write_text(json.dumps({"machine": machine(), "runs": plain}, indent=1) + "\n")
    (RESULTS / "warm_start.md").write_text(page(runs, given.rows))
    print(page(runs, given.rows))


def measure(name: str, rows: int, seed: int) -> dict[str, Trained]:
    """One champion, one warm start (before its first step, and trained) and one fresh start."""
    before, after = drifted(name, rows)
    old, new = (tables.split(table, SplitSettings()) for table in (before, after))
    champion = Synthesizer.fit(old.train, old.validation, columns.infer(before), training=TRAINING, seed=seed)
    schema = columns.infer(after)
    untrained = TRAINING.model_copy(update={"epochs": 0})
    start = Synthesizer.fit(new.train, new.validation, schema, champion=champion, training=untrained, seed=seed)
    began = time.process_time()
    warm = Synthesizer.fit(new.train, new.validation, schema, champion=champion, training=TRAINING, seed=seed)
    warmed = time.process_time()
    fresh = from_nothing(start, new, seed)
    done = time.process_time()
    return {
        "untrained": judged(start, new, 0.0, seed),
        "warm": judged(warm, new, warmed - began, seed),
        "fresh": judged(fresh, new, done - warmed, seed),
    }


def drifted(name: str, rows: int) -> tuple[pa.Table, pa.Table]:
    """A table before and after its drift."""
    table = pq.read_table(DATA / ("bike_hour.parquet" if name == "bike" else "adult_train.parquet"))
    if rows:
        table = table.take(np.sort(np.random.default_rng(0).permutation(table.num_rows)[:rows]))
    if name == "bike":
        return table.filter(pc.equal(table["yr"], 0)), table
    rare = pc.and_(pc.equal(table["income"], ">50K"), pa.array(np.arange(table.num_rows) % 2 == 0))
    clerical = pc.fill_null(pc.equal(table["occupation"], "Adm-clerical"), False)  # noqa: FBT003
    return table.filter(pc.invert(pc.or_(rare, clerical))), table


def from_nothing(start: Synthesizer, parts: Split, seed: int) -> Synthesizer:
    """A network of the usual sizes over the alphabets of `start`, trained at full length."""
    normalization = start.fitted.normalization
    feed = Feed(normalization.layout, normalization.encode(parts.train))
    recipe = Recipe.of(normalization.layout, feed, ModelSettings(), TRAINING)
    torch.manual_seed(seed)
    vae = VAE(normalization.layout, recipe.shape)
    history = train(vae, feed, normalization.encode(parts.validation), recipe, seed=seed)
    return Synthesizer(start.fitted._replace(vae=vae, history=history, recipe=recipe))


def judged(made: Synthesizer, parts: Split, seconds: float, seed: int) -> Trained:
    """The result of a training on the hold-out."""
    validation = tuple(epoch.validation_elbo for epoch in made.history)
    return Trained(made.elbo(parts.holdout, seed=seed).elbo, seconds, validation)


def page(runs: dict[str, list[dict[str, Trained]]], rows: int) -> str:
    """The results as Markdown, as means over seeds."""
    seeds = max(map(len, runs.values()))
    size = f"{rows:,} rows" if rows else "all rows"
    lines = ["# Warm start on drifted tables", "", f"{machine()}; one thread; {size}; {seeds} seed(s) a table.", ""]
    lines += ["| table | start | hold-out ELBO, nats/row | CPU s | share of the fresh start's | epochs |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, repeated in runs.items():
        full = float(np.mean([run["fresh"].seconds for run in repeated]))
        for role in ("untrained", "warm", "fresh"):
            each = [run[role] for run in repeated]
            elbo, seconds = np.mean([(t.elbo, t.seconds) for t in each], axis=0)
            epochs = np.mean([len(t.validation) for t in each])
            lines.append(f"| {name} | {role} | {elbo:.2f} | {seconds:.0f} | {seconds / full:.0%} | {epochs:.0f} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """A description of the machine."""
    return f"{os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}, no GPU"


if __name__ == "__main__":
    main()
