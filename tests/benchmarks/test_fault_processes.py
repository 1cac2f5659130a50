"""Short fault campaigns of whole commands: kills, full disks, and several first runs in a new home."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import disk
import numpy as np
import pytest
from first_runs import half
from ground import Ended, Ground
from holding import leaking, stranded
from kills import NAME
from kills import campaign as of_kills
from tally import Tally


@pytest.fixture(scope="module")
def first(processes: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tally, Ground]:
    """Three first runs at once, and the home that they have made."""
    tally = Tally()
    root = tmp_path_factory.mktemp("first")
    return tally, half(tally, root, [NAME, "others", "more"], np.random.default_rng(0))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    try:
        with disk.mounted(tmp_path / "small") as place:
            yield place
    except PermissionError:
        pytest.skip("no file system can be mounted here")


def test_first_runs_at_once_all_succeed(first: tuple[Tally, Ground]) -> None:
    """Each run has its version, its alias and its export, and nothing else is left."""
    tally, _ = first
    assert tally.findings == []
    assert sorted(tally.counts.items()) == [
        (("first runs, own tables", "harmless"), 3),
        (("first runs, own tables: the list", "harmless"), 1),
        (("first runs, own tables: the store", "harmless"), 3),
    ]


def test_commands_killed_when_the_alias_moves(first: tuple[Tally, Ground]) -> None:
    """After a killed run and a killed promotion, all invariants hold, and the next command succeeds and cleans up."""
    _, ground = first
    tally = of_kills(ground, 0, run=1, promote=1)
    assert tally.findings == []
    landed = {kind for (kind, end), _ in tally.counts.items() if "ended before" not in kind}
    assert {kind.partition(":")[0] for kind in landed} == {"run alias", "promote alias"}
    assert not any("nothing done" in kind for kind in landed)


def test_a_run_on_a_full_disk(first: tuple[Tally, Ground], small: Path, tmp_path: Path) -> None:
    """It is refused in one true line, the home stays as it was, and with enough room the next run succeeds."""
    _, ground = first
    shutil.copytree(ground.home, small / "home")
    shutil.copy(ground.table(NAME), tmp_path)
    campaign = disk.Campaign(Ground(tmp_path, small), 0)
    campaign.fault("run", suddenly=False)
    assert campaign.tally.findings == []
    assert dict(campaign.tally.counts) == {("run: full", "refused"): 1}


@pytest.mark.parametrize(
    ("code", "err", "what"),
    [
        (1, "resynth: no\n", "another error"),
        (1, "Traceback\nresynth: x\n", "expected one line"),
        (-9, "", "exit code -9"),
    ],
)
def test_a_failure_that_is_not_one_line_is_seen(code: int, err: str, what: str) -> None:
    """A traceback, a JSON answer that differs from the line, and a crash are findings."""
    (found,) = Ended(code, '{"error": "x"}', err, 1.0).faults()
    assert what in found
    assert Ended(1, '{"error": "x"}', "resynth: x\n", 1.0).faults() == []


def test_what_is_left_is_seen(tmp_path: Path) -> None:
    """All kinds of leftovers of a killed command are found, and real values in any file but the tables themselves."""
    ground = Ground(tmp_path)
    assert (list(stranded(ground)), list(leaking(ground))) == ([], [])
    state = ground.home / ".resynth"
    left = [state / "a.publication", state / ("0" * 32), state / ".a.publication.new", ground.temporary / "tmp123"]
    left += [ground.out.parent / ".twins.12345678.partial", ground.home / "data" / "exports" / "a" / ".v1.x"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    for path in (state / "a.running", ground.out):
        path.write_bytes(b"")
    assert sorted(stranded(ground)) == sorted(left)
    shutil.copy(ground.table("a", rows=3), ground.home / "copy.parquet")
    assert list(leaking(ground)) == [ground.home / "copy.parquet"]
