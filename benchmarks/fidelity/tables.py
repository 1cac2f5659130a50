"""The four published tables and their protocol (TabSyn, arXiv 2310.09656; TabDiff, arXiv 2410.20626).

Splits, targets, and the integer columns that count as categories are the protocol's; they are facts about the
published numbers, and none of them is told to resynth, which sees a plain Parquet file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True)
class Benchmark:
    """One published table: where it lies, what is predicted, and what counts as a category."""

    name: str
    target: str
    categories: tuple[str, ...] = ()
    regression: bool = False


BENCHMARKS = {
    "adult": Benchmark("adult", "income"),
    "default": Benchmark(
        "default",
        "default payment next month",
        (
            *("SEX", "EDUCATION", "MARRIAGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"),
            "default payment next month",
        ),
    ),
    "magic": Benchmark("magic", "class"),
    "beijing": Benchmark("beijing", "pm2.5", ("year", "month", "day", "hour"), regression=True),
}


def split(name: str) -> tuple[pa.Table, pa.Table]:
    """Training and test rows of a published table."""
    if name == "adult":
        return pq.read_table(DATA / "adult_train.parquet"), pq.read_table(DATA / "adult_test.parquet")
    if name == "beijing":
        table = pq.read_table(DATA / "beijing_pm25.parquet").drop_columns(["No", "datetime"])
        table = table.filter(table["pm2.5"].is_valid())
    else:
        table = pq.read_table(DATA / f"{name}.parquet")
    order = np.arange(table.num_rows)
    np.random.RandomState(1234).shuffle(order)  # the published split
    cut = int(table.num_rows * 0.9)
    return table.take(order[:cut]), table.take(order[cut:])
