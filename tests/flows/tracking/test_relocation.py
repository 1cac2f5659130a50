"""A home that was moved or copied, opened by a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small import synthesizer

ROOT = Path(__file__).parents[3]
MAKE = """
import sys
from pathlib import Path
from flows.engine import homes
home = Path(sys.argv[1])
homes.embed(home)
from flows.tracking import registry, store
from flows.tracking.store import Run
"""
FIRST = (
    MAKE
    + """
with Run.start("t", {}) as run:
    run.text("first", "profile.json")
    registry.promote(registry.register(run, Path(sys.argv[2]), {"data_digest": "d", "code_version": "c"}))
print(run.url)
"""
)
AGAIN = (
    MAKE
    + """
champion = registry.champion("t")
assert champion.origin.read("profile.json") == "first"
assert registry.load(champion).sample(3, seed=0).num_rows == 3
champion.origin.text("second", "later.json")
with Run.start("t", {}) as run:
    registry.register(run, Path(sys.argv[2]), {"data_digest": "d", "code_version": "c"})
print(champion.origin.url, run.url)
"""
)


def done(script: str, *arguments: Path) -> list[str]:
    """Run a script beside the home, without the environment of the tests' own; nothing but the home is made there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PREFECT_"))}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    kept["PYTHONPATH"] = str(ROOT)
    beside = {path.name for path in arguments[0].parent.iterdir()} | {arguments[0].name}
    place = arguments[0].parent
    ended = subprocess.run(command, cwd=place, env=kept, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in place.iterdir()} == beside
    return ended.stdout.splitlines()[-1].split()


def contents(home: Path) -> dict[str, bytes]:
    """Every file of a home's MLflow artifacts and its database."""
    return {str(path): path.read_bytes() for path in (home / "mlruns").rglob("*") if path.is_file()}


@pytest.mark.usefixtures("processes")
def test_a_copied_home_works_by_itself(tmp_path: Path) -> None:
    """It reads and writes its own files, even if the original is gone, and the original stays as it was.

    Only the owner may read its database, profiles, models and directories, whatever the umask.
    """
    original, copy = tmp_path / "r#d?50%20ü", tmp_path / "copy of r#d?50%20ü"
    saved = tmp_path / "synthesizer"
    synthesizer().save(saved)
    before = os.umask(0o022)
    try:
        (place,) = done(FIRST, original, saved)
    finally:
        os.umask(before)
    assert Path(place).is_relative_to(original / "mlruns" / "artifacts")
    kept = [original / "mlruns", *(original / "mlruns").rglob("*")]
    assert len(kept) > 10
    assert [path for path in kept if path.stat().st_mode & 0o077] == []
    shutil.copytree(original, copy)
    contained = contents(original)
    urls = done(AGAIN, copy, saved)
    assert contents(original) == contained
    assert " ".join(urls).count(copy.name) == 2
    shutil.rmtree(original)
    done(AGAIN, copy, saved)
    assert not original.exists()
