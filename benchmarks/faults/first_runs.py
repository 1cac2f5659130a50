"""Many `resynth run` at once in a new home, whose databases all of them create, migrate and write to.

    python benchmarks/faults/first_runs.py [--runs 8] [--rounds 1] [--seed 0]

A round has two halves, each in a new home. In the first half, every run has its own table, and all must succeed. In the
second half, all have the same table. A run that finds another at work ends with exit code 1 and one line, and at least
one run succeeds. Then the store must hold one complete version and one export of every run that succeeded, and nothing
else.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from ground import Ended, Ground
from holding import look, published, settled, untold, whole
from tally import Tally

from pipeline.errors import BusyError


def half(tally: Tally, root: Path, names: list[str], random: np.random.Generator) -> Ground:
    """Start one run per name at almost the same time in a new home. Returns the home."""
    ground = Ground(root)
    kind = "first runs, one table" if len(set(names)) == 1 else "first runs, own tables"
    tables = [ground.table(name, seed=int(random.integers(100))) for name in names]
    processes = [ground.start("run", table) for table in tables]
    ended = [ground.finish(process) for process in processes]
    for name, each in zip(names, ended, strict=True):
        tally.meet(kind, name, partial(_ends, each, alone=names.count(name) == 1))
    for name in dict.fromkeys(names):
        versions = [each.answer.get("version") for one, each in zip(names, ended, strict=True) if one == name]
        tally.meet(f"{kind}: the store", name, partial(_holds, ground, name, versions), seconds=300)
    tally.meet(f"{kind}: the list", "models", partial(_listed, ground, dict.fromkeys(names)), seconds=300)
    return ground


def _ends(ended: Ended, *, alone: bool) -> None:
    """Check that a run has succeeded, or has found another run at work on its table."""
    if ended.code == 0:
        assert ended.answer["decision"] == "promoted", ended.answer["reasons"]
        return
    faults = ended.faults()
    assert not faults, faults[0]
    assert not alone, ended.err
    assert ended.code == 1, ended.code
    assert "expected no other run" in ended.err, ended.err
    raise BusyError(ended.err.strip())


def _holds(ground: Ground, name: str, versions: list[str | None]) -> None:
    """Check that the store holds what the runs of a model have reported."""
    said = {version for version in versions if version is not None}
    now = look(ground.home, name)
    problems = [*whole(ground, name, now), *settled(ground, name, now)]
    if not said or set(now.versions) != said or now.champion not in said:
        problems.append(f"runs told of versions {sorted(said)}, there are {sorted(now.versions)}")
    places = {path.name for path in published(ground) if path.parent.name == name}
    if places != {f"v{version}" for version in said}:
        problems.append(f"expected an export of each version, got {sorted(places)}")
    assert not problems, "; ".join(problems)


def _listed(ground: Ground, names: Iterable[str]) -> None:
    """Check that `resynth models` lists what the store holds."""
    problems = untold(ground, *names)
    assert not problems, "; ".join(problems)


def campaign(root: Path, runs: int, rounds: int, seed: int) -> Tally:
    """Run `rounds` rounds of `runs` runs."""
    random, tally = np.random.default_rng(seed), Tally()
    for number in range(rounds):
        half(tally, root / f"own-{number}", [f"people{i}" for i in range(runs)], random)
        half(tally, root / f"one-{number}", ["people"] * runs, random)
    return tally


def main() -> int:
    """Run a campaign and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="resynth-faults-") as scratch:
        return campaign(Path(scratch), given.runs, given.rounds, given.seed).show()


if __name__ == "__main__":
    sys.exit(main())
