"""The published fidelity protocol on four tables: our row beside the published ones.

    .venv/bin/python benchmarks/fidelity/run.py [--tables adult,default,magic,beijing] [--seeds 3]

Trains with the default configuration, scores with sdmetrics 0.24 and XGBoost in an environment of its own
(`benchmarks/.venv-scores`, made on first use), prints a table and writes `benchmarks/results/fidelity.{md,json}`.
About 6 minutes per table and seed on 2 cores.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent
ENVIRONMENT = BENCHMARKS / ".venv-scores"
WORK = BENCHMARKS / "work"
RESULTS = BENCHMARKS / "results"
TABLES = ("adult", "default", "magic", "beijing")

# Shape error %, Trend error %, XGB-C2ST, MLE: independent re-runs, five trainings each (arXiv 2603.23016)
PUBLISHED = {
    "TVAE": ((23.8, 8.7, 4.6, 27.8), (33.4, 18.7, 4.7, 29.8), (0, 0.00, 0.30, 0), (0.871, 0.747, 0.918, 1.04)),
    "TabSyn": (
        (0.79, 1.32, 0.98, 2.61),
        (2.05, 2.88, 0.82, 4.50),
        (0.79, 0.40, 0.76, 0.53),
        (0.910, 0.759, 0.937, 0.626),
    ),
    "TabDiff": (
        (0.68, 1.16, 0.80, 1.05),
        (1.54, 2.74, 0.84, 2.59),
        (0.84, 0.59, 0.77, 0.77),
        (0.913, 0.763, 0.936, 0.564),
    ),
    "SM": ((0.76, 0.93, 1.60, 1.89), (1.86, 2.29, 2.11, 3.54), (0.77, 0.11, 0.63, 0.73), (0.902, 0.732, 0.928, 0.558)),
    "TabPC": (
        (0.58, 0.54, 0.98, 0.57),
        (1.44, 5.04, 1.70, 2.19),
        (0.86, 0.26, 0.86, 0.57),
        (0.916, 0.744, 0.932, 0.656),
    ),
}
FLOOR = ((0.33, 0.42, 0.58, 0.44), (0.84, 0.65, 0.43, 1.21))
"""Shape and Trend of a bootstrap of the real training rows, each column's min and max kept for Trend."""

SCORES = {
    "shape": ("Shape err %", 2),
    "trend": ("Trend err %", 2),
    "trend_real_bins": ("Trend, real bins", 2),
    "c2st": ("XGB-C2ST", 3),
    "c2st_holdout": ("… hold-out", 3),
    "c2st_ceiling": ("its ceiling", 3),
    "mle": ("MLE", 4),
    "mle_real": ("MLE, real", 4),
    "nearer_to_train": ("nearer to train %", 1),
    "kl": ("KL nats", 1),
    "active_units": ("active units", 0),
    "probe_auc": ("probe AUC", 3),
    "train_seconds": ("train s", 0),
    "peak_mb": ("peak MB", 0),
    "rows_per_second": ("rows/s", 0),
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="which of %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per table (%(default)s)")
    given = parser.parse_args()
    scorer = environment()
    results: dict[str, list[dict[str, float]]] = {name: [] for name in given.tables.split(",")}
    for seed in range(given.seeds):  # seeds outside: an interrupted run has every table as often
        for name, runs in results.items():
            runs.append(measure(name, seed, scorer))
            print(name, seed, json.dumps(runs[-1]), file=sys.stderr, flush=True)
            write({name: runs for name, runs in results.items() if runs})
    print((RESULTS / "fidelity.md").read_text())


def write(results: dict[str, list[dict[str, float]]]) -> None:
    """Keep what has been measured so far."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fidelity.json").write_text(json.dumps({"machine": machine(), "runs": results}, indent=1) + "\n")
    (RESULTS / "fidelity.md").write_text(page(results))


def environment() -> str:
    """The Python of the scoring environment, which is made if it is not there."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "installed"
    if not done.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"]
        subprocess.run(command, check=True)
        done.touch()
    return str(python)


def measure(name: str, seed: int, scorer: str) -> dict[str, float]:
    """Train once and score the rows."""
    directory = WORK / f"{name}-{seed}"
    trained = output([sys.executable, HERE / "train.py", name, str(seed), directory])
    files = [directory / f"{file}.parquet" for file in ("train", "test", "synthetic")]
    return trained | output([scorer, HERE / "score.py", name, *files])


def output(command: list[object]) -> dict[str, float]:
    """The JSON object that a command prints."""
    root = str(BENCHMARKS.parent)
    done = subprocess.run(
        list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root}
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def page(results: dict[str, list[dict[str, float]]]) -> str:
    """The results as Markdown."""
    seeds = max(map(len, results.values()))
    lines = ["# Fidelity: the published protocol", ""]
    lines += [
        f"{machine()}; {seeds} trainings a table; mean ± standard deviation. Beijing's MLE is an RMSE: less is better.",
        "",
    ]
    lines += ["| | " + " | ".join(name.capitalize() for name in results) + " |", "|---|" + "---|" * len(results)]
    for key, (label, digits) in SCORES.items():
        lines.append(f"| {label} | " + " | ".join(cell(runs, key, digits) for runs in results.values()) + " |")
    lines += ["", "## Beside published rows (order: " + " / ".join(map(str.capitalize, TABLES)) + ")", ""]
    lines += ["| | Shape err % | Trend err % | XGB-C2ST | MLE |", "|---|---|---|---|---|"]
    ours = [
        " / ".join(cell(results[name], key, digits, spread=False) if name in results else "–" for name in TABLES)
        for key, digits in (("shape", 2), ("trend", 2), ("c2st", 2), ("mle", 3))
    ]
    lines.append("| **resynth** | " + " | ".join(ours) + " |")
    for method, rows in PUBLISHED.items():
        lines.append(f"| {method} | " + " | ".join(" / ".join(map(str, row)) for row in rows) + " |")
    lines.append("| bootstrap of real rows | " + " | ".join(" / ".join(map(str, row)) for row in FLOOR) + " | – | – |")
    return "\n".join(lines) + "\n"


def cell(runs: list[dict[str, float]], key: str, digits: int, *, spread: bool = True) -> str:
    """Mean and spread of one score."""
    values = [run[key] for run in runs]
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if spread and len(values) > 1 else mean


def machine() -> str:
    """What was measured on."""
    return f"{os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}, no GPU"


if __name__ == "__main__":
    main()
