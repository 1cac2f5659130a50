"""kill -9 of `resynth run`, `export` and `promote`, with their whole process group, at any moment.

    python benchmarks/faults/kills.py [--runs 30] [--exports 12] [--promotes 12] [--seed 0]

Half of the kills come at random during the command's time. The others are aimed at critical moments from outside: the
home is watched, and when the moment has come, the kill follows after a random delay of a few milliseconds.

    run       the model is stored, but is no version yet; the alias moves; the rows are written, but the run is not
              complete; the run is complete, and its rows wait
    export    rows are being written; the export takes the place of the earlier one
    promote   the alias moves

What a kill left shows where it landed, and this is counted. Then all invariants must hold. The next command must
succeed, and after it nothing may be left of the killed one: no file, no process, no real value.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ground import Ground, kill
from holding import State, database, look, settled, untold, whole
from tally import Tally

Random = np.random.Generator
NAME = "people"
OFTEN = 0.0003  # seconds between two polls
TRIES = 3  # for every wanted kill, because some commands end before it


class Watch:
    """Watches a home from outside while a command is at work."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._store = database(ground.home)
        self._next = self._begun()
        self._models = self._stored()
        self._place = self._inode()

    def stores(self) -> bool:
        """Whether another model has been stored, or is being stored."""
        return self._stored() != self._models

    def moves(self) -> bool:
        """Whether the alias is about to move, is moving, or has moved."""
        return self._begun() != self._next

    def written(self) -> bool:
        """Whether all rows of a run are written."""
        return bool(self._waiting().get("digest"))

    def complete(self) -> bool:
        """Whether a run is complete and its rows still wait."""
        waiting = self._waiting()
        if not waiting.get("digest"):
            return False
        found = self._store.execute("SELECT 1 FROM tags WHERE run_uuid = ? AND key = 'decision'", (waiting["run"],))
        return found.fetchone() is not None

    def writes(self) -> bool:
        """Whether an export is being written."""
        return any(path.suffix == ".partial" for path in self._ground.out.parent.iterdir())

    def placed(self) -> bool:
        """Whether another export has taken the place of the earlier one."""
        return self._inode() != self._place

    def close(self) -> None:
        """Stop watching."""
        self._store.close()

    def _stored(self) -> object:
        return self._store.execute("SELECT max(creation_timestamp_ms) FROM logged_models").fetchone()

    def _begun(self) -> object:
        wanted = "SELECT value FROM registered_model_tags WHERE name = ? AND key = 'champion.next'"
        return self._store.execute(wanted, (NAME,)).fetchone()

    def _waiting(self) -> dict[str, str]:
        try:
            return dict(json.loads((self._ground.home / ".resynth" / f"{NAME}.publication").read_text()))
        except FileNotFoundError:
            return {}

    def _inode(self) -> int:
        return self._ground.out.stat().st_ino if self._ground.out.exists() else 0


class Aim(NamedTuple):
    """The moment at which to kill a command.

    Attributes:
        name: The moment in words.
        come: Whether the moment has come. None for a kill at random.
        spread: Seconds within which the kill follows.
    """

    name: str
    come: Callable[[Watch], bool] | None = None
    spread: float = 0.0


RANDOM = Aim("at random")
STORED = Aim("stored", Watch.stores, 0.5)
MOVES = Aim("alias", Watch.moves, 0.02)
WRITTEN = Aim("written", Watch.written, 0.1)
COMPLETE = Aim("complete", Watch.complete, 0.01)
WRITES = Aim("writing", Watch.writes, 0.05)
PLACED = Aim("placed", Watch.placed, 0.002)
AIMS = {
    "run": (MOVES, RANDOM, COMPLETE, RANDOM, WRITTEN, RANDOM, STORED, RANDOM),
    "export": (WRITES, RANDOM, PLACED, RANDOM),
    "promote": (MOVES, RANDOM),
}


