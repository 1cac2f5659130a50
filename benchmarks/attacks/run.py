"""Attacks on generated rows of four tables, beside the same attacks on copies and on real rows.

    .venv/bin/python benchmarks/attacks/run.py [--tables adult,default,magic,beijing] [--seeds 1] [--kept-as now]

Trains with the default configuration, as `benchmarks/fidelity/run.py` does, and shares its trainings: what that command
has trained with the same code is not trained again. The areas `privacy`, `attacks` and `risks` of the evaluation then
look at three tables in place of the synthetic one:

- **generated**: as many rows as the table has, attacked with the model too;
- **copied**: the training rows themselves. Attacks that do not find these are worth nothing;
- **real**: the validation rows, on which no weights were trained. What attacks find here, they find by chance, or
  because this split of the table happens to be uneven. There are only 817 to 1,903 of them, so chance leaves more.

Held-out rows are the table's own test rows. Writes `benchmarks/results/attacks.{md,json}`. Results of other code, kept
under another name (`--kept-as`), stay beside. Takes about one minute per table and seed after the training.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from measuring import HERE as FIDELITY
from measuring import RESULTS, TRAINING, machine, step, workplace

from pipeline.evaluation import evaluate
from pipeline.synthesizer import Synthesizer

TABLES = ("adult", "default", "magic", "beijing")
ROWS = ("generated", "copied", "real")
LABELS = {
    "attack_auc": ("largest AUC of six attacks", 3),
    "attack_auc_chance": ("… what chance leaves", 3),
    "attack_mean": ("mean AUC", 3),
    "attack_tpr": ("largest TPR at 1 % FPR", 3),
    "worst": ("members among the surest 1 %, largest", 2),
    "model_attack_auc": ("AUC with the model", 3),
    "nearer_to_train": ("nearer to training rows", 3),
    "copies": ("copies of unique rows", 4),
    "copies_chance": ("… expected of held-out rows", 4),
    "disclosure_risk": ("largest disclosure risk", 3),
    "disclosure_risk_chance": ("… what chance leaves", 3),
    "singling out": ("singling out, risk", 3),
    "linkability": ("linkability, risk", 3),
    "inference": ("inference, largest risk", 3),
    "attacks_seconds": ("seconds of `attacks`", 0),
    "risks_seconds": ("seconds of `risks`", 0),
}
"""Rows of the table: label and digits."""
ABOUT = (
    "Means over seeds, or one training with 95 % intervals. The interval of a largest value is that of the attack that "
    "reaches it. Real rows are 817 to 1,903. Seconds are those of a busy machine. The words are explained in "
    "docs/privacy.md. *Before* is a training that goes on to the best validation ELBO (`MARGIN = 0`). Its predicates "
    "have three columns at most, so singling out and the largest disclosure risk are not quite those of *Now*."
)

Found = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(TABLES), help="which of %(default)s")
    parser.add_argument("--seeds", type=int, default=1, help="trainings per table (%(default)s)")
    parser.add_argument("--kept-as", default="now", help="the name of these results (%(default)s)")
    given = parser.parse_args()
    path = RESULTS / "attacks.json"
    kept: Found = json.loads(path.read_text()) if path.exists() else {}
    kept["machine"] = machine()
    own = kept.setdefault("runs", {}).setdefault(given.kept_as, {})
    for seed in range(given.seeds):
        for name in given.tables.split(","):
            own.setdefault(name, [])[seed : seed + 1] = [measured(name, seed)]
            path.write_text(json.dumps(kept, indent=1) + "\n")
    text = "\n".join(report(kept)) + "\n"
    (RESULTS / "attacks.md").write_text(text)
    print(text)


def measured(name: str, seed: int) -> Found:
    """What the attacks find in the rows of one training."""
    directory = workplace(name, seed)
    step("train", [sys.executable, FIDELITY / "train.py", name, seed, directory], directory, TRAINING)
    files = ("synthetic", "seen", "validation", "test")
    generated, seen, fresh, test = (pq.read_table(directory / f"{file}.parquet") for file in files)
    model = Synthesizer.load(directory / "model")
    asked = {"generated": (generated, model), "copied": (seen, None), "real": (fresh, None)}
    found = {which: attacked(rows, seen, test, seed, known) for which, (rows, known) in asked.items()}
    print(name, seed, json.dumps(found), file=sys.stderr, flush=True)
    return found


def attacked(rows: pa.Table, seen: pa.Table, test: pa.Table, seed: int, model: Synthesizer | None) -> Found:
    """The scores of the three areas for `rows` in place of the synthetic rows, and the seconds of each area."""
    found: Found = {}
    likelihood = None if model is None else lambda table: model.look(table, seed=seed).elbo.double().numpy()
    for area in ("privacy", "attacks", "risks"):
        began = time.monotonic()
        judged = evaluate(rows, holdout=test, train=seen, areas=[area], seed=seed, likelihood=likelihood)
        found[f"{area}_seconds"] = time.monotonic() - began
        for score in judged.scores:
            found[score.name] = score.value
            found[f"{score.name}_chance"] = score.ceiling
            found[f"{score.name}_interval"] = [score.low, score.high]
        found |= {name: [each.model_dump() for each in records] for name, records in judged.details.items()}
    found["worst"] = max(each["worst"] for each in found["attacks"] if not each["white_box"])
    for risk in found["risks"]:
        kind = risk["attack"].split(",")[0]
        found[kind] = max(risk["risk"], found.get(kind, -1.0))
    return found


def report(kept: Found) -> list[str]:
    """The page of results."""
    lines = ["# Attacks", "", f"{kept['machine']}. {ABOUT}", ""]
    for label, tables in kept["runs"].items():
        lines += [f"## {label.capitalize()}", ""]
        for which in ROWS:
            lines += [f"**{which.capitalize()} rows**", "", *table(tables, which), ""]
    return lines


def table(tables: dict[str, list[Found]], which: str) -> list[str]:
    """The scores of one kind of rows, one column for each table."""
    head = " | ".join(f"{name}, {len(runs)} seed{'s' * (len(runs) > 1)}" for name, runs in tables.items())
    lines = [f"| | {head} |", "|---" * (len(tables) + 1) + "|"]
    for key, (text, digits) in LABELS.items():
        cells = [cell([run[which] for run in runs], key, digits) for runs in tables.values()]
        if any(each != "–" for each in cells):
            lines.append(f"| {text} | " + " | ".join(cells) + " |")
    return lines


def cell(runs: list[Found], key: str, digits: int) -> str:
    """The mean of a score over seeds. One training has the interval of the score in its place."""
    values = [run[key] for run in runs if run.get(key) is not None]
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.{digits}f}"
    if len(values) > 1:
        return f"{mean} ± {statistics.stdev(values):.{digits}f}"
    low, high = runs[0].get(f"{key}_interval") or (None, None)
    return mean if low is None else f"{mean} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()
