"""The benchmarks' modules import each other by their bare names, as their commands do."""

import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[2] / "benchmarks" / name) for name in ("fidelity", "faults")]


@pytest.fixture(autouse=True)
def _whole(processes: None) -> None:
    """Campaigns and benchmarks, however short, are no units."""
