"""The published fidelity protocol on four tables: resynth's row beside the published ones.

    .venv/bin/python benchmarks/fidelity/run.py [--tables adult,default,magic,beijing] [--seeds 3] [--seconds 20]

Trains with the default configuration, scores with sdmetrics 0.24 and XGBoost in an environment of its own
(`benchmarks/.venv-scores`, created on first use), attacks, examines the latent space, prints tables and writes
`benchmarks/results/fidelity.{md,json}`. With `--seconds` only the time limit of the whole fit differs, and the results
go into a section of their own. It takes about 6 minutes per table and seed on 2 cores, or 3 with `--seconds 20`. It
resumes if interrupted.
"""

import argparse
import json
import sys

from measuring import RESULTS, Scores, cell, environment, listing, machine, measure

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
"""Shape and Trend of a bootstrap of the real training rows. For Trend, each column's min and max are kept."""
SHORT = (
    *("shape", "trend", "trend_real_bins", "c2st", "c2st_holdout", "c2st_ceiling", "mle", "mle_real"),
    *("nearer_to_train", "nearest_auc", "density_auc", "kl", "train_seconds", "cpu_seconds", "peak_mb"),
)

Runs = dict[str, list[Scores]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="which of %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per table (%(default)s)")
    parser.add_argument("--seconds", type=float, help="time limit of the whole fit (the default configuration's)")
    given = parser.parse_args()
    scorer = environment()
    results: Runs = {name: [] for name in given.tables.split(",")}
    for seed in range(given.seeds):  # seeds are the outer loop, so that an interrupted run has all tables equally often
        for name, runs in results.items():
            runs.append(measure(name, seed, scorer, given.seconds))
            print(name, seed, json.dumps(runs[-1]), file=sys.stderr, flush=True)
            write({name: runs for name, runs in results.items() if runs}, given.seconds)
    print((RESULTS / "fidelity.md").read_text())


def write(results: Runs, seconds: float | None) -> None:
    """Keep the results so far, beside earlier results with another time limit."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "fidelity.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept["machine"] = machine()
    if seconds is None:
        kept["runs"] = results
    else:
        kept.setdefault("limited", {})[f"{seconds:g}"] = results
    path.write_text(json.dumps(kept, indent=1) + "\n")
    (RESULTS / "fidelity.md").write_text(page(kept.get("runs", {}), kept.get("limited", {})))


def page(results: Runs, limited: dict[str, Runs]) -> str:
    """The results as Markdown."""
    lines = ["# Fidelity: the published protocol", "", f"{machine()}. {explained(results)}", ""]
    if results:
        lines += [*listing(titled(results)), "", *published(results, "**resynth**", PUBLISHED)]
    for seconds, runs in limited.items():
        lines += ["", f"## A fit in {seconds} s", "", explained(runs), "", *listing(titled(runs), SHORT), ""]
        lines += published(runs, f"**resynth, {seconds} s**", {"TVAE": PUBLISHED["TVAE"]})
    return "\n".join(lines) + "\n"


def titled(results: Runs) -> Runs:
    """The results under the names of the tables."""
    return {name.capitalize(): runs for name, runs in results.items()}


def explained(results: Runs) -> str:
    """How to read a table."""
    seeds = max(map(len, results.values()), default=0)
    spread = "mean ± standard deviation" if seeds > 1 else "attacks with 95 % intervals"
    return f"Trainings a table: {seeds}; {spread}. Beijing's MLE is an RMSE: less is better."


def published(results: Runs, label: str, methods: dict[str, tuple[tuple[float, ...], ...]]) -> list[str]:
    """Our row beside published ones."""
    lines = ["Beside published rows (order: " + " / ".join(map(str.capitalize, TABLES)) + "):", ""]
    lines += ["| | Shape err % | Trend err % | XGB-C2ST | MLE |", "|---|---|---|---|---|"]
    ours = [
        " / ".join(cell(results[name], key, digits, spread=False) if name in results else "–" for name in TABLES)
        for key, digits in (("shape", 2), ("trend", 2), ("c2st", 2), ("mle", 3))
    ]
    lines.append(f"| {label} | " + " | ".join(ours) + " |")
    for method, rows in methods.items():
        lines.append(f"| {method} | " + " | ".join(" / ".join(map(str, row)) for row in rows) + " |")
    floor = " | ".join(" / ".join(map(str, row)) for row in FLOOR)
    return [*lines, f"| bootstrap of real rows | {floor} | – | – |"]


if __name__ == "__main__":
    main()
