"""resynth's attacks beside those of Synth-MIA and anonymeter, on the same files.

    .venv/bin/python benchmarks/attacks/peers.py [--tables adult,magic] [--seed 0]

Needs what `benchmarks/attacks/run.py` has measured for these tables. The peers run in an environment of their own
(`benchmarks/.venv-anonymeter`, created on first use; see `peer.py`). Both sides attack the generated rows and, as a
check that they see anything, a copy of the training rows. Each draws targets of its own, so equal definitions agree up
to chance: a standard error of about .01 of an AUC. The page says where definitions differ. Prints a table and
writes `benchmarks/results/attacks_peers.md`. Takes about five minutes per table.
"""

import argparse
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "fidelity"))
from measuring import BENCHMARKS, RESULTS, machine, step, workplace

HERE = Path(__file__).parent
ENVIRONMENT = BENCHMARKS / ".venv-anonymeter"
NEEDED = ("anonymeter==1.1.0", "pyarrow==21.0.0", "scikit-learn==1.9.1")
ABOUT = (
    "Definitions differ. anonymeter corrects the control of singling out by a fitted curve if it has fewer rows than "
    "the training table. Here the curve goes the wrong way, so these risks are too high (ablations.md). A guessed "
    "number is right within 5 % of the value for anonymeter, within 5 % of the ranks for resynth. The kernel "
    "densities of DOMIAS see eight principal components; resynth takes the five nearest rows in all dimensions. "
    "DOMIAS, DPI and the classifier see as many synthetic rows as there are reference rows, a quarter of Adult's and "
    "a seventeenth of Magic's, and hardly notice a copy: on these, agreement says little. Of several rows that are as "
    "near, anonymeter links by one and resynth by any. MC counts rows within a radius that suits the targets there, "
    "the reference rows here."
)
FILES = ("seen", "test", "synthetic")
SAME = {
    "DCR": "nearest",
    "DCR difference": "nearest_difference",
    "DOMIAS": "density",
    "DPI": "crowd",
    "MC": "count",
    "classifier": "classifier",
}
"""Attacks of Synth-MIA, and the attacks of resynth that ask the same."""


def main() -> None:
    """Attack by both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="adult,magic", help="comma-separated (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    python = environment()
    measured = json.loads((RESULTS / "attacks.json").read_text())["runs"]["now"]
    head = f"{machine()}. `benchmarks/attacks/peers.py` says how."
    lines = ["# Attacks beside those of others", "", head, "", ABOUT, ""]
    for name in given.tables.split(","):
        directory = workplace(name, given.seed)
        theirs = [peer(python, name, directory, given.seed), copied(python, name, directory, given.seed)]
        ours = [measured[name][given.seed][which] for which in ("generated", "copied")]
        lines += [f"## {name.capitalize()}", "", *memberships(ours, theirs), "", *disclosures(ours, theirs), ""]
    text = "\n".join(lines)
    (RESULTS / "attacks_peers.md").write_text(text)
    print(text)


def environment() -> Path:
    """The Python of the peers' environment, which is created if it is missing."""
    python, done = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    if not done.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
        done.touch()
    return python


def peer(python: Path, name: str, directory: Path, seed: int) -> dict:
    """What the peers find in the rows of a directory. They are not asked again about the same rows."""
    rows = [directory / f"{file}.parquet" for file in FILES]
    return step("peers", [python, HERE / "peer.py", name, directory, seed], directory, [HERE / "peer.py", *rows])


def copied(python: Path, name: str, directory: Path, seed: int) -> dict:
    """What the peers find if the training rows themselves are the synthetic rows."""
    place = directory / "copied"
    place.mkdir(exist_ok=True)
    for file, as_file in zip(("seen", "test", "seen"), FILES, strict=True):
        shutil.copy(directory / f"{file}.parquet", place / f"{as_file}.parquet")
    return peer(python, name, place, seed)


def memberships(ours: list[dict], theirs: list[dict]) -> list[str]:
    """AUCs of both sides."""
    own = [{each["name"]: each["auc"] for each in found["attacks"]} for found in ours]
    lines = ["| AUC | resynth | as in Synth-MIA | a copy: resynth | as in Synth-MIA |", "|---|---|---|---|---|"]
    for title, name in SAME.items():
        cells = [each for k in (0, 1) for each in (own[k][name], theirs[k][title])]
        lines.append(f"| {title} (`{name}`) | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return lines


def disclosures(ours: list[dict], theirs: list[dict]) -> list[str]:
    """Risks of both sides, with rate and control."""
    own = [{title(risk): risk for risk in found["risks"]} for found in ours]
    lines = ["| risk (rate / control) | resynth | anonymeter | a copy: resynth | anonymeter |", "|---|---|---|---|---|"]
    for key in sorted(set(own[0]) | (set(theirs[0]) - set(SAME))):
        cells = []
        for k in (0, 1):
            mine = own[k].get(key)
            cells.append("–" if mine is None else written(mine["risk"], mine["rate"], mine["control"]))
            cells.append(written(*theirs[k][key]) if key in theirs[k] else "–")
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return lines


def title(risk: dict) -> str:
    """The name of a risk on both sides."""
    return risk["attack"] if risk["column"] is None else f"inference of {risk['column']}"


def written(risk: float, rate: float, control: float) -> str:
    """A risk in a cell."""
    return f"{risk:.3f} ({rate:.3f} / {control:.3f})"


if __name__ == "__main__":
    main()
