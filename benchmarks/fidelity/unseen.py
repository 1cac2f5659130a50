"""Tables beyond the published four, with the default configuration and the same scores.

    .venv/bin/python benchmarks/fidelity/unseen.py [--tables bike,clinic] [--seeds 1]

The tables are real ones that are shipped or come with scikit-learn, and generated ones of known truth (`generated.py`,
`reserve.py`). The generated ones have a hold-out of any size, and rows that break their rules can be counted. Writes
`benchmarks/results/unseen.{md,json}`, with the columns, pairs and gains that give synthetic rows away. One training of
all tables takes about 45 minutes on 2 cores. It resumes if interrupted, and tables that are not asked for keep their
last numbers.

A table is a test only as long as no choice is made by looking at it. `tables.LOOKED_AT` were scored while the
configuration was being settled, and `tables.RESERVE` are for the end. The page says so.
"""

import argparse
import json
import subprocess
import sys

from measuring import HERE, RESULTS, Scores, environment, listing, machine, measure, workplace
from tables import LOOKED_AT, RESERVE, split

Runs = dict[str, list[Scores]]
GROUPS = (
    ("Reserve: measured once the configuration was settled", RESERVE),
    ("Looked at while the configuration was being settled", LOOKED_AT),
)
READING = (
    "MLE is an AUC (of more than two classes: mean of one against the rest); where the target is a number, "
    + ", ".join(name for name, table in (LOOKED_AT | RESERVE).items() if table.task == "number")
    + ", it is an RMSE in standard deviations: less is better. Scores and attacks against few hold-out rows are noisy."
)
TELLING = (
    "Errors in % beside those of a bootstrap of the training rows; shares of XGBoost's gain in telling synthetic from "
    "held-out rows; AUC of XGBoost on two columns alone, beside that of training rows."
)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join([*LOOKED_AT, *RESERVE]), help="which of %(default)s")
    parser.add_argument("--seeds", type=int, default=1, help="trainings per table (%(default)s)")
    given = parser.parse_args()
    scorer = environment()
    file = RESULTS / "unseen.json"
    kept = json.loads(file.read_text()) if file.exists() else {"runs": {}, "weak": {}}
    names = given.tables.split(",")
    fresh: Runs = {name: [] for name in names}
    for seed in range(given.seeds):
        for name, runs in fresh.items():
            runs.append(measure(name, seed, scorer))
            print(name, seed, json.dumps(runs[-1]), file=sys.stderr, flush=True)
            kept["machine"] = machine()
            kept["runs"][name] = runs
            if seed == 0:
                kept["weak"][name] = tells(name, scorer)
            file.write_text(json.dumps(kept, indent=1) + "\n")
            (RESULTS / "unseen.md").write_text(page(kept["runs"], kept["weak"]))
    print((RESULTS / "unseen.md").read_text())


def tells(name: str, scorer: str) -> str:
    """What gives the rows of the first training away."""
    command = [scorer, HERE / "tells.py", name, workplace(name, 0)]
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout


def page(results: Runs, weak: dict[str, str]) -> str:
    """The results as Markdown."""
    lines = ["# Tables beyond the published ones", ""]
    lines += [f"{machine()}; trainings a table: {max(map(len, results.values()))}. " + READING, ""]
    for title, group in GROUPS:
        own = {name: runs for name, runs in results.items() if name in group and runs}
        if own:
            lines += [f"## {title}", "", *listing(own), ""]
    lines += ["## Sizes", "", "| table | training × test rows × columns |", "|---|---|"]
    for name in results:
        train, test = split(name)
        lines.append(f"| {name} | {train.num_rows:,} × {test.num_rows:,} × {train.num_columns} |")
    lines += ["", "## What gives synthetic rows away", ""]
    lines += [TELLING, ""]
    return "\n".join([*lines, *weak.values()])


if __name__ == "__main__":
    main()
