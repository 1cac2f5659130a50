"""Damage to the files of a saved synthesizer, before it is loaded, proved and used to generate.

    python benchmarks/faults/models.py [--faults 1000] [--seed 0]

There are two campaigns. In the first, files are damaged as by disks and strangers, and the digests must find all of it.
In the second, the digests are updated after the damage, so that the checks behind them are tested: every state is
checked by the class that it belongs to. A model that loads must then prove itself and generate rows of its schema.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from damage import plain, seal, tamper_array, tamper_bytes, tamper_json
from tally import Tally

from pipeline import columns, saving
from pipeline.schema import ColumnSettings
from pipeline.settings import ModelSettings, TrainingSettings
from pipeline.synthesizer import Synthesizer

SCHEMA = "schema.json"
Random = np.random.Generator


def table(rows: int = 400) -> pa.Table:
    """A table with every kind of column and normal form, with nulls, zones and alphabets of two levels."""
    random = np.random.default_rng(0)
    group = random.integers(0, 3, rows)
    day = np.datetime64("2024-01-01") + random.integers(0, 300, rows).astype("timedelta64[D]")
    seen = pa.array((day + random.integers(0, 86_400, rows)).astype("datetime64[s]"))
    return pa.table(
        {
            "id": pa.array(np.arange(rows) + 1000),
            "code": [f"AB-{i:05d}" for i in random.permutation(rows)],
            "group": pa.array(np.array(["north", "south", "west"])[group]).dictionary_encode(),
            "many": [f"v{i}" for i in np.arange(rows) % 350],
            "flag": pa.array(random.random(rows) < 0.3, mask=random.random(rows) < 0.1),
            "none": pa.nulls(rows, pa.float64()),
            "small": pa.array(random.poisson(4, rows), pa.int8()),
            "price": pa.array(np.round(random.lognormal(size=rows), 2), mask=random.random(rows) < 0.1),
            "free": random.normal(size=rows),
            "scaled": random.normal(group * 3.0, 1, rows),
            "amount": pa.array(random.integers(0, 9_999, rows)).cast(pa.decimal128(22, 2)),
            "day": pa.array(day),
            "seen": seen.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Europe/Berlin")),
            "time": pa.array(random.integers(0, 86_399, rows).astype(np.int32), pa.time32("s")),
            "tags": pa.array([[f"t{g}", None] if g else None for g in group.tolist()]),
            "place": pa.array([{"city": f"c{g}", "at": [g / 7]} for g in group.tolist()]),
            "notes": pa.array(
                [[("k", f"n{i % 90}")] * (i % 3) for i in range(rows)], pa.map_(pa.string(), pa.string())
            ),
            "device": pa.array([{"mac": random.bytes(6), "since": int(i)} for i in range(rows)]),
        }
    )


def train(seed: int = 0) -> Synthesizer:
    """A barely trained synthesizer of the table."""
    real = table()
    forms = {"free": "quantile", "scaled": "zscore", "seen": "tokens"}
    settings = {name: ColumnSettings(normalization=form) for name, form in forms.items()}
    chosen = {
        "tags": "categorical",
        "place": "categorical",
        "notes": "text",
        "device": "identifier",
        "many": "categorical",
    }
    settings |= {name: ColumnSettings(kind=kind) for name, kind in chosen.items()}
    schema = columns.infer(real, settings)
    return Synthesizer.fit(
        real.slice(40),
        real.slice(0, 40),
        schema,
        model=ModelSettings(latent=4, width=16, hidden=16, components=4),
        training=TrainingSettings(epochs=1, batch=128, device="cpu"),
        seed=seed,
    )


def use(directory: Path, digest: str | None = None) -> None:
    """Use a model as `promote` and `export` do."""
    loaded = Synthesizer.load(directory, digest)
    loaded.prove()
    rows = loaded.sample(300, seed=1)
    rows.validate(full=True)
    assert rows.schema.equals(loaded.schema.arrow)


KINDS: tuple[tuple[str, Callable[[Random, Path, Path], str]], ...] = (
    ("bytes", lambda random, here, _: tamper_bytes(random, here / random.choice(saving.FILES))),
    ("bytes, sealed", lambda random, here, _: tamper_bytes(random, here / random.choice(saving.FILES))),
    ("JSON, sealed", lambda random, here, _: tamper_json(random, here / random.choice([saving.MODEL] * 4 + [SCHEMA]))),
    ("arrays, sealed", lambda random, here, _: tamper_array(random, here / "columns.safetensors")),
    ("weights, sealed", lambda random, here, _: tamper_array(random, here / "weights.safetensors")),
    ("swapped, sealed", lambda random, here, other: swap(here, other, str(random.choice(saving.FILES)))),
)


def swap(here: Path, other: Path, name: str) -> str:
    """Replace a file by that of another synthesizer."""
    shutil.copy(other / name, here / name)
    return f"swapped {name}"


def campaign(whole: Path, other: Path, faults: int, seed: int) -> Tally:
    """Inject `faults` faults, the kinds in turn, into copies of a synthesizer. `other` is one of the same table."""
    random, tally, digest = np.random.default_rng(seed), Tally(), saving.digest(whole)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(faults):
            directory = Path(scratch) / str(number)
            shutil.copytree(whole, directory)
            kind, damage = KINDS[number % len(KINDS)]
            case = damage(random, directory, other)
            sealed = "sealed" in kind and all(plain(directory / name) for name in saving.FILES)
            if sealed:
                seal(directory)
            end = tally.meet(kind, case, partial(use, directory, None if sealed else digest))
            if kind == "bytes" and end != "refused":
                tally.findings.append(f"UNSEEN {case}")
            shutil.rmtree(directory)
    return tally


def main() -> int:
    """Run a campaign and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        places = Path(scratch) / "whole", Path(scratch) / "other"
        for seed, place in enumerate(places):
            train(seed).save(place)
        return campaign(*places, given.faults, given.seed).show()


if __name__ == "__main__":
    sys.exit(main())
