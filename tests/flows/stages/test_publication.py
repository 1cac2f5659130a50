"""The file that remembers a waiting export is settled, and never used if that could do harm."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from flows.engine.workspace import publication_file
from flows.stages import publication
from pipeline.data import exports
from pipeline.data.exports import Source

pytestmark = pytest.mark.usefixtures("home")
RUN = "0" * 32  # which MLflow does not know, so nothing of it is complete
SOURCE = Source(name="t", version="3", data_digest="d", code_version="c")


def publish(directory: Path) -> exports.Manifest:
    """An export of three rows."""
    rows = pa.table({"x": [1, 2, 3]})
    return exports.publish([rows], directory, schema=rows.schema, rows=3, source=SOURCE, seed=0)


@pytest.mark.parametrize("content", ["", "{", "null", '{"run": "x"}', "\x00" * 300])
def test_what_a_power_cut_left_is_set_aside(tmp_path: Path, content: str) -> None:
    """It is set aside with a warning, once. The next run has nothing to settle."""
    file = publication_file(tmp_path, "t")
    file.write_text(content)
    (warning,) = publication.settle(tmp_path, "t")
    assert "t.publication cannot be used and was set aside" in warning
    assert publication.settle(tmp_path, "t") == ()
    assert [path.name for path in file.parent.iterdir()] == ["t.publication.unusable"]


def test_a_place_of_another_home_is_left_alone(tmp_path: Path) -> None:
    """A copied home settles its own exports, and leaves those that its original publishes elsewhere."""
    original, copy, elsewhere = (tmp_path / name for name in ("original", "copy", "elsewhere"))
    for directory in (original / "data" / "exports" / "t" / "v1", elsewhere / "out"):
        waiting = publication.begin(original, "t", RUN, directory)
        publication.written(original, "t", waiting, publish(waiting.staged))
        shutil.copytree(original, copy)
        warnings = publication.settle(copy, "t")
        assert waiting.staged.is_dir()
        assert exports.verify(waiting.staged) == ()
        assert bool(warnings) == directory.is_relative_to(elsewhere)
        assert list((copy / "data" / "exports" / "t").iterdir()) == []
        shutil.rmtree(copy)
        publication.settle(original, "t")
        assert list(directory.parent.iterdir()) == []


def test_foreign_files_are_never_removed(tmp_path: Path) -> None:
    """Foreign files stay, even in the very directory in which an export would wait."""
    waiting = publication.begin(tmp_path, "t", RUN, tmp_path / "out")
    waiting.staged.mkdir()
    (waiting.staged / "thesis.doc").write_text("x")
    assert publication.settle(tmp_path, "t") == ()
    assert (waiting.staged / "thesis.doc").exists()
    assert not publication_file(tmp_path, "t").exists()


def test_state_that_was_never_written_to_its_end_goes(tmp_path: Path) -> None:
    """A run killed while it wrote where its export will wait has begun nothing. The next run cleans up."""
    file = publication_file(tmp_path, "t")
    file.with_name(f".{file.name}.new").write_text("{")
    assert publication.settle(tmp_path, "t") == ()
    assert list(file.parent.iterdir()) == []
