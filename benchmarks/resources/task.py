"""One measurement of time and memory, in this process alone.

    python task.py prepare

Prints one JSON object. Memory is the peak resident set above what the process holds after all imports and with the
input table. The kernel's high-water mark is reset first (Linux).
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import columns
from pipeline.data import exports
from pipeline.data.exports import Source
from pipeline.progress import Tick
from pipeline.settings import TrainingSettings
from pipeline.synthesizer import Synthesizer

DATA = Path(__file__).parents[2] / "data"
Numbers = dict[str, float]
CATEGORIES = 4_000
FIT_SECONDS = 20.0
SAMPLED = 200_000


class Clock:
    """Seconds since it was made: wall seconds, and CPU seconds of this process, which other work does not lengthen."""

    def __init__(self) -> None:
        self.wall, self.own = time.monotonic(), time.process_time()

    def read(self) -> Numbers:
        """Wall and CPU seconds."""
        return {"seconds": time.monotonic() - self.wall, "cpu_seconds": time.process_time() - self.own}


class Memory:
    """Peak resident set above that at the start, in MB."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark to the current memory
        self.base = _status("VmRSS")

    def peak(self) -> float:
        """The peak in megabytes."""
        return (_status("VmHWM") - self.base) / 1024


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(key))


def prepare() -> Numbers:
    """Infer kinds, fit normalization and normalize 50,000 rows of Adult's 15 columns."""
    table = adult(50_000)
    memory, began = Memory(), Clock()
    schema = columns.infer(table)
    codecs = columns.fit(table, schema)
    held = [codecs[name].encode(table.column(name)).values for name in table.column_names]
    return began.read() | {"peak_mb": memory.peak(), "variables": sum(map(len, held))}


def category() -> Numbers:
    """Fit a table of 20,000 rows with one 4,000-value category beside a number."""
    return fitted(coded(20_000, CATEGORIES), FIT_SECONDS)


def wide() -> Numbers:
    """Fit 10,000 rows of 1,000 columns: half numbers, half categories of ten."""
    random = np.random.default_rng(0)
    cause = random.normal(size=(10_000, 8))
    numbers = cause @ random.normal(size=(8, 500)) + random.normal(size=(10_000, 500))
    classes = np.clip(np.round(cause @ random.normal(size=(8, 500)) + 5), 0, 9).astype(np.int64)
    names = np.array([f"c{k}" for k in range(10)])
    parts = {f"n{j}": numbers[:, j] for j in range(500)} | {f"k{j}": names[classes[:, j]] for j in range(500)}
    return fitted(pa.table(parts), 3 * FIT_SECONDS)


def cardinality(labels: int) -> Callable[[], Numbers]:
    """Fit 20,000 rows with one category of `labels` labels."""
    return lambda: fitted(coded(20_000, labels), FIT_SECONDS / 2)


def sample() -> Numbers:
    """Rows per second of Adult's default network, in memory and to Parquet, after a short training."""
    table = adult(32_561)
    model = Synthesizer.fit(table, table.slice(0, 0), columns.infer(table), training=TrainingSettings(epochs=1))
    model.sample(8192, seed=0)
    memory, began = Memory(), Clock()
    for _ in model.batches(SAMPLED, seed=1):
        pass
    generated = began.read()
    with tempfile.TemporaryDirectory() as directory:
        began = Clock()
        batches = model.batches(SAMPLED, seed=1)
        target = Path(directory) / "rows"
        exports.publish(batches, target, schema=table.schema, rows=SAMPLED, source=SOURCE, seed=1)
        written = began.read()
    rates = {"rows": SAMPLED / generated["seconds"], "written": SAMPLED / written["seconds"]}
    own = {"cpu_rows": SAMPLED / generated["cpu_seconds"], "cpu_written": SAMPLED / written["cpu_seconds"]}
    return rates | own | {"peak_mb": memory.peak()}


def fitted(table: pa.Table, seconds: float) -> Numbers:
    """Fit `table` within a time limit. Returns seconds of the whole fit, CPU seconds per step (≤ 512 rows), memory."""
    held = np.arange(table.num_rows) % 20 == 0
    parts = table.filter(pa.array(~held)), table.filter(pa.array(held))
    ticks: list[float] = []

    def tick(at: Tick) -> None:
        if at.phase == "train":
            ticks.append(time.process_time())

    memory, began = Memory(), Clock()
    model = Synthesizer.fit(*parts, columns.infer(table), training=TrainingSettings(time_limit=seconds), progress=tick)
    whole = began.read()
    model.sample(table.num_rows, seed=0)
    return whole | {"steps": len(ticks), "step": float(np.median(np.diff(ticks))), "peak_mb": memory.peak()}


def adult(rows: int) -> pa.Table:
    """`rows` rows of Adult, repeated if there are not enough."""
    table = pa.concat_tables([pq.read_table(DATA / f"adult_{part}.parquet") for part in ("train", "test")])
    return table.take(pa.array(np.random.default_rng(0).permutation(max(rows, table.num_rows))[:rows] % table.num_rows))


def coded(rows: int, labels: int) -> pa.Table:
    """A category of `labels` labels, all of which occur, and a number that depends on it."""
    random = np.random.default_rng(0)
    code = np.concatenate([np.arange(labels), random.integers(0, labels, rows - labels)])
    return pa.table({"code": [f"code {c:05d}" for c in code], "value": code % 17 + random.normal(size=rows)})


SOURCE = Source(name="benchmark", version="0", data_digest="", code_version="")
TASKS: dict[str, Callable[[], Numbers]] = {
    "prepare": prepare,
    "category": category,
    "wide": wide,
    "sample": sample,
    **{f"cardinality {labels}": cardinality(labels) for labels in (10, 100, 1_000, 10_000)},
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]]()))
