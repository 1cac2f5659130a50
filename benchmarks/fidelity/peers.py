"""Peers on the same machine in the same run: CTGAN's TVAE and MOSTLY AI's engine beside resynth.

    .venv/bin/python benchmarks/fidelity/peers.py [--tables adult] [--seed 0]

Each peer is installed into an environment of its own (`benchmarks/.venv-tvae`, `benchmarks/.venv-mostly`). Neither is a
dependency of resynth. All three train to their own default end, without a time limit. Writes
`benchmarks/results/peers.{md,json}`. It takes about 20 minutes per table on 2 cores, and resumes if interrupted.
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
"""Packages that a peer installs although tables do not need them. They do not work with a PyTorch for CPUs only."""
TRAINED = [HERE / "peer.py"]
UNHURRIED = 7200.0
"""Time limit of a fit in seconds. No fit takes as long, so other work on the machine costs time but no quality."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="adult", help="comma-separated (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    scorer = environment()
    results: dict[str, dict[str, list[Scores]]] = {}
    for name in given.tables.split(","):
        # first, because it writes the rows that the peers train on
        results[name] = {"resynth": [measure(name, given.seed, scorer, UNHURRIED)]}
        for peer, (label, _) in PEERS.items():
            results[name][label] = [measure_peer(peer, name, given.seed, scorer)]
            print(name, label, json.dumps(results[name][label]), file=sys.stderr, flush=True)
        (RESULTS / "peers.json").write_text(json.dumps({"machine": machine(), "runs": results}, indent=1) + "\n")
        (RESULTS / "peers.md").write_text(page(results))
    print((RESULTS / "peers.md").read_text())


def python_of(peer: str) -> str:
    """The Python of a peer's environment, which is created if it is missing."""
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
    """Train a peer on the rows of the training split, and score it. The peer sees all of these rows."""
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
