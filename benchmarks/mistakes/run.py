"""What mistakes at the command line cost and say.

    .venv/bin/python benchmarks/mistakes/run.py

Makes every mistake of `tests/mistakes.py` as a process of its own, in a new home or in a home with a model, and takes
the seconds of the whole process and its line. Counts every ending other than exit code 2 and one line, and every file
left behind. Prints a page and writes `benchmarks/results/mistakes.md`. It takes about three minutes.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from mistakes import KNOWN, MISTAKES, MODEL, Mistake, ground  # noqa: E402 - the list lies with the tests

RESULT = ROOT / "benchmarks" / "results" / "mistakes.md"
ENOUGH = 3.0
"""Seconds within which a person should be told."""
TRIES = 2
"""Processes of each mistake, of which the faster counts: another process may have been at work."""
SMALL = "[training]\nepochs = 1\n[gate]\nactive_units = 0\n[gate.limits]\nshape_error = 1.0\n"


class Ending(NamedTuple):
    """How a mistake ended: the exit code, what was printed, and the seconds of the process."""

    code: int
    line: str
    seconds: float


def main() -> int:
    """Make the mistakes, print, write."""
    lines = ["| mistake | seconds | line |", "|---|---|---|"]
    slowest, wrong = 0.0, 0
    for name, mistake, ending in (*made(MISTAKES.items()), *made_with_a_model()):
        slowest = max(slowest, ending.seconds)
        good = ending.code == 2 and ending.line.count("\n") == 1 and all(part in ending.line for part in mistake.says)
        wrong += not good
        shown = ending.line.strip().replace("|", "\\|").replace(str(Path(tempfile.gettempdir())), "")
        lines.append(
            f"| {name}: `{mistake.arguments}` | {ending.seconds:.1f} | {'' if good else '**wrong** '}{shown} |"
        )
    count = len(lines) - 2
    head = [
        "# Mistakes at the command line",
        "",
        f"{count} mistakes, {wrong} of which ended otherwise than with exit code 2 and the line that was expected. The",
        f"slowest took {slowest:.1f} s (asked: {ENOUGH:.0f} s). `python benchmarks/mistakes/run.py`",
        "",
    ]
    RESULT.write_text("\n".join([*head, *lines]) + "\n")
    print(RESULT.read_text())
    return int(wrong > 0 or slowest > ENOUGH)


def made(mistakes: object) -> Iterator[tuple[str, Mistake, Ending]]:
    """Every mistake in a home in which nothing was ever done."""
    for name, mistake in dict(mistakes).items():
        with tempfile.TemporaryDirectory(prefix="resynth-mistakes-") as directory:
            place = ground(Path(directory))
            if mistake.settings or name == "settings that exist":
                (place / "resynth.toml").write_text(mistake.settings)
            before = sorted(place.rglob("*"))
            ending = tried(mistake, place)
            if sorted(place.rglob("*")) != before:
                ending = ending._replace(code=-1, line="left files behind\n")
            yield name, mistake, ending


def made_with_a_model() -> Iterator[tuple[str, Mistake, Ending]]:
    """Every mistake in a home with a model."""
    with tempfile.TemporaryDirectory(prefix="resynth-mistakes-") as directory:
        place = ground(Path(directory))
        (place / "resynth.toml").write_text(SMALL)
        run(f"run people.parquet --name {MODEL}", place).check_returncode()
        for report in (place / "mlruns").rglob("report.html"):  # as a version from before there were reports
            report.unlink()
        for name, mistake in KNOWN.items():
            yield name, mistake, tried(mistake, place)


def tried(mistake: Mistake, place: Path) -> Ending:
    """The faster of a few tries."""
    endings = []
    for _ in range(TRIES):
        began = time.perf_counter()
        done = run(mistake.arguments, place)
        endings.append(Ending(done.returncode, done.stderr, time.perf_counter() - began))
    return min(endings, key=lambda ending: ending.seconds)


def run(arguments: str, place: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command in a place."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "flows", *shlex.split(arguments)]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
