"""How a table is scored: train, examine the latent space, score, each in its own process and environment.

A step with unchanged code is not repeated, so an interrupted command resumes where it stopped. The digest of a step
covers its code. `benchmarks/work` holds the results and may be deleted at any time. Delete it if seconds matter and the
machine was busy when they were taken.
"""

import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent
ROOT = BENCHMARKS.parent
ENVIRONMENT = BENCHMARKS / ".venv-scores"
WORK = BENCHMARKS / "work"
RESULTS = BENCHMARKS / "results"

Scores = dict[str, float]

DATA = [HERE / file for file in ("tables.py", "generated.py", "reserve.py")]
TRAINING = [*sorted((ROOT / "pipeline").rglob("*.py")), HERE / "train.py"]
"""All code that a fit may depend on: scores made with other code are not used again."""
SCORING = [HERE / f for f in ("score.py", "attacks.py", "frames.py", "requirements.txt")]

LABELS = {
    "shape": ("Shape err %", 2),
    "shape_floor": ("… bootstrap of real rows", 2),
    "trend": ("Trend err %", 2),
    "trend_real_bins": ("Trend, real bins", 2),
    "trend_floor": ("… bootstrap of real rows", 2),
    "c2st": ("XGB-C2ST", 3),
    "c2st_holdout": ("… hold-out", 3),
    "c2st_ceiling": ("… its ceiling", 3),
    "mle": ("MLE", 4),
    "mle_real": ("… of real rows", 4),
    "nulls": ("null patterns, TV %", 2),
    "broken": ("rows that break a rule %", 1),
    "nearer_to_train": ("nearer to train %", 1),
    "nearest_auc": ("nearest-neighbour attack, AUC", 3),
    "nearest_tpr": ("… TPR at 1 % FPR, %", 1),
    "density_auc": ("density-ratio attack, AUC", 3),
    "density_tpr": ("… TPR at 1 % FPR, %", 1),
    "copy_nearest_auc": ("both on a copy of the training rows", 2),
    "independent_nearest_auc": ("both on real rows never seen", 3),
    "kl": ("KL nats", 1),
    "active_units": ("active units", 0),
    "margin_nats": ("posterior over prior, nats", 1),
    "column_error": ("redrawn from z, error % of unrelated", 0),
    "changed_per_step": ("interpolation: columns changed a step", 1),
    "changed_in_all": ("… from end to end", 1),
    "straightness": ("… straightness", 2),
    "largest_step": ("… largest of 10 steps", 2),
    "probe_auc": ("linear probe on z, AUC", 3),
    "probe_chance": ("… target shuffled", 3),
    "train_seconds": ("fit, s", 0),
    "cpu_seconds": ("fit, s of CPU", 0),
    "peak_mb": ("peak MB", 0),
    "rows_per_second": ("rows/s", 0),
}
"""Rows of a results table: label and digits."""
MACHINE = platform.node().encode()
PER_CENT = {"nearest_tpr", "density_tpr"}
SANITY = {f"{rows}_nearest_auc": f"{rows}_density_auc" for rows in ("copy", "independent")}
"""Scores that share a cell of the table."""


def environment() -> str:
    """The Python of the scoring environment, which is created if it is missing."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "installed"
    if not done.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        done.touch()
    return str(python)


def measure(name: str, seed: int, scorer: str, seconds: float | None = None) -> Scores:
    """Train once, in `seconds` if given, and score the rows."""
    directory = workplace(name, seed, seconds)
    limit = [] if seconds is None else [seconds]
    trained = step("train", [sys.executable, HERE / "train.py", name, seed, directory, *limit], directory, TRAINING)
    latent = [sys.executable, HERE / "latent.py", name, directory]
    known = step("latent", latent, directory, [*TRAINING, HERE / "latent.py", HERE / "frames.py"])
    return trained | known | score(name, directory, scorer, "synthetic", [*TRAINING, *SCORING])


def workplace(name: str, seed: int, seconds: float | None = None) -> Path:
    """The directory of a training's files."""
    return WORK / (f"{name}-{seed}" if seconds is None else f"{name}-{seed}-{seconds:g}s")


def score(name: str, directory: Path, scorer: str, which: str, code: list[Path]) -> Scores:
    """Scores of the rows of the file `which` in `directory`."""
    return step(f"score-{which}", [scorer, HERE / "score.py", name, directory, which], directory, code)


def step(label: str, command: list[object], directory: Path, code: list[Path]) -> Scores:
    """The JSON object that a command prints, or printed earlier with the same code."""
    directory.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in (*code, *DATA)) + MACHINE).hexdigest()
    kept = directory / f"{label}.json"
    if kept.exists() and (found := json.loads(kept.read_text()))["code"] == digest:
        return dict(found["scores"])
    print(f"{label}: {directory.name} …", file=sys.stderr, flush=True)
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, env=own)
    scores: Scores = json.loads(done.stdout)
    kept.write_text(json.dumps({"code": digest, "scores": scores}) + "\n")
    return scores


def listing(results: dict[str, list[Scores]], keys: Iterable[str] = LABELS) -> list[str]:
    """The results as a Markdown table, one column per table."""
    lines = ["| | " + " | ".join(results) + " |", "|---|" + "---|" * len(results)]
    for key in keys:
        label, digits = LABELS[key]
        cells = [cell(runs, key, digits) for runs in results.values()]
        if any(value != "–" for value in cells):
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def cell(runs: list[Scores], key: str, digits: int, *, spread: bool = True) -> str:
    """Mean and spread of one score."""
    values = [run[key] * (100 if key in PER_CENT else 1) for run in runs if key in run]
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.{digits}f}"
    if key in SANITY:
        return f"{mean} / {statistics.mean(run[SANITY[key]] for run in runs):.{digits}f}"
    if spread and len(values) > 1:
        return f"{mean} ± {statistics.stdev(values):.{digits}f}"
    interval = [run.get(key.replace("_auc", end)) for run in runs for end in ("_low", "_high")]
    if spread and key in {"nearest_auc", "density_auc"}:
        return f"{mean} ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"
    return mean


def machine() -> str:
    """A description of the machine."""
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    cores = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return f"{cores}, OMP_NUM_THREADS {threads}, Python {platform.python_version()}, no GPU"