class Campaign:
    """Kills of commands on one home.

    Args:
        ground: The home, with a version of the model in it.
        seed: Fixes the moments of the kills.
    """

    def __init__(self, ground: Ground, seed: int) -> None:
        self.tally = Tally()
        self._ground = ground
        self._random = np.random.default_rng(seed)
        self._seconds: dict[str, float] = {}

    def kills(self, verb: str, wanted: int) -> None:
        """Kill one command `wanted` times, with its aims in turn."""
        done = 0
        for number in range(TRIES * wanted):
            if done == wanted:
                return
            aim = AIMS[verb][done % len(AIMS[verb])]
            if aim.come is None and verb not in self._seconds:
                self._seconds[verb] = self._ground.call(*self._arguments(verb)).seconds
            before = look(self._ground.home, NAME)
            arguments = self._arguments(verb)
            landed = self._kill(verb, aim, arguments, before)
            done += landed is not None
            kind = f"{verb} {aim.name}: {landed or 'ended before'}"
            self.tally.meet(kind, f"number {number}", lambda: self._holds(verb, arguments, before), seconds=900)  # noqa: B023

    def _arguments(self, verb: str) -> tuple[object, ...]:
        """The arguments of a command: promote takes another version than the champion, runs publish to two places."""
        if verb == "promote":
            now = look(self._ground.home, NAME)
            others = sorted(now.complete - {now.champion}, key=int)
            return verb, NAME, others[-1]
        if verb == "export":
            return verb, NAME, "--rows", self._random.integers(100, 40_000), "--out", self._ground.out
        given = ("--out", self._ground.out) if self._random.random() < 0.5 else ()
        return verb, self._ground.table(NAME), *given

    def _kill(self, verb: str, aim: Aim, arguments: tuple[object, ...], before: State) -> str | None:
        """Kill a command. Returns where the kill landed, or None if the command had ended."""
        with closing(Watch(self._ground)) as watch:
            process = self._ground.start(*arguments)
            if aim.come is None:
                time.sleep(self._random.uniform(0, self._seconds[verb]))
            else:
                while process.poll() is None and not aim.come(watch):
                    time.sleep(OFTEN)
                time.sleep(self._random.uniform(0, aim.spread))
            ended = process.poll() is not None
            kill(process)
            return None if ended else self._landed(verb, watch, before)

    def _landed(self, verb: str, watch: Watch, before: State) -> str:
        """How far a killed command had come."""
        now = look(self._ground.home, NAME)
        moved = "alias moved" if now.events > before.events else "alias moving" if watch.moves() else None
        if verb == "promote":
            return moved or "nothing done"
        if verb == "export":
            return "placed" if watch.placed() else "writing" if watch.writes() else "nothing done"
        if now.complete > before.complete:
            return "complete, rows wait" if watch.written() else "published"
        if watch.written():
            return "rows written"
        if moved or now.versions.keys() > before.versions.keys():
            return moved or "registered"
        return "stored" if watch.stores() else "nothing done"

    def _holds(self, verb: str, arguments: tuple[object, ...], before: State) -> None:
        """Check the invariants after a kill, and again after the next command."""
        problems = [*whole(self._ground, NAME, before), *untold(self._ground, NAME)]
        killed = look(self._ground.home, NAME)
        ended = self._ground.call(*arguments)
        self._seconds[verb] = ended.seconds
        if ended.code:
            problems.append(f"the next {verb} ended with {ended.code}: {ended.err[-300:]}")
        problems += settled(self._ground, NAME, killed)
        champion = look(self._ground.home, NAME).champion
        expected = {"run": ended.answer.get("version"), "promote": arguments[-1], "export": killed.champion}[verb]
        if champion != expected:
            problems.append(f"the champion is {champion}, expected {expected}")
        assert not problems, "; ".join(problems)


def prepared(root: Path, versions: int = 2) -> Ground:
    """A home with a model of `versions` versions, and an export beside it."""
    ground = Ground(root)
    for _ in range(versions):
        assert ground.call("run", ground.table(NAME)).code == 0
    assert ground.call("export", NAME, "--rows", 1000, "--out", ground.out).code == 0
    return ground


def campaign(ground: Ground, seed: int, **kills: int) -> Tally:
    """Kill each command as often as `kills` says."""
    made = Campaign(ground, seed)
    for verb, wanted in kills.items():
        made.kills(verb, wanted)
    return made.tally


def main() -> int:
    """Run a campaign and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--exports", type=int, default=12)
    parser.add_argument("--promotes", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="resynth-faults-") as scratch:
        ground = prepared(Path(scratch))
        wanted = {"export": given.exports, "promote": given.promotes, "run": given.runs}
        return campaign(ground, given.seed, **wanted).show()


if __name__ == "__main__":
    sys.exit(main())
