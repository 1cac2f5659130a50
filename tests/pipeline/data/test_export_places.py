"""Exports respect their place: foreign files stay, links are followed with care, bad places are refused."""

from pathlib import Path

import pytest
from publishing import SOURCE, doctor, files, old_export, publish
from samples import mixed

from pipeline.data import exports, parts
from pipeline.errors import InputError


@pytest.mark.parametrize(
    "foreign",
    ["manifest.json", "index.html", "part-00000.parquet", "src/main.js", ".hidden", "empty/", "a=1/x.parquet"],
)
@pytest.mark.parametrize("kind", ["bare", "export", "old"])
def test_other_peoples_files_are_safe(tmp_path, kind: str, foreign: str):
    """A directory that holds anything but an export is refused untouched, whatever else is in it."""
    out = tmp_path / "out"
    out.mkdir()
    if kind != "bare":
        (publish if kind == "export" else old_export)(out, mixed())
    path = out / foreign
    if path.exists():
        return  # it is a file of the export itself
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if foreign.endswith("/") else path.write_text('{"name": "web project"}')
    publish(tmp_path / "next", mixed(200))
    before = files(tmp_path)
    for attempt in (
        lambda: publish(out, mixed()),
        lambda: exports.place(tmp_path / "next", out),
        lambda: exports.discard(out),
    ):
        with pytest.raises(InputError, match="expected an empty directory or an earlier export"):
            attempt()
    assert files(tmp_path) == before
    assert exports.verify(tmp_path / "next") == ()


def test_a_file_that_comes_while_rows_are_written_is_safe(tmp_path):
    """The place is checked again before it is replaced."""
    table = mixed()
    publish(tmp_path / "out", table)

    def batches():
        yield table
        (tmp_path / "out" / "thesis.doc").write_text("x")

    with pytest.raises(InputError, match=r"thesis\.doc"):
        exports.publish(batches(), tmp_path / "out", schema=table.schema, rows=600, source=SOURCE, seed=7)
    assert (tmp_path / "out" / "thesis.doc").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_doctored_manifest_gives_no_files_away(tmp_path):
    """A file that no export writes is not accepted, even if the manifest lists it."""
    out = tmp_path / "out"
    publish(out, mixed())
    (out / "thesis.doc").write_text("x")
    (part, *_) = exports.load_manifest(out).parts
    doctor(out, parts=(part.model_copy(update={"file": "thesis.doc"}),))
    with pytest.raises(InputError, match="found other files"):
        publish(out, mixed())
    assert (out / "thesis.doc").exists()


def test_places_that_cannot_become_an_export(tmp_path):
    """A file, a place below one, a mount point, links in a circle, a name too long: refused, nothing left beside."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    before = files(tmp_path)
    for place, why in {
        tmp_path / "file": "got the file",
        tmp_path / "file" / "below": "writable place",
        Path("/"): "got the mount point /",
        tmp_path / "one": "writable place",
        tmp_path / ("x" * 250): "writable place",
    }.items():
        with pytest.raises(InputError, match=why):
            publish(place, mixed())
    assert files(tmp_path) == before


def test_what_a_look_at_a_place_has_left_goes(tmp_path):
    """A publisher killed while testing whether it can create a directory leaves one, and it is removed."""
    left = [tmp_path / f"..{name}.{'0' * 32}.{'1' * 8}.probing" for name in ("out", "foreign")]
    for path in left:
        path.mkdir()
    (left[1] / "thesis.doc").touch()
    publish(tmp_path / "out", mixed())
    assert sorted(path.name for path in tmp_path.iterdir()) == [left[1].name, "out"]


def test_what_must_be_kept_is_not_inside(tmp_path):
    """An export that holds the data, or an empty place that is the home, is refused; a place beside them is fine."""
    publish(tmp_path / "data", mixed())
    (tmp_path / "home").mkdir()
    for directory, kept in (
        (tmp_path / "data", tmp_path / "data" / "part-00000.parquet"),
        (tmp_path, tmp_path / "home"),
    ):
        with pytest.raises(InputError, match="expected a place of its own"):
            exports.check_target(directory, [kept])
    assert exports.check_target(tmp_path / "new" / "out", [tmp_path / "home"]) == tmp_path / "new" / "out"
    assert not (tmp_path / "new").exists()


def test_a_link_stays_and_its_target_is_published(tmp_path):
    """Readers of the link and of the directory see the same rows, and nothing is left beside either."""
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "out"
    link.symlink_to(tmp_path / "real" / "out")
    for rows in (600, 200):
        publish(link, mixed(rows))
        assert exports.load_manifest(tmp_path / "real" / "out").rows == rows
    assert link.is_symlink()
    assert [path.name for path in (*link.parent.iterdir(), *(tmp_path / "real").iterdir())] == ["out", "out"]


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../part-00000.parquet",
        "a=1/../part-00000.parquet",
        "x/part-00000.parquet",
        "part-00000.parquet\x1b[31m",
        "part-00000.parquet\x00",
        "\x1b]0;owned\x07=1/part-00000.parquet",
        f"{'a=1/' * 1000}part-00000.parquet",
        f"a={'x' * 300}/part-00000.parquet",
        "notes.txt",
        "",
    ],
)
def test_names_that_lead_elsewhere_are_problems(tmp_path, monkeypatch, name: str):
    """Files for such names are never opened, and printed names contain no control characters."""
    out = tmp_path / "out"
    publish(out, mixed())
    first, *rest = exports.load_manifest(out).parts
    doctor(out, parts=(first.model_copy(update={"file": name}), *rest))
    opened = []
    hashed = parts.sha256
    monkeypatch.setattr(parts, "sha256", lambda file: opened.append(file.name) or hashed(file))
    problems = exports.verify(out)
    assert any("is no file of the export; it was not opened" in problem for problem in problems)
    assert "part-00000.parquet is not in the manifest" in problems
    assert all(problem.isprintable() and len(problem) < 400 for problem in problems)
    assert opened == ["part-00001.parquet", "part-00002.parquet"]


def test_a_part_that_is_a_link_is_not_opened(tmp_path):
    """The link could lead anywhere."""
    out = tmp_path / "out"
    publish(out, mixed())
    (out / "part-00000.parquet").rename(tmp_path / "elsewhere.parquet")
    (out / "part-00000.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    assert exports.verify(out) == ("part-00000.parquet is no file of the export; it was not opened",)
