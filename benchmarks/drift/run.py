"""Drift: false alarms without drift, power against known shifts beside two peers, and speed.

    python benchmarks/drift/run.py [--stages alarms,checks,power,speed]

Prints a page and writes `benchmarks/results/drift.{md,json}`. Evidently runs in an environment of its own
(`benchmarks/.venv-evidently`, created on first use). It takes about 20 minutes on one core, and another hour and a half
for the checks.

*False alarms.* Four real tables are treated as endless populations: a reference of 30,000 independent draws (19,020 for
Magic), and batches of 500, 5,000 and 50,000 further draws. 20 references with 50 batches each make 1,000 batches per
size. *Checks.* The same with a champion, as in a run: rows have a day, batches are from the week after the champion's
year, and the model and the classifier are used. *Power.* The reference is 10,000 rows of Adult's training split.
Batches are rows of its test split with one column changed. There are 12 batches per shift and size, and all tools get
the same ones.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shifts import DATA, NOTHING, SHIFTS, bonferroni, drawn, population

from pipeline import loop
from pipeline.columns import infer
from pipeline.data.tables import split
from pipeline.decisions.drift import DriftReport, compare
from pipeline.profiles.reference import Reference
from pipeline.settings import DriftSettings, LoopSettings, ModelSettings, TrainingSettings

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent
ENVIRONMENT = BENCHMARKS / ".venv-evidently"
RESULTS = BENCHMARKS / "results"

POPULATIONS = ("adult", "default", "magic", "beijing_pm25")
REFERENCES = 5  # per table
BATCHES = 50  # per reference and size
SIZES = (500, 5_000, 50_000)
REFERENCE_ROWS = 30_000
CHECKED = LoopSettings(model=ModelSettings(width=128, hidden=64, components=128), training=TrainingSettings(epochs=12))
"""Settings of a champion that trains in seconds."""
REPEATS = 12
POWER_ROWS = 10_000
POWER_SIZES = (500, 5_000)

Counted = dict[str, dict[str, object]]
Known = TypeVar("Known")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", default="alarms,checks,power,speed", help="which of %(default)s; others are kept")
    stages = {"alarms": alarms, "checks": checks, "power": power, "speed": speed}
    file = RESULTS / "drift.json"
    RESULTS.mkdir(exist_ok=True)
    for name in parser.parse_args().stages.split(","):
        for measured in stages[name]():  # a stage yields its results so far, so that hours of work are not lost
            results = json.loads(file.read_text()) if file.exists() else {}
            results[name] = measured
            file.write_text(json.dumps(results, indent=1) + "\n")
    text = page(results)
    (RESULTS / "drift.md").write_text(text)
    print(text)


def judged(reference: Reference, batch: pa.Table) -> DriftReport:
    """The drift report with default settings."""
    return compare(reference, reference.profile_of([batch]), DriftSettings())


def alarms() -> Iterator[Counted]:
    """False alarms of the statistics alone."""
    yield from counting(lambda rows, seed: Reference.of(rows, infer(rows), seed=seed), judged)


def checks() -> Iterator[Counted]:
    """False alarms of whole checks, on later days."""

    def trained(rows: pa.Table, seed: int) -> loop.Champion:
        table = dated(rows, 0, 365, seed)
        schema, parts, settings = infer(table), split(table), CHECKED.model_copy(update={"seed": seed})
        synthesizer = loop.fit(parts, schema, settings, champion=None, taken=table)
        reference = Reference.of(table, schema, seed=seed)
        return loop.Champion(synthesizer, reference, loop.view(synthesizer, parts.holdout, CHECKED))

    yield from counting(trained, lambda champion, rows: loop.check(champion, dated(rows, 365, 7, 0), CHECKED).report)


def dated(table: pa.Table, first: int, days: int, seed: int) -> pa.Table:
    """The table with a column of days, independent of all other columns."""
    day = first + np.random.default_rng(seed).integers(0, days, table.num_rows)
    return table.append_column("day of the row", pa.array(day, pa.int32()).cast(pa.date32()))


def counting(
    remember: Callable[[pa.Table, int], Known], judge: Callable[[Known, pa.Table], DriftReport]
) -> Iterator[Counted]:
    """Count batches without drift, and false alarms among them, by size."""
    counted: Counted = {str(size): {"batches": 0, "alarms": 0, "tables": [], "texts": []} for size in SIZES}
    for number in range(REFERENCES):
        for name in POPULATIONS:
            table = population(name)
            rng = np.random.default_rng([number, *name.encode()])
            rows = drawn(table, min(REFERENCE_ROWS, table.num_rows), rng)
            known = remember(rows, number)
            for size in SIZES:
                found = counted[str(size)]
                found["tables"] = sorted({*found["tables"], name})
                for _ in range(BATCHES):
                    report = judge(known, drawn(table, size, rng))
                    found["batches"] += 1
                    found["alarms"] += report.drifted
                    found["texts"] += [f"{name}: {f.text}" for f in report.findings if f.drifted]
            print(name, number, {k: v["alarms"] for k, v in counted.items()}, file=sys.stderr, flush=True)
            yield counted


def power() -> Iterator[list[dict[str, object]]]:
    """For each shift and size, the share of batches with an alarm and with the column named, for each tool."""
    rng = np.random.default_rng(0)
    table, other = (pq.read_table(DATA / f"adult_{part}.parquet") for part in ("train", "test"))
    table = table.take(pa.array(rng.choice(table.num_rows, POWER_ROWS, replace=False)))
    reference = Reference.of(table, infer(table))
    made = []
    for size in POWER_SIZES:
        for shift in SHIFTS:
            picks = [rng.choice(other.num_rows, size, replace=False) for _ in range(REPEATS)]
            made.append((size, shift, [shift.edit(other.take(pa.array(pick)), rng) for pick in picks]))
    peers = iter(evidently(table, [batch for _, _, batches in made for batch in batches]))
    rows = []
    for size, shift, batches in made:
        peer = [next(peers) for _ in batches]
        verdicts = {
            "resynth": [named(judged(reference, batch)) for batch in batches],
            "ks": [bonferroni(table, batch) for batch in batches],
            "evidently": [set(found["columns"]) for found in peer],
        }
        row = {"shift": shift.name, "size": size, "evidently dataset": mean(found["dataset"] for found in peer)}
        for tool, flagged in verdicts.items():
            row[f"{tool} any"] = mean(bool(columns) for columns in flagged)
            row[f"{tool} named"] = mean(shift.column in columns for columns in flagged)
        row["evidently seconds"] = mean(found["seconds"] for found in peer)
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        yield rows


def named(report: DriftReport) -> set[str]:
    """The columns that a report names; of a pair, both."""
    return {part for finding in report.findings if finding.drifted for part in finding.column.split(" × ")}


def mean(values: Iterator[float]) -> float:
    """The mean of some numbers."""
    return float(np.mean(list(values)))


def evidently(reference: pa.Table, batches: list[pa.Table]) -> list[dict[str, object]]:
    """Evidently's result for each batch."""
    python, done = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    if not done.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        done.touch()
    with tempfile.TemporaryDirectory() as directory:
        pq.write_table(reference, Path(directory) / "reference.parquet")
        for number, batch in enumerate(batches):
            pq.write_table(batch, Path(directory) / f"batch-{number:03d}.parquet")
        command = [python, HERE / "peer.py", directory]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    found = json.loads(printed.splitlines()[-1])
    return [found[name] for name in sorted(found)]


