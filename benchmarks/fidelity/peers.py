"""Peers on the same machine in the same run: CTGAN's TVAE and MOSTLY AI's engine beside resynth.

    .venv/bin/python benchmarks/fidelity/peers.py [--tables adult] [--seed 0]

Each peer is installed into an environment of its own (`benchmarks/.venv-tvae`, `benchmarks/.venv-mostly`); neither is a
dependency of resynth. All three train to their own default end, with no time limit. Writes
`benchmarks/results/peers.{md,json}`. About 20 minutes a table on 2 cores; interrupted, it goes on where it stopped.
"""

import argparse
import json
import subprocess
import sys
import venv

from measuring import (
    BENCHMARKS,
    HERE,
    RESULTS,
    SCORING,
    Scores,
    environment,
    listing,
    machine,
    measure,
    score,
    step,
    workplace,
)

PEERS = {
    "tvae": ("CTGAN's TVAE 0.12.1", ("ctgan==0.12.1", "pyarrow", "scikit-learn")),
    "mostly": ("MOSTLY AI engine 2.7.3", ("mostlyai-engine==2.7.3",)),
}
NEEDLESS = ("torchvision", "torchaudio")
"""Brought along, not needed for tables, and not to be imported beside a PyTorch built for CPUs only."""
TRAINED = [HERE / "peer.py"]
UNHURRIED = 7200.0
"""Seconds of a fit: more than any takes, so that other work on the machine costs time but no quality."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="adult", help="comma-separated (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    scorer = environment()
    results: dict[str, dict[str, list[Scores]]] = {}
    for name in given.tables.split(","):
        # first, for it writes the rows that the peers train on
        results[name] = {"resynth": [measure(name, given.seed, scorer, UNHURRIED)]}
        for peer, (label, _) in PEERS.items():
            results[name][label] = [measure_peer(peer, name, given.seed, scorer)]
            print(name, label, json.dumps(results[name][label]), file=sys.stderr, flush=True)
        (RESULTS / "peers.json").write_text(json.dumps({"machine": machine(), "runs": results}, indent=1) + "\n")
        (RESULTS / "peers.md").write_text(page(results))
    print((RESULTS / "peers.md").read_text())


def python_of(peer: str) -> str:
    """The Python of a peer's environment, which is made if it is not there."""
    directory = BENCHMARKS / f".venv-{peer}"
    python = directory / "bin" / "python"
    if not (directory / "installed").exists():
        venv.create(directory, with_pip=True)
        for packages in (("torch==2.13.0",), (*PEERS[peer][1], "torch==2.13.0")):  # the CPU build first
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *NEEDLESS], check=True)
        (directory / "installed").touch()
    return str(python)


def measure_peer(peer: str, name: str, seed: int, scorer: str) -> Scores:
    """Train a peer on the rows of the training split, and score it; all of them are rows it has seen."""
    directory = workplace(name, seed, UNHURRIED)
    trained = step(peer, [python_of(peer), HERE / "peer.py", peer, name, seed, directory], directory, TRAINED)
    return trained | score(name, directory, scorer, peer, [*TRAINED, *SCORING])


def page(results: dict[str, dict[str, list[Scores]]]) -> str:
    """The results as Markdown, one table per data set."""
    lines = ["# Peers on the same machine in the same run", "", f"{machine()}.", ""]
    for name, methods in results.items():
        lines += [f"## {name.capitalize()}", "", *listing(methods), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
