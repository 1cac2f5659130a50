"""A full disk during `resynth run`, `export`, `promote`, `prune` and `models`, on a small file system.

    python benchmarks/faults/disk.py [--faults 48] [--seed 0]

The home and the exports lie on a file system of some megabytes. Root may mount it, and anybody may in a user namespace
(`unshare -Urm`). In turn, it is full up to a few bytes or kilobytes before a command begins, or becomes full at a
random moment while the command is at work. A command that fails must say so in one true line, and leave everything as
it was. A command that finds enough room must do all its work. When there is room again, the next command must succeed,
and nothing may be left of the failed one.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from ground import Ended, Ground
from holding import look, settled, whole
from tally import Tally

from pipeline.errors import DiskFullError

NAME = "people"
SIZE = 40 << 20  # bytes of the file system
VERBS = ("run", "export", "promote", "prune", "models", "first run")
MOST = 6 << 20  # most bytes that are left free
INSIDE = "RESYNTH_FAULTS_NAMESPACE"  # set where this process may mount
VERSIONS = 3


@contextmanager
def mounted(place: Path) -> Iterator[Path]:
    """Mount a small file system at a place.

    Raises:
        PermissionError: This process may not mount.
    """
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        raise PermissionError
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Campaign:
    """Faults of a home on a small file system. Each uses a copy of the same home at the same place.

    Args:
        ground: The home, on the small file system, with a model in it.
        seed: Fixes how much room there is, and when the disk becomes full.
    """

    def __init__(self, ground: Ground, seed: int) -> None:
        self.tally = Tally()
        self._ground = ground
        self._random = np.random.default_rng(seed)
        self._disk = ground.home.parent
        self._copy = ground.root / "copy"
        shutil.copytree(self._disk, self._copy)
        self._seconds: dict[str, float] = {}

    def fault(self, verb: str, *, suddenly: bool) -> None:
        """Run a command on a disk that is full already, or that suddenly becomes full."""
        room = 0 if self._random.random() < 0.2 else int(np.exp(self._random.uniform(np.log(1 << 12), np.log(MOST))))
        after = self._random.uniform(0, self._seconds.get(verb, 6.0)) if suddenly else None
        case = f"full after {after:.1f} s" if after is not None else f"{room} bytes left"
        kind = f"{verb}: {'runs full' if suddenly else 'full'}"
        self.tally.meet(kind, case, partial(self._meet, verb, room, after), seconds=1500)

    def _meet(self, verb: str, room: int, after: float | None) -> None:
        self._restore(verb)
        arguments, before = self._arguments(verb), look(self._ground.home, NAME)
        if after is None:
            self._fill(room)
            ended = self._ground.call(*arguments)
        else:
            filling = threading.Timer(after, self._fill, (0,))
            filling.start()
            ended = self._ground.call(*arguments)
            filling.cancel()
            filling.join()
        (self._disk / "filling").unlink(missing_ok=True)
        if verb == "prune":
            before = before._replace(versions={}, complete=frozenset())  # they are there to be removed
        problems = [*_untrue(ended), *whole(self._ground, NAME, before)]
        again = self._ground.call(*arguments)
        self._seconds[verb] = again.seconds
        if again.code:
            problems.append(f"the next {verb} ended with {again.code}: {again.err[-300:]}")
        problems += settled(self._ground, NAME, before)
        now = look(self._ground.home, NAME)
        if verb == "prune" and len(now.versions) > 1:
            problems.append(f"{len(now.versions)} versions are left")
        assert not problems, f"{'; '.join(problems)} (the line was {ended.err.strip()[:200]!r})"
        if ended.code:
            raise DiskFullError(ended.err.strip())

    def _restore(self, verb: str) -> None:
        """Restore everything. For a first run, the disk is empty."""
        for path in self._disk.iterdir():
            shutil.rmtree(path)
        if verb == "first run":
            self._ground.settle()
        else:
            shutil.copytree(self._copy, self._disk, dirs_exist_ok=True)

    def _arguments(self, verb: str) -> tuple[object, ...]:
        return {
            "run": ("run", self._ground.table(NAME), "--out", self._ground.out),
            "first run": ("run", self._ground.table(NAME)),
            "export": ("export", NAME, "--rows", 200_000, "--out", self._ground.out),
            "promote": ("promote", NAME, 1),
            "prune": ("prune", NAME, "--yes"),
            "models": ("models", NAME),
        }[verb]

    def _fill(self, room: int) -> None:
        """Fill the disk up to `room` bytes."""
        with (self._disk / "filling").open("wb") as filling:
            free = shutil.disk_usage(self._disk).free - room
            while free > 0:
                try:
                    os.posix_fallocate(filling.fileno(), filling.seek(0, os.SEEK_END), free)
                except OSError:  # somebody was faster
                    free //= 2
                else:
                    return


def _untrue(ended: Ended) -> list[str]:
    """What is wrong with a failed command's report of the full disk."""
    if ended.code == 0:
        return []
    problems = ended.faults()
    if ended.code != 1 or "found a full disk" not in ended.err:
        problems.append(f"expected exit code 1 and a line about the disk, got {ended.code}")
    if "Prefect" in ended.err:
        problems.append("Prefect is blamed")
    return problems


def prepared(root: Path, disk: Path) -> Ground:
    """A home on a small file system, with a model of some versions and an export."""
    ground = Ground(root, disk)
    for _ in range(VERSIONS):
        assert ground.call("run", ground.table(NAME)).code == 0
    assert ground.call("export", NAME, "--rows", 1000, "--out", ground.out).code == 0
    return ground


def campaign(ground: Ground, seed: int, faults: int) -> Tally:
    """Inject `faults` faults: every command in turn, on a disk that is full before or during its work."""
    made = Campaign(ground, seed)
    for number in range(faults):
        made.fault(VERBS[number % len(VERBS)], suddenly=number // len(VERBS) % 2 == 1)
    return made.tally


def main() -> int:
    """Run a campaign and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="resynth-faults-") as scratch:
        try:
            with mounted(Path(scratch) / "small") as disk:
                return campaign(prepared(Path(scratch), disk), given.seed, given.faults).show()
        except PermissionError:
            if INSIDE in os.environ:
                raise
    os.environ[INSIDE] = "yes"
    return subprocess.run(["unshare", "-Urm", sys.executable, *sys.argv], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