def speed() -> Iterator[dict[str, float]]:
    """Wall and processor seconds for a long and a wide table. The wide table repeats four batches."""
    rng = np.random.default_rng(0)
    rows = 1_000_000
    numbers = {f"x{i}": rng.normal(size=rows) for i in range(7)} | {f"k{i}": rng.integers(0, 99, rows) for i in (0, 1)}
    table = pa.table(numbers | {f"c{i}": labels(rows, 20 * (i + 1), rng) for i in range(6)})
    measured: dict[str, float] = {}
    with clock(measured, "1M × 15, reference"):
        reference = Reference.of(table, infer(table))
    with clock(measured, "1M × 15, profile and compare"):
        judged(reference, table)
    real = pq.read_table(DATA / "default.parquet")
    with clock(measured, "30k × 24, reference"):
        Reference.of(real, infer(real))
    first = wide(50_000, rng)
    with clock(measured, "50k × 1000, reference"):
        reference = Reference.of(first, infer(first))
    batches = [wide(50_000, rng) for _ in range(4)]
    with clock(measured, "3M × 1000, profile and compare"):
        compare(reference, reference.profile_of(itertools.chain(*[batches] * 15)), DriftSettings())
    measured["reference of 1000 columns, MB"] = len(reference.model_dump_json()) / 1e6
    hundred = first.select([*[f"x{i}" for i in range(60)], *[f"c{i}" for i in range(40)]])
    measured["reference of 100 columns, MB"] = len(Reference.of(hundred, infer(hundred)).model_dump_json()) / 1e6
    measured["peak memory, GB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    yield measured


class clock:  # noqa: N801 - used like a function
    """Records wall seconds under a name, and processor seconds beside them."""

    def __init__(self, measured: dict[str, float], name: str) -> None:
        self.measured, self.name = measured, name

    def __enter__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.measured[self.name] = time.perf_counter() - self.start[0]
        self.measured[f"{self.name}, processor"] = time.process_time() - self.start[1]


def labels(rows: int, distinct: int, rng: np.random.Generator) -> pa.Array:
    """A column of labels."""
    names = pa.array([f"label {i}" for i in range(distinct)])
    return pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, distinct, rows), pa.int32()), names)


