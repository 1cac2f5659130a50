"""How often 95 % intervals of scores hold the truth, and how far like rows are from their ceilings.

    .venv/bin/python benchmarks/fidelity/intervals.py [--tables 200] [--rows 2000]

Real rows of Adult are evaluated as if they were synthetic. Each of ten synthetic samples meets many hold-outs. The
interval of a score is about other hold-outs with the same synthetic rows, so it should hold the mean of the score over
the other hold-outs of its sample (`given rows`). An interval that held the mean over all samples (`any rows`) as often
would include the chance in the synthetic rows. For a classifier and for neighbours the true value is one half.

It also prints the mean excess over the ceiling, with its standard error over the samples: like rows should have none,
on any number of rows. Takes about five minutes for 200 tables of 2,000 rows on one core.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.columns import infer
from pipeline.evaluation import Evaluation, evaluate
from pipeline.settings import EvaluationSettings

DATA = Path(__file__).parents[2] / "data"
SAMPLES = 10
HALF = ("c2st_auc", "nearer_to_train")
"""Scores whose true value for like rows is one half."""


def evaluations(tables: int, rows: int) -> list[list[Evaluation]]:
    """Evaluations of real rows, by the sample of rows that is taken for synthetic."""
    population = pa.concat_tables([pq.read_table(DATA / f"adult_{part}.parquet") for part in ("train", "test")])
    schema, rng = infer(population), np.random.default_rng(0)
    settings = EvaluationSettings(target="income", permutations=100)
    found = []
    for sample in range(SAMPLES):
        order = rng.permutation(population.num_rows)
        synthetic, rest = population.take(order[:rows]), order[rows:]
        found.append([])
        for table in range(tables // SAMPLES):
            drawn = rng.choice(rest, size=2 * rows, replace=False)
            train, holdout = population.take(drawn[:rows]), population.take(drawn[rows:])
            seed = sample * tables + table
            found[-1].append(
                evaluate(synthetic, holdout=holdout, train=train, schema=schema, settings=settings, seed=seed)
            )
    return found


def main() -> None:
    """Evaluate, and print one line per score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    chosen = parser.parse_args()
    values = defaultdict(list)
    for sample, group in enumerate(evaluations(chosen.tables, chosen.rows)):
        for found in group:
            for score in found.scores:
                nan = float("nan")
                ends = (nan, nan) if score.low is None else (score.low, score.high)
                values[score.name].append((sample, score.value, score.excess, *ends))
    print("| score | mean | spread | excess | given rows | any rows |\n|---|---|---|---|---|---|")
    for name, given in values.items():
        print(line(name, np.array(given)))


def line(name: str, given: np.ndarray) -> str:
    """A row of the table, from sample, value, excess and interval [tables, 5] of a score."""
    samples, value, excess, low, high = given.T
    each = np.arange(len(value))
    own = np.array([value[(samples == samples[at]) & (each != at)].mean() for at in each])
    own, all_rows = (np.full(len(value), 0.5) for _ in range(2)) if name in HALF else (own, value.mean())
    groups = [excess[samples == sample].mean() for sample in range(SAMPLES)]
    error = np.std(groups, ddof=1) / np.sqrt(SAMPLES)
    cells = [f"{value.mean():.4f}", f"{value.std():.4f}", f"{excess.mean():+.4f} ± {error:.4f}"]
    for truth in (own, all_rows):
        held = (low <= truth) & (truth <= high)
        cells.append("" if np.isnan(low).all() else f"{held.mean():.1%}")
    return f"| `{name}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
