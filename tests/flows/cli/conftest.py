"""What tests of the command share."""

from pathlib import Path

import pytest
from small import synthesizer, table

from flows.stages.memory import REFERENCE, VIEW
from flows.tracking import registry
from flows.tracking.store import Run
from pipeline import loop
from pipeline.profiles.reference import Reference
from pipeline.settings import LoopSettings


@pytest.fixture(scope="session")
def model(home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registered model with a champion, made without a run."""
    name = "cli-model"
    made = synthesizer()
    made.save(tmp_path_factory.mktemp("cli") / "synthesizer")
    with Run.start(name, {}) as run:
        run.record(Reference.of(table(), made.schema), REFERENCE)
        run.record(loop.view(made, table(), LoopSettings()), VIEW)
        directory = tmp_path_factory.mktemp("cli") / "synthesizer"
        made.save(directory)
        version = registry.register(run, directory, {"data_digest": "d", "code_version": "c"})
    registry.promote(version)
    return name