def wide(rows: int, rng: np.random.Generator) -> pa.Table:
    """800 continuous and 200 label columns."""
    numbers = rng.standard_normal((800, rows))
    columns = {f"x{i}": column for i, column in enumerate(numbers)}
    return pa.table(columns | {f"c{i}": labels(rows, 50, rng) for i in range(200)})


def page(results: dict) -> str:
    """The results as Markdown."""
    lines = [
        "# Drift",
        "",
        f"{os.cpu_count()} CPU cores shared with other work, no GPU. How: `benchmarks/drift/run.py`.",
    ]
    for stage, title in (
        ("alarms", "of the statistics alone"),
        ("checks", "of whole checks"),
    ):
        if stage not in results:
            continue
        lines += [
            "",
            f"## False alarms without drift, {title}",
            "",
            "| rows of a batch | batches | alarms | rate | tables |",
            "|---|---|---|---|---|",
        ]
        for size, found in results[stage].items():
            cells = f"{found['batches']} | {found['alarms']} | {found['alarms'] / found['batches']:.1%}"
            lines.append(f"| {int(size):,} | {cells} | {', '.join(found['tables'])} |")
    if "power" in results:
        lines += [
            "",
            "## Share of batches with an alarm (and with the changed column named)",
            "",
            "resynth's thresholds allow one false alarm in 1,000 batches, and nothing below its floors (values .05,",
            "nulls .02, correlation .1) is drift; the tests allow one false alarm in 20 and have no floor.",
            "Evidently: any column flagged by its default preset, and its verdict on the dataset (half the columns).",
            f"In the rows “{NOTHING.name}” every alarm is a false one. Reference: 10,000 rows; 12 batches a row.",
            "",
            "| shift | rows | resynth | KS/χ² with Bonferroni | Evidently, any column | Evidently, dataset |",
            "|---|---|---|---|---|---|",
        ]
        for row in results["power"]:
            cells = [
                f"{row[f'{tool} any']:.0%} ({row[f'{tool} named']:.0%})" for tool in ("resynth", "ks", "evidently")
            ]
            lines.append(f"| {row['shift']} | {row['size']:,} | {' | '.join(cells)} | {row['evidently dataset']:.0%} |")
    if "speed" in results:
        lines += ["", "## Speed and size", "", "| | |", "|---|---|"]
        lines += [
            f"| {name} | {value:.2f} {'' if name.endswith('B') else 's'} |" for name, value in results["speed"].items()
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
