"""Short fault campaigns: damaged or absurd input is refused in one line, or is harmless."""

from collections import Counter
from pathlib import Path

import pytest
from models import campaign as of_models
from models import train
from settings import campaign as of_settings
from tally import Tally

from pipeline.errors import DamagedError


def ends(tally: Tally) -> dict[str, Counter[str]]:
    """How the faults of each kind ended."""
    found: dict[str, Counter[str]] = {}
    for (kind, end), count in tally.counts.items():
        found.setdefault(kind, Counter())[end] += count
    return found


def test_damaged_model_files_are_refused_and_changed_ones_cannot_harm(tmp_path: Path) -> None:
    """Digests find every damage. With updated digests, a model that still loads generates correct rows."""
    for seed, name in enumerate(("whole", "other")):
        train(seed).save(tmp_path / name)
    tally = of_models(tmp_path / "whole", tmp_path / "other", faults=90, seed=7)
    assert tally.findings == []
    found = ends(tally)
    assert found["bytes"] == {"refused": 15}
    assert all(found[kind]["refused"] > 5 for kind in ("JSON, sealed", "arrays, sealed", "weights, sealed"))


def test_impossible_settings_are_refused_or_harmless() -> None:
    """No settings file and no option ends in a traceback, in more than a line, or without an end."""
    tally = of_settings(faults=300, seed=7)
    assert tally.findings == []
    assert sum(count for (_, end), count in tally.counts.items() if end == "refused") > 200


def unheld() -> None:
    """Something that does not hold."""
    assert [] == [1]


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (lambda: None, "harmless"),
        (lambda: 1 // 0, "RAW"),
        (unheld, "BROKEN"),
    ],
)
def test_a_campaign_tells_ends_apart(fault, end: str) -> None:
    """Errors that are not resynth's, and failed requirements, are findings."""
    tally = Tally()
    assert tally.meet("kind", "case", fault) == end
    assert bool(tally.findings) == (end != "harmless")


def test_a_campaign_sees_what_hangs_and_what_is_long_winded() -> None:
    """A fault that exceeds its time counts as hung. A message of two lines is no refusal."""
    tally = Tally()

    def refuse() -> None:
        raise DamagedError("one\ntwo")

    def hang() -> None:
        while True:
            pass

    assert tally.meet("kind", "refusal", refuse) == "LONG"
    assert tally.meet("kind", "loop", hang, seconds=1) == "HUNG"
    assert len(tally.findings) == 2
