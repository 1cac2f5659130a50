"""Rows that break what holds in all real rows, and the time that it takes to find relations.

    .venv/bin/python benchmarks/relations/run.py [--rows 5000] [--generated 100000] [--seconds 60] [--seed 100]

Makes tables whose columns depend on each other exactly (`related.py`, `harder.py`), trains with the default
configuration, with and without relations, and counts the generated rows that break a rule, by plain arithmetic. Then it
times the search on 30 and on 200 columns of 50,000 rows. Prints a page and writes
`benchmarks/results/relations.{md,json}`. It takes about 12 minutes on 2 cores.
"""

import argparse
import json
import time
from pathlib import Path

import harder
import numpy as np
import pyarrow as pa
import related

from pipeline import RelationSettings, Synthesizer, TrainingSettings, columns
from pipeline.relations.search import find

RESULTS = Path(__file__).parents[1] / "results"
PLAIN = ("orders", "stays", "ranges", "places")
WIDTHS = (30, 200)
SEARCHED = 50_000

Shares = dict[str, dict[str, float]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--generated", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=100)
    given = parser.parse_args()
    broken = {name: compared(name, given) for name in (*PLAIN, *harder.TABLES)}
    seconds = {str(width): searched(width, given.seed) for width in WIDTHS}
    (RESULTS / "relations.json").write_text(json.dumps({"broken": broken, "seconds": seconds}, indent=1) + "\n")
    (RESULTS / "relations.md").write_text(page(given, broken, seconds))
    print((RESULTS / "relations.md").read_text())


def compared(name: str, given: argparse.Namespace) -> Shares:
    """Shares of the rows that break each rule, with and without relations, and the CPU seconds of both fits."""
    maker = getattr(related, name) if name in PLAIN else harder.TABLES[name]
    table = maker(given.rows, given.seed)
    found: Shares = {"cpu_seconds": {}}
    for label, settings in (("with", RelationSettings()), ("without", RelationSettings(find=False))):
        began = time.process_time()
        training = TrainingSettings(time_limit=given.seconds)
        synthesizer = Synthesizer.fit(table, training=training, relations=settings, seed=given.seed)
        found["cpu_seconds"][label] = time.process_time() - began
        made = synthesizer.table(given.generated, seed=1)
        rules = related.broken(made, table) if name in PLAIN else harder.broken(name, made, table)
        for rule, share in rules.items():
            found.setdefault(rule, {})[label] = share
    return found


def searched(width: int, seed: int) -> float:
    """Seconds to find the relations of a table of so many columns, nine of which depend on each other."""
    table = related.unrelated(SEARCHED, seed, width - 9)
    made = related.orders(SEARCHED, seed)
    for name in made.column_names:
        table = table.append_column(f"order {name}", made[name])
    schema = columns.infer(table)
    rows: pa.Table = table.select(schema.names)
    began = time.perf_counter()
    find(rows, schema)
    return time.perf_counter() - began


def page(given: argparse.Namespace, broken: dict[str, Shares], seconds: dict[str, float]) -> str:
    """The results as Markdown."""
    lines = [
        "# Relations",
        "",
        f"{given.rows:,} rows a table, fits of at most {given.seconds:g} s, {given.generated:,} generated rows.",
        "",
        "| table | rule | broken with relations | without |",
        "|---|---|---|---|",
    ]
    for name, rules in broken.items():
        for rule, shares in rules.items():
            if rule != "cpu_seconds":
                lines.append(f"| {name} | {rule} | {shares['with']:.3%} | {shares['without']:.3%} |")
    ratio = np.mean([rules["cpu_seconds"]["with"] / rules["cpu_seconds"]["without"] for rules in broken.values()])
    lines += ["", f"A fit with relations takes {ratio:.2f} times the CPU seconds of one without.", ""]
    lines += [f"Search among {width} columns of {SEARCHED:,} rows: {took:.2f} s." for width, took in seconds.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
