"""Damage to the files of a saved synthesizer, met by loading it, proving it and generating.

    python benchmarks/faults/models.py [--faults 1000] [--seed 0]

Two campaigns. In the first, files are damaged as disks and strangers do it; digests must find all of it. In the second,
whoever changes a file also writes the digests anew, so that what is behind them is met: every state is checked by whom
it belongs to. What is loaded then must prove itself and generate rows of its schema.
"""

import argparse
import copy
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import safetensors.numpy
from tally import Tally

from pipeline import columns, saving
from pipeline.schema import ColumnSettings
from pipeline.sizing import ModelSettings
from pipeline.synthesizer import Synthesizer
from pipeline.training import TrainingSettings

Random = np.random.Generator
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, -(10**40), 1.5, -0.1, float("nan"), float("inf"), "", "x", "-1"),
    *("tokens", "quantile", "zscore", [], [0], [1, 2, 3], [[]], {}, {"a": 1}, "ÿ\x00\n", "9" * 5000),
)


def table(rows: int = 400) -> pa.Table:
    """Every kind of column and normal form, with nulls, zones and alphabets of two levels."""
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
        }
    )


def train(seed: int = 0) -> Synthesizer:
    """A barely trained synthesizer of the table."""
    real = table()
    forms = {"free": "quantile", "scaled": "zscore", "seen": "tokens"}
    settings = {name: ColumnSettings(normalization=form) for name, form in forms.items()}
    schema = columns.infer(real, {**settings, "many": ColumnSettings(kind="categorical")})
    return Synthesizer.fit(
        real.slice(40),
        real.slice(0, 40),
        schema,
        model=ModelSettings(latent=4, width=16, hidden=16, components=4),
        training=TrainingSettings(epochs=1, batch=128, device="cpu"),
        seed=seed,
    )


def use(directory: Path, digest: str | None = None) -> None:
    """What `promote` and `export` ask of a model."""
    loaded = Synthesizer.load(directory, digest)
    loaded.prove()
    rows = loaded.sample(300, seed=1)
    rows.validate(full=True)
    assert rows.schema.equals(loaded.schema.arrow)


def seal(directory: Path) -> None:
    """Write the digests of the other files anew, as far as there is something to write them into."""
    file = directory / saving.MODEL
    data = json.loads(file.read_text())
    if isinstance(data, dict):
        data["files"] = {
            name: hashlib.sha256((directory / name).read_bytes()).hexdigest()
            for name in saving.FILES
            if name != saving.MODEL and (directory / name).exists()
        }
        file.write_text(json.dumps(data))


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Every place in JSON."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


def tamper_json(random: Random, file: Path) -> str:
    """Replace, remove, add or double something anywhere in a JSON file."""
    data = json.loads(file.read_text())
    places = [place for place in _places(data) if place and place[0] != "files"]
    some = sorted({place[:2] for place in places}, key=str)
    place = places[random.integers(len(places))] if random.random() < 0.5 else some[random.integers(len(some))]
    if random.random() < 0.5:  # what is deep is rare among many labels
        deep = [p for p in places if len(p) > 2 and p[-1] != "values" and "values" not in p] or places  # noqa: PLR2004
        place = deep[random.integers(len(deep))]
    parent = data
    for key in place[:-1]:
        parent = parent[key]
    action = random.choice(["replace", "replace", "replace", "remove", "add", "double"])
    odd = copy.deepcopy(ODD[random.integers(len(ODD))])
    if action == "remove":
        del parent[place[-1]]
    elif action == "add" and isinstance(parent, dict):
        parent["other"] = odd
    elif action == "double" and isinstance(parent, list):
        parent.append(parent[place[-1]])
    else:
        parent[place[-1]] = odd
    file.write_text(json.dumps(data))
    return f"{file.name} {action} {place} {odd!r:.20}"


def tamper_array(random: Random, file: Path) -> str:
    """Change one array of a safetensors file: its values, length, type, shape or name."""
    arrays = {name: value.copy() for name, value in safetensors.numpy.load(file.read_bytes()).items()}
    name = sorted(arrays)[random.integers(len(arrays))]
    value, action = arrays[name], str(random.choice(sorted(_ARRAYS)))
    if value.size or action in {"drop", "rename", "longer", "axis"}:
        changed = _ARRAYS[action](value.copy(), random)
        del arrays[name]
        if changed is not None:
            arrays["0.other" if action == "rename" else name] = np.ascontiguousarray(changed)
    file.write_bytes(safetensors.numpy.save(arrays))
    return f"{file.name} {action} {name}"


