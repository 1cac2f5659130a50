"""Small tables, models and outcomes for tests of the operations."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import columns
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

FEW = "[evaluation]\ndetection_rows = 100\ndistance_rows = 100\npermutations = 20\n"
"""As little as can be compared."""
TINY = "[training]\nepochs = 1\nbatch = 256\n[model]\nwidth = 16\nhidden = 16\ncomponents = 4\n" + FEW
"""Settings with which a training takes a second."""
LENIENT = "[gate]\nactive_units = 0\n[gate.limits]\nshape_error = 1.0\n[gate.margins]\nshape_error = 1.0\n"
"""A gate that any model passes."""


def table(rows: int = 200, seed: int = 0) -> pa.Table:
    """A number that follows a category, nulls, and a date."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, rows)
    values = group * 10.0 + rng.normal(size=rows)
    return pa.table(
        {
            "value": pa.array(np.round(values, 3), mask=rng.random(rows) < 0.1),
            "group": pa.array(np.array(["north", "south", "west"])[group]).dictionary_encode(),
            "count": pa.array(rng.poisson(4, rows), pa.int32()),
            "day": pa.array(rng.integers(18_000, 19_000, rows), pa.int32()).cast(pa.date32()),
        }
    ).replace_schema_metadata({"origin": "test"})


def write(directory: Path, name: str = "data", rows: int = 200, seed: int = 0) -> Path:
    """The table as a Parquet file."""
    path = directory / f"{name}.parquet"
    pq.write_table(table(rows, seed), path)
    return path


@cache
def synthesizer(rows: int = 200, seed: int = 0) -> Synthesizer:
    """A barely trained synthesizer of the table, for tests that leave it as it is."""
    real = table(rows, seed)
    return Synthesizer.fit(
        real.slice(20),
        real.slice(0, 20),
        columns.infer(real),
        model=ModelSettings(width=16, hidden=16, components=4),
        training=TrainingSettings(epochs=1, batch=64),
        seed=seed,
    )


def workspaces(home: Path) -> list[Path]:
    """The directories of real rows that lie in a home: none when no run goes on."""
    return [path for path in (home / ".resynth").glob("*") if path.is_dir() and path.name != "replays"]


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The last line of standard output, as JSON."""
        return json.loads(self.out.splitlines()[-1])
