"""Ways to damage the files of a saved synthesizer. Each is a function of a random generator and a file.

It returns a description of the damage, so that a finding can be repeated.
"""

import copy
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from pipeline import saving

Random = np.random.Generator
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, -(10**40), 1.5, -0.1, float("nan"), float("inf"), "", "x", "-1"),
    *("tokens", "quantile", "zscore", [], [0], [1, 2, 3], [[]], {}, {"a": 1}, "ÿ\x00\n", "9" * 5000),
)


def seal(directory: Path) -> None:
    """Update the digests of the other files, if the file that holds them can still be parsed."""
    file = directory / saving.MODEL
    try:
        data = json.loads(file.read_bytes())
    except ValueError:
        return
    if isinstance(data, dict):
        others = [name for name in saving.FILES if name != saving.MODEL]
        data["files"] = {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in others}
        file.write_text(json.dumps(data))


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Every place in JSON."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


def tamper_json(random: Random, file: Path) -> str:
    """Replace, remove, add or double a random value anywhere in a JSON file."""
    data = json.loads(file.read_text())
    places = [place for place in _places(data) if place and place[0] != "files"]
    some = sorted({place[:2] for place in places}, key=str)
    place = places[random.integers(len(places))] if random.random() < 0.5 else some[random.integers(len(some))]
    if random.random() < 0.5:  # deep places are rare among many labels
        deep = [p for p in places if len(p) > 2 and p[-1] != "values" and "values" not in p] or places
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
    fits = limits is None or bool(limits.min <= odd <= limits.max)
    value.flat[random.integers(value.size)] = odd if fits else limits.max
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
    """Damage a file as a disk does, or replace it by something else."""
    action = str(random.choice(sorted(_BYTES) + sorted(_PLACES)))
    data = file.read_bytes()
    place = int(random.integers(len(data)))
    if action in _PLACES:
        if action != "large":
            file.unlink()
        _PLACES[action](file)
    else:
        file.write_bytes(_BYTES[action](data, place))
    return f"{file.name} {action} at {place}"


_BYTES: dict[str, Callable[[bytes, int], bytes]] = {
    "flip": lambda data, place: data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :],
    "cut": lambda data, place: data[:place],
    "empty": lambda _, __: b"",
    "more": lambda data, place: data + data[:place] + b"?",
    "header": lambda data, place: (2 ** (place % 63)).to_bytes(8, "little") + data[8:],  # its length in safetensors
    "offsets": lambda data, _: data.replace(b'"data_offsets":[0,', b'"data_offsets":[8,', 1) + b"?",
}
_PLACES: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "link": lambda file: file.symlink_to("/etc/hostname"),
    "device": lambda file: file.symlink_to("/dev/zero"),
    "directory": Path.mkdir,
    "missing": lambda _: None,
    "large": lambda file: os.truncate(file, 2**33),
}


def plain(file: Path) -> bool:
    """Whether there is a regular file of a size that can be read."""
    return file.is_file() and not file.is_symlink() and file.stat().st_size < 2**24