def _set(value: np.ndarray, random: Random, odd: float) -> np.ndarray:
    limits = np.iinfo(value.dtype) if value.dtype.kind in "iu" else None
    fits = limits is None or limits.min <= odd <= limits.max
    value.flat[random.integers(value.size)] = odd if fits and np.isfinite(odd) or limits is None else limits.max
    return value


_ARRAYS: dict[str, Callable[[np.ndarray, Random], np.ndarray | None]] = {
    "NaN": lambda value, random: _set(value, random, np.nan),
    "infinity": lambda value, random: _set(value, random, np.inf),
    "minus one": lambda value, random: _set(value, random, -1),
    "huge": lambda value, random: _set(value, random, 2.0**62),
    "all huge": lambda value, _: np.full_like(value, 1e30 if value.dtype.kind == "f" else 2**40),
    "zero": lambda value, _: value * 0,
    "negated": lambda value, _: (0 - value).astype(value.dtype),
    "reversed": lambda value, _: value[::-1],
    "shuffled": lambda value, random: random.permutation(value),
    "shorter": lambda value, _: value[:-1],
    "longer": lambda value, _: np.concatenate([value, value[-1:], value[-1:]]),
    "wider": lambda value, _: value.astype(np.float64 if value.dtype == np.float32 else np.int32),
    "axis": lambda value, _: value[None],
    "flat": lambda value, _: value.reshape(-1, 1),
    "rename": lambda value, _: value,
    "drop": lambda _, __: None,
}


def tamper_bytes(random: Random, file: Path) -> str:
    """Damage a file as a disk does, or put something else in its place."""
    data, action = bytearray(file.read_bytes()), str(random.choice(_BYTES))
    place = int(random.integers(len(data)))
    if action in {"fifo", "link", "device", "directory", "missing"}:
        file.unlink()
    if action == "flip":
        data[place] ^= 1 << int(random.integers(8))
    elif action == "cut":
        del data[place:]
    elif action == "empty":
        data.clear()
    elif action == "more":
        data += random.bytes(64)
    elif action == "header":  # the length of a safetensors header
        data[:8] = int(random.choice([0, 2**40, 2**62, len(data)])).to_bytes(8, "little")
    elif action == "offsets":
        data = bytearray(bytes(data).replace(b'"data_offsets":[0,', b'"data_offsets":[8,', 1)) + b"?"
    elif action == "fifo":
        os.mkfifo(file)
        return f"{file.name} {action}"
    elif action in {"link", "device"}:
        file.symlink_to("/dev/zero" if action == "device" else "/etc/hostname")
        return f"{file.name} {action}"
    elif action == "directory":
        file.mkdir()
        return f"{file.name} {action}"
    elif action == "large":
        os.truncate(file, 2**33)
        return f"{file.name} {action}"
    if action != "missing":
        file.write_bytes(data)
    return f"{file.name} {action} at {place}"


_BYTES = ("flip", "cut", "empty", "more", "header", "offsets", "fifo", "link", "device", "directory", "missing", "large")


def campaign(whole: Path, other: Path, faults: int, seed: int) -> Tally:
    """So many faults of either campaign, on copies of a saved synthesizer; `other` is another one of the same table."""
    random, tally, digest = np.random.default_rng(seed), Tally(), saving.digest(whole)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(faults):
            directory = Path(scratch) / str(number)
            shutil.copytree(whole, directory)
            kind = ("bytes", "bytes, sealed", "JSON, sealed", "arrays, sealed", "weights, sealed", "swapped, sealed")[
                number % 6
            ]
            name = saving.FILES[random.integers(len(saving.FILES))]
            if kind.startswith("bytes"):
                case = tamper_bytes(random, directory / name)
            elif kind.startswith("JSON"):
                case = tamper_json(random, directory / (saving.MODEL if random.random() < 0.8 else "schema.json"))
            elif kind.startswith("swapped"):
                case = f"swapped {name}"
                shutil.copy(other / name, directory / name)
            else:
                file = "columns.safetensors" if kind.startswith("arrays") else "weights.safetensors"
                case = tamper_array(random, directory / file)
            sealed = "sealed" in kind and all(_plain(directory / name) for name in saving.FILES)
            if sealed:
                try:
                    seal(directory)
                except ValueError:
                    pass  # no JSON any more
            given = None if sealed else digest
            end = tally.meet(kind, case, lambda at=directory, known=given: use(at, known))
            same = all(
                _plain(directory / name) and (directory / name).read_bytes() == (whole / name).read_bytes()
                for name in saving.FILES
            )
            if kind == "bytes" and end != "refused" and not same:
                tally.findings.append(f"UNSEEN {case}")
            shutil.rmtree(directory)
    return tally


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and file.stat().st_size < 2**24  # noqa: PLR2004


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
