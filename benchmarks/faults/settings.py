"""Impossible settings, handled as by the commands before any work starts.

    python benchmarks/faults/settings.py [--faults 5000] [--seed 0]

Every key of the settings in turn gets an absurd value, files are damaged, and options of the command line are absurd.
Each must end in one line, or be a value that can be used.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel
from tally import Tally

from flows.cli import main as command
from flows.schedule import timetable
from flows.settings import Settings
from pipeline.schema import ColumnSettings

Random = np.random.Generator
ODD = (
    *("0", "1", "-1", "5", "1.5", "-0.5", "1e308", "-1e308", "5e-324", "inf", "-inf", "nan", "true", "false"),
    *(
        str(10**9),
        str(-(10**9)),
        str(2**63 - 1),
        str(2**63),
        str(10**40),
        "9" * 5000,
        "1" + "_0" * 3000,
        "0x" + "f" * 900,
    ),
    *(
        '""',
        '"x"',
        '"auto"',
        '"cuda"',
        '"cuda:7"',
        '"cuda:99999999999"',
        '"\\u0000"',
        '"\\n"',
        f'"{"y" * 9999}"',
        '"é"',
    ),
    *(
        '"1m"',
        '"99999999999d"',
        f'"{"9" * 5000}h"',
        '"0 3 * * *"',
        '"61 99 * * *"',
        '"* * * *"',
        '"١d"',
        '"-1d"',
        '"@daily"',
    ),
    *("[]", "[1]", '["a"]', "[[[[[]]]]]", "{}", "{a = 1}", "{a = {b = {c = {}}}}", "2024-01-01", "07:30:00"),
    *("[" * 3000 + "]" * 3000, "{a = " * 40 + "1" + "}" * 40, ".".join("a" * 50)),
)
OPTIONS = (
    *(
        ["--rows", value]
        for value in ("0", "-1", "1.5", "x", "", "9" * 5000, str(2**63), str(10**30), "inf", "nan", "1e9", "０")
    ),
    *(["--seed", value] for value in ("-1", "x", "1.5", "9" * 5000, str(2**63), "")),
    *(["--name", value] for value in ("", "a/b", "..", "x" * 101, "a\nb", "-")),
    *(["--config", value] for value in ("/", "/dev/null/x", "missing.toml", "x" * 5000)),
)
EVERY = ("", "0d", "-1d", "1", "d", "99999999999d", "9" * 5000 + "d", "1y", "1.5d", "١d\n\n", "nan")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of a settings record and of the records inside it."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from keys(kind, f"{prefix}{name}.")


def settled(home: Path) -> None:
    """Do what a command does with a settings file before any work starts."""
    settings = Settings.load(home)
    settings.check_device()
    for name, table in Settings.tables(home).items():
        for when in (table.schedule.retrain, table.schedule.drift):
            if when is not None:
                timetable(when, table.schedule.timezone, name)


def text(random: Random, known: list[str]) -> tuple[str, str]:
    """A settings file with one or two odd values or keys, and the kind of fault."""
    lines = ['data = "a.parquet"', 'name = "a"']
    chosen = [str(random.choice(known)) for _ in range(1 if random.random() < 0.8 else 2)]
    lines = [line for line in lines if line.partition(" ")[0] not in chosen]
    lines += [f"{key} = {ODD[random.integers(len(ODD))]}" for key in dict.fromkeys(chosen)]
    if random.random() < 0.1:
        lines.append(f"{'.'.join(random.choice(list('abc'), 20))} = 1")
    return "\n".join(lines), chosen[0].partition(".")[0]


def campaign(faults: int, seed: int) -> Tally:
    """Try `faults` settings files, and every absurd option."""
    random, tally = np.random.default_rng(seed), Tally()
    known = [*sorted(keys(Settings)), *(f"columns.a.{name}" for name in ColumnSettings.model_fields)]
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        file = home / "resynth.toml"
        for number in range(faults):
            content, kind = text(random, known)
            data = bytearray(content.encode())
            if number % 10 == 0:
                kind = "damaged file"
                for place in random.integers(len(data), size=3):
                    data[place] = random.integers(256)
            file.write_bytes(data)
            tally.meet(kind, repr(content[:150]), lambda: settled(home))
        file.unlink()
        for options in OPTIONS:
            tally.meet(f"command {options[0]}", repr(options)[:100], lambda given=options: _refused(home, "run", given))
        for every in EVERY:
            given = ["--time", "t", "--every", every]
            tally.meet("command --every", repr(every)[:100], lambda given=given: _refused(home, "replay", given))
    return tally


def _refused(home: Path, verb: str, options: list[str]) -> None:
    """Check that a command ends with exit code 2, one line and no traceback."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command([verb, str(home / "none.parquet"), *options, "--home", str(home)])
    said: Any = err.getvalue().strip()
    assert code == 2, f"exit code {code}: {said:.200}"
    assert "\n" not in said, said[-200:]
    assert len(said) < 600, len(said)


def main() -> int:
    """Run a campaign and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    return campaign(given.faults, given.seed).show()


if __name__ == "__main__":
    sys.exit(main())
