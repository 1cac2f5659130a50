"""Anomaly scores beside published detectors: AUROC and AUPRC on tables with known anomalies.

    .venv/bin/python benchmarks/anomaly/run.py --data DIR [--seeds 1]

DIR holds one Parquet file per table, with a column `y` that is 1 for anomalies; for instance tables of ADBench (Han et
al. 2022, arXiv 2206.09426; https://github.com/Minqi824/ADBench, converted from its .npz files). They are not part of
the project. Two protocols, as in Livernoche et al. 2024 (arXiv 2305.18593):

    normal        train on a random half of the normal rows, score the other half and all anomalies
    unsupervised  train on all rows, anomalies included, and score the same rows

Without --data, only tables of the project's own are measured. "adult, exchanged": train on Adult, score held-out rows,
in half of which three cells are exchanged with those of another row. Every value is ordinary; the rows are not. And
three tables that scikit-learn brings, with a few rows of one class as anomalies. They are small (129 to 1,676 rows) and
were looked at last; the means leave them out. All methods see the same rows, in the same run. Nothing is tuned: resynth
uses its defaults. Writes `benchmarks/results/anomaly.{md,json}`. What is in the JSON file is not measured again, so an
interrupted run goes on.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from peers import PEERS, numbers
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.settings import TrainingSettings
from pipeline.synthesizer import Synthesizer

BENCHMARKS = Path(__file__).parents[1]
DATA = BENCHMARKS.parent / "data"
RESULTS = BENCHMARKS / "results"
EXCHANGED = 3
PROTOCOLS = ("normal", "unsupervised")
BUNDLED = {
    "wine": (load_wine, 0, 10),
    "breast cancer": (load_breast_cancer, 0, 10),
    "digits": (load_digits, 4, 60),
}
"""Tables of scikit-learn: the class whose rows are anomalies, and how many of them there are."""
OURS = ("resynth", "reconstruction error", "log p alone")
METHODS = (*OURS, *PEERS)
Found = dict[str, dict[str, float]]


class Case(NamedTuple):
    """Rows to train on, rows to score, and which of these are anomalies."""

    train: pd.DataFrame
    rows: pd.DataFrame
    y: NDArray[np.int64]
    same: bool


def main() -> None:
    """Measure what is not known yet, write after every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="directory of tables with a column y")
    parser.add_argument("--seeds", type=int, default=1, help="repetitions per table (%(default)s)")
    parser.add_argument("--limit", type=float, default=300, help="seconds of a training at most (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULTS / "anomaly", help="where to write (%(default)s)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = given.out.with_suffix(".json")
    known: dict[str, Found] = json.loads(kept.read_text())["cases"] if kept.exists() else {}
    for name, protocol, seed in cases(given.data, given.seeds):
        key = f"{name}/{protocol}/{seed}"
        if key not in known:
            known[key] = measure(case(given.data, name, protocol, seed), seed, given.limit)
            print(key, {method: round(found["auroc"], 3) for method, found in known[key].items()}, file=sys.stderr)
            kept.write_text(json.dumps({"machine": machine(), "cases": known}, indent=1) + "\n")
    given.out.with_suffix(".md").write_text(page(known))
    print(page(known))


def cases(data: Path | None, seeds: int) -> Iterator[tuple[str, str, int]]:
    """Table, protocol and seed of every case."""
    names = sorted(file.stem for file in data.glob("*.parquet")) if data is not None else []
    for seed in range(seeds):
        yield from ((name, protocol, seed) for name in names for protocol in PROTOCOLS)
        yield "adult, exchanged", "normal", seed
        yield from ((name, protocol, seed) for name in BUNDLED for protocol in PROTOCOLS)


def case(data: Path | None, name: str, protocol: str, seed: int) -> Case:
    """The rows of a case."""
    random = np.random.default_rng(seed)
    if name == "adult, exchanged":
        test = pd.read_parquet(DATA / "adult_test.parquet")
        rows, y = exchanged(test.iloc[random.permutation(len(test))].reset_index(drop=True), random)
        return Case(pd.read_parquet(DATA / "adult_train.parquet"), rows, y, same=False)
    table = bundled(name) if data is None or name in BUNDLED else pd.read_parquet(data / f"{name}.parquet")
    y, table = table["y"].to_numpy(), table.drop(columns="y")
    if protocol == "unsupervised":
        return Case(table, table, y, same=True)
    normal = random.permutation(np.flatnonzero(y == 0))
    half, rest = np.split(normal, [len(normal) // 2])
    scored = np.concatenate([rest, np.flatnonzero(y == 1)])
    return Case(
        table.iloc[half].reset_index(drop=True), table.iloc[scored].reset_index(drop=True), y[scored], same=False
    )


def bundled(name: str) -> pd.DataFrame:
    """A table of scikit-learn, with a column `y` that is 1 for anomalies. The same rows for every seed."""
    load, odd, count = BUNDLED[name]
    numbers, classes = load(return_X_y=True)
    table = pd.DataFrame(numbers, dtype=float).rename(columns="x{}".format).assign(y=(classes == odd).astype(int))
    few = table[table["y"] == 1].sample(count, random_state=0)
    return pd.concat([table[table["y"] == 0], few]).sample(frac=1, random_state=0).reset_index(drop=True)


def exchanged(test: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The rows, in the second half of which some cells are exchanged with those of another row of that half."""
    n = len(test) // 2
    odd = test.iloc[n:].reset_index(drop=True)
    other = odd.iloc[random.permutation(len(odd))].reset_index(drop=True)
    chosen = np.argsort(random.random(odd.shape), axis=1) < EXCHANGED
    for j, column in enumerate(odd.columns):
        odd[column] = odd[column].where(~chosen[:, j], other[column])
    return pd.concat([test.iloc[:n], odd], ignore_index=True), np.repeat([0, 1], [n, len(odd)])


def measure(given: Case, seed: int, limit: float) -> Found:
    """AUROC, AUPRC and seconds of every method."""
    found = {}
    began = time.perf_counter()
    model = Synthesizer.fit(given.train, training=TrainingSettings(device="cpu", time_limit=limit), seed=seed)
    trained = time.perf_counter()
    scores = model.score(given.rows)
    ours = (scores["anomaly_score"], scores["reconstruction_error"], -scores["log_likelihood"])
    done = time.perf_counter()
    for method, values in zip(OURS, ours, strict=True):
        found[method] = judged(given.y, values.to_numpy(), done - began)
    found["resynth"]["rows_per_second"] = len(given.rows) / (done - trained)
    found["resynth"]["false_alarms"] = float(scores["anomaly"][given.y == 0].mean())
    found["resynth"]["detected"] = float(scores["anomaly"][given.y == 1].mean())
    train, rows = numbers(given.train, given.rows)
    for name, peer in PEERS.items():
        began = time.perf_counter()
        values = peer(train, train if given.same else rows, seed, given.same)
        found[name] = judged(given.y, values, time.perf_counter() - began)
    return found


def judged(y: NDArray[np.int64], scores: NDArray[np.float64], seconds: float) -> dict[str, float]:
    """The scores of a method."""
    return {
        "auroc": float(roc_auc_score(y, scores)),
        "auprc": float(average_precision_score(y, scores)),
        "seconds": seconds,
    }


def page(known: dict[str, Found]) -> str:
    """The results as Markdown, as means over seeds."""
    names = list(dict.fromkeys(key.rpartition("/")[0] for key in known))
    lines = ["# Anomaly scores", "", f"{machine()}; one thread; AUROC / AUPRC in %, means over seeds.", ""]
    lines += ["| table | protocol | " + " | ".join(METHODS) + " |", "|---" * (len(METHODS) + 2) + "|"]
    means: dict[str, list[list[float]]] = {}
    for name in names:
        runs = [found for key, found in known.items() if key.rpartition("/")[0] == name]
        table, protocol = name.split("/")
        each = [[100 * float(np.mean([run[m][s] for run in runs])) for m in METHODS] for s in ("auroc", "auprc")]
        lines.append(row(table, protocol, each))
        if "exchanged" not in table and table not in BUNDLED:
            means.setdefault(protocol, []).append([*each[0], *each[1]])
    for protocol, values in means.items():
        average = np.mean(values, axis=0).tolist()
        lines.append(row("**mean**", protocol, [average[: len(METHODS)], average[len(METHODS) :]]))
    ours = [found["resynth"] for found in known.values()]
    lines += ["", f"resynth scored {min(o['rows_per_second'] for o in ours):,.0f} to "]
    lines[-1] += f"{max(o['rows_per_second'] for o in ours):,.0f} rows a second."
    return "\n".join(lines) + "\n"


def row(table: str, protocol: str, each: list[list[float]]) -> str:
    """A row of the page."""
    cells = [f"{a:.1f} / {b:.1f}" for a, b in zip(*each, strict=True)]
    return f"| {table} | {protocol} | " + " | ".join(cells) + " |"


def machine() -> str:
    """A description of the machine."""
    return f"{os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}, no GPU"


if __name__ == "__main__":
    main()
