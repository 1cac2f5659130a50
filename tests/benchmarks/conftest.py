"""The fidelity benchmark's modules import each other by their bare names, as its commands do."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "fidelity"))
