"""Small files that are whole or absent."""

import os
from pathlib import Path

import pytest

from pipeline import files


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    """Only its owner may read it, and nothing is left beside it."""
    file = tmp_path / "state"
    for content in ("first", "zweite ü"):
        files.write(file, content)
        assert file.read_text("utf-8") == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_cannot_be_flushed_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old content stays, without a half-written file; content is flushed before the name moves."""
    file = tmp_path / "state"
    files.write(file, "old")

    def fail(_: int) -> None:
        assert file.read_text("utf-8") == "old"
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            files.write(file, "new")
    assert file.read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_is_made_in_private_is_private(tmp_path: Path) -> None:
    """Files made outside the context are not affected."""
    before = os.umask(0o022)
    try:
        with files.private():
            (tmp_path / "a").touch()
        (tmp_path / "b").touch()
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o600, 0o644]


def test_what_a_killed_writer_has_left_goes(tmp_path: Path) -> None:
    """The next writer works as if it had never been, and `clear` removes it."""
    file, left = tmp_path / "state", tmp_path / ".state.new"
    left.write_text("half")
    files.write(file, "whole")
    assert (file.read_text("utf-8"), left.exists()) == ("whole", False)
    left.write_text("half")
    files.clear(file)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
