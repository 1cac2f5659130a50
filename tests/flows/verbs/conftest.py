"""What tests of the verbs share."""

from pathlib import Path

import pytest
from small import LENIENT, TINY, write


@pytest.fixture
def heap(tmp_path: Path) -> Path:
    """A directory of incoming files with the first of them, and settings beside it."""
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", "monday", 300)
    (tmp_path / "settings.toml").write_text(TINY + LENIENT + "[incoming]\n")
    return tmp_path / "in"
