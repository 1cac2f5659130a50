"""What tests of the registry share."""

from pathlib import Path

import pytest
from small import synthesizer


@pytest.fixture(scope="session")
def saved(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved synthesizer."""
    directory = tmp_path_factory.mktemp("model") / "synthesizer"
    synthesizer().save(directory)
    return directory
