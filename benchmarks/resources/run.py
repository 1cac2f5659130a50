"""Time and memory of preparing, training and generating, each in a fresh process on one core.

    .venv/bin/python benchmarks/resources/run.py [--tasks prepare,category,wide,sample,cardinality]

Prints a page and writes `benchmarks/results/resources.{md,json}`. Tasks that are not asked for keep their last numbers.
It takes about 5 minutes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE.parent / "results"
CARDINALITIES = ("cardinality 10", "cardinality 100", "cardinality 1000", "cardinality 10000")
TASKS = ("prepare", "category", "wide", "sample", "cardinality")
ONE_CORE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
Numbers = dict[str, float]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS), help="which of %(default)s")
    file = RESULTS / "resources.json"
    results: dict[str, Numbers] = json.loads(file.read_text()) if file.exists() else {}
    for task in parser.parse_args().tasks.split(","):
        for name in CARDINALITIES if task == "cardinality" else (task,):
            results[name] = measured(name)
            file.write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "resources.md").write_text(page(results))
    print((RESULTS / "resources.md").read_text())


def measured(name: str) -> Numbers:
    """The numbers of a task in a process of its own."""
    print(f"{name} …", file=sys.stderr, flush=True)
    own = os.environ | ONE_CORE | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "task.py"), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=own)
    numbers: Numbers = json.loads(done.stdout)
    return numbers


def page(results: dict[str, Numbers]) -> str:
    """The results as Markdown."""
    lines = ["# Time and memory", ""]
    lines += [f"One core of {os.cpu_count()}, {platform.machine()}, Python {platform.python_version()}, no GPU."]
    lines += ["Memory: peak resident set above what a process holds with everything imported and the input table read."]
    lines += ["CPU seconds are the process's own work; other work on the machine lengthens only the others.", ""]
    lines += ["| what | goal | measured |", "|---|---|---|"]
    for name, (what, goal, form) in ROWS.items():
        if name in results:
            lines.append(f"| {what} | {goal} | {form.format(**results[name])} |")
    flat = [(name.split()[1], results[name]) for name in CARDINALITIES if name in results]
    if flat:
        peaks = ", ".join(f"{int(labels):,}: {numbers['peak_mb']:.0f} MB" for labels, numbers in flat)
        lines.append(f"| 20,000 rows, fit and sample, by labels of the one category | flat | {peaks} |")
    return "\n".join(lines) + "\n"


FIT = "{seconds:.1f} s ({cpu_seconds:.1f} s CPU), {steps} steps, {step:.3f} s CPU a step, {peak_mb:.0f} MB"
RATES = (
    "{rows:,.0f} rows/s in memory, {written:,.0f} to Parquet; {cpu_rows:,.0f} and {cpu_written:,.0f} a CPU second; "
    "{peak_mb:.0f} MB"
)
ROWS = {
    "prepare": (
        "prepare 50,000 × 15 rows (Adult)",
        "≤ 1 s, ≤ 200 MB",
        "{seconds:.2f} s ({cpu_seconds:.2f} s CPU), {peak_mb:.0f} MB",
    ),
    "category": ("fit and sample 20,000 rows with a 4,000-value category, limit 20 s", "≤ 300 MB", FIT),
    "wide": ("fit and sample 10,000 rows × 1,000 columns, limit 60 s", "trains", FIT),
    "sample": ("generate 200,000 rows of Adult, default network", "≥ 200,000 rows/s to Parquet", RATES),
}
"""For each task, its description, the goal, and the format of its numbers."""


if __name__ == "__main__":
    main()
