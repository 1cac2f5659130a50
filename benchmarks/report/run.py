"""Bytes and seconds of reports of narrow and wide tables, and the time in which a browser opens them.

    .venv/bin/python benchmarks/report/run.py [--columns 15 100 1000] [--rows 5000]

The tables are made up: half of the columns are numbers, half are labels, and each depends on the one before it. Shape
and Trend are computed as an evaluation computes them; areas whose cost is that of classifiers and attacks are left out,
because they add lines and no pictures. A page is opened in a headless Chromium, if there is one, until its last element
is laid out. Results go to `benchmarks/results/report.md`.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline import columns
from pipeline.decisions import quality
from pipeline.evaluation import ColumnError, Evaluation, PairError, evaluate
from pipeline.page import Subject, page_of, render
from pipeline.settings import GateSettings

RESULTS = Path(__file__).parents[1] / "results" / "report.md"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REPEATS = 3
WIDE = 200
"""More columns have made-up errors: computing them takes minutes, and says nothing of the report."""


class Measured(NamedTuple):
    """What a report of so many columns takes. `opened` is None without a browser."""

    columns: int
    size: int
    gathered: float
    rendered: float
    opened: float | None


def main() -> int:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, nargs="+", default=[15, 100, 1000])
    parser.add_argument("--rows", type=int, default=5000)
    given = parser.parse_args()
    measure(5, 200)  # what is imported and compiled once
    found = [measure(count, given.rows) for count in given.columns]
    lines = [
        "# Reports of narrow and wide tables",
        "",
        f"`.venv/bin/python benchmarks/report/run.py --rows {given.rows}`: {given.rows:,} rows of either side.",
        "*Opens* is the time of a headless Chromium from its start to a picture of the page, less that of an empty",
        "page (medians of three).",
        "",
        "| columns | kB | numbers, s | HTML, s | opens, s |",
        "|--:|--:|--:|--:|--:|",
        *(
            f"| {each.columns:,} | {each.size / 1000:,.0f} | {each.gathered:.2f} | {each.rendered:.2f} | "
            f"{'–' if each.opened is None else f'{each.opened:.2f}'} |"
            for each in found
        ),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    return 0


def measure(count: int, rows: int) -> Measured:
    """Make and open a report of a table of so many columns."""
    real, synthetic, train = (table(count, rows, seed) for seed in range(3))
    schema = columns.infer(train)
    found = compared(real, synthetic, train)
    gate = GateSettings()
    subject = Subject(
        title=f"{count} columns",
        real=real,
        synthetic=synthetic,
        schema=schema,
        evaluation=found,
        gate=gate,
        verdict=quality.judged(found, gate),
    )
    began = time.perf_counter()
    page = page_of(subject)
    gathered = time.perf_counter() - began
    html = render(page)
    rendered = time.perf_counter() - began - gathered
    return Measured(count, len(html.encode()), gathered, rendered, opened(html))


def table(count: int, rows: int, seed: int) -> pa.Table:
    """Numbers and labels in turn."""
    rng = np.random.default_rng(seed)
    found: dict[str, object] = {}
    last = rng.normal(size=rows)
    for i in range(count):
        last = 0.6 * last + 0.8 * rng.normal(size=rows)
        numbers = pa.array(np.exp(last) if i % 4 else last, mask=rng.random(rows) < 0.02)
        found[f"measurement {i}"] = (
            numbers if i % 2 else np.array(list("abcdefghij"))[np.digitize(last, np.arange(-2, 2.1, 0.5))]
        )
    return pa.table(found)


def compared(real: pa.Table, synthetic: pa.Table, train: pa.Table) -> Evaluation:
    """The evaluation of a narrow table, or something of its form for a wide one."""
    if len(real.column_names) <= WIDE:
        return evaluate(synthetic, holdout=real, train=train, areas=["marginals", "pairs", "distribution"])
    names = real.column_names
    errors = tuple(ColumnError(name=name, error=0.02, ceiling=0.01) for name in names)
    pairs = tuple(PairError(first=names[i], second=names[i + 1], error=0.1, ceiling=0.05) for i in range(20))
    details = {"columns": errors, "pairs": pairs}
    return Evaluation(rows=real.num_rows, holdout_rows=real.num_rows, scores=(), details=details)


def opened(html: str) -> float | None:
    """Seconds in which a browser opens a page, beyond those of an empty page."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "page.html").write_text(html, "utf-8")
        (Path(place) / "empty.html").write_text("<!DOCTYPE html><title>empty</title>", "utf-8")
        took = {name: sorted(_open(browser, place, name) for _ in range(REPEATS)) for name in ("empty", "page")}
    return max(0.0, took["page"][REPEATS // 2] - took["empty"][REPEATS // 2])


def _open(browser: str, place: str, name: str) -> float:
    command = [
        *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
        *("--disable-background-networking", f"--user-data-dir={place}/profile", "--window-size=1280,1000"),
        *(f"--screenshot={place}/{name}.png", f"file://{place}/{name}.html"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
